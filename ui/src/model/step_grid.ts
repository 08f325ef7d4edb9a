// Columns of sums by line and step of time, kept up as rows arrive. Steps are counted from the Unix epoch,
// so that panning and following move over the same bins, and a long step is made of whole short ones.

import { AS_GAP, type EventTable } from "./event_table";

/** Bins kept on each side of the view, as a share of it: panning recounts only when it leaves them, and
    zooming out stays within them until the step is another one. */
const MARGIN = 0.5;
/** The number of bins is a multiple of this: views of about one length share the size of their columns, and
    a step that comes again finds room that was made before. */
const BIN_ROOM = 64;

export interface GridSource {
  readonly events: EventTable;
  /** Changes when rows are renumbered or match anew, or when lines get another meaning. */
  readonly version: string;
  readonly lines: number;
}

export abstract class StepGrid<Source extends GridSource, Column extends Uint32Array | Float64Array> {
  stepMs = 0;
  firstBin = 0;
  bins = 0;
  lines = 0;
  /** How often everything was counted again; for tests. */
  recounts = 0;
  private version = "";
  private readRow = 0;

  /** Brings the sums up to date for [fromMs, toMs). */
  refresh(source: Source, fromMs: number, toMs: number, stepMs: number): void {
    if (!this.covers(source, fromMs, toMs, stepMs)) this.begin(source, fromMs, toMs, stepMs);
    this.count(source);
  }

  /** Whether only rows that arrived since the last count are missing. */
  covers(source: Source, fromMs: number, toMs: number, stepMs: number): boolean {
    const from = Math.floor(fromMs / stepMs);
    const until = Math.floor(toMs / stepMs) + 1;
    if (stepMs !== this.stepMs || from < this.firstBin || until > this.firstBin + this.bins) return false;
    return source.version === this.version && source.lines === this.lines;
  }

  /** Starts anew for [fromMs, toMs) with the sums of `fine`, whose step divides `stepMs`. */
  sumFrom(fine: this, source: Source, fromMs: number, toMs: number, stepMs: number): void {
    this.begin(source, fromMs, toMs, stepMs);
    const ratio = stepMs / fine.stepMs;
    const offset = this.firstBin * ratio - fine.firstBin;
    const own = this.columns();
    fine.columns().forEach((column, n) => {
      for (let line = 0; line < this.lines; line++) {
        const into = own[n]?.subarray(line * this.bins, (line + 1) * this.bins) as Column;
        addUp(column.subarray(line * fine.bins, (line + 1) * fine.bins), offset, into, ratio);
      }
    });
    this.readRow = fine.readRow;
  }

  /** The bin that holds a time: an index into a line, not checked for being inside. */
  binAt(timeMs: number): number {
    return Math.floor(timeMs / this.stepMs) - this.firstBin;
  }

  startMs(bin: number): number {
    return (this.firstBin + bin) * this.stepMs;
  }

  /** What `sumFrom` adds up, in an order that stays. */
  protected abstract columns(): Column[];

  /** Columns of `size` zeros. */
  protected abstract makeRoom(size: number): void;

  /** Adds one row to its cell. */
  protected abstract add(source: Source, slot: number, bin: number): void;

  private begin(source: Source, fromMs: number, toMs: number, stepMs: number): void {
    const from = Math.floor(fromMs / stepMs);
    const until = Math.floor(toMs / stepMs) + 1;
    const margin = Math.ceil((until - from) * MARGIN);
    this.firstBin = from - margin;
    this.bins = Math.ceil((until - from + 2 * margin) / BIN_ROOM) * BIN_ROOM;
    this.stepMs = stepMs;
    this.lines = source.lines;
    this.version = source.version;
    const size = this.lines * this.bins;
    const columns = this.columns();
    if (columns[0]?.length === size) for (const column of columns) column.fill(0);
    else this.makeRoom(size);
    this.readRow = 0;
    this.recounts++;
  }

  private count(source: Source): void {
    const { events } = source;
    const end = events.shownEnd;
    if (this.readRow >= end) return;
    const count = (from: number, to: number) => this.countRows(source, from, Math.min(to, end));
    events.scan(this.startMs(0), this.startMs(this.bins), count, this.readRow);
    this.readRow = end;
  }

  private countRows(source: Source, fromRow: number, toRow: number): void {
    const { events } = source;
    const { tsMs, match, drawn } = events;
    const { firstBin, bins, stepMs } = this;
    for (let row = fromRow; row < toRow; row++) {
      const i = events.slot(row);
      if (match[i] === 0 || drawn[i] === AS_GAP) continue;
      const bin = Math.floor((tsMs[i] as number) / stepMs) - firstBin;
      if (bin >= 0 && bin < bins) this.add(source, i, bin);
    }
  }
}

/** Adds the cells of a line of short steps, `offset` cells on, to the cells of a line of steps `ratio` times as
    long, all of them 0. */
function addUp(
  fine: Uint32Array | Float64Array,
  offset: number,
  coarse: Uint32Array | Float64Array,
  ratio: number,
): void {
  const first = Math.max(0, Math.floor(-offset / ratio));
  const end = Math.min(coarse.length, Math.ceil((fine.length - offset) / ratio));
  if (ratio === 1) {
    if (first < end) coarse.set(fine.subarray(offset + first, offset + end), first);
    return;
  }
  for (let bin = first; bin < end; bin++) {
    const from = Math.max(0, offset + bin * ratio);
    const until = Math.min(fine.length, offset + (bin + 1) * ratio);
    let sum = 0;
    for (let n = from; n < until; n++) sum += fine[n] as number;
    coarse[bin] = sum;
  }
}
