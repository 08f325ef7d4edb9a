"""One log, watched: its last events and what comes, laid out, as JSON, or raw."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from queue import Empty, SimpleQueue
from threading import Event, Thread
from typing import Any, NamedTuple

from laneway.base.clock import now_ns
from laneway.base.settings import Settings
from laneway.cli.backlog import end_positions, last_lines, new_line_reader
from laneway.cli.line import Layout, to_json
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.log.tail import Chunk, Tail
from laneway.store.query.expr import EVERYTHING, Expr, resolve
from laneway.store.query.match import Subject, compile_matcher

WAIT_S = 1.0
"""The tail looks by itself many times a second; this bounds how long Ctrl-C may take on Windows."""


class Seen(NamedTuple):
    """One line of the log. ``event`` is None where it is none: ``reason`` says why, and the time is
    that of a line beside it, so that it stays in its place."""

    ts_ns: int
    event: dict[str, Any] | None
    raw: bytes
    reason: str = ""


class Printer:
    """Writes events in one of three forms: ``""`` (lines for people), ``"json"``, ``"raw"``."""

    def __init__(self, layout: Layout, *, form: str, is_full: bool) -> None:
        self.layout = layout
        self.form = form
        self.is_full = is_full

    def print(self, seen: Sequence[Seen]) -> None:
        if self.form == "raw":
            sys.stdout.buffer.write(b"".join(item.raw + b"\n" for item in seen))
            sys.stdout.buffer.flush()
            return
        self.layout.widen(item.event for item in seen if item.event is not None)
        self.layout.terminal.write(line for item in seen for line in self._lines(item))

    def _lines(self, item: Seen) -> Iterator[str]:
        if self.form == "json":
            if item.event is not None:
                yield to_json(item.event)
        elif item.event is None:
            yield self.layout.broken_line(item.raw, item.reason)
        else:
            day = self.layout.day_line(item.ts_ns)
            if day:
                yield day
            yield self.layout.line(item.event, item.ts_ns)
            if self.is_full:
                yield from self.layout.full_lines(item.event)


class Watch:
    """One log, seen through one set of filters."""

    def __init__(self, settings: Settings, where: Expr) -> None:
        self._log_path = LogPath.parse(settings.log_path)
        self._takes_all = where == EVERYTHING
        self._matches = compile_matcher(resolve(where, now_ns()))
        self._reader = new_line_reader(settings)
        self._last_ns = 0
        self._positions = end_positions(self._log_path)

    def run(self, printer: Printer, count: int, *, follow: bool) -> None:
        printer.print(self.backlog(count))
        if not follow:
            return
        if not self._positions:
            _say_waiting(self._log_path)
        for seen in self.follow():
            printer.print(seen)

    def follow(self) -> Iterator[list[Seen]]:
        """What comes, for ever: after each look at the files what it found, and that may be nothing."""
        tail = Tail(self._log_path, self._positions)
        try:
            while True:
                tail.wait(WAIT_S)
                yield self._take(tail.poll())
        finally:
            tail.close()

    def backlog(self, count: int) -> list[Seen]:
        """The last ``count`` events that match, oldest first."""

        def pick(name: str, offset: int, data: bytes) -> Seen | None:
            return self._wanted(data, self._positions[name][0], offset)

        found = last_lines(self._log_path, self._positions, count, pick) if count else []
        found.reverse()  # equal times stay in the order of the file
        return in_order(found)[-count:]

    def _take(self, chunks: Iterable[Chunk]) -> list[Seen]:
        """What came, in order of time within one look at the files."""
        found = [
            self._wanted(data, chunk.fingerprint, offset)
            for chunk in chunks
            for offset, data in chunk.lines
            if offset >= chunk.seen_bytes
        ]
        return in_order([seen for seen in found if seen is not None])

    def _wanted(self, data: bytes, fingerprint: str, offset: int) -> Seen | None:
        """The line as the hub would show it, if it passes. What is no event passes no filter."""
        line = self._reader.read(data, fingerprint, offset, self._last_ns or now_ns())
        if line.event is None:
            return Seen(self._last_ns, None, data, str(line.problem)) if self._takes_all else None
        self._last_ns = line.ts_ns
        event: dict[str, Any] = dict(line.event)
        is_wanted = self._takes_all or self._matches(Subject(event, line.ts_ns))
        return Seen(line.ts_ns, event, data) if is_wanted else None


class Feed:
    """A watch read ahead by a thread of its own: its last ``count`` events, then what comes."""

    def __init__(self, watch: Watch, count: int) -> None:
        self._found: SimpleQueue[list[Seen]] = SimpleQueue()
        self._watch = watch
        self._count = count
        self._is_behind = True
        self._is_over = Event()
        self._thread = Thread(target=self._read, name="laneway-feed", daemon=True)

    def __enter__(self) -> "Feed":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._is_over.set()
        self._thread.join()

    def is_behind(self) -> bool:
        """Whether the past is still to be taken."""
        return self._is_behind

    def take(self) -> Iterator[Seen]:
        """What was found since the last call; waits for nothing."""
        try:
            while True:
                found = self._found.get_nowait()
                self._is_behind = False
                yield from found
        except Empty:
            return

    def _read(self) -> None:
        self._found.put(self._watch.backlog(self._count))
        for seen in self._watch.follow():
            if self._is_over.is_set():
                return
            if seen:
                self._found.put(seen)


def in_order(found: list[Seen]) -> list[Seen]:
    return sorted(found, key=lambda seen: seen.ts_ns)


def _say_waiting(log_path: LogPath) -> None:
    """An empty log is where everybody begins: say what is watched, and how to see something."""
    terminal = Terminal(sys.stderr)
    terminal.print(
        terminal.paint(
            f"{log_path.directory} holds no events yet; waiting. Try, elsewhere:", "dim"
        ),
        f'  laneway emit me hello "is this on?" --log {log_path.directory}',
    )
