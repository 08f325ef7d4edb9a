"""Questions about events that the index alone cannot answer: the lines themselves are read.

Each reads a bounded number of them, and says where that was not all.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from time import monotonic
from typing import Any, Literal, NamedTuple

import orjson

from laneway.base.limits import PAGE_EVENTS
from laneway.hub.archive import Archive
from laneway.hub.failure import Failure, date_back, gather
from laneway.hub.ring import is_failure
from laneway.hub.summary import summarise
from laneway.hub.trace import tell_trace
from laneway.model.event import Event
from laneway.store.api import Accuracy, Cursor, Query, Store
from laneway.store.query.expr import EVERYTHING, Expr, Has, all_of, any_of, is_one_of, is_seq
from laneway.store.query.field import AGENT, ERROR, SESSION, TRACE

TRACE_EVENTS = 5_000
"""Of one trace, the oldest: a quarter of a second of reading."""

FACET_EVENTS = 20_000
"""Lines read for the values of a field that has no column."""

FACET_S = 1.0

FAILURE_EVENTS = 10_000
"""Failures read to tell their kinds; where there are more, as many of the oldest to tell since when."""

FAILURE_S = 1.0

Scope = Literal["all", "agent", "session"]


class Value(NamedTuple):
    """One value of a facet."""

    value: str
    event_count: int
    error_count: int


class Facet(NamedTuple):
    """``values`` are the most frequent ones; the totals hold all that were met."""

    values: list[Value]
    value_count: int
    event_count: int
    error_count: int
    accuracy: Accuracy


class Surroundings(NamedTuple):
    """Events as JSON, each list in order of time."""

    before: list[bytes]
    event: bytes
    after: list[bytes]


class Inquiry:
    """Thread-safe, and blocking."""

    def __init__(self, store: Store, archive: Archive) -> None:
        self._store = store
        self._archive = archive

    def trace(self, trace_id: str, within: Expr = EVERYTHING) -> dict[str, Any] | None:
        """The trace as a tree of spans, or None where it has no event. ``within``: here and below,
        the only events that there are."""
        events: list[dict[str, Any]] = []
        where = all_of([is_one_of(TRACE, (trace_id,)), within])
        query = Query(where, newest_first=False, limit=PAGE_EVENTS)
        cursor: Cursor | None = None
        while len(events) < TRACE_EVENTS:
            lines, cursor, *_ = self._archive.page(replace(query, after=cursor))
            events += map(orjson.loads, lines)
            if cursor is None:
                break
        return tell_trace(trace_id, events, is_complete=cursor is None) if events else None

    def around(
        self, query: Query, scope: Scope, before: int, after: int, within: Expr = EVERYTHING
    ) -> Surroundings | None:
        """The one event of ``query``, and its neighbours of the same agent or session, or all."""
        query = replace(query, where=all_of([query.where, within]))
        hits = self._store.find(query).hits
        line = self._archive.one(query) if hits else None
        if line is None:
            return None
        place = Cursor(hits[0].ts_ns, hits[0].seq)
        neighbours = _in_scope(orjson.loads(line), scope)
        neighbours = replace(neighbours, where=all_of([neighbours.where, within]))
        earlier = self._some(replace(neighbours, after=place), before)
        later = self._some(replace(neighbours, after=place, newest_first=False), after)
        return Surroundings(earlier[::-1], line, later)

    def facet(self, query: Query, path: Sequence[str]) -> Facet:
        """The values of a field by its path in the event; lists count each of their values."""
        counts: Counter[str] = Counter()
        failed: Counter[str] = Counter()
        with_value = errors = 0
        is_all = True
        until_s = monotonic() + FACET_S
        found = self._iter_events(replace(query, after=None, newest_first=True))
        for seen, event in enumerate(found):
            if seen >= FACET_EVENTS or _is_over(seen, until_s):
                is_all = False
                break
            has_error = is_failure(event)
            values = set(_values_at(event, path))
            with_value += bool(values)
            errors += bool(values) and has_error
            counts.update(values)
            if has_error:
                failed.update(values)
        order = sorted(counts.items(), key=lambda item: (-item[1], item[0]))[: query.limit]
        values_told = [Value(value, count, failed[value]) for value, count in order]
        accuracy: Accuracy = "exact" if is_all else "at_least"
        return Facet(values_told, len(counts), with_value, errors, accuracy)

    def failures(self, query: Query) -> tuple[list[Failure], bool]:
        """The kinds of failure among the newest that match, and whether those are all."""
        failed = replace(
            query, where=all_of([query.where, Has(ERROR)]), newest_first=True, after=None
        )
        newest, is_all = self._read_failures(failed)
        found = gather(newest)
        if not is_all:
            oldest, _ = self._read_failures(replace(failed, newest_first=False))
            date_back(found, oldest)
        return found, is_all

    def _read_failures(self, query: Query) -> tuple[list[dict[str, Any]], bool]:
        read: list[dict[str, Any]] = []
        until_s = monotonic() + FAILURE_S
        for event in self._iter_events(query):
            if len(read) >= FAILURE_EVENTS or _is_over(len(read), until_s):
                return read, False
            read.append(event)
        return read, True

    def texts(self, seqs: Sequence[int], within: Expr = EVERYTHING) -> dict[int, str]:
        """A line of text for each of these events that can still be read."""
        if not seqs:
            return {}
        where = all_of([any_of(map(is_seq, seqs)), within])
        lines, *_ = self._archive.page(Query(where, limit=PAGE_EVENTS))
        return {event["seq"]: summarise(event) for event in map(orjson.loads, lines)}

    def _some(self, query: Query, count: int) -> list[bytes]:
        if not count:
            return []
        lines, *_ = self._archive.page(replace(query, limit=count))
        return lines

    def _iter_events(self, query: Query) -> Iterator[dict[str, Any]]:
        cursor: Cursor | None = None
        while True:
            page = replace(query, after=cursor, limit=PAGE_EVENTS)
            lines, cursor, *_ = self._archive.page(page)
            yield from map(orjson.loads, lines)
            if cursor is None:
                return


def _is_over(seen: int, until_s: float) -> bool:
    """Between two pages: of one that was read, all is told."""
    return seen > 0 and seen % PAGE_EVENTS == 0 and monotonic() > until_s


def _in_scope(event: Event, scope: Scope) -> Query:
    if scope == "agent":
        return Query(is_one_of(AGENT, (event["agent"],)))
    if scope == "session" and event.get("session_id"):
        return Query(is_one_of(SESSION, (event["session_id"],)))
    return Query()


def _values_at(event: Any, path: Sequence[str]) -> Iterator[str]:
    for name in path:
        event = event.get(name) if isinstance(event, dict) else None
    for value in event if isinstance(event, list) else [event]:
        if isinstance(value, bool):
            yield "true" if value else "false"
        elif isinstance(value, str | int | float):
            yield str(value)
