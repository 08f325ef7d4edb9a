// Counts of events and errors per line and step of time: what lanes and the minimap show from afar.

import { FLAG_ERROR } from "./protocol";
import { type GridSource, StepGrid } from "./step_grid";

export interface BinSource extends GridSource {
  /** The grid line of an agent, or -1. */
  lineOf(agent: number): number;
}

export class BinGrid extends StepGrid<BinSource, Uint32Array> {
  counts = new Uint32Array(0);
  errors = new Uint32Array(0);
  private changedBin = Infinity;

  /** The first bin with a count that changed since this was asked last, Infinity where none did. Of a recount
      `recounts` tells. */
  takeChanged(): number {
    const bin = this.changedBin;
    this.changedBin = Infinity;
    return bin;
  }

  at(line: number, bin: number): number {
    return this.counts[line * this.bins + bin] ?? 0;
  }

  errorsAt(line: number, bin: number): number {
    return this.errors[line * this.bins + bin] ?? 0;
  }

  protected columns(): Uint32Array[] {
    return [this.counts, this.errors];
  }

  protected makeRoom(size: number): void {
    this.counts = new Uint32Array(size);
    this.errors = new Uint32Array(size);
  }

  protected add(source: BinSource, slot: number, bin: number): void {
    const { agent, flag } = source.events;
    const line = source.lineOf(agent[slot] as number);
    if (line < 0) return;
    const cell = line * this.bins + bin;
    this.counts[cell] = (this.counts[cell] as number) + 1;
    if ((flag[slot] as number) & FLAG_ERROR) this.errors[cell] = (this.errors[cell] as number) + 1;
    if (bin < this.changedBin) this.changedBin = bin;
  }
}

/** A step of 2^n ms that makes a bin at least `minPx` wide: zooming recounts once an octave. */
export function octaveStep(spanMs: number, widthPx: number, minPx: number): number {
  return 2 ** Math.ceil(Math.log2((spanMs / Math.max(1, widthPx)) * minPx));
}
