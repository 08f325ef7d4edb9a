// Older events among those in memory: in which order all of it comes again, and what is known already of those
// that were here. Columns are copied in runs, and starts find their ends without being looked for.

import { AS_BAR, type EventRow, type EventTable, emptyRow } from "./event_table";
import type { Lane } from "./lane";
import type { Drawn, Open, Pairing } from "./pairing";
import { FLAG_OPENS, type Gap } from "./protocol";
import type { SpanTable } from "./span_table";

/** Rows [from, to) that were here. */
export interface Run {
  readonly from: number;
  readonly to: number;
}

/** An event that is new, a gap, or an event that is heard of and not here. */
export interface Told {
  readonly as: "new" | "gap" | "heard";
  readonly row: EventRow;
}

export function isRun(part: Run | Told): part is Run {
  return "from" in part;
}

/** By seq; of those with the same one, events that are here first. */
export function newsOf(
  fetched: readonly EventRow[],
  remaining: readonly Gap[],
  heard: readonly EventRow[],
): Told[] {
  const gaps = remaining.map(({ from, to }) => ({ ...emptyRow(), seq: from, durMs: to - from }));
  const news: Told[] = [
    ...fetched.map((row) => ({ as: "new" as const, row })),
    ...gaps.map((row) => ({ as: "gap" as const, row })),
    ...heard.map((row) => ({ as: "heard" as const, row })),
  ];
  return news.sort((one, other) => one.row.seq - other.row.seq);
}

/** What was here without its gaps, and the news, by seq; of what takes room the newest `most`. */
export function mergeOrder(
  events: EventTable,
  gapRows: readonly number[],
  news: readonly Told[],
  most: number,
): (Run | Told)[] {
  const parts: (Run | Told)[] = [];
  let at = events.first;
  let gaps = gapRows.findIndex((row) => row >= at);
  const runTo = (end: number) => {
    for (let gap = gapRows[gaps]; gap !== undefined && gap < end; gap = gapRows[++gaps]) {
      if (gap > at) parts.push({ from: at, to: gap });
      at = gap + 1;
    }
    if (end > at) parts.push({ from: at, to: end });
    at = end;
  };
  let last = -1;
  for (const told of news) {
    const { seq } = told.row;
    if (told.as !== "gap" && (seq === last || events.rowOfSeq(seq) >= 0)) continue; // here already
    if (told.as !== "gap") last = seq;
    runTo(events.firstFrom(seq));
    parts.push(told);
  }
  runTo(events.end);
  return newest(parts, most);
}

function newest(parts: readonly (Run | Told)[], most: number): (Run | Told)[] {
  const kept: (Run | Told)[] = [];
  let room = most;
  for (const part of parts.toReversed()) {
    const size = isRun(part) ? part.to - part.from : part.as === "heard" ? 0 : 1;
    if (size === 0) kept.push(part);
    else if (room > 0)
      kept.push(isRun(part) ? { from: Math.max(part.from, part.to - room), to: part.to } : part);
    room -= size;
  }
  return kept.reverse();
}

/** The tables as they were before older events came. */
export class Memory {
  /** By the bar that was: work that is open where the rebuild is. */
  private readonly again = new Map<number, Open>();
  /** Ids of spans that are to be looked for: of events that are new, or of which the order matters. */
  private readonly doubtful: Set<string>;

  constructor(
    readonly events: EventTable,
    private readonly spans: SpanTable,
    news: readonly Told[],
  ) {
    this.doubtful = new Set(news.map(({ row }) => row.span));
    for (let row = events.first; row < events.end; row++) {
      const i = events.slot(row);
      if (((events.flag[i] as number) & FLAG_OPENS) !== 0 && events.bar[i] === -1)
        this.doubtful.add(events.span[i] as string); // a start that was said twice
    }
  }

  /** What becomes of a row that was here, whose number was `known`. */
  take(pairing: Pairing, known: number, row: EventRow, lane: Lane): Drawn {
    const { spans, again } = this;
    const bar = this.events.bar[this.events.slot(known)] as number;
    const i = spans.slot(bar);
    const openSeq = spans.openSeq[i] as number;
    const closeSeq = spans.closeSeq[i] as number;
    const isPair = spans.has(bar) && openSeq >= 0 && openSeq < closeSeq;
    if (!isPair || this.doubtful.has(row.span)) return pairing.take(row, lane);
    if (row.seq === closeSeq) {
      const work = again.get(bar);
      if (!work) return pairing.take(row, lane); // its start is not here
      again.delete(bar);
      pairing.end(work, row);
      return { as: AS_BAR, bar: work.span };
    }
    if (this.events.rowOfSeq(closeSeq) < 0) return pairing.take(row, lane); // its end was only heard of
    const work = pairing.begin(row, lane);
    again.set(bar, work);
    return { as: AS_BAR, bar: work.span };
  }
}
