// The bars: spans of work with a start, and an end once it is known. Columns in a ring, numbered by
// appearance. Not in the order of time: late news moves starts and ends.

import { grow } from "./event_table";

export const MAX_SPANS = 1 << 19;
const FIRST_CAPACITY = 1 << 12;
const BLOCK = 256;

export interface NewSpan {
  readonly startMs: number;
  /** Infinity while the work goes on. */
  readonly endMs: number;
  readonly agent: number;
  readonly kind: number;
  readonly label: number;
  readonly depth: number;
  readonly id: string;
  readonly parent: string;
  readonly openSeq: number;
  readonly closeSeq: number;
}

export class SpanTable {
  first = 0;
  end = 0;
  openCount = 0;

  private capacity = FIRST_CAPACITY;
  private mask = FIRST_CAPACITY - 1;
  startMs = new Float64Array(FIRST_CAPACITY);
  endMs = new Float64Array(FIRST_CAPACITY);
  agent = new Int32Array(FIRST_CAPACITY);
  kind = new Int32Array(FIRST_CAPACITY);
  label = new Int32Array(FIRST_CAPACITY);
  depth = new Uint8Array(FIRST_CAPACITY);
  failed = new Uint8Array(FIRST_CAPACITY);
  match = new Uint8Array(FIRST_CAPACITY);
  /** Seq of the event that opens it, and of the one that closes it; -1 while unknown. */
  openSeq = new Float64Array(FIRST_CAPACITY);
  closeSeq = new Float64Array(FIRST_CAPACITY);
  id: string[] = [];
  parent: string[] = [];
  private minStartMs = new Float64Array(FIRST_CAPACITY / BLOCK);
  private maxEndMs = new Float64Array(FIRST_CAPACITY / BLOCK);
  private maxLengthMs = new Float64Array(FIRST_CAPACITY / BLOCK);
  private openInBlock = new Int32Array(FIRST_CAPACITY / BLOCK);

  constructor(private readonly maxSpans = MAX_SPANS) {}

  get length(): number {
    return this.end - this.first;
  }

  slot(span: number): number {
    return span & this.mask;
  }

  has(span: number): boolean {
    return span >= this.first && span < this.end;
  }

  isOpen(span: number): boolean {
    return this.has(span) && this.endMs[this.slot(span)] === Infinity;
  }

  add(span: NewSpan): number {
    if (this.length === this.capacity) this.makeRoom();
    const number = this.end++;
    const i = number & this.mask;
    this.startMs[i] = span.startMs;
    this.endMs[i] = span.endMs;
    this.agent[i] = span.agent;
    this.kind[i] = span.kind;
    this.label[i] = span.label;
    this.depth[i] = span.depth;
    this.failed[i] = 0;
    this.match[i] = 1;
    this.openSeq[i] = span.openSeq;
    this.closeSeq[i] = span.closeSeq;
    this.id[i] = span.id;
    this.parent[i] = span.parent;
    if (i % BLOCK === 0) this.clearBlock(i / BLOCK);
    const block = Math.floor(i / BLOCK);
    if (span.endMs === Infinity) {
      this.openInBlock[block] = (this.openInBlock[block] as number) + 1;
      this.openCount++;
    }
    this.widenBlock(i);
    return number;
  }

  /** Ends an open span; a clock that ran backwards gives a bar of no length. */
  close(span: number, endMs: number, closeSeq: number): void {
    if (!this.isOpen(span)) return;
    const i = this.slot(span);
    const block = Math.floor(i / BLOCK);
    this.endMs[i] = Math.max(endMs, this.startMs[i] as number);
    this.closeSeq[i] = closeSeq;
    this.openInBlock[block] = (this.openInBlock[block] as number) - 1;
    this.openCount--;
    this.widenBlock(i);
  }

  /** A start that became known after its end. */
  moveStart(span: number, startMs: number, openSeq: number): void {
    const i = this.slot(span);
    this.startMs[i] = Math.min(startMs, this.endMs[i] as number);
    this.openSeq[i] = openSeq;
    this.widenBlock(i);
  }

  /**
   * Visits runs [from, to) that may hold spans which touch [fromMs, toMs] and are open or at least
   * `minLengthMs` long.
   */
  scan(fromMs: number, toMs: number, minLengthMs: number, visit: (from: number, to: number) => void): void {
    for (let from = this.first; from < this.end;) {
      const until = Math.min(this.end, (Math.floor(from / BLOCK) + 1) * BLOCK);
      const block = Math.floor((from & this.mask) / BLOCK);
      const hasOpen = (this.openInBlock[block] as number) > 0;
      const reaches = hasOpen || (this.maxEndMs[block] as number) >= fromMs;
      const isLong = hasOpen || (this.maxLengthMs[block] as number) >= minLengthMs;
      if (reaches && isLong && (this.minStartMs[block] as number) <= toMs) visit(from, until);
      from = until;
    }
  }

  /** Spans that name `id` as their parent. Reads the whole table: for a click, not for a frame. */
  childrenOf(id: string, limit: number): number[] {
    const found: number[] = [];
    for (let span = this.first; id && span < this.end && found.length < limit; span++) {
      if (this.parent[this.slot(span)] === id) found.push(span);
    }
    return found;
  }

  /** The newest span with this id, or -1. Reads the whole table. */
  find(id: string): number {
    for (let span = this.end - 1; id && span >= this.first; span--) {
      if (this.id[this.slot(span)] === id) return span;
    }
    return -1;
  }

  private clearBlock(block: number): void {
    this.minStartMs[block] = Infinity;
    this.maxEndMs[block] = -Infinity;
    this.maxLengthMs[block] = 0;
    this.openInBlock[block] = 0;
  }

  private widenBlock(slot: number): void {
    const block = Math.floor(slot / BLOCK);
    const startMs = this.startMs[slot] as number;
    const endMs = this.endMs[slot] as number;
    if (startMs < (this.minStartMs[block] as number)) this.minStartMs[block] = startMs;
    if (endMs === Infinity) return;
    if (endMs > (this.maxEndMs[block] as number)) this.maxEndMs[block] = endMs;
    const lengthMs = endMs - startMs;
    if (lengthMs > (this.maxLengthMs[block] as number)) this.maxLengthMs[block] = lengthMs;
  }

  private makeRoom(): void {
    if (this.capacity >= this.maxSpans) {
      const until = this.first + BLOCK;
      for (let span = this.first; span < until; span++) if (this.isOpen(span)) this.openCount--;
      this.first = until;
      return;
    }
    this.capacity *= 2;
    this.mask = this.capacity - 1;
    this.startMs = grow(this.startMs, this.capacity);
    this.endMs = grow(this.endMs, this.capacity);
    this.agent = grow(this.agent, this.capacity);
    this.kind = grow(this.kind, this.capacity);
    this.label = grow(this.label, this.capacity);
    this.depth = grow(this.depth, this.capacity);
    this.failed = grow(this.failed, this.capacity);
    this.match = grow(this.match, this.capacity);
    this.openSeq = grow(this.openSeq, this.capacity);
    this.closeSeq = grow(this.closeSeq, this.capacity);
    this.minStartMs = grow(this.minStartMs, this.capacity / BLOCK);
    this.maxEndMs = grow(this.maxEndMs, this.capacity / BLOCK);
    this.maxLengthMs = grow(this.maxLengthMs, this.capacity / BLOCK);
    this.openInBlock = grow(this.openInBlock, this.capacity / BLOCK);
  }
}
