"""The slowest events of a query: blocks are met by their longest duration, and the walk ends early."""

import heapq
import sqlite3
from typing import NamedTuple

from laneway.store.api import Page, Pointer

from .scan import Read, Span, iter_groups, plan_picks, read_spans, require_text, source_of_spans
from .search import Search
from .where import Filter, filter_rows


class Slow(NamedTuple):
    """Ordered: the slower is greater, of equals the newer."""

    duration_ms: float
    ts_ns: int
    seq: int
    pointer: Pointer


class Slowest:
    """The best hits so far, over all segments."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._best: list[Slow] = []

    def may_take(self, duration_ms: float) -> bool:
        return len(self._best) < self._limit or duration_ms >= self._best[0].duration_ms

    def take(self, one: Slow) -> None:
        if len(self._best) < self._limit:
            heapq.heappush(self._best, one)
        else:
            heapq.heappushpop(self._best, one)

    def page(self) -> Page:
        return Page([one.pointer for one in sorted(self._best, reverse=True)], None)


def find_slow(
    connection: sqlite3.Connection, segment: str, search: Search, slowest: Slowest
) -> None:
    made = filter_rows(connection, search)
    if made.impossible:
        return
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    made.add("e.duration_ms IS NOT NULL")
    if search.picks:
        for read in plan_picks(connection, search, made):
            _take(connection, segment, read, search, slowest)
        return
    spans, longest = _read_slow_spans(connection, search, made)
    for group in iter_groups(spans):
        if not slowest.may_take(max(longest[span.first_seq] for span in group)):
            return
        read = Read(require_text(made, search), source_of_spans(group))
        _take(connection, segment, read, search, slowest)


def _read_slow_spans(
    connection: sqlite3.Connection, search: Search, made: Filter
) -> tuple[list[Span], dict[int, float]]:
    """The blocks that can hold a hit, the one with the longest duration first."""
    rows = connection.execute("SELECT first_seq, max_ms FROM block WHERE max_ms >= 0")
    longest: dict[int, float] = dict(rows.fetchall())
    spans = read_spans(connection, made, search.since_ns, search.until_ns, newest_first=True)
    timed = [span for span in spans if span.first_seq in longest]
    return sorted(timed, key=lambda span: -longest[span.first_seq]), longest


def _take(
    connection: sqlite3.Connection, segment: str, read: Read, search: Search, slowest: Slowest
) -> None:
    columns = "e.duration_ms, e.ts_ns, e.seq, e.offset, e.length"
    rest = f"ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT {search.query.limit}"
    for duration_ms, ts_ns, seq, offset, length in connection.execute(*read.query(columns, rest)):
        slowest.take(Slow(duration_ms, ts_ns, seq, Pointer(seq, ts_ns, segment, offset, length)))
