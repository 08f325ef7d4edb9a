// What the hub counted of a stretch of time, by step: drawn where the events themselves are not on the page.

import { stepFor } from "../base/tick";
import { spanMs, type Viewport } from "../base/viewport";

/** Start in Unix milliseconds, events, errors. */
export type Bucket = readonly [startMs: number, events: number, errors: number];

export interface Past {
  /** What was counted: [fromMs, toMs), of the events that this query finds. */
  readonly query: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  /** Of all events, whatever the query. */
  readonly all: readonly Bucket[];
  /** Of those that the query finds. */
  readonly found: readonly Bucket[];
  /** Of these, by the name of their agent. */
  readonly byAgent: ReadonlyMap<string, readonly Bucket[]>;
}

/** Buckets across the view: about one in four pixels of a wide page. */
const STEPS_IN_VIEW = 320;
/** The hub's roll-ups know nothing finer that is not the events themselves. */
const LEAST_STEP_MS = 1000;

/** How long a bucket is for a view. */
export function pastStep(view: Viewport): number {
  return Math.max(LEAST_STEP_MS, stepFor(spanMs(view) / STEPS_IN_VIEW));
}

/** Whether the counts say all that a view asks of [fromMs, toMs). */
export function covers(
  past: Pick<Past, "query" | "fromMs" | "toMs" | "stepMs">,
  wanted: Pick<Past, "query" | "fromMs" | "toMs" | "stepMs">,
): boolean {
  return (
    past.query === wanted.query &&
    past.stepMs === wanted.stepMs &&
    past.fromMs <= wanted.fromMs &&
    past.toMs >= wanted.toMs
  );
}

/** Events in the buckets that touch [fromMs, toMs): never fewer than there are. */
export function countWithin(
  buckets: readonly Bucket[],
  stepMs: number,
  fromMs: number,
  toMs: number,
): number {
  let sum = 0;
  for (const [startMs, events] of buckets) if (startMs < toMs && startMs + stepMs > fromMs) sum += events;
  return sum;
}

/** The bucket that holds a moment, if it holds anything. */
export function bucketAt(buckets: readonly Bucket[], stepMs: number, timeMs: number): Bucket | undefined {
  return buckets.find(([startMs]) => startMs <= timeMs && timeMs < startMs + stepMs);
}
