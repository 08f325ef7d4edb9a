// Where a moment of a story stands between its start (0) and its end (1). Pauses are drawn narrow: an
// hour without a word should not press the minutes around it together.

import { stepFor } from "../base/tick";
import type { Pause } from "./story";

/** A pause is at most this share of the time in which something happens. */
const PAUSE_SHARE = 0.03;
/** And all of them together at most this. */
const PAUSES_SHARE = 0.3;
/** Marks nearer to each other than this share of their distance would touch. */
const NEAR_SHARE = 0.6;
/** So many times more marks than wanted are as good. */
const STEPS_SHARE = 1.3;
/** What begins behind it has no room for its words. */
const LAST_PLACE = 0.94;

export class TimeScale {
  private readonly timesMs: number[];
  private readonly places: number[];
  private readonly busyMs: number;
  private readonly busy: { readonly fromMs: number; readonly toMs: number }[] = [];

  /** `pauses` in order and apart; none for a scale that is even. */
  constructor(startMs: number, endMs: number, pauses: readonly Pause[] = []) {
    const pausedMs = pauses.reduce((sum, { fromMs, toMs }) => sum + toMs - fromMs, 0);
    const busyMs = (this.busyMs = Math.max(1, endMs - startMs - pausedMs));
    const most = Math.min(PAUSE_SHARE, PAUSES_SHARE / Math.max(1, pauses.length)) * busyMs;
    this.timesMs = [startMs];
    const lengths = [0];
    const go = (toMs: number, length: number) => {
      this.timesMs.push(toMs);
      lengths.push((lengths.at(-1) as number) + length);
    };
    let atMs = startMs;
    for (const { fromMs, toMs } of pauses) {
      if (fromMs > atMs) {
        this.busy.push({ fromMs: atMs, toMs: fromMs });
        go(fromMs, fromMs - atMs);
      }
      go(toMs, Math.min(most, toMs - fromMs));
      atMs = toMs;
    }
    if (endMs > atMs || this.timesMs.length === 1) go(Math.max(endMs, atMs), Math.max(1e-9, endMs - atMs));
    this.busy.push({ fromMs: atMs, toMs: Math.max(endMs, atMs + 1e-3) });
    const whole = lengths.at(-1) as number;
    this.places = lengths.map((length) => length / whole);
  }

  /** 0 to 1. */
  at(timeMs: number): number {
    return between(timeMs, this.timesMs, this.places);
  }

  timeAt(place: number): number {
    return between(place, this.places, this.timesMs);
  }

  /** About `count` round times after the start: multiples of one step, fewer where pauses lie between. */
  marks(count: number): { readonly place: number; readonly offsetMs: number }[] {
    const startMs = this.timesMs[0] as number;
    const stepMs = stepFor(this.busyMs / count / STEPS_SHARE);
    const marks: { place: number; offsetMs: number }[] = [];
    for (const { fromMs, toMs } of this.busy) {
      for (let n = Math.ceil((fromMs - startMs) / stepMs); startMs + n * stepMs < toMs; n++) {
        const place = this.at(startMs + n * stepMs);
        const before = marks.at(-1)?.place ?? -1;
        if (place - before >= NEAR_SHARE / count && place < LAST_PLACE)
          marks.push({ place, offsetMs: n * stepMs });
      }
    }
    return marks;
  }
}

/** Linear between the knots `from[i]` → `to[i]`, and at their ends outside of them. */
function between(value: number, from: readonly number[], to: readonly number[]): number {
  const last = from.length - 1;
  if (!(value > (from[0] as number))) return to[0] as number;
  if (value >= (from[last] as number)) return to[last] as number;
  let low = 0;
  let high = last;
  while (high - low > 1) {
    const middle = (low + high) >>> 1;
    if ((from[middle] as number) <= value) low = middle;
    else high = middle;
  }
  const width = (from[high] as number) - (from[low] as number);
  const share = width > 0 ? (value - (from[low] as number)) / width : 0;
  return (to[low] as number) + share * ((to[high] as number) - (to[low] as number));
}
