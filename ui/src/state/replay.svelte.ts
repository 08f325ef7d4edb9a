// The clock of a replay: where in a story one is, and how fast it goes on.

import type { Pause } from "../model/story";

export const SPEEDS = [1, 2, 4, 8, 16, 32] as const;
/** A stretch in which nothing happens is crossed in this long, however long it was. */
const PAUSE_CROSSED_MS = 500;
/** A page that was in the background does not jump. */
const LONGEST_TICK_MS = 250;

/** What a replay goes through, in milliseconds of any clock. */
export interface Course {
  readonly startMs: number;
  readonly endMs: number;
  /** When something begins or ends, ascending. */
  readonly momentsMs: readonly number[];
  readonly pauses: readonly Pause[];
}

/** Where one stands `elapsedMs` later. */
export function advance(
  atMs: number,
  elapsedMs: number,
  { endMs, pauses }: Pick<Course, "endMs" | "pauses">,
  { speed, skipsPauses }: { speed: number; skipsPauses: boolean },
): number {
  const pause = skipsPauses ? pauses.find(({ fromMs, toMs }) => atMs >= fromMs && atMs < toMs) : undefined;
  if (!pause) {
    const next = skipsPauses ? pauses.find(({ fromMs }) => fromMs > atMs) : undefined;
    return Math.min(endMs, next?.fromMs ?? endMs, atMs + elapsedMs * speed);
  }
  const crossing = Math.max(speed, (pause.toMs - pause.fromMs) / PAUSE_CROSSED_MS);
  return Math.min(endMs, pause.toMs, atMs + elapsedMs * crossing);
}

export class Replay {
  atMs = $state(0);
  isPlaying = $state(false);
  speed = $state<number>(1);
  skipsPauses = $state(true);
  private lastMs = NaN;

  constructor(private course: Course) {
    this.atMs = course.endMs;
  }

  get isAtEnd(): boolean {
    return this.atMs >= this.course.endMs;
  }

  /** More of the same story came: whoever stood at its end goes on to the new one. */
  extend(course: Course): void {
    const stoodAtEnd = this.isAtEnd && !this.isPlaying;
    this.course = course;
    if (stoodAtEnd) this.atMs = course.endMs;
  }

  play(): void {
    if (this.isAtEnd) this.atMs = this.course.startMs;
    this.isPlaying = true;
    this.lastMs = NaN;
  }

  pause(): void {
    this.isPlaying = false;
  }

  toggle(): void {
    if (this.isPlaying) this.pause();
    else this.play();
  }

  /** To any moment; out of range is the nearest end. */
  seek(timeMs: number): void {
    this.atMs = Math.min(this.course.endMs, Math.max(this.course.startMs, timeMs));
  }

  /** To the next or previous moment at which something begins or ends. */
  step(by: 1 | -1): void {
    this.pause();
    const { momentsMs } = this.course;
    const found =
      by > 0
        ? momentsMs.find((timeMs) => timeMs > this.atMs)
        : momentsMs.findLast((timeMs) => timeMs < this.atMs);
    if (found !== undefined) this.atMs = found;
  }

  faster(by: 1 | -1): void {
    const at = SPEEDS.findIndex((speed) => speed === this.speed);
    this.speed = SPEEDS[Math.min(SPEEDS.length - 1, Math.max(0, at + by))] ?? 1;
  }

  /** Called each frame while playing; returns whether it goes on. */
  tick(nowMs: number): boolean {
    if (!this.isPlaying) return false;
    const elapsedMs = Number.isNaN(this.lastMs) ? 0 : Math.min(LONGEST_TICK_MS, nowMs - this.lastMs);
    this.lastMs = nowMs;
    this.atMs = advance(this.atMs, elapsedMs, this.course, this);
    if (this.isAtEnd) this.isPlaying = false;
    return this.isPlaying;
  }
}
