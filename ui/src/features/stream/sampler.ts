// How many events stand behind each row that is shown: nobody reads 5,000 lines a second.

/** A row should stay on screen at least this long. */
const DWELL_MS = 400;
const WINDOW_MS = 1_000;

export class Sampler {
  private factor = 1;
  private windowStartMs = 0;
  private windowCount = 0;
  private era = NaN;

  /** 1, 2, 4, …: show each row whose number is a multiple. `total` counts all rows of the list since its `era`
   *  began: what a new list has at once is no speed. */
  factorFor(total: number, rowsOnScreen: number, nowMs: number, era: number): number {
    if (era !== this.era) {
      this.era = era;
      this.factor = 1;
      this.windowStartMs = nowMs;
      this.windowCount = total;
    }
    const elapsedMs = nowMs - this.windowStartMs;
    if (elapsedMs >= WINDOW_MS) {
      const isOld = elapsedMs > 5 * WINDOW_MS;
      const perSecond = isOld ? 0 : ((total - this.windowCount) * 1000) / elapsedMs;
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
