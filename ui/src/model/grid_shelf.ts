// Grids of several steps beside each other: who zooms in and out again finds what was counted before.

import { BinGrid } from "./bin_grid";

/** A sweep from a day to seconds has about this many octaves. */
const MOST_GRIDS = 16;
/** 8 bytes each: 32 MB. */
const MOST_CELLS = 1 << 22;

export class GridShelf {
  /** By step; the longest unused first. */
  private readonly grids = new Map<number, BinGrid>();

  /** The grid of this step, which may need a refresh; others give way where there are too many. */
  take(stepMs: number): BinGrid {
    const taken = this.grids.get(stepMs) ?? new BinGrid();
    this.grids.delete(stepMs);
    this.grids.set(stepMs, taken);
    for (const step of this.grids.keys()) {
      if (step === stepMs || !this.isFull) break;
      this.grids.delete(step);
    }
    return taken;
  }

  private get isFull(): boolean {
    if (this.grids.size > MOST_GRIDS) return true;
    let cells = 0;
    for (const grid of this.grids.values()) cells += grid.counts.length;
    return cells > MOST_CELLS;
  }
}
