// Fetches the events of a gap, newest first, a few pages at a time.

import type { EventRow } from "../model/event_table";
import type { Names } from "../model/dictionary";
import type { Gap } from "../model/protocol";
import { toRow } from "../model/stored";
import type { Page } from "./client";

export const PAGE_EVENTS = 1000;
/** One click loads at most this many pages; what is left stays a gap. */
const MAX_PAGES = 5;
/** Events come a little out of order: their time may lie after that of what followed them. */
const LATE_MS = 5000;

export interface Backfill {
  readonly rows: EventRow[];
  /** What of the gap is still missing. */
  readonly remaining: Gap[];
}

/**
 * `count`: how many events the gap has for this reader, who may see a part only; `beforeMs`: time of the
 * first event after it. Raises ApiError.
 */
export async function fetchGap(
  gap: Gap,
  count: number,
  beforeMs: number,
  names: Names,
  fetchPage: (query: Record<string, string>) => Promise<Page>,
  pages = MAX_PAGES,
): Promise<Backfill> {
  const rows: EventRow[] = [];
  const until = new Date(beforeMs + LATE_MS).toISOString();
  let cursor = "";
  if (count === 0) return { rows, remaining: [] };
  for (let page = 0; page < pages; page++) {
    // Time alone finds the place; in a fast log it holds more than these pages of what came later.
    const q = `seq>=${gap.from} seq<${gap.to}`;
    const query = { q, order: "newest", limit: String(PAGE_EVENTS), until };
    const answer = await fetchPage(cursor ? { ...query, cursor } : query);
    for (const event of answer.events) {
      if (event.seq >= gap.from && event.seq < gap.to) rows.push(toRow(event, names));
    }
    // All found, or nothing older in the log: what is still missing was removed by retention.
    if (rows.length >= count || answer.next === null) return { rows, remaining: [] };
    cursor = answer.next;
  }
  const oldest = rows.reduce((least, row) => Math.min(least, row.seq), gap.to);
  return { rows, remaining: oldest > gap.from ? [{ type: "gap", from: gap.from, to: oldest }] : [] };
}
