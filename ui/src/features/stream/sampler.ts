// How many events stand behind each row that is shown: nobody reads 5,000 lines a second.

/** A row should stay on screen at least this long. */
const DWELL_MS = 400;
const WINDOW_MS = 1_000;

export class Sampler {
  private factor = 1;
  private windowStartMs = 0;
  private windowCount = 0;

  /** 1, 2, 4, …: show each row whose number is a multiple. `total` counts all rows that ever matched. */
  factorFor(total: number, rowsOnScreen: number, nowMs: number): number {
    const elapsedMs = nowMs - this.windowStartMs;
    if (elapsedMs >= WINDOW_MS) {
      const isFirst = this.windowStartMs === 0;
      const perSecond =
        isFirst || elapsedMs > 5 * WINDOW_MS ? 0 : ((total - this.windowCount) * 1000) / elapsedMs;
      this.factor = powerOfTwo((perSecond * (DWELL_MS / 1000)) / Math.max(1, rowsOnScreen));
      this.windowStartMs = nowMs;
      this.windowCount = total;
    }
    return this.factor;
  }
}

export function powerOfTwo(atLeast: number): number {
  return atLeast <= 1 ? 1 : 2 ** Math.ceil(Math.log2(atLeast));
}
