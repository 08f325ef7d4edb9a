// The log where it is not on the page: what of the time in view is missing is counted by the hub, and fetched
// by itself as soon as it is few enough events to be drawn one by one.

import type { Page } from "../api/client";
import type { Pulse } from "../api/report";
import { spanMs, type Viewport } from "../base/viewport";
import type { Hole } from "../model/journal";
import {
  type Bucket,
  countWithin,
  covers,
  type Past,
  pastStep,
  type PulseChoice,
  type Wanted,
} from "../model/past";

/** So long the view must rest before the hub is asked about it. */
const SETTLE_MS = 120;
/** More at once are a wait, and a picture of counts says more. */
export const MOST_EVENTS = 8_000;
/** Fetched on either side of the view, as a share of it: the next pan has its events already. */
const PAD_RATIO = 0.5;
/** A hole this narrow on the screen is not seen. */
const LEAST_RATIO = 0.002;
const MOST_LANES = 500;
/** Of the pulse: more than it tells apart, since the busiest in memory need not be those of the past. */
const MOST_AGENTS = 100;
/** Of types of events, which are free text. */
const MOST_KINDS = 200;

export interface Hub {
  pulse(query: Readonly<Record<string, string>>, signal: AbortSignal): Promise<Pulse>;
  events(query: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Page>;
}

export interface Shelf {
  holes(): readonly Hole[];
  /** Of the filter. */
  query(): string;
  nowMs(): number;
  /** Whether a fetch is under way. */
  isLoading(): boolean;
  /** Fetches events [from, to) by seq of a hole, which lie before `beforeMs`. */
  fill(hole: Hole, from: number, to: number, beforeMs: number): Promise<boolean>;
  /** Counts are known of these agents. */
  hearOf(names: Iterable<string>): void;
  changed(): void;
}

interface Part extends Viewport {
  readonly hole: Hole;
}

export class History {
  /** What was counted last; it may be of another view. */
  past = $state.raw<Past | null>(null);
  private choice: PulseChoice = { measure: "events", stack: "none" };
  private asked: Wanted | null = null;
  private timer = 0;
  private control = new AbortController();
  private tried: Viewport = { fromMs: 0, toMs: 0 };

  constructor(
    private readonly shelf: Shelf,
    private readonly hub: Hub,
  ) {}

  /** Another log, or an answer that may have been about one. */
  reset(): void {
    this.control.abort();
    clearTimeout(this.timer);
    this.past = this.asked = null;
    this.tried = { fromMs: 0, toMs: 0 };
  }

  /** What the pulse is to show from now on; the next look asks for it. */
  show(choice: PulseChoice): void {
    this.choice = choice;
  }

  /** Called with every view that is drawn: cheap where nothing is missing, or all is known of it. */
  look(view: Viewport): void {
    const parts = partsOf(this.shelf.holes(), view);
    if (parts.length === 0) return;
    const wanted = {
      query: this.shelf.query(),
      fromMs: Math.min(...parts.map((part) => part.fromMs)),
      toMs: Math.max(...parts.map((part) => part.toMs)),
      stepMs: pastStep(view),
      choice: this.choice,
    };
    if (this.past && covers(this.past, wanted)) this.fill(this.past, parts, view);
    else if (!this.asked || !covers(this.asked, wanted)) this.ask(wanted, view);
  }

  private ask(wanted: Wanted, view: Viewport): void {
    const { query, stepMs, choice } = wanted;
    const sideMs = spanMs(view) * PAD_RATIO;
    const fromMs = Math.floor((wanted.fromMs - sideMs) / stepMs) * stepMs;
    const toMs = Math.ceil(Math.min(wanted.toMs + sideMs, this.shelf.nowMs()) / stepMs) * stepMs;
    this.control.abort();
    this.control = new AbortController();
    this.asked = { query, stepMs, choice, fromMs, toMs: Math.max(toMs, wanted.toMs) };
    clearTimeout(this.timer);
    this.timer = window.setTimeout(
      () => void this.count(this.asked as Wanted, this.control.signal),
      SETTLE_MS,
    );
  }

  private async count(asked: Wanted, signal: AbortSignal): Promise<void> {
    const { query, fromMs, toMs, stepMs, choice } = asked;
    const range = { since: iso(fromMs), until: iso(toMs), step: `${stepMs / 1000}s` };
    const among = query ? { q: query } : {};
    const pulseAsked = questionOf(choice);
    try {
      const [found, all, pulse] = await Promise.all([
        this.hub.pulse({ ...range, by: "agent", series: String(MOST_LANES), ...among }, signal),
        query ? this.hub.pulse(range, signal) : null,
        pulseAsked && this.hub.pulse({ ...range, ...pulseAsked, ...among }, signal),
      ]);
      const told = pulse ?? found;
      const byAgent = (found.series ?? []).flatMap(({ name, buckets }): [string, readonly Bucket[]][] =>
        name ? [[name, buckets]] : [],
      );
      this.past = {
        ...asked,
        stepMs: found.step_ms,
        found: found.buckets,
        all: (all ?? found).buckets,
        byAgent: new Map(byAgent),
        pulse: (isPiled(choice) && told.series) || [{ name: null, buckets: told.buckets }],
      };
      this.shelf.hearOf(this.past.byAgent.keys());
    } catch {
      if (!signal.aborted) this.past = null; // as without it; another view asks again
    }
    if (!signal.aborted) this.shelf.changed();
  }

  private fill(past: Past, parts: readonly Part[], view: Viewport): void {
    if (this.shelf.isLoading()) return;
    for (const part of parts) {
      if (part.hole.to === 0 || this.wasTried(part)) continue;
      const count = (range: Viewport) => countWithin(past.all, past.stepMs, range.fromMs, range.toMs);
      const known = count(part);
      if (known === 0 || known > MOST_EVENTS) continue;
      const sideMs = spanMs(view) * PAD_RATIO;
      const padded = {
        fromMs: Math.max(part.hole.fromMs, past.fromMs, part.fromMs - sideMs),
        toMs: Math.min(part.hole.toMs, past.toMs, part.toMs + sideMs),
      };
      void this.fetch(part.hole, count(padded) > MOST_EVENTS ? part : padded);
      return;
    }
  }

  /** The events of a time lie between two in the order of the log; where that is another one, they are not
      looked for. */
  private async fetch(hole: Hole, { fromMs, toMs }: Viewport): Promise<void> {
    this.tried = { fromMs, toMs };
    const range = { q: `seq>=${hole.from} seq<${hole.to}`, since: iso(fromMs), until: iso(toMs), limit: "1" };
    try {
      const [oldest, newest] = await Promise.all(
        (["oldest", "newest"] as const).map((order) => this.hub.events({ ...range, order })),
      );
      const from = oldest?.events[0]?.seq ?? 0;
      const to = (newest?.events[0]?.seq ?? 0) + 1;
      if (from > 0 && to > from && to - from <= 2 * MOST_EVENTS) await this.shelf.fill(hole, from, to, toMs);
    } catch {
      // the counts stay; the button tells why events do not come
    }
  }

  private wasTried({ fromMs, toMs }: Viewport): boolean {
    return fromMs >= this.tried.fromMs && toMs <= this.tried.toMs;
  }
}

/** Means cannot be piled. */
function isPiled({ measure, stack }: PulseChoice): boolean {
  return stack !== "none" && measure !== "latency";
}

/** What the counts by agent do not say already. */
export function questionOf(choice: PulseChoice): Record<string, string> | null {
  const { measure, stack } = choice;
  const counts = measure === "events" || measure === "errors";
  if (counts && stack !== "kind") return null;
  const piles: Record<string, string> = !isPiled(choice)
    ? {}
    : stack === "agent"
      ? { by: "agent", series: String(MOST_AGENTS) }
      : { by: "event", series: String(MOST_KINDS) };
  if (counts) return piles;
  if (measure === "latency") return { of: "durations", event: "tool_result" };
  return { of: measure, ...piles };
}

/** What of the holes lies in view. */
function partsOf(holes: readonly Hole[], view: Viewport): Part[] {
  const leastMs = spanMs(view) * LEAST_RATIO;
  return holes
    .map((hole) => ({
      hole,
      fromMs: Math.max(hole.fromMs, view.fromMs),
      toMs: Math.min(hole.toMs, view.toMs),
    }))
    .filter(({ fromMs, toMs }) => toMs - fromMs > leastMs);
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
