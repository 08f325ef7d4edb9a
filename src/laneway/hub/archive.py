"""Whole events, read back from the log and made fit to be shown."""

from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from time import monotonic
from typing import NamedTuple

from laneway.base.errors import LogError
from laneway.base.limits import CLIENT_QUEUE_BYTES
from laneway.hub.excerpt import Past
from laneway.hub.frame import Frame, gap, whole_event, with_seq
from laneway.hub.intake import row_of
from laneway.hub.line import Line, LineReader
from laneway.hub.plain import LINES
from laneway.hub.ring import Row
from laneway.log.followed import OWN_FILE
from laneway.log.read import Reader
from laneway.log.text import FINGERPRINT_BYTES, Damage, Readable, fingerprint_of
from laneway.model.event import Event
from laneway.store.api import Cursor, Pointer, Query, Scan, Store
from laneway.store.query.expr import EVERYTHING, Expr, all_of, is_one_of, is_seq, seqs_between
from laneway.store.query.field import ID


class EventPage(NamedTuple):
    """A `laneway.store.api.Page` with the events themselves."""

    lines: list[bytes]
    next: Cursor | None
    scan: Scan | None


class SeqPage(NamedTuple):
    """A `laneway.store.api.Page` of numbers alone."""

    seqs: list[int]
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
        lines = [with_seq(line.shown, pointer.seq) for pointer, line in self._iter_read(page.hits)]
        return EventPage(lines, page.next, page.scan)

    def seqs(self, query: Query, patience_s: float) -> SeqPage:
        """The numbers of the events that match, many pages in one; the log is not read for them.

        It ends after ``patience_s`` or `SEQS_IN_PAGE`, or where a scan was cut off, with a ``next``.
        """
        until_s = monotonic() + patience_s
        found: list[int] = []
        while True:
            page = self._store.find(query)
            found += [pointer.seq for pointer in page.hits]
            is_cut = page.scan is not None and not page.scan.is_complete
            if not page.next or is_cut or len(found) >= SEQS_IN_PAGE or monotonic() > until_s:
                return SeqPage(found, page.next, page.scan)
            query = replace(query, after=page.next)

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
        found: list[tuple[Pointer, Line]] = []
        for low in range(max(since, 1), until, PAGE):
            where = seqs_between(low, min(low + PAGE, until))
            found += self._iter_read(self._store.find(Query(where, limit=PAGE)).hits)
        return sorted(found, key=lambda pair: pair[0].seq)

    def recent(self, until: int, count: int, where: Expr = EVERYTHING) -> list[Frame]:
        """The last ``count`` events before seq ``until``, as messages; those that match, if any is
        asked for, newest by time. As many as one viewer may have waiting; without a filter, a gap
        tells of the rest."""
        if where != EVERYTHING and count:
            return self._matching(until, count, where)
        first = max(until - count, 1)
        frames: deque[Frame] = deque()
        size = 0
        for high in range(until, first, -PART):
            for pointer, line in reversed(self.lines(max(high - PART, first), high)):
                size += len(line.shown)
                if frames and size > CLIENT_QUEUE_BYTES:
                    frames.appendleft(gap(first, pointer.seq + 1, None))
                    return list(frames)
                frames.appendleft(whole_event(line.shown, pointer.seq))
        return list(frames)

    def past(self, until: int, count: int, where: Expr) -> Past:
        """The events with seqs before ``until`` that match, without a hole in them: as far back as ``count``
        of them need, or as `PAST_S` reaches. By seq and not by time, so that a viewer can resume."""
        until_s = monotonic() + PAST_S
        hits: list[Pointer] = []
        since, width = until, count
        while since > 1 and len(hits) < count and monotonic() < until_s:
            low = max(1, since - width)
            found = self._try_all(all_of([where, seqs_between(low, since)]), count, until_s)
            if found is not None:
                hits += found
                since, width = low, 2 * width
            elif width > count:
                width = count  # of so few seqs there are no more events
            else:
                break  # the time is over
        return Past(since, self._rows(sorted(hits, key=lambda hit: hit.seq)))

    def newest(self, until: int, count: int, is_over: Callable[[], bool]) -> list[Row]:
        """The last ``count`` events before seq ``until``, as live viewers are shown them, in order of seq;
        fewer where some cannot be read, or where it ``is_over`` meanwhile."""
        rows: list[Row] = []
        for low in range(max(until - count, 1), until, PAGE):
            if is_over():
                break
            pairs = self.lines(low, min(low + PAGE, until))
            rows += [row_of(pointer.seq, line) for pointer, line in pairs]
        return rows

    def is_same(self, segment: str, text: Readable) -> bool | None:
        """Whether a file of somebody else's is the one that was indexed: its first line and its
        length can be, and the rest another's. The newest indexed line tells; None where none is."""
        state = next((one for one in self._store.segments() if one.segment == segment), None)
        if state is None or not state.last_seq:
            return None
        hits = self._store.find(Query(is_seq(state.last_seq), limit=1)).hits
        if not hits:
            return None
        data = text.read(hits[0].offset, hits[0].length)
        line = self._lines.read(data, state.fingerprint, hits[0].offset, hits[0].ts_ns)
        if line.event is None:
            return False
        return self._store.find(Query(is_one_of(ID, (line.event["id"],)), limit=1)).hits == hits

    def _try_all(self, where: Expr, count: int, until_s: float) -> list[Pointer] | None:
        """All that match; None where they are more than ``count``, or the time does not suffice."""
        query, hits = Query(where, limit=PAGE), list[Pointer]()
        while True:
            page = self._store.find(query)
            hits += page.hits
            if page.next is None:
                return hits
            if len(hits) > count or monotonic() > until_s:
                return None
            query = replace(query, after=page.next)

    def _rows(self, hits: Sequence[Pointer]) -> list[Row]:
        """As live viewers of columns are shown them, without their lines."""
        return [row_of(hit.seq, line)._replace(line=b"") for hit, line in self._iter_read(hits)]

    def _matching(self, until: int, count: int, where: Expr) -> list[Frame]:
        before = all_of([where, seqs_between(1, until)])
        frames: deque[Frame] = deque()
        size = 0
        for hit, line in self._iter_read(self._store.find(Query(before, limit=count)).hits):
            size += len(line.shown)
            if frames and size > CLIENT_QUEUE_BYTES:
                break
            frames.appendleft(whole_event(line.shown, hit.seq))
        return list(frames)

    def _iter_read(self, pointers: Sequence[Pointer]) -> Iterator[tuple[Pointer, Line]]:
        """Those that can be read, in the same order; no further ahead than what is read together."""
        prints = self._fingerprints()
        for start in range(0, len(pointers), LINES):
            yield from self._try_read_some(pointers[start : start + LINES], prints)

    def _try_read_some(
        self, pointers: Sequence[Pointer], prints: Mapping[str, str]
    ) -> list[tuple[Pointer, Line]]:
        """Those that can be read, together."""
        there: list[Pointer] = []
        given: list[tuple[bytes, str, int, int]] = []
        for pointer in pointers:
            segment, offset = pointer.segment, pointer.offset
            try:
                data = self._reader.read(segment, offset, pointer.length)
            except LogError:
                continue
            there.append(pointer)
            given.append((data, prints.get(segment, ""), offset, pointer.ts_ns))
        found: list[tuple[Pointer, Line]] = []
        for pointer, line in zip(there, self._lines.read_shown(given), strict=True):
            if line.event is not None:
                found.append((pointer, line))
            else:
                self._tell_no_event(pointer, prints.get(pointer.segment, ""))
        return found

    def _read(self, pointer: Pointer, prints: Mapping[str, str]) -> Line:
        data = self._reader.read(pointer.segment, pointer.offset, pointer.length)
        fingerprint = prints.get(pointer.segment, "")
        line = self._lines.read(data, fingerprint, pointer.offset, pointer.ts_ns)
        if line.event is None:
            self._tell_no_event(pointer, fingerprint)
            raise LogError(
                f"{pointer.segment}: what stands at offset {pointer.offset} is no event",
                hint="the file was changed; `laneway reindex` brings the index in line with it",
                status=404,
            )
        return line

    def _tell_no_event(self, pointer: Pointer, fingerprint: str) -> None:
        if not self._is_renamed(pointer.segment, fingerprint):
            end = pointer.offset + pointer.length
            self._on_damage(Damage(pointer.segment, pointer.offset, end, 1, "it is no event now"))

    def _is_renamed(self, segment: str, fingerprint: str) -> bool:
        """Whether another file has the name by now, and the index will follow in a moment."""
        if OWN_FILE.fullmatch(segment):
            return False
        try:
            return (
                fingerprint_of(self._reader.read_text(segment, 0, FINGERPRINT_BYTES)) != fingerprint
            )
        except LogError:
            return True

    def _fingerprints(self) -> dict[str, str]:
        return {state.segment: state.fingerprint for state in self._store.segments()}


SEQS_IN_PAGE = 20_000
"""About 140 KB as JSON: what a dashboard asks for when it opens comes in one answer."""

PART = 50
"""Events read at a time for a viewer that comes: 13 MB where each is as long as it may be."""

PAGE = 1_000

PAST_S = 1.0
"""A rare pod in a long log: the viewer gets what was found, and asks for older events by itself."""
