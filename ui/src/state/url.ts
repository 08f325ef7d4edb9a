// What the address says: view, query, range, selection and pinned lanes, named as in the query API.

import { spanMs, type Viewport } from "../base/viewport";
import { LIVE, type Place } from "./place.svelte";

export interface PageState {
  readonly place: Place;
  /** In the query language; "" for none. */
  readonly query: string;
  /** Following: length of the range, NaN where the address does not say. */
  readonly lastMs: number;
  /** A fixed range, NaN NaN while following. */
  readonly sinceMs: number;
  readonly untilMs: number;
  /** Event id or @SEQ, "" for none. */
  readonly selected: string;
  /** Names of the agents whose lanes stand above all others, in order. */
  readonly pinned: readonly string[];
}

/** More would be no address any more. */
const MOST_PINS = 20;

export function readUrl(search: string): PageState {
  const query = new URLSearchParams(search);
  return {
    place: readPlace(query),
    query: query.get("q") ?? "",
    lastMs: number(query.get("last")),
    sinceMs: number(query.get("since")),
    untilMs: number(query.get("until")),
    selected: query.get("sel") ?? "",
    pinned: query.getAll("pin").slice(0, MOST_PINS),
  };
}

/** Whether it names what time to show. */
export function hasRange({ lastMs, sinceMs, untilMs }: PageState): boolean {
  return !Number.isNaN(lastMs) || !(Number.isNaN(sinceMs) || Number.isNaN(untilMs));
}

/** "" or "?…"; the parts in an order that does not depend on how they came about. */
export function writeUrl(state: PageState): string {
  const query = new URLSearchParams(placeParameters(state.place));
  if (state.query) query.set("q", state.query);
  if (!Number.isNaN(state.sinceMs)) {
    query.set("since", String(Math.floor(state.sinceMs)));
    query.set("until", String(Math.ceil(state.untilMs)));
  } else if (!Number.isNaN(state.lastMs)) {
    query.set("last", String(Math.round(state.lastMs)));
  }
  if (state.selected) query.set("sel", state.selected);
  for (const name of state.pinned.slice(0, MOST_PINS)) query.append("pin", name);
  const text = query.toString();
  return text ? `?${text}` : "";
}

/** Of the longer of two ranges: what both share where one is the other, moved or zoomed a bit. */
const SAME_SHARE = 0.5;

/** Whether one would want to step back from `to` to `from`: to another query, a page without the event that was
    opened, another time. What a gesture changes bit by bit is none, nor is to pause or to follow. */
export function isStep(from: PageState, to: PageState, nowMs: number): boolean {
  if (from.query !== to.query || (from.selected === "" && to.selected !== "")) return true;
  const isFollowed = !Number.isNaN(to.lastMs) && Number.isNaN(from.lastMs);
  return !isFollowed && sharedPart(rangeOf(from, nowMs), rangeOf(to, nowMs)) < SAME_SHARE;
}

function rangeOf({ lastMs, sinceMs, untilMs }: PageState, nowMs: number): Viewport {
  return Number.isNaN(lastMs) ? { fromMs: sinceMs, toMs: untilMs } : { fromMs: nowMs - lastMs, toMs: nowMs };
}

/** Of the longer one. */
function sharedPart(one: Viewport, other: Viewport): number {
  const sharedMs = Math.min(one.toMs, other.toMs) - Math.max(one.fromMs, other.fromMs);
  return sharedMs / Math.max(spanMs(one), spanMs(other));
}

function readPlace(query: URLSearchParams): Place {
  const session = query.get("session");
  const trace = query.get("trace");
  if (session) return { view: "session", id: session, other: query.get("with") ?? "" };
  if (trace) return { view: "trace", id: trace };
  const view = query.get("view");
  return view === "sessions" || view === "insights" ? { view } : LIVE;
}

function placeParameters(place: Place): Record<string, string> {
  if (place.view === "session") return { session: place.id, ...(place.other ? { with: place.other } : {}) };
  if (place.view === "trace") return { trace: place.id };
  return place.view === "live" ? {} : { view: place.view };
}

function number(text: string | null): number {
  return text ? Number(text) : NaN;
}
