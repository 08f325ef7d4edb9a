"""The slowest events of a query: blocks are met by their longest duration, and the walk ends early."""

import heapq
import sqlite3
from collections.abc import Iterator
from typing import NamedTuple

from laneway.store.api import Page, Pointer

from .scan import (
    Read,
    block_conditions,
    iter_groups,
    plan_picks,
    require_text,
    source_of_spans,
    try_rows,
)
from .search import Search
from .span import Span
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
        self._known: list[float] = []

    @property
    def least_ms(self) -> float:
        """What is shorter cannot come in."""
        known_ms = self._known[-1] if len(self._known) == self._limit else 0.0
        best_ms = self._best[0].duration_ms if len(self._best) >= self._limit else 0.0
        return max(known_ms, best_ms)

    def note(self, durations_ms: list[float]) -> None:
        """Durations of hits, each of another event, that will be offered."""
        self._known = sorted(self._known + durations_ms, reverse=True)[: self._limit]

    def may_take(self, duration_ms: float) -> bool:
        return duration_ms >= self.least_ms

    def take(self, one: Slow) -> None:
        if len(self._best) < self._limit:
            heapq.heappush(self._best, one)
        else:
            heapq.heappushpop(self._best, one)

    def page(self) -> Page:
        return Page([one.pointer for one in sorted(self._best, reverse=True)], None)


def read_maxima(connection: sqlite3.Connection, limit: int) -> list[float]:
    """The longest durations of the segment's blocks: each is an event's. 20 µs where it is compact."""
    rows = connection.execute(
        "SELECT max_ms FROM block WHERE max_ms >= 0 ORDER BY max_ms DESC LIMIT ?", (limit,)
    )
    return [max_ms for (max_ms,) in rows]


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
    for group in iter_groups(_iter_slow_spans(connection, search, made, slowest)):
        read = Read(require_text(made, search), source_of_spans(group))
        _take(connection, segment, read, search, slowest)


def _iter_slow_spans(
    connection: sqlite3.Connection, search: Search, made: Filter, slowest: Slowest
) -> Iterator[Span]:
    """The blocks that can hold a hit, the one with the longest duration first; ends where none can."""
    rows = try_rows(connection, made)
    where, values = block_conditions(made, search.since_ns, search.until_ns)
    found = connection.execute(
        f"SELECT first_seq, last_seq, min_ns, max_ns, max_ms FROM block"  # noqa: S608 - marks and constants only
        f" WHERE {where} AND max_ms >= ? ORDER BY max_ms DESC",
        [*values, slowest.least_ms],
    )
    for first_seq, last_seq, min_ns, max_ns, max_ms in found:
        if not slowest.may_take(max_ms):
            return
        if rows is None or rows.may_hold(first_seq, last_seq):
            yield Span(first_seq, last_seq, min_ns, max_ns)


def _take(
    connection: sqlite3.Connection, segment: str, read: Read, search: Search, slowest: Slowest
) -> None:
    columns = "e.duration_ms, e.ts_ns, e.seq, e.offset, e.length"
    rest = f"ORDER BY 1 DESC, 2 DESC, 3 DESC LIMIT {search.query.limit}"
    for duration_ms, ts_ns, seq, offset, length in connection.execute(*read.query(columns, rest)):
        slowest.take(Slow(duration_ms, ts_ns, seq, Pointer(seq, ts_ns, segment, offset, length)))
