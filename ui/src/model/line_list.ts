// The lines of the stream: a row that matches is a line of its own, or told in the line of a row before
// it: an end in that of its start, a repeat in that of the first of its like.

import { AS_GAP } from "./event_table";
import type { Journal } from "./journal";
import { SESSION_DEPTH } from "./packing";
import { FLAG_ERROR } from "./protocol";
import { RowQueue } from "./row_queue";

/** A line this many lines above is still in sight: what happens to it is seen there. */
export const NEAR_LINES = 50;

export interface Folding {
  /** An end is told in the line of its start; a failure only where that is near, else it would be missed. */
  readonly pairs: boolean;
  /** Lines alike of one agent, with no other of that agent between them, are one. */
  readonly repeats: boolean;
}

export const UNFOLDED: Folding = { pairs: false, repeats: false };

interface Newest {
  readonly row: number;
  /** Its number among the lines, those that left included. */
  readonly line: number;
}

export class LineList extends RowQueue {
  private readRow = 0;
  private folding: Folding = UNFOLDED;
  /** By agent: its newest line. */
  private readonly newest = new Map<number, Newest>();
  /** How many rows a line tells, where there are more than one of its like. */
  private readonly times = new Map<number, number>();
  /** Lines whose repeats are shown. */
  private readonly opened = new Set<number>();
  private readonly inner = new Set<number>();

  override clear(): void {
    super.clear();
    this.readRow = 0;
    this.newest.clear();
    this.times.clear();
    this.inner.clear();
  }

  /** Begins anew if that is another folding; row numbers of an opened line hold only for this one. */
  fold(folding: Folding): void {
    this.folding = folding;
    this.opened.clear();
    this.clear();
  }

  /** Shows the repeats of a line each by itself, or as one again. */
  toggle(row: number): void {
    if (!this.opened.delete(row)) this.opened.add(row);
    this.clear();
  }

  /** Row numbers mean something else now. */
  restart(): void {
    this.opened.clear();
    this.clear();
  }

  timesOf(row: number): number {
    return this.times.get(row) ?? 1;
  }

  isOpened(row: number): boolean {
    return this.opened.has(row);
  }

  /** A repeat that is shown because its line was opened. */
  isInner(row: number): boolean {
    return this.inner.has(row);
  }

  /** Takes up rows that arrived since the last call. */
  refresh(journal: Journal): void {
    const { events } = journal;
    for (let row = Math.max(this.readRow, events.first); row < events.shownEnd; row++) {
      if (events.match[events.slot(row)] === 1) this.take(journal, row);
    }
    this.readRow = events.shownEnd;
    this.dropBefore(events.first);
    forgetBefore(events.first, this.times);
    forgetBefore(events.first, this.inner);
    forgetBefore(events.first, this.opened);
  }

  /** How many lines tell what came up to a moment. */
  linesUntil({ events }: Journal, toMs: number): number {
    let from = 0;
    let to = this.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((events.tsMs[events.slot(this.row(middle))] as number) > toMs) to = middle;
      else from = middle + 1;
    }
    return from;
  }

  /** The index of the line that tells `row`. */
  lineOf(journal: Journal, row: number): number {
    const index = this.indexOf(row);
    if (this.row(index) === row) return index;
    const start = this.folding.pairs ? partnerOf(journal, row) : -1;
    if (start >= 0 && start < row) return this.lineOf(journal, start);
    const { events } = journal;
    const agentOf = (other: number) => events.agent[events.slot(other)];
    for (let n = index - 1; n >= Math.max(0, index - 1 - NEAR_LINES); n--) {
      if (events.has(row) && agentOf(this.row(n)) === agentOf(row)) return n;
    }
    return index;
  }

  /** The row of the end that the line of `row` tells, or -1: there is none yet, or it has its own line. */
  endTold(journal: Journal, row: number): number {
    const partner = this.folding.pairs ? partnerOf(journal, row) : -1;
    if (partner <= row || journal.events.match[journal.events.slot(partner)] !== 1) return -1;
    return this.row(this.indexOf(partner)) === partner ? -1 : partner;
  }

  private take(journal: Journal, row: number): void {
    const { events } = journal;
    const i = events.slot(row);
    if (events.drawn[i] === AS_GAP) {
      this.newest.clear();
      this.push(row);
      return;
    }
    if (this.folding.pairs && this.endsInLine(journal, row)) return;
    const agent = events.agent[i] as number;
    const newest = this.newest.get(agent);
    if (newest && this.folding.repeats && this.repeats(journal, newest, row)) {
      this.times.set(newest.row, this.timesOf(newest.row) + 1);
      if (!this.opened.has(newest.row)) return;
      this.inner.add(row);
    } else this.newest.set(agent, { row, line: this.dropped + this.length });
    this.push(row);
  }

  private endsInLine(journal: Journal, row: number): boolean {
    const { events } = journal;
    const partner = partnerOf(journal, row);
    if (partner < 0 || partner > row || events.match[events.slot(partner)] !== 1) return false;
    const isError = ((events.flag[events.slot(row)] as number) & FLAG_ERROR) !== 0;
    return !isError || this.length - this.lineOf(journal, partner) <= NEAR_LINES;
  }

  private repeats({ events }: Journal, newest: Newest, row: number): boolean {
    if (!events.has(newest.row)) return false;
    if (!this.opened.has(newest.row) && this.dropped + this.length - newest.line > NEAR_LINES) return false;
    const i = events.slot(row);
    const n = events.slot(newest.row);
    return (
      events.kind[i] === events.kind[n] &&
      events.label[i] === events.label[n] &&
      events.sev[i] === events.sev[n] &&
      events.session[i] === events.session[n] &&
      events.text[i] === events.text[n]
    );
  }
}

/** Both keep rows in their order, near enough: one that stays a little longer does no harm. */
function forgetBefore(first: number, known: Map<number, number> | Set<number>): void {
  for (const row of known.keys()) {
    if (row >= first) return;
    known.delete(row);
  }
}

/** The other half of the bar that a row is part of; -1 where there is none in memory. */
export function partnerOf(journal: Journal, row: number): number {
  const { events, spans } = journal;
  if (!events.has(row)) return -1;
  const bar = events.bar[events.slot(row)] as number;
  if (!spans.has(bar)) return -1;
  const i = spans.slot(bar);
  if (spans.depth[i] === SESSION_DEPTH) return -1; // that a session ends is news of its own
  const openSeq = spans.openSeq[i] as number;
  const closeSeq = spans.closeSeq[i] as number;
  const other = events.seq[events.slot(row)] === openSeq ? closeSeq : openSeq;
  return other < 0 ? -1 : events.rowOfSeq(other);
}
