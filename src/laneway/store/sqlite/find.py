"""`find` in one segment."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from functools import partial

from laneway.store.api import Pointer

from .hits import Hits
from .raw import RawText
from .scan import (
    Narrow,
    Read,
    iter_sources,
    plan_picks,
    require_text,
    source_of_seqs,
    try_few_seqs,
)
from .search import Search
from .vocabulary import try_match
from .where import Filter, filter_rows

_new = tuple.__new__
"""Half the price of a `Pointer` made by its own name; a page has a thousand."""


def find_in(
    connection: sqlite3.Connection,
    segment: str,
    search: Search,
    hits: Hits,
    raw: RawText | None = None,
) -> None:
    """Offer the segment's best to ``hits``; reads no further than the page needs."""
    narrow = partial(raw.iter_narrowed, connection, segment) if raw else None
    made = filter_rows(connection, search)
    if made.impossible:
        return
    _require_window(made, search)
    direction = "DESC" if search.query.newest_first else "ASC"
    rest = f"ORDER BY e.ts_ns {direction}, e.seq {direction} LIMIT {hits.wanted}"
    for read in _iter_reads(connection, search, made, hits, narrow):
        sql, values = read.query("e.seq, e.ts_ns, e.offset, e.length", rest)
        rows = connection.execute(sql, values)
        hits.take([_new(Pointer, (seq, ns, segment, at, size)) for seq, ns, at, size in rows])


def _with_words(connection: sqlite3.Connection, search: Search) -> Search:
    """``search``, with what the words of this segment tell of its pieces of text."""
    pieces = [one.text for one in search.literals if one.is_word]
    found = [match for piece in pieces if (match := try_match(connection, piece))]
    if not found:
        return search
    parts = filter(None, (search.match, *found))
    return replace(search, match=" AND ".join(f"({part})" for part in parts))


def _require_window(made: Filter, search: Search) -> None:
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    if search.after:
        past = "<" if search.query.newest_first else ">"
        made.add(f"(e.ts_ns, e.seq) {past} (?, ?)", *search.after)


def _iter_reads(
    connection: sqlite3.Connection,
    search: Search,
    made: Filter,
    hits: Hits,
    narrow: Narrow | None,
) -> Iterator[Read]:
    """Ends as soon as nothing further can come into the page."""
    if search.picks:
        yield from plan_picks(connection, search, made)
        return
    worded = _with_words(connection, search)
    few = try_few_seqs(connection, worded) if worded.match else None
    if few is not None:
        if few:
            yield Read(made, source_of_seqs(few))
        return
    # With the bytes of the log, they tell more than common words.
    narrowed = require_text(made, search if narrow else worded)
    for source in iter_sources(connection, search, made, hits, narrow):
        yield Read(narrowed, source)
