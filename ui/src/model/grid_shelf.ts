// Grids of several steps beside each other: who zooms in and out again finds what was counted before. What
// would read many rows is added up from one grid over all of memory instead.

import type { GridSource, StepGrid } from "./step_grid";

/** A sweep from a day to seconds has about this many octaves. */
const MOST_GRIDS = 16;
/** Of all grids together; 8 bytes each: 32 MB. */
const MOST_CELLS = 1 << 22;
/** Fewer rows than this are read at once: a millisecond or two. */
const MANY_ROWS = 1 << 16;
/** Bins of the grid over all of memory: at most this many, and this many cells. */
const WHOLE_BINS = 1 << 14;
const WHOLE_CELLS = 1 << 20;

type AnyGrid<Source extends GridSource> = StepGrid<Source, Uint32Array> | StepGrid<Source, Float64Array>;

export class GridShelf<Source extends GridSource, Grid extends AnyGrid<Source>> {
  /** By step; the longest unused first. */
  private readonly grids = new Map<number, Grid>();
  private readonly whole: Grid;

  /** `longStep`: the shortest step of at least so many ms that divides all longer ones. */
  constructor(
    private readonly make: () => Grid,
    private readonly longStep: (atLeastMs: number) => number,
  ) {
    this.whole = make();
  }

  /** The grid of this step, brought up to date for [fromMs, toMs). */
  take(source: Source, fromMs: number, toMs: number, stepMs: number): Grid {
    const taken = this.grids.get(stepMs) ?? this.make();
    this.grids.delete(stepMs);
    this.grids.set(stepMs, taken);
    if (!taken.covers(source, fromMs, toMs, stepMs) && countRows(source, fromMs, toMs) > MANY_ROWS) {
      const whole = this.wholeFor(source, stepMs);
      if (whole) taken.sumFrom(whole as never, source, fromMs, toMs, stepMs);
    }
    taken.refresh(source, fromMs, toMs, stepMs);
    this.makeRoom(stepMs);
    return taken;
  }

  /** The grid over all of memory, if steps of `stepMs` can be added up from its own. */
  private wholeFor(source: Source, stepMs: number): Grid | null {
    const { whole } = this;
    const [fromMs, toMs] = source.events.range();
    const mostBins = Math.min(WHOLE_BINS, WHOLE_CELLS / Math.max(1, source.lines));
    const isKept = whole.stepMs > 0 && whole.covers(source, fromMs, toMs, whole.stepMs);
    const wholeMs = isKept ? whole.stepMs : this.longStep((toMs - fromMs) / mostBins);
    if (stepMs % wholeMs !== 0) return null;
    whole.refresh(source, fromMs, toMs, wholeMs);
    return whole;
  }

  private makeRoom(takenMs: number): void {
    for (const step of this.grids.keys()) {
      if (step === takenMs || !this.isFull) break;
      this.grids.delete(step);
    }
  }

  private get isFull(): boolean {
    if (this.grids.size > MOST_GRIDS) return true;
    let cells = 0;
    for (const { lines, bins } of this.grids.values()) cells += lines * bins;
    return cells > MOST_CELLS;
  }
}

/** Rows that a count from the beginning would read, about. */
function countRows({ events }: GridSource, fromMs: number, toMs: number): number {
  let rows = 0;
  events.scan(fromMs, toMs, (from, to) => (rows += to - from));
  return rows;
}
