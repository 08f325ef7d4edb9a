// Grids of several steps beside each other: who zooms in and out again finds what was counted before. What
// would read many rows is added up from a grid over all of memory instead: of those, each has steps twice as
// long as the one before, and the longest that fit are the fewest to add up.

import type { GridSource, StepGrid } from "./step_grid";

/** A sweep from a day to seconds has about this many octaves. */
const MOST_GRIDS = 16;
/** Of all grids together; 8 bytes each: 32 MB. */
const MOST_CELLS = 1 << 22;
/** Fewer rows than this are read at once: a millisecond or two. */
const MANY_ROWS = 1 << 16;
/** Bins of the finest grid over all of memory: at most this many, and this many cells. */
const WHOLE_BINS = 1 << 14;
const WHOLE_CELLS = 1 << 20;

type AnyGrid<Source extends GridSource> = StepGrid<Source, Uint32Array> | StepGrid<Source, Float64Array>;

export class GridShelf<Source extends GridSource, Grid extends AnyGrid<Source>> {
  /** By step; the longest unused first. */
  private readonly grids = new Map<number, Grid>();
  /** Over all of memory, the finest first. */
  private readonly wholes: Grid[] = [];

  /** `longStep`: the shortest step of at least so many ms that divides all longer ones. */
  constructor(
    private readonly make: () => Grid,
    private readonly longStep: (atLeastMs: number) => number,
  ) {}

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

  /** The coarsest grid over all of memory that steps of `stepMs` can be added up from, if there is one. */
  private wholeFor(source: Source, stepMs: number): Grid | null {
    const range = source.events.range();
    const [fromMs, toMs] = range;
    const finest = (this.wholes[0] ??= this.make());
    const mostBins = Math.min(WHOLE_BINS, WHOLE_CELLS / Math.max(1, source.lines));
    const isKept = finest.stepMs > 0 && finest.covers(source, fromMs, toMs, finest.stepMs);
    const finestMs = isKept ? finest.stepMs : this.longStep((toMs - fromMs) / mostBins);
    if (stepMs % finestMs !== 0) return null;
    let level = 0;
    while ((stepMs / finestMs) % 2 ** (level + 1) === 0) level++;
    return this.whole(source, range, finestMs, level);
  }

  /** The grid over all of memory with steps of `finestMs` doubled `level` times, brought up to date. */
  private whole(source: Source, range: readonly [number, number], finestMs: number, level: number): Grid {
    const whole = (this.wholes[level] ??= this.make());
    const stepMs = finestMs * 2 ** level;
    if (level > 0 && !whole.covers(source, ...range, stepMs)) {
      const finer = this.whole(source, range, finestMs, level - 1);
      whole.sumFrom(finer as never, source, ...range, stepMs);
    }
    whole.refresh(source, ...range, stepMs);
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
