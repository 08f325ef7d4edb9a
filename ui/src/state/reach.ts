// Work that reaches into the view from where events are missing: begun before it or in it, and ended after it or not
// at all. Its events are not on the page, and its bars are what a person looks for there.

import type { Page } from "../api/client";
import { spanMs, type Viewport } from "../base/viewport";
import type { Hole } from "../model/journal";
import { parseTimeMs, type StoredEvent } from "../model/stored";

/** So long the view must rest before the hub is asked. */
const SETTLE_MS = 120;
/** Asked for on either side of the view, as a share of it. */
const PAD_RATIO = 0.5;
/** In a view that is so much shorter than the one that was asked about, shorter work reaches over its ends. */
const LEAST_SHARE = 0.2;
/** What began longer ago and has no end was left behind, as a rule. */
const RUNNING_MS = 86_400_000;
/** How far after the view work is looked for that began before its end: of each, the longest. */
const ENDS_WITHIN_MS = [60_000, 3_600_000, 86_400_000];
const MOST = 200;

export interface Hub {
  events(query: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<Page>;
  slowest(query: Readonly<Record<string, string>>, signal?: AbortSignal): Promise<readonly StoredEvent[]>;
}

export interface Shelf {
  holes(): readonly Hole[];
  /** Of the filter. */
  query(): string;
  nowMs(): number;
  /** Takes what began and has no end, and the ends of what else reaches into the view. */
  take(running: readonly StoredEvent[], ends: readonly StoredEvent[]): void;
}

interface Asked extends Viewport {
  readonly query: string;
  readonly viewMs: number;
}

export class Reach {
  private asked: Asked | null = null;
  private timer = 0;
  private control = new AbortController();

  constructor(
    private readonly shelf: Shelf,
    private readonly hub: Hub,
  ) {}

  /** Another log. */
  reset(): void {
    this.control.abort();
    clearTimeout(this.timer);
    this.asked = null;
  }

  /** Called with every view that is drawn: cheap where the hub was asked already. */
  look(view: Viewport): void {
    const missingTo = Math.max(...this.shelf.holes().map(({ toMs }) => toMs));
    if (missingTo === -Infinity) return;
    const untilMs = Math.min(missingTo, this.shelf.nowMs());
    const wanted = { fromMs: Math.min(view.fromMs, untilMs), toMs: Math.min(view.toMs, untilMs) };
    const viewMs = spanMs(view);
    const query = this.shelf.query();
    const { asked } = this;
    const isKnown =
      asked?.query === query &&
      asked.fromMs <= wanted.fromMs &&
      asked.toMs >= wanted.toMs &&
      viewMs >= asked.viewMs * LEAST_SHARE;
    if (isKnown) return;
    const sideMs = viewMs * PAD_RATIO;
    this.control.abort();
    this.control = new AbortController();
    this.asked = {
      query,
      viewMs,
      fromMs: wanted.fromMs - sideMs,
      toMs: Math.min(wanted.toMs + sideMs, untilMs),
    };
    clearTimeout(this.timer);
    this.timer = window.setTimeout(
      () => void this.ask(this.asked as Asked, untilMs, this.control.signal),
      SETTLE_MS,
    );
  }

  private async ask(asked: Asked, missingTo: number, signal: AbortSignal): Promise<void> {
    const { query, fromMs, toMs } = asked;
    const limit = String(MOST);
    const open = { q: query ? `(${query}) is:open` : "is:open", order: "newest", limit };
    const range = { since: iso(fromMs - RUNNING_MS), until: iso(toMs) };
    const after = toMs < missingTo ? ENDS_WITHIN_MS : []; // else the ends are on the page
    const among = { since: iso(toMs), limit, ...(query ? { q: query } : {}) };
    try {
      const [running, ...ended] = await Promise.all([
        this.hub.events({ ...open, ...range }, signal),
        ...after.map((withinMs) => this.hub.slowest({ ...among, until: iso(toMs + withinMs) }, signal)),
      ]);
      const ends = new Map(ended.flat().map((event) => [event.seq, event]));
      const reaching = [...ends.values()].filter((event) => startOf(event) < toMs);
      if (!signal.aborted) this.shelf.take(running.events, reaching);
    } catch {
      if (!signal.aborted) this.asked = null; // as without it; another view asks again
    }
  }
}

function startOf({ timestamp, duration_ms: tookMs = 0 }: StoredEvent): number {
  return parseTimeMs(timestamp) - tookMs;
}

function iso(timeMs: number): string {
  return new Date(timeMs).toISOString();
}
