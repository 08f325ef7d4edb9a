// Runs something as often as it is asked for, up to a pace: at once after a rest, and once more for what came since.

/** When the stretch of time after that of `ranMs` begins: once in each is the pace. Stretches are those of the page's
    clock, so that all that has one pace runs in one frame. */
export function nextTurnMs(ranMs: number, everyMs: number): number {
  return (Math.floor(ranMs / everyMs) + 1) * everyMs;
}

export class Pace {
  private ranMs = -Infinity;
  private timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    private readonly everyMs: number,
    private readonly run: () => void,
  ) {}

  ask(): void {
    if (this.timer !== null) return;
    const waitMs = nextTurnMs(this.ranMs, this.everyMs) - performance.now();
    if (waitMs <= 0) this.go();
    else this.timer = setTimeout(() => this.go(), waitMs);
  }

  /** Forgets what it was asked for. */
  stop(): void {
    if (this.timer !== null) clearTimeout(this.timer);
    this.timer = null;
  }

  private go(): void {
    this.timer = null;
    this.ranMs = performance.now();
    this.run();
  }
}
