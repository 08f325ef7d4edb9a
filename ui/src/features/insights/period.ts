// How far back the Insights look, and in which steps their heat map counts.

export interface Period {
  readonly name: string;
  /** For the hub's `since`; "" for everything. */
  readonly since: string;
  readonly lengthMs: number;
  readonly stepMs: number;
  readonly step: string;
}

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

export const PERIODS: readonly Period[] = [
  { name: "1 h", since: "1h", lengthMs: HOUR, stepMs: 120_000, step: "2m" },
  { name: "24 h", since: "24h", lengthMs: DAY, stepMs: HOUR, step: "1h" },
  { name: "7 d", since: "7d", lengthMs: 7 * DAY, stepMs: 6 * HOUR, step: "6h" },
  { name: "30 d", since: "30d", lengthMs: 30 * DAY, stepMs: DAY, step: "1d" },
  { name: "All", since: "", lengthMs: Infinity, stepMs: NaN, step: "" },
];

/** The starts of the steps from `fromMs` to `toMs`, counted from the Unix epoch as the hub does. */
export function stepsOf(fromMs: number, toMs: number, stepMs: number): number[] {
  const first = Math.floor(fromMs / stepMs);
  const count = Math.min(400, Math.floor(toMs / stepMs) - first + 1);
  return Array.from({ length: Math.max(0, count) }, (_, i) => (first + i) * stepMs);
}

/** Steps of several buckets, where there are more buckets than fit: at most `most`, whole multiples. */
export function coarser(stepMs: number, spanMs: number, most: number): number {
  return stepMs * Math.max(1, Math.ceil(spanMs / stepMs / most));
}
