// Where a time axis is marked, and how the marks are called.

import { ago } from "./format";

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

/** Steps that people read without reckoning. */
const STEPS_MS = [
  0.1,
  0.2,
  0.5,
  1,
  2,
  5,
  10,
  20,
  50,
  100,
  200,
  500,
  SECOND,
  2 * SECOND,
  5 * SECOND,
  10 * SECOND,
  15 * SECOND,
  30 * SECOND,
  MINUTE,
  2 * MINUTE,
  5 * MINUTE,
  10 * MINUTE,
  15 * MINUTE,
  30 * MINUTE,
  HOUR,
  2 * HOUR,
  3 * HOUR,
  6 * HOUR,
  12 * HOUR,
  DAY,
  2 * DAY,
  7 * DAY,
  14 * DAY,
  28 * DAY,
  56 * DAY,
  112 * DAY,
  364 * DAY,
  728 * DAY,
] as const;

const LONGEST_STEP_MS = 728 * DAY;

/** The smallest readable step of at least `atLeastMs`. */
export function stepFor(atLeastMs: number): number {
  return STEPS_MS.find((step) => step >= atLeastMs) ?? LONGEST_STEP_MS;
}

const FOUNDING_STEPS_MS = STEPS_MS.filter((step, n) =>
  STEPS_MS.slice(n).every((longer) => longer % step === 0),
);

/** The smallest readable step of at least `atLeastMs` that every longer one is a multiple of. */
export function foundingStep(atLeastMs: number): number {
  return FOUNDING_STEPS_MS.find((step) => step >= atLeastMs) ?? LONGEST_STEP_MS;
}

/** What to add to Unix time so that midnight of the local clock falls on a whole day. */
export function localOffsetMs(atMs: number): number {
  return -new Date(atMs).getTimezoneOffset() * MINUTE;
}

/** Days of the local clock, counted. */
export function dayNumber(atMs: number): number {
  return Math.floor((atMs + localOffsetMs(atMs)) / DAY);
}

/** Multiples of `stepMs` in [fromMs, toMs), counted on the clock that is `offsetMs` ahead of UTC. */
export function ticks(fromMs: number, toMs: number, stepMs: number, offsetMs = 0): number[] {
  const first = Math.ceil((fromMs + offsetMs) / stepMs);
  const found: number[] = [];
  for (let n = first; n * stepMs - offsetMs < toMs && found.length < 1000; n++) {
    found.push(n * stepMs - offsetMs);
  }
  return found;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

export function clock(ms: number): string {
  const date = new Date(ms);
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function clockMs(ms: number): string {
  const within = Math.floor(ms - Math.floor(ms / SECOND) * SECOND);
  return `${clock(ms)}.${String(within).padStart(3, "0")}`;
}

const DAY_FORMAT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });

const YEAR_FORMAT = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
/** A day of another year is not taken for one of this: a month ago it was last year only in January. */
const NEAR_MS = 180 * DAY;

/** The year is told where one would not know it. */
export function day(ms: number): string {
  const now = Date.now();
  const isNear = new Date(ms).getFullYear() === new Date(now).getFullYear() || Math.abs(now - ms) < NEAR_MS;
  return (isNear ? DAY_FORMAT : YEAR_FORMAT).format(ms);
}

/** A stretch of time in words: the day where it is not today, seconds where it is short. */
export function rangeLabel(fromMs: number, toMs: number, nowMs = Date.now()): string {
  const [from, to, today] = [day(fromMs), day(toMs), day(nowMs)];
  if (from === to) return `${from === today ? "" : `${from}, `}${clock(fromMs)} – ${clock(toMs)}`;
  const isOneYear = new Date(fromMs).getFullYear() === new Date(toMs).getFullYear();
  if (toMs - fromMs > 60 * DAY)
    return isOneYear ? `${from} – ${to}` : `${YEAR_FORMAT.format(fromMs)} – ${YEAR_FORMAT.format(toMs)}`;
  const minute = (ms: number) => clock(ms).slice(0, 5);
  return `${from}, ${minute(fromMs)} – ${to === today ? "" : `${to}, `}${minute(toMs)}`;
}

/** How long ago, and from a day on when: 4 m ago; Nov 26, 09:49. */
export function agoOrWhen(ms: number, nowMs: number): string {
  return nowMs - ms < DAY ? ago(nowMs - ms) : `${day(ms)}, ${clock(ms).slice(0, 5)}`;
}

/** As much of the time as the step makes worth saying. */
export function tickLabel(ms: number, stepMs: number): string {
  if (stepMs >= DAY) return day(ms);
  if (stepMs >= MINUTE) return clock(ms).slice(0, 5);
  if (stepMs >= SECOND) return clock(ms);
  const places = stepMs >= 100 ? 1 : stepMs >= 10 ? 2 : stepMs >= 1 ? 3 : 4;
  const within = ms - Math.floor(ms / MINUTE) * MINUTE;
  const seconds = (Math.round(within * 10) / 10_000).toFixed(places);
  return `${clock(ms).slice(0, 5)}:${seconds.padStart(places + 3, "0")}`;
}
