// What the hub counted of a stretch of time, by step: drawn where the events themselves are not on the page.

import { stepFor } from "../base/tick";
import { spanMs, type Viewport } from "../base/viewport";
import { categoryOf } from "./category";
import type { Measure } from "./pulse_grid";
import { type Layers, OTHER, type Stack } from "./pulse_layers";

/** Start in Unix milliseconds, and two figures: events and errors, unless something else was asked for. */
export type Bucket = readonly [startMs: number, events: number, errors: number];

export interface Series {
  /** Null: the rest. */
  readonly name: string | null;
  readonly buckets: readonly Bucket[];
}

/** What the pulse shows, and what it is piled by. */
export interface PulseChoice {
  readonly measure: Measure;
  readonly stack: Stack;
}

export interface Past {
  /** What was counted: [fromMs, toMs), of the events that this query finds. */
  readonly query: string;
  readonly fromMs: number;
  readonly toMs: number;
  readonly stepMs: number;
  readonly choice: PulseChoice;
  /** Of all events, whatever the query. */
  readonly all: readonly Bucket[];
  /** Of those that the query finds. */
  readonly found: readonly Bucket[];
  /** Of these, by the name of their agent. */
  readonly byAgent: ReadonlyMap<string, readonly Bucket[]>;
  /** Of the same for the pulse, as chosen: a series for each value that it is piled by, or one. */
  readonly pulse: readonly Series[];
}

/** What was asked for: all but the answer. */
export type Wanted = Pick<Past, "query" | "fromMs" | "toMs" | "stepMs" | "choice">;

/** A step of the pulse in the past. */
export interface Step {
  readonly startMs: number;
  /** By layer; of latency there is one, the mean. */
  readonly values: readonly number[];
  readonly errors: number;
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
export function covers(past: Wanted, wanted: Wanted): boolean {
  return (
    past.query === wanted.query &&
    isSameChoice(past.choice, wanted.choice) &&
    past.stepMs === wanted.stepMs &&
    past.fromMs <= wanted.fromMs &&
    past.toMs >= wanted.toMs
  );
}

export function isSameChoice(one: PulseChoice, other: PulseChoice): boolean {
  return one.measure === other.measure && one.stack === other.stack;
}

/** The pulse of the past by layer, in order of time; nothing where it was asked for another choice. */
export function stepsOf(past: Past, choice: PulseChoice, { layers, stack }: Layers): Step[] {
  if (!isSameChoice(past.choice, choice)) return [];
  const others = layers.findIndex(({ name }) => name === OTHER);
  const lines = new Map(layers.map(({ name }, line) => [name, line]));
  const lineOf = (name: string | null) => {
    if (stack === "none") return 0;
    if (stack === "kind") return categoryOf(name ?? "");
    return lines.get(name ?? OTHER) ?? others;
  };
  const sums = new Map<number, number[]>();
  for (const { name, buckets } of past.pulse) {
    const line = lineOf(name);
    for (const bucket of buckets) {
      let values = sums.get(bucket[0]);
      if (!values) sums.set(bucket[0], (values = new Array<number>(layers.length).fill(0)));
      values[line] = (values[line] ?? 0) + figureOf(choice.measure, bucket);
    }
  }
  const errors = new Map(past.found.map(([startMs, , failed]) => [startMs, failed]));
  return [...sums]
    .map(([startMs, values]) => ({ startMs, values, errors: errors.get(startMs) ?? 0 }))
    .sort((one, other) => one.startMs - other.startMs);
}

function figureOf(measure: Measure, [, first, second]: Bucket): number {
  if (measure === "errors") return second;
  if (measure === "tokens") return first + second;
  if (measure === "latency") return first > 0 ? second / first : 0;
  return first;
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
