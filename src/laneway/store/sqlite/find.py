"""`find` in one segment."""

import sqlite3
from collections.abc import Iterator

from laneway.store.api import Pointer

from .hits import Hits
from .scan import (
    Read,
    iter_groups,
    plan_picks,
    read_spans,
    require_text,
    source_of_seqs,
    source_of_spans,
    try_few_seqs,
)
from .search import Search
from .where import Filter, filter_rows


def find_in(connection: sqlite3.Connection, segment: str, search: Search, hits: Hits) -> None:
    """Offer the segment's best to ``hits``; reads no further than the page needs."""
    made = filter_rows(connection, search)
    if made.impossible:
        return
    _require_window(made, search)
    direction = "DESC" if search.query.newest_first else "ASC"
    rest = f"ORDER BY e.ts_ns {direction}, e.seq {direction} LIMIT {hits.wanted}"
    for read in _iter_reads(connection, search, made, hits):
        sql, values = read.query("e.seq, e.ts_ns, e.offset, e.length", rest)
        rows = connection.execute(sql, values)
        hits.take(
            Pointer(seq, ts_ns, segment, offset, length) for seq, ts_ns, offset, length in rows
        )


def _require_window(made: Filter, search: Search) -> None:
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    if search.after:
        past = "<" if search.query.newest_first else ">"
        made.add(f"(e.ts_ns, e.seq) {past} (?, ?)", *search.after)


def _iter_reads(
    connection: sqlite3.Connection, search: Search, made: Filter, hits: Hits
) -> Iterator[Read]:
    """Ends as soon as nothing further can come into the page."""
    if search.picks:
        yield from plan_picks(connection, search, made)
        return
    few = try_few_seqs(connection, search) if search.match else None
    if few is not None:
        if few:
            yield Read(made, source_of_seqs(few))
        return
    spans = read_spans(connection, made, *_reach(search), search.query.newest_first)
    for group in iter_groups(spans):
        if not hits.may_take(group[0].min_ns, group[0].max_ns):
            return
        yield Read(require_text(made, search), source_of_spans(group))


def _reach(search: Search) -> tuple[int, int]:
    """The window, cut at the cursor."""
    if not search.after:
        return search.since_ns, search.until_ns
    if search.query.newest_first:
        return search.since_ns, min(search.until_ns, search.after.ts_ns)
    return max(search.since_ns, search.after.ts_ns), search.until_ns
