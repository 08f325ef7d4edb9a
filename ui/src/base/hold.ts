// Whether a hand at what moves by itself keeps it still: what one aims at must not move away before the press.

/** A pointer that rested for so long aims at nothing any more, and it goes on beneath it. */
export const HOLD_MS = 5_000;

export class Hold {
  private untilMs = -Infinity;
  private isPressed = false;
  private xPx = NaN;
  private yPx = NaN;

  /** A mouse is over the list; that the list moved beneath it is no move. */
  move(xPx: number, yPx: number, nowMs: number): void {
    if (xPx === this.xPx && yPx === this.yPx) return;
    this.xPx = xPx;
    this.yPx = yPx;
    this.untilMs = nowMs + HOLD_MS;
  }

  press(): void {
    this.isPressed = true;
  }

  /** What was pressed stays for as long as a mouse that moved there would keep it. */
  release(nowMs: number): void {
    this.isPressed = false;
    this.untilMs = nowMs + HOLD_MS;
  }

  end(): void {
    this.isPressed = false;
    this.untilMs = -Infinity;
    this.xPx = NaN;
  }

  /** How long it lasts if nothing moves; 0 where nothing is held. */
  leftMs(nowMs: number): number {
    return this.isPressed ? HOLD_MS : Math.max(0, this.untilMs - nowMs);
  }
}
