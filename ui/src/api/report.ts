// The hub's totals and stories: sessions, whole conversations, and what the Insights view shows.

import type { StoredEvent } from "../model/stored";
import { fetchEvents, fetchJson } from "./client";

export interface Session {
  readonly name: string;
  readonly events: number;
  readonly errors: number;
  readonly first: string;
  readonly last: string;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
  readonly agents: readonly string[];
  readonly state: "working" | "waiting" | "failed" | "ended" | "idle";
  readonly title: string;
  readonly duration_ms: number;
  readonly last_event: string;
}

export async function fetchSessions(
  query: Readonly<Record<string, string>>,
  signal?: AbortSignal,
): Promise<readonly Session[]> {
  const answer = (await fetchJson("/api/sessions", query, signal)) as { sessions: readonly Session[] };
  return answer.sessions;
}

export interface Telling {
  readonly events: readonly StoredEvent[];
  /** False where there are more than are told: the oldest are. */
  readonly isWhole: boolean;
}

const PAGE_EVENTS = 1000;
/** 20,000 events: half a day of one busy conversation, and about 20 MB in memory. */
const MAX_PAGES = 20;

/** All events of one session or trace, oldest first. */
export async function fetchTelling(
  filter: { readonly session: string } | { readonly trace: string },
  signal?: AbortSignal,
): Promise<Telling> {
  const events: StoredEvent[] = [];
  let cursor = "";
  for (let page = 0; page < MAX_PAGES; page++) {
    const query = { ...filter, order: "oldest", limit: String(PAGE_EVENTS) };
    const answer = await fetchEvents(cursor ? { ...query, cursor } : query, signal);
    events.push(...answer.events);
    if (answer.next === null) return { events, isWhole: true };
    cursor = answer.next;
  }
  return { events, isWhole: false };
}
