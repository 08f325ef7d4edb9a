// The hub's totals and stories: sessions, whole conversations, and what the Insights view shows.

import type { Bucket, Series } from "../model/past";
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

/** More agents than a page has lanes for. */
const MOST_AGENTS = 1000;

/** Who spawned whom, of the most recently active agents. */
export async function fetchParents(): Promise<[name: string, parent: string][]> {
  const answer = (await fetchJson("/api/agents", { limit: String(MOST_AGENTS) })) as {
    agents: readonly { readonly name: string; readonly parent?: string | null }[];
  };
  return answer.agents.flatMap(({ name, parent }): [string, string][] => (parent ? [[name, parent]] : []));
}

/** What a figure is worth; see docs/protocol.md, "Totals". */
export type Accuracy = "exact" | "estimated" | "at_least";

export interface Duration {
  readonly [field: string]: unknown;
  readonly events: number;
  readonly errors: number;
  readonly mean_ms: number;
  readonly max_ms: number;
  readonly p50_ms: number;
  readonly p95_ms: number;
  readonly p99_ms: number;
}

export interface Usage {
  readonly [field: string]: unknown;
  readonly events: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cost_usd: number;
}

export interface Pulse {
  readonly step_ms: number;
  readonly accuracy: Accuracy;
  readonly buckets: readonly Bucket[];
  /** The last one may have no name: the rest. */
  readonly series?: readonly Series[];
}

export interface Failure {
  readonly fingerprint: string;
  readonly type: string;
  readonly pattern: string;
  readonly message: string;
  readonly events: number;
  readonly newest: number;
  readonly first: string;
  /** False: there may be one from before `first`. */
  readonly since_first: boolean;
  readonly last: string;
  readonly agents: readonly string[];
  readonly tools: readonly string[];
  readonly course: readonly number[];
}

export interface Failures {
  readonly accuracy: Accuracy;
  readonly events: number;
  readonly kinds: number;
  readonly since: string;
  readonly step_ms: number;
  readonly errors: readonly Failure[];
}

export interface Facet {
  readonly field: string;
  readonly accuracy: Accuracy;
  readonly distinct: number;
  readonly events: number;
  readonly errors: number;
  readonly values: readonly {
    readonly value: string | null;
    readonly events: number;
    readonly errors: number;
  }[];
}

type Asked = Readonly<Record<string, string>>;

export async function fetchDurations(query: Asked, signal?: AbortSignal): Promise<readonly Duration[]> {
  return ((await fetchJson("/api/durations", query, signal)) as { durations: readonly Duration[] }).durations;
}

export async function fetchUsage(query: Asked, signal?: AbortSignal): Promise<readonly Usage[]> {
  return ((await fetchJson("/api/usage", query, signal)) as { usage: readonly Usage[] }).usage;
}

/** The hub keeps what it counted when its time was over: so often it is asked to go on. */
const MOST_TRIES = 5;

export async function fetchPulse(query: Asked, signal?: AbortSignal): Promise<Pulse> {
  for (let tries = 1; ; tries++) {
    const answer = (await fetchJson("/api/pulse", query, signal)) as Pulse;
    if (answer.accuracy !== "at_least" || tries === MOST_TRIES) return answer;
  }
}

export async function fetchFailures(query: Asked, signal?: AbortSignal): Promise<Failures> {
  return (await fetchJson("/api/errors", query, signal)) as Failures;
}

export async function fetchFacets(query: Asked, signal?: AbortSignal): Promise<readonly Facet[]> {
  return ((await fetchJson("/api/facets", query, signal)) as { facets: readonly Facet[] }).facets;
}

export async function fetchSlowest(query: Asked, signal?: AbortSignal): Promise<readonly StoredEvent[]> {
  return ((await fetchJson("/api/slowest", query, signal)) as { events: readonly StoredEvent[] }).events;
}
