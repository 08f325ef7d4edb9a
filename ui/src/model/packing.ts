// Puts the concurrent spans of one lane on sub-rows, so that none covers another.

/** Deeper work shares the last sub-row: a lane stays a lane. */
export const MAX_DEPTH = 8;
/** Not packed at all: a session lasts for hours and says nothing about what runs now. */
export const SESSION_DEPTH = 255;
/** Clocks of microseconds, sent as milliseconds: a span may begin this much before the last one ended. */
export const SLACK_MS = 0.5;

export class Packer {
  /** Per sub-row: the latest known end, and how many spans on it are still open. */
  private readonly endMs: number[] = [];
  private readonly open: number[] = [];

  get depth(): number {
    return this.endMs.length;
  }

  /** The first sub-row that is free from `startMs` on; `endMs` is Infinity for work that goes on. */
  place(startMs: number, endMs: number): number {
    const row = this.freeRow(startMs);
    if (endMs === Infinity) this.open[row] = (this.open[row] ?? 0) + 1;
    else this.endMs[row] = Math.max(this.endMs[row] ?? -Infinity, endMs);
    return row;
  }

  /** Frees the sub-row of a span that `place` was given as open. */
  close(row: number, endMs: number): void {
    this.open[row] = Math.max(0, (this.open[row] ?? 0) - 1);
    this.endMs[row] = Math.max(this.endMs[row] ?? -Infinity, endMs);
  }

  private freeRow(startMs: number): number {
    const rows = this.endMs.length;
    for (let row = 0; row < rows; row++) {
      if (this.open[row] === 0 && (this.endMs[row] as number) <= startMs + SLACK_MS) return row;
    }
    if (rows === MAX_DEPTH) return MAX_DEPTH - 1;
    this.endMs.push(-Infinity);
    this.open.push(0);
    return rows;
  }
}
