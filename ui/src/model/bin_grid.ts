// Counts of events and errors per lane and step of time, kept up as rows arrive. Steps are counted
// from the Unix epoch, so that panning and following move over the same bins.

import { AS_GAP, type EventTable } from "./event_table";
import { FLAG_ERROR } from "./protocol";

/** Bins kept on each side of the view, as a share of it: panning recounts only when it leaves them. */
const MARGIN = 1;

export interface BinSource {
  readonly events: EventTable;
  /** Changes when rows are renumbered or match anew. */
  readonly version: string;
  /** The grid line of an agent, or -1. */
  lineOf(agent: number): number;
  readonly lines: number;
}

export class BinGrid {
  counts = new Uint32Array(0);
  errors = new Uint32Array(0);
  stepMs = 0;
  firstBin = 0;
  bins = 0;
  private lines = 0;
  private version = "";
  private readRow = 0;
  /** How often everything was counted again; for tests. */
  recounts = 0;

  /** Brings the counts up to date for [fromMs, toMs). */
  refresh(source: BinSource, fromMs: number, toMs: number, stepMs: number): void {
    const from = Math.floor(fromMs / stepMs);
    const until = Math.floor(toMs / stepMs) + 1;
    const isKept = stepMs === this.stepMs && from >= this.firstBin && until <= this.firstBin + this.bins;
    if (!isKept || source.version !== this.version || source.lines !== this.lines) {
      this.clear(source, from, until, stepMs);
    }
    this.count(source);
  }

  at(line: number, bin: number): number {
    return this.counts[line * this.bins + bin] ?? 0;
  }

  errorsAt(line: number, bin: number): number {
    return this.errors[line * this.bins + bin] ?? 0;
  }

  /** The bin that holds a time: an index into a line, not checked for being inside. */
  binAt(timeMs: number): number {
    return Math.floor(timeMs / this.stepMs) - this.firstBin;
  }

  startMs(bin: number): number {
    return (this.firstBin + bin) * this.stepMs;
  }

  private clear(source: BinSource, from: number, until: number, stepMs: number): void {
    const margin = Math.ceil((until - from) * MARGIN);
    this.firstBin = from - margin;
    this.bins = until - from + 2 * margin;
    this.stepMs = stepMs;
    this.lines = source.lines;
    this.version = source.version;
    const size = this.lines * this.bins;
    if (this.counts.length === size) {
      this.counts.fill(0);
      this.errors.fill(0);
    } else {
      this.counts = new Uint32Array(size);
      this.errors = new Uint32Array(size);
    }
    this.readRow = 0;
    this.recounts++;
  }

  private count(source: BinSource): void {
    const { events } = source;
    const fromMs = this.firstBin * this.stepMs;
    const untilMs = (this.firstBin + this.bins) * this.stepMs;
    const end = events.shownEnd;
    const count = (from: number, to: number) => this.countRows(source, from, Math.min(to, end));
    events.scan(fromMs, untilMs, count, this.readRow);
    this.readRow = end;
  }

  private countRows(source: BinSource, fromRow: number, toRow: number): void {
    const { events } = source;
    const { tsMs, agent, match, flag, drawn } = events;
    const { firstBin, bins, stepMs, counts, errors } = this;
    for (let row = fromRow; row < toRow; row++) {
      const i = events.slot(row);
      if (match[i] === 0 || drawn[i] === AS_GAP) continue;
      const bin = Math.floor((tsMs[i] as number) / stepMs) - firstBin;
      if (bin < 0 || bin >= bins) continue;
      const line = source.lineOf(agent[i] as number);
      if (line < 0) continue;
      const cell = line * bins + bin;
      counts[cell] = (counts[cell] as number) + 1;
      if ((flag[i] as number) & FLAG_ERROR) errors[cell] = (errors[cell] as number) + 1;
    }
  }
}

/** A step of 2^n ms that makes a bin at least `minPx` wide: zooming recounts once an octave. */
export function octaveStep(spanMs: number, widthPx: number, minPx: number): number {
  return 2 ** Math.ceil(Math.log2((spanMs / Math.max(1, widthPx)) * minPx));
}
