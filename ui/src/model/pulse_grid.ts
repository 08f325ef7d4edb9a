// The pulse as numbers: events, errors, tokens, durations and open work by step of time and by layer.

import { FLAG_CLOSES, FLAG_ERROR } from "./protocol";
import type { SpanTable } from "./span_table";
import { type GridSource, StepGrid } from "./step_grid";

export const MEASURES = ["events", "errors", "tokens", "open", "latency"] as const;
export type Measure = (typeof MEASURES)[number];

export interface PulseSource extends GridSource {
  readonly spans: SpanTable;
  /** The layer of an event or a span. */
  lineOf(agent: number, kind: number): number;
  /** Whether the event ends a call of a tool. */
  isToolEnd(kind: number): boolean;
}

export class PulseGrid extends StepGrid<PulseSource, Float64Array> {
  counts = new Float64Array(0);
  errors = new Float64Array(0);
  tokens = new Float64Array(0);
  /** Of calls of tools that ended: their durations together, and how many had one. */
  durations = new Float64Array(0);
  calls = new Float64Array(0);
  /** Work that was open at any time of the bin; only after `countOpen`. */
  open = new Float32Array(0);

  /** Counts open work anew: spans change after the fact, so this is for a few times a second. */
  countOpen(source: PulseSource, nowMs: number): void {
    const { spans } = source;
    const { bins } = this;
    if (this.open.length !== this.lines * bins) this.open = new Float32Array(this.lines * bins);
    const steps = new Float32Array(this.lines * (bins + 1));
    const visit = (from: number, to: number) => {
      for (let span = from; span < to; span++) {
        const i = spans.slot(span);
        const line = source.lineOf(spans.agent[i] as number, spans.kind[i] as number);
        if (spans.match[i] === 0 || line < 0) continue;
        const endMs = Math.min(spans.endMs[i] as number, nowMs);
        const first = Math.max(0, this.binAt(spans.startMs[i] as number));
        const last = Math.min(bins - 1, this.binAt(endMs));
        if (first > last) continue;
        const at = line * (bins + 1);
        steps[at + first] = (steps[at + first] as number) + 1;
        steps[at + last + 1] = (steps[at + last + 1] as number) - 1;
      }
    };
    spans.scan(this.startMs(0), this.startMs(bins), 0, visit);
    for (let line = 0; line < this.lines; line++) {
      let level = 0;
      for (let bin = 0; bin < bins; bin++) {
        level += steps[line * (bins + 1) + bin] as number;
        this.open[line * bins + bin] = level;
      }
    }
  }

  /** What a layer adds to the height of a bin. Means cannot be stacked: of latency there is `meanMs` alone. */
  at(measure: Measure, line: number, bin: number): number {
    const cell = line * this.bins + bin;
    if (measure === "latency") return 0;
    const column =
      measure === "events"
        ? this.counts
        : measure === "errors"
          ? this.errors
          : measure === "tokens"
            ? this.tokens
            : this.open;
    return column[cell] ?? 0;
  }

  /** Of all layers together. */
  total(measure: Measure, bin: number): number {
    if (measure === "latency") return this.meanMs(bin);
    let sum = 0;
    for (let line = 0; line < this.lines; line++) sum += this.at(measure, line, bin);
    return sum;
  }

  meanMs(bin: number): number {
    let sum = 0;
    let calls = 0;
    for (let line = 0; line < this.lines; line++) {
      sum += this.durations[line * this.bins + bin] ?? 0;
      calls += this.calls[line * this.bins + bin] ?? 0;
    }
    return calls > 0 ? sum / calls : 0;
  }

  protected columns(): Float64Array[] {
    return [this.counts, this.errors, this.tokens, this.durations, this.calls];
  }

  protected makeRoom(size: number): void {
    this.counts = new Float64Array(size);
    this.errors = new Float64Array(size);
    this.tokens = new Float64Array(size);
    this.durations = new Float64Array(size);
    this.calls = new Float64Array(size);
  }

  protected add(source: PulseSource, slot: number, bin: number): void {
    const { agent, kind, flag, tokens, durMs } = source.events;
    const line = source.lineOf(agent[slot] as number, kind[slot] as number);
    if (line < 0) return;
    const cell = line * this.bins + bin;
    const flags = flag[slot] as number;
    this.counts[cell] = (this.counts[cell] as number) + 1;
    if (flags & FLAG_ERROR) this.errors[cell] = (this.errors[cell] as number) + 1;
    if (tokens[slot]) this.tokens[cell] = (this.tokens[cell] as number) + (tokens[slot] as number);
    if (flags & FLAG_CLOSES && (durMs[slot] as number) >= 0 && source.isToolEnd(kind[slot] as number)) {
      this.durations[cell] = (this.durations[cell] as number) + (durMs[slot] as number);
      this.calls[cell] = (this.calls[cell] as number) + 1;
    }
  }
}
