// Writes the verdict of a filter into the tables: rows one by one, bars by the rows that made them.

import type { Journal } from "./journal";
import type { Matcher } from "./matcher";

/** All rows and bars anew: after the filter or the row numbers changed. */
export function matchAll(journal: Journal, matcher: Matcher): void {
  const { events, spans } = journal;
  spans.match.fill(matcher.matchesAll ? 1 : 0);
  if (matcher.matchesAll) events.match.fill(1);
  else matchFrom(journal, matcher, events.first);
}

/** Rows from `firstRow` on: after they arrived. */
export function matchFrom(journal: Journal, matcher: Matcher, firstRow: number): void {
  if (matcher.matchesAll) return; // tables begin with 1
  const { events, spans } = journal;
  for (let row = firstRow; row < events.end; row++) {
    const i = events.slot(row);
    const isMatch = matcher.matches(events, row);
    events.match[i] = isMatch ? 1 : 0;
    const bar = events.bar[i] as number;
    if (bar < 0 || !spans.has(bar)) continue;
    const s = spans.slot(bar);
    const isFirst = !spans.isOpen(bar) ? spans.openSeq[s] === -1 : spans.openSeq[s] === events.seq[i];
    if (isMatch) spans.match[s] = 1;
    else if (isFirst) spans.match[s] = 0;
  }
}
