"""A `Query` as statements, and the events of it that the server cannot tell by itself."""

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from laneway.store.api import Cursor, Page, Pointer, Query, QueryTimeout, Scan
from laneway.store.query.expr import Open, iter_leaves
from laneway.store.query.match import Matcher, Subject, clamp_ns, compile_matcher

from .schema import Names
from .server import Server
from .where import Binder, Condition, compile_where, plain, window

FIRST_CANDIDATES, MOST_CANDIDATES = 256, 8_192
"""Lines fetched at a time to be looked at; each time twice as many."""

_POINTER = "seq, ts_ns, segment, offset, length"


class Search:
    """One query, compiled. ``where`` holds all conditions but the place of the page."""

    def __init__(
        self, query: Query, names: Names, reached_seq: int, segments: Mapping[str, str]
    ) -> None:
        """``segments`` are names of log files by what rows call them."""
        self.query = query
        self.names = names
        self.reached_seq = reached_seq
        self._segments = segments
        self.binder = Binder()
        expr = plain(query.where)
        self.visible = f"seq <= {self.binder.integer(reached_seq)}"
        times = window(query.since_ns, query.until_ns, self.binder)
        condition: Condition = compile_where(expr, self.binder, names, self.visible)
        self.where = " AND ".join([self.visible, *times, condition.sql])
        self.expr = expr
        self.matcher: Matcher | None = None if condition.is_exact else compile_matcher(expr)
        self.asks_open = any(isinstance(leaf, Open) for leaf in iter_leaves(expr))

    def pointer(self, row: Sequence[Any]) -> Pointer:
        seq, ts_ns, key, offset, length = row[:5]
        return Pointer(seq, ts_ns, self._segments.get(key, key), offset, length)

    def select(self, columns: str, rest: str = "", *, also: str = "") -> str:
        more = f" AND {also}" if also else ""
        return f"SELECT {columns} FROM {self.names.event} WHERE {self.where}{more} {rest}"  # noqa: S608 - values are bound


class Deadline:
    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._end = time.monotonic() + limit_s

    @property
    def left_s(self) -> float:
        return max(self._end - time.monotonic(), 0.001)

    def is_over(self) -> bool:
        return time.monotonic() > self._end


class Found:
    """A candidate that passed, with what totals need of it."""

    __slots__ = ("event", "pointer")

    def __init__(self, pointer: Pointer, event: dict[str, Any]) -> None:
        self.pointer = pointer
        self.event = event


class Sift:
    """Candidates in the order of the page, looked at one by one, for as long as the time lasts."""

    def __init__(
        self,
        server: Server,
        search: Search,
        deadline: Deadline,
        total_bytes: int,
        after: Cursor | None,
    ) -> None:
        assert search.matcher is not None
        self._server = server
        self._search = search
        self._matches = search.matcher
        self._deadline = deadline
        self._total_bytes = total_bytes
        self._after = after
        self._read_count = self._read_bytes = 0
        self.reached: Cursor | None = None
        self.is_complete = False

    def __iter__(self) -> Iterator[Found]:
        after, count = self._after, FIRST_CANDIDATES
        while True:
            try:
                rows = self._fetch(after, count)
            except QueryTimeout:
                if self.reached is None:
                    raise
                return
            for row in rows:
                if self.reached and self._deadline.is_over():
                    return
                pointer = self._search.pointer(row)
                self.reached = after = Cursor(pointer.ts_ns, pointer.seq)
                self._read_count += 1
                self._read_bytes += pointer.length
                event = orjson.loads(row[5])
                subject = Subject(event, pointer.ts_ns, pointer.seq, _told if row[6] else _not_told)
                if self._matches(subject):
                    yield Found(pointer, event)
            if len(rows) < count:
                self.is_complete = True
                return
            count = min(count * 2, MOST_CANDIDATES)

    def scan(self) -> Scan:
        passed = self._total_bytes if self.is_complete else min(self._read_bytes, self._total_bytes)
        return Scan(self.is_complete, self._read_count, passed, self._total_bytes, 0, 0)

    def _fetch(self, after: Cursor | None, count: int) -> Sequence[Sequence[Any]]:
        search = self._search
        open_now = "0"
        if search.asks_open:
            open_now = compile_where(Open(), search.binder, search.names, search.visible).sql
        sql = search.select(
            f"{_POINTER}, line, {open_now}", _order(search.query) + f" LIMIT {count:d}",
            also=_after(search, after),
        )  # fmt: skip
        return self._server.ask(sql, search.binder.values, limit_s=self._deadline.left_s)


def _told(subject: Subject) -> bool:
    return True


def _not_told(subject: Subject) -> bool:
    return False


def find(server: Server, search: Search, limit_s: float, total_bytes: int) -> Page:
    query = search.query
    if query.slowest_first:
        return _find_slowest(server, search, limit_s, total_bytes)
    if search.matcher:
        sift = Sift(server, search, Deadline(limit_s), total_bytes, query.after)
        return _find_among(sift, query.limit)
    sql = search.select(
        _POINTER, f"{_order(query)} LIMIT {query.limit + 1:d}", also=_after(search, query.after)
    )
    hits = [search.pointer(row) for row in server.ask(sql, search.binder.values)]
    return _page(hits, query.limit)


def _page(hits: list[Pointer], limit: int) -> Page:
    if len(hits) <= limit:
        return Page(hits, None)
    last = hits[limit - 1]
    return Page(hits[:limit], Cursor(last.ts_ns, last.seq))


def _find_among(sift: Sift, limit: int) -> Page:
    hits: list[Pointer] = []
    for found in sift:
        hits.append(found.pointer)
        if len(hits) > limit:
            return _page(hits, limit)
    if sift.is_complete:
        return Page(hits, None, sift.scan())
    return Page(hits, sift.reached, sift.scan())


def _find_slowest(server: Server, search: Search, limit_s: float, total_bytes: int) -> Page:
    limit = search.query.limit
    if search.matcher is None:
        sql = search.select(
            _POINTER, f"ORDER BY duration_ms DESC, ts_ns DESC, seq DESC LIMIT {limit:d}",
            also="duration_ms IS NOT NULL",
        )  # fmt: skip
        return Page([search.pointer(row) for row in server.ask(sql, search.binder.values)], None)
    sift = Sift(server, search, Deadline(limit_s), total_bytes, None)
    timed = [found for found in sift if isinstance(found.event.get("duration_ms"), int | float)]
    timed.sort(
        key=lambda one: (one.event["duration_ms"], one.pointer.ts_ns, one.pointer.seq), reverse=True
    )
    return Page([one.pointer for one in timed[:limit]], None, sift.scan())


def _order(query: Query) -> str:
    return "ORDER BY ts_ns DESC, seq DESC" if query.newest_first else "ORDER BY ts_ns, seq"


def _after(search: Search, after: Cursor | None) -> str:
    if after is None:
        return ""
    bind = search.binder.integer
    ts_ns, seq = bind(clamp_ns(after.ts_ns)), bind(clamp_ns(after.seq))
    return f"(ts_ns, seq) {'<' if search.query.newest_first else '>'} ({ts_ns}, {seq})"
