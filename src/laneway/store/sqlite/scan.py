"""Which rows of a segment a search reads: single seqs, or blocks in the best order."""

import json
import sqlite3
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from .search import Search
from .where import HIGH, LOW, Filter, pick_seqs

FEW_HITS = 4_096
"""A text with at most so many hits in a segment is answered from the list of them; for more, the
list and its sorting would cost more than reading the newest blocks."""

FIRST_BLOCKS = 2
"""Blocks read first; each further step reads twice as many, so that neither a common nor an
absent value costs more than a handful of statements."""


class Span(NamedTuple):
    """A block: its seqs ``[first_seq, last_seq]`` and times ``[min_ns, max_ns]``."""

    first_seq: int
    last_seq: int
    min_ns: int
    max_ns: int


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


def read_spans(
    connection: sqlite3.Connection, made: Filter, since_ns: int, until_ns: int, newest_first: bool
) -> list[Span]:
    """The blocks that can hold a hit of ``[since_ns, until_ns]``, the most promising first."""
    conditions: list[str] = ["max_ns >= ? AND min_ns <= ?"]
    values: list[object] = [since_ns, until_ns]
    conditions += made.blocks
    values += made.block_values
    order = "max_ns DESC, first_seq DESC" if newest_first else "min_ns, first_seq"
    rows = connection.execute(
        f"SELECT first_seq, last_seq, min_ns, max_ns FROM block"  # noqa: S608 - marks and constants only
        f" WHERE ({') AND ('.join(conditions)}) ORDER BY {order}",
        values,
    )
    return [Span(*row) for row in rows]


def iter_groups(spans: Sequence[Span]) -> Iterator[Sequence[Span]]:
    """``spans`` in groups of growing size."""
    start, size = 0, FIRST_BLOCKS
    while start < len(spans):
        yield spans[start : start + size]
        start, size = start + size, size * 2


def try_few_seqs(connection: sqlite3.Connection, search: Search) -> list[int] | None:
    """The seqs that match the text, or None where they are too many."""
    sql = "SELECT rowid FROM text WHERE text MATCH ? LIMIT ?"
    rows = connection.execute(sql, (search.match, FEW_HITS + 1)).fetchall()
    return [seq for (seq,) in rows] if len(rows) <= FEW_HITS else None


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
