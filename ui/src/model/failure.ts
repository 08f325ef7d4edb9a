// From the errors that an agent told to the one that began it: work that fails because work within it failed says
// the same once more, later.

import type { EventTable } from "./event_table";
import { FLAG_ERROR } from "./protocol";

/** Work within other work ends shortly before it. */
const MOST_ROWS = 5_000;

/** The newest error of an agent between two moments, or -1. */
export function newestError(events: EventTable, agent: number, fromMs = -Infinity, toMs = Infinity): number {
  for (let row = events.end - 1; row >= events.first; row--) {
    const i = events.slot(row);
    const atMs = events.tsMs[i] as number;
    if (isError(events, row) && events.agent[i] === agent && atMs >= fromMs && atMs < toMs) return row;
  }
  return -1;
}

/** The innermost error that an error is the consequence of; itself where it is nobody's. */
export function causeOf(events: EventTable, row: number): number {
  const least = Math.max(events.first, row - MOST_ROWS);
  let cause = row;
  for (let other = row - 1; other >= least; other--) {
    const span = events.span[events.slot(cause)];
    if (span && isError(events, other) && events.parent[events.slot(other)] === span) cause = other;
  }
  return cause;
}

function isError(events: EventTable, row: number): boolean {
  return ((events.flag[events.slot(row)] as number) & FLAG_ERROR) !== 0;
}
