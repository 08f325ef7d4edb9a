// What the hub's matcher said of the events in memory, written into the tables: rows one by one,
// bars by the rows that made them. The page itself knows no query.

import type { EventTable } from "./event_table";
import { AS_GAP } from "./event_table";
import type { Journal } from "./journal";
import { SeqSet } from "./seq_set";
import type { SpanTable } from "./span_table";

/** Of one query. */
export class Verdict {
  readonly found = new SeqSet();
  /** Whatever is below was looked at: what of it was not found does not match. */
  until = 0;
  /** The agents that have an event in memory that matches. */
  readonly agents = new Set<number>();

  add(seqs: readonly number[]): void {
    for (const seq of seqs) this.found.add(seq);
  }
}

/** All rows and bars anew: after the query, or the row numbers changed. Null: everything matches. */
export function judgeAll(journal: Journal, verdict: Verdict | null): void {
  const { events, spans } = journal;
  if (!verdict) {
    spans.match.fill(1);
    events.match.fill(1);
    events.judged = Infinity;
    return;
  }
  verdict.agents.clear();
  spans.match.fill(0);
  for (const bar of journal.reachingBars) if (spans.has(bar)) spans.match[spans.slot(bar)] = 1; // asked for by the query
  events.judged = events.first;
  judgeFrom(journal, verdict, events.first);
}

/** Rows from `firstRow` on: after they arrived. */
export function judgeFrom(journal: Journal, verdict: Verdict | null, firstRow: number): void {
  if (!verdict) return; // tables begin with 1
  const { events, spans } = journal;
  for (let row = Math.max(firstRow, events.first); row < events.end; row++) {
    const i = events.slot(row);
    events.match[i] = 0;
    const bar = events.bar[i] as number;
    if (spans.has(bar) && firstSeq(spans, bar) === events.seq[i]) spans.match[spans.slot(bar)] = 0;
  }
  judgeMore(journal, verdict);
}

/** The rows that wait for their verdict, as far as it is known by now. Returns whether any was. */
export function judgeMore(journal: Journal, verdict: Verdict): boolean {
  const { events, spans } = journal;
  const from = Math.max(events.judged, events.first);
  let row = from;
  for (; row < events.end; row++) {
    const i = events.slot(row);
    if ((events.seq[i] as number) >= verdict.until) break;
    if (!isMatch(events, i, verdict)) continue;
    events.match[i] = 1;
    if (events.drawn[i] !== AS_GAP) verdict.agents.add(events.agent[i] as number);
    const bar = events.bar[i] as number;
    if (spans.has(bar)) spans.match[spans.slot(bar)] = 1;
  }
  events.judged = row;
  if (events.length > 0) verdict.found.forgetBefore(events.seq[events.slot(events.first)] as number);
  return row > from;
}

/** What was not sent may match. */
function isMatch(events: EventTable, i: number, verdict: Verdict): boolean {
  return events.drawn[i] === AS_GAP || verdict.found.has(events.seq[i] as number);
}

function firstSeq(spans: SpanTable, bar: number): number {
  const i = spans.slot(bar);
  const openSeq = spans.openSeq[i] as number;
  const closeSeq = spans.closeSeq[i] as number;
  return openSeq < 0 ? closeSeq : closeSeq < 0 ? openSeq : Math.min(openSeq, closeSeq);
}
