// The pulse as numbers: events, errors, tokens, durations and open work by step of time and by layer, kept
// up as rows arrive. Steps are counted from the Unix epoch, so panning and following move over the same bins.

import { AS_GAP, type EventTable } from "./event_table";
import { FLAG_CLOSES, FLAG_ERROR } from "./protocol";
import type { SpanTable } from "./span_table";

export const MEASURES = ["events", "errors", "tokens", "open", "latency"] as const;
export type Measure = (typeof MEASURES)[number];

/** Bins kept on each side of the view, as a share of it: panning recounts only when it leaves them. */
const MARGIN = 1;

export interface PulseSource {
  readonly events: EventTable;
  readonly spans: SpanTable;
  /** Changes when rows are renumbered or match anew, or when layers change. */
  readonly version: string;
  readonly lines: number;
  /** The layer of an event or a span. */
  lineOf(agent: number, kind: number): number;
  /** Whether the event ends a call of a tool. */
  isToolEnd(kind: number): boolean;
}

export class PulseGrid {
  counts = new Uint32Array(0);
  errors = new Uint32Array(0);
  tokens = new Float64Array(0);
  /** Of calls of tools that ended: their durations together, and how many had one. */
  durations = new Float64Array(0);
  calls = new Uint32Array(0);
  /** Work that was open at any time of the bin; only after `countOpen`. */
  open = new Float32Array(0);
  stepMs = 0;
  firstBin = 0;
  bins = 0;
  lines = 0;
  /** How often everything was counted again; for tests. */
  recounts = 0;
  private version = "";
  private readRow = 0;

  /** Brings everything but `open` up to date for [fromMs, toMs). */
  refresh(source: PulseSource, fromMs: number, toMs: number, stepMs: number): void {
    const from = Math.floor(fromMs / stepMs);
    const until = Math.floor(toMs / stepMs) + 1;
    const isKept = stepMs === this.stepMs && from >= this.firstBin && until <= this.firstBin + this.bins;
    if (!isKept || source.version !== this.version || source.lines !== this.lines)
      this.clear(source, from, until, stepMs);
    const { events } = source;
    const end = events.shownEnd;
    const count = (low: number, high: number) => this.countRows(source, low, Math.min(high, end));
    events.scan(this.startMs(0), this.startMs(this.bins), count, this.readRow);
    this.readRow = end;
  }

  /** Counts open work anew: spans change after the fact, so this is for a few times a second. */
  countOpen(source: PulseSource, nowMs: number): void {
    const { spans } = source;
    const { bins } = this;
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

  /** The bin that holds a time: not checked for being inside. */
  binAt(timeMs: number): number {
    return Math.floor(timeMs / this.stepMs) - this.firstBin;
  }

  startMs(bin: number): number {
    return (this.firstBin + bin) * this.stepMs;
  }

  private clear(source: PulseSource, from: number, until: number, stepMs: number): void {
    const margin = Math.ceil((until - from) * MARGIN);
    this.firstBin = from - margin;
    this.bins = until - from + 2 * margin;
    this.stepMs = stepMs;
    this.lines = source.lines;
    this.version = source.version;
    const size = this.lines * this.bins;
    if (this.counts.length === size) {
      for (const column of [this.counts, this.errors, this.tokens, this.durations, this.calls, this.open])
        column.fill(0);
    } else {
      this.counts = new Uint32Array(size);
      this.errors = new Uint32Array(size);
      this.tokens = new Float64Array(size);
      this.durations = new Float64Array(size);
      this.calls = new Uint32Array(size);
      this.open = new Float32Array(size);
    }
    this.readRow = 0;
    this.recounts++;
  }

  private countRows(source: PulseSource, fromRow: number, toRow: number): void {
    const { events } = source;
    const { tsMs, agent, kind, match, flag, drawn, tokens, durMs } = events;
    const { firstBin, bins, stepMs } = this;
    for (let row = fromRow; row < toRow; row++) {
      const i = events.slot(row);
      if (match[i] === 0 || drawn[i] === AS_GAP) continue;
      const bin = Math.floor((tsMs[i] as number) / stepMs) - firstBin;
      if (bin < 0 || bin >= bins) continue;
      const line = source.lineOf(agent[i] as number, kind[i] as number);
      if (line < 0) continue;
      const cell = line * bins + bin;
      const flags = flag[i] as number;
      this.counts[cell] = (this.counts[cell] as number) + 1;
      if (flags & FLAG_ERROR) this.errors[cell] = (this.errors[cell] as number) + 1;
      if (tokens[i]) this.tokens[cell] = (this.tokens[cell] as number) + (tokens[i] as number);
      if (flags & FLAG_CLOSES && (durMs[i] as number) >= 0 && source.isToolEnd(kind[i] as number)) {
        this.durations[cell] = (this.durations[cell] as number) + (durMs[i] as number);
        this.calls[cell] = (this.calls[cell] as number) + 1;
      }
    }
  }
}
