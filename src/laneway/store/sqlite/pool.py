"""Reading connections: one reader at a time has each, and a bounded number stays open."""

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager

from laneway.store.api import QueryTimeout

from .schema import open_reader

OPEN_READERS = 64
"""Idle connections kept: the segments of 20 million events. Each holds up to 0.5 MiB."""

CHECK_OPCODES = 20_000
"""SQLite's steps between two looks at the clock: about a millisecond."""


class TimeBox:
    """How long one call may take, over all segments together."""

    def __init__(self, limit_s: float) -> None:
        self.limit_s = limit_s
        self._end = time.monotonic() + limit_s

    def is_over(self) -> bool:
        return time.monotonic() > self._end

    def error(self) -> QueryTimeout:
        return QueryTimeout(
            f"the query was stopped after {self.limit_s:g} s",
            hint="narrow the time range, or add a filter by agent, event or session",
        )


class ReaderPool:
    """Thread-safe. A path that was discarded is opened anew, whatever file stands there then."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._idle: OrderedDict[str, list[sqlite3.Connection]] = OrderedDict()
        self._generations: dict[str, int] = {}
        self._idle_count = 0
        self._is_closed = False

    @contextmanager
    def borrow(self, path: str, box: TimeBox) -> Iterator[sqlite3.Connection]:
        """A connection for this block alone; when the time is over its statements raise
        `sqlite3.OperationalError` with ``SQLITE_INTERRUPT``."""
        connection, generation = self._take(path)
        connection.set_progress_handler(box.is_over, CHECK_OPCODES)
        try:
            yield connection
        except BaseException:
            connection.close()
            raise
        connection.set_progress_handler(None, 0)
        self._give_back(path, connection, generation)

    def discard(self, path: str) -> None:
        """Close what is idle now; what is borrowed is closed when it comes back."""
        with self._lock:
            self._generations[path] = self._generations.get(path, 0) + 1
            connections = self._idle.pop(path, [])
            self._idle_count -= len(connections)
        for connection in connections:
            connection.close()

    def close(self) -> None:
        with self._lock:
            self._is_closed = True
            paths = list(self._idle)
        for path in paths:
            self.discard(path)

    def _take(self, path: str) -> tuple[sqlite3.Connection, int]:
        with self._lock:
            generation = self._generations.get(path, 0)
            idle = self._idle.get(path)
            if idle:
                self._idle_count -= 1
                self._idle.move_to_end(path)
                return idle.pop(), generation
        return open_reader(path), generation

    def _give_back(self, path: str, connection: sqlite3.Connection, generation: int) -> None:
        with self._lock:
            stale = self._is_closed or generation != self._generations.get(path, 0)
            if not stale:
                self._idle.setdefault(path, []).append(connection)
                self._idle.move_to_end(path)
                self._idle_count += 1
            surplus = [connection] if stale else self._take_surplus()
        for one in surplus:
            one.close()

    def _take_surplus(self) -> list[sqlite3.Connection]:
        """The least recently used ones past the limit."""
        surplus: list[sqlite3.Connection] = []
        while self._idle_count > OPEN_READERS:
            path, connections = next(iter(self._idle.items()))
            if connections:
                surplus.append(connections.pop(0))
                self._idle_count -= 1
            if not connections:
                del self._idle[path]
        return surplus
