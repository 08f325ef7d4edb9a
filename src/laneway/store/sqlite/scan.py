"""Which rows of a segment a search reads: single seqs, or blocks in the best order."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import islice, takewhile
from typing import NamedTuple, TypeAlias

from .hits import Hits
from .mask import Rows, all_masks
from .posting import CHUNK_BITS
from .schema import Reader
from .search import Search
from .span import Span
from .where import HIGH, LOW, Filter, pick_seqs

FEW_HITS = 4_096
"""A text with at most so many hits in a segment is answered from the list of them; for more, the
list and its sorting would cost more than reading the newest blocks."""

KNOWN_TEXTS, KNOWN_CHARS = 256, 200
"""Of those with more, so many are remembered by a connection; each no longer than this."""

FEW_PARTS = 3
"""A row found by its seq costs as much as three in a row."""

DENSE = 2
"""Where a chunk holds so many times what the page wants, it is read block by block."""

LEAST_ROWS = 32
"""Looked for at a time, however few the page lacks: a statement costs as much as some rows."""

FIRST_BLOCKS = 2
"""Blocks read first; each further step reads twice as many, so that neither a common nor an
absent value costs more than a handful of statements."""


SeqsOf: TypeAlias = Callable[[Span], list[int]]
"""The rows of a span that can match, as far as names tell."""

Narrow: TypeAlias = Callable[[Iterable[Span], SeqsOf | None], Iterator[tuple[Span, list[int]]]]
"""Spans, in order, with those rows that can match: of all, or of some."""


class Source(NamedTuple):
    """Rows to read, as JSON for one of the two statements below; all within ``[low, high]``."""

    sql: str
    parameter: str
    low: int
    high: int


class Read(NamedTuple):
    """One statement's worth: these conditions on these rows."""

    made: Filter
    source: Source

    def query(self, columns: str, rest: str = "") -> tuple[str, list[object]]:
        sql = f"SELECT {columns} {self.source.sql} WHERE {self.made.where()} {rest}"
        bounds = {LOW: self.source.low, HIGH: self.source.high}
        values = [bounds[v] if v is LOW or v is HIGH else v for v in self.made.values]
        return sql, [self.source.parameter, *values]


_FROM_SEQS = "FROM json_each(?) j CROSS JOIN event e ON e.seq = j.value"
_FROM_RANGES = (
    "FROM json_each(?) j CROSS JOIN event e"
    " ON e.seq BETWEEN json_extract(j.value, '$[0]') AND json_extract(j.value, '$[1]')"
)


def source_of_seqs(seqs: Sequence[int]) -> Source:
    ordered = sorted(seqs)
    return Source(_FROM_SEQS, json.dumps(ordered), ordered[0], ordered[-1])


def source_of_spans(spans: Sequence[Span]) -> Source:
    """``spans`` in any order; neighbours are joined, and no row comes twice."""
    ranges: list[list[int]] = []
    for span in sorted(spans):
        if ranges and ranges[-1][1] + 1 == span.first_seq:
            ranges[-1][1] = span.last_seq
        else:
            ranges.append([span.first_seq, span.last_seq])
    return Source(_FROM_RANGES, json.dumps(ranges), ranges[0][0], ranges[-1][1])


def try_rows(connection: sqlite3.Connection, made: Filter) -> Rows | None:
    """The rows that can match, as far as names tell; None: all of them."""
    mask = all_masks(made.masks)
    return Rows(connection, mask) if mask else None


def read_spans(
    connection: sqlite3.Connection, made: Filter, since_ns: int, until_ns: int, newest_first: bool
) -> list[Span]:
    """The blocks that can hold a hit of ``[since_ns, until_ns]``, the most promising first."""
    rows = try_rows(connection, made)
    spans = iter_spans(connection, made, since_ns, until_ns, newest_first)
    if rows is None:
        return list(spans)
    return [span for span in spans if rows.may_hold(span.first_seq, span.last_seq)]


def iter_spans(
    connection: sqlite3.Connection, made: Filter, since_ns: int, until_ns: int, newest_first: bool
) -> Iterator[Span]:
    """The blocks that can hold a hit as far as times and traces tell, the most promising first."""
    order = "max_ns DESC, first_seq DESC" if newest_first else "min_ns, first_seq"
    where, values = block_conditions(made, since_ns, until_ns)
    sql = f"SELECT first_seq, last_seq, min_ns, max_ns FROM block WHERE {where} ORDER BY {order}"  # noqa: S608 - marks and constants only
    return map(Span._make, connection.execute(sql, values))


def read_chunks(
    connection: sqlite3.Connection, made: Filter, since_ns: int, until_ns: int, newest_first: bool
) -> list[Span]:
    """As `iter_spans`, all blocks of a chunk taken as one."""
    where, values = block_conditions(made, since_ns, until_ns)
    if made.blocks or not isinstance(connection, Reader):
        here = _select_chunks(connection, f"WHERE {where} GROUP BY 5", values)
    else:
        here = []
        for span in _known_chunks(connection):
            if span.max_ns < since_ns or span.min_ns > until_ns:
                continue
            if since_ns <= span.min_ns and span.max_ns <= until_ns:
                here.append(span)
            else:  # at an end of the window: some of its blocks
                within = f"WHERE first_seq BETWEEN ? AND ? AND {where} GROUP BY 5"
                bounds = span.first_seq, span.last_seq
                here += _select_chunks(connection, within, [*bounds, *values])
    return sorted(here, key=_by_end if newest_first else _by_start, reverse=newest_first)


def _known_chunks(connection: Reader) -> Sequence[Span]:
    """All of the segment. Asking for the version costs 3 µs, reading a thousand blocks 600."""
    (version,) = connection.execute("PRAGMA data_version").fetchone()
    if version != connection.chunks_version:
        connection.chunks = _select_chunks(connection, "GROUP BY 5", ())
        connection.chunks_version = version
    return connection.chunks


def _select_chunks(
    connection: sqlite3.Connection, rest: str, values: Sequence[object]
) -> list[Span]:
    rows = connection.execute(
        "SELECT min(first_seq), max(last_seq), min(min_ns), max(max_ns),"  # noqa: S608 - marks and constants only
        f" first_seq >> {CHUNK_BITS} FROM block {rest}",
        values,
    )
    return [Span(*row) for *row, _ in rows]


def _by_end(span: Span) -> tuple[int, int]:
    return span.max_ns, span.first_seq


def _by_start(span: Span) -> tuple[int, int]:
    return span.min_ns, span.first_seq


def block_conditions(made: Filter, since_ns: int, until_ns: int) -> tuple[str, list[object]]:
    conditions = ["max_ns >= ? AND min_ns <= ?", *made.blocks]
    return f"({') AND ('.join(conditions)})", [since_ns, until_ns, *made.block_values]


def iter_sources(
    connection: sqlite3.Connection,
    search: Search,
    made: Filter,
    hits: Hits,
    narrow: Narrow | None = None,
) -> Iterator[Source]:
    """What to read, piece by piece, until nothing further can come into the page.

    Pieces grow: where a filter lets through less than names and ``narrow`` can tell, that soon gets
    all."""
    window = (*reach_of(search), search.query.newest_first)
    rows = try_rows(connection, made)
    spans: Iterable[Span]
    if rows is None and narrow is None:
        spans = iter_spans(connection, made, *window)
        yield from _iter_blocks(spans, hits)
        return
    spans = read_chunks(connection, made, *window)
    seqs_of = partial(_seqs_of, rows) if rows else None
    if narrow is not None:
        yield from _iter_rows(narrow(_takeable(spans, hits), seqs_of), hits)
        return
    assert rows is not None
    if spans and rows.count(spans[0].first_seq, spans[0].last_seq) > hits.wanted * DENSE:
        spans = iter_spans(connection, made, *window)
    found = ((span, _seqs_of(rows, span)) for span in _takeable(spans, hits))
    yield from _iter_rows(found, hits)


def _seqs_of(rows: Rows, span: Span) -> list[int]:
    return rows.seqs(span.first_seq, span.last_seq)


def _takeable(spans: Iterable[Span], hits: Hits) -> Iterator[Span]:
    """Until none of a span's rows, nor of those behind it, can come into the page."""
    return takewhile(lambda span: hits.may_take(span.min_ns, span.max_ns), spans)


def _iter_blocks(spans: Iterable[Span], hits: Hits) -> Iterator[Source]:
    for group in iter_groups(spans):
        if not hits.may_take(group[0].min_ns, group[0].max_ns):
            return
        yield source_of_spans(group)


def _iter_rows(narrowed: Iterable[tuple[Span, list[int]]], hits: Hits) -> Iterator[Source]:
    wanted = max(hits.missing, LEAST_ROWS)
    group: list[Span] = []
    seqs: list[int] = []
    for span, found in narrowed:
        if found:
            seqs += found
            group.append(span)
        if len(seqs) >= wanted:
            yield _source(group, seqs)
            group, seqs, wanted = [], [], wanted * 2
    if group:
        yield _source(group, seqs)


def _source(spans: Sequence[Span], seqs: Sequence[int]) -> Source:
    """Single rows, unless a large part of the blocks is asked for."""
    size = sum(span.last_seq - span.first_seq + 1 for span in spans)
    return source_of_spans(spans) if len(seqs) * FEW_PARTS > size else source_of_seqs(seqs)


def reach_of(search: Search) -> tuple[int, int]:
    """The window, cut at the cursor."""
    if not search.after:
        return search.since_ns, search.until_ns
    if search.query.newest_first:
        return search.since_ns, min(search.until_ns, search.after.ts_ns)
    return max(search.since_ns, search.after.ts_ns), search.until_ns


def iter_groups(spans: Iterable[Span]) -> Iterator[Sequence[Span]]:
    """``spans`` in groups of growing size."""
    left, size = iter(spans), FIRST_BLOCKS
    while group := list(islice(left, size)):
        yield group
        size *= 2


def try_few_seqs(connection: sqlite3.Connection, search: Search) -> list[int] | None:
    """The seqs that match the text, or None where they are too many."""
    known = connection.frequent if isinstance(connection, Reader) else set()
    if search.match in known:
        return None
    sql = "SELECT rowid FROM text WHERE text MATCH ? LIMIT ?"
    rows = connection.execute(sql, (search.match, FEW_HITS + 1)).fetchall()
    if len(rows) <= FEW_HITS:
        return [seq for (seq,) in rows]
    if len(search.match) <= KNOWN_CHARS and len(known) < KNOWN_TEXTS:
        known.add(search.match)
    return None


def require_text(made: Filter, search: Search) -> Filter:
    """``made`` with the text as a further condition; looks for it among the rows read only."""
    if not search.match:
        return made
    narrowed = made.copy()
    narrowed.add(
        "e.seq IN (SELECT rowid FROM text WHERE text MATCH ? AND rowid BETWEEN ? AND ?)",
        search.match,
        LOW,
        HIGH,
    )
    return narrowed


def plan_picks(connection: sqlite3.Connection, search: Search, made: Filter) -> list[Read]:
    """The read for events named by id or seq."""
    seqs = pick_seqs(connection, search)
    if not seqs:
        return []
    return [Read(require_text(made, search), source_of_seqs(seqs))]


def plan_all(connection: sqlite3.Connection, search: Search, made: Filter) -> list[Read]:
    """At most one read that meets every row that can match, for totals."""
    if search.picks:
        return plan_picks(connection, search, made)
    spans = read_spans(connection, made, search.since_ns, search.until_ns, newest_first=False)
    if not spans:
        return []
    return [Read(require_text(made, search), source_of_spans(spans))]
