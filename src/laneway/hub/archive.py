"""Whole events, read back from the log and made fit to be shown."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from laneway.base.errors import LogError
from laneway.hub.frame import Frame, whole_event, with_seq
from laneway.hub.line import Line, LineReader
from laneway.log.read import Reader
from laneway.log.text import Damage
from laneway.model.event import Event
from laneway.store.api import Cursor, Pointer, Query, Scan, Store
from laneway.store.query.expr import EVERYTHING, Expr, all_of, seqs_between


class EventPage(NamedTuple):
    """A `laneway.store.api.Page` with the events themselves."""

    lines: list[bytes]
    next: Cursor | None
    scan: Scan | None


class EventReader:
    """The `laneway.store.api.ReadEvent` of one log. Thread-safe."""

    def __init__(self, reader: Reader, lines: LineReader) -> None:
        self._reader = reader
        self._lines = lines

    def __call__(self, pointer: Pointer, fingerprint: str) -> Event | None:
        try:
            data = self._reader.read(pointer.segment, pointer.offset, pointer.length)
        except LogError:
            return None
        return self._lines.read(data, fingerprint, pointer.offset, pointer.ts_ns).event


class Archive:
    """Answers with the lines that an index points at. Thread-safe, and blocking."""

    def __init__(
        self,
        store: Store,
        reader: Reader,
        lines: LineReader,
        on_damage: Callable[[Damage], None] = lambda damage: None,
    ) -> None:
        self._store = store
        self._reader = reader
        self._lines = lines
        self._on_damage = on_damage

    def page(self, query: Query) -> EventPage:
        """Events as JSON with ``seq``; those whose part of the log is gone are left out."""
        page = self._store.find(query)
        prints = self._fingerprints()
        found = (self._try_read(pointer, prints) for pointer in page.hits)
        lines = [
            with_seq(line.shown, pointer.seq)
            for pointer, line in zip(page.hits, found, strict=True)
            if line
        ]
        return EventPage(lines, page.next, page.scan)

    def one(self, query: Query) -> bytes | None:
        """The one event that matches, or None.

        Raises:
            LogError: the index knows it, and its part of the log is gone.
        """
        hits = self._store.find(query).hits
        if not hits:
            return None
        return with_seq(self._read(hits[0], self._fingerprints()).shown, hits[0].seq)

    def lines(self, since: int, until: int) -> list[tuple[Pointer, Line]]:
        """The events with seqs ``[since, until)`` that can still be read, in order of seq."""
        prints = self._fingerprints()
        found: list[tuple[Pointer, Line]] = []
        for low in range(max(since, 1), until, PAGE):
            where = seqs_between(low, min(low + PAGE, until))
            for pointer in self._store.find(Query(where, limit=PAGE)).hits:
                if line := self._try_read(pointer, prints):
                    found.append((pointer, line))
        return sorted(found, key=lambda pair: pair[0].seq)

    def recent(self, until: int, count: int, where: Expr = EVERYTHING) -> list[Frame]:
        """The last ``count`` events before seq ``until``, as messages; those that match, if any is
        asked for, newest by time."""
        if where != EVERYTHING and count:
            return self._matching(until, count, where)
        pairs = self.lines(until - count, until) if count else []
        return [whole_event(line.shown, pointer.seq) for pointer, line in pairs]

    def _matching(self, until: int, count: int, where: Expr) -> list[Frame]:
        before = all_of([where, seqs_between(1, until)])
        prints = self._fingerprints()
        hits = self._store.find(Query(before, limit=count)).hits
        found = [(line, hit) for hit in hits if (line := self._try_read(hit, prints))]
        return [whole_event(line.shown, hit.seq) for line, hit in reversed(found)]

    def _try_read(self, pointer: Pointer, prints: Mapping[str, str]) -> Line | None:
        try:
            return self._read(pointer, prints)
        except LogError:
            return None

    def _read(self, pointer: Pointer, prints: Mapping[str, str]) -> Line:
        data = self._reader.read(pointer.segment, pointer.offset, pointer.length)
        fingerprint = prints.get(pointer.segment, "")
        line = self._lines.read(data, fingerprint, pointer.offset, pointer.ts_ns)
        if line.event is None:
            end = pointer.offset + pointer.length
            self._on_damage(Damage(pointer.segment, pointer.offset, end, 1, "it is no event now"))
            raise LogError(
                f"{pointer.segment}: what stands at offset {pointer.offset} is no event",
                hint="the file was changed; `laneway reindex` brings the index in line with it",
                status=404,
            )
        return line

    def _fingerprints(self) -> dict[str, str]:
        return {state.segment: state.fingerprint for state in self._store.segments()}


PAGE = 1_000
