"""Chunks of the log into the index: their lines as events, and what is none put aside."""

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from laneway.base.errors import Problem, StoreError
from laneway.hub.backend import Backend
from laneway.hub.line import Line, LineReader
from laneway.hub.metric import Metric
from laneway.hub.ring import Row, entry_of
from laneway.log.position import Moved, rename_keys
from laneway.log.tail import Chunk
from laneway.store.api import DiskError, Meanwhile, Record

TRIES = 3
"""Failures of one chunk before it is tried in parts."""

QUARANTINE_LINES = 200
"""Places of bad lines kept in memory for whoever asks; all of them are counted."""

REASON_CHARS = 200

Placed = tuple[int, Row]
"""With the offset of its line."""

Lines = list[tuple[Record, Line]]
"""The events of a chunk."""


class BadLine(NamedTuple):
    """A line that is no event, where it stands, and why."""

    segment: str
    offset: int
    length: int
    reason: str


class Intake:
    """Used by one thread; `quarantine` may be looked at by any."""

    def __init__(
        self,
        store: Backend,
        lines: LineReader,
        metric: Metric,
        *,
        is_shown: bool,
        step_aside: Callable[[], None],
    ) -> None:
        """``is_shown``: somebody will want the lines of the events. ``step_aside`` as `Follower` has it."""
        self.quarantine: deque[BadLine] = deque(maxlen=QUARANTINE_LINES)
        self._store = store
        self._lines = lines
        self._metric = metric
        self._is_shown = is_shown
        self._step_aside = step_aside
        self._last_ns = {state.segment: state.last_ns for state in store.segments()}
        """The time of each segment's last event, which one without a time has too."""
        self._failures: dict[tuple[str, int], int] = {}

    def knows(self, segment: str) -> bool:
        return segment in self._last_ns

    def note(self, segment: str, last_ns: int) -> None:
        """A segment was indexed by somebody else."""
        self._last_ns[segment] = last_ns

    def forget(self, segment: str) -> None:
        self._last_ns.pop(segment, None)

    def forget_all(self) -> None:
        self._last_ns.clear()

    def rename(self, change: Moved) -> None:
        rename_keys(self._last_ns, change)

    def read(self, chunk: Chunk) -> Lines:
        """The chunk's events; what is none is quarantined."""
        found = []
        last_ns = self._last_ns.get(chunk.segment, 0)
        lines = self._lines.read_all(
            chunk.lines,
            chunk.fingerprint,
            last_ns,
            is_shown=self._is_shown,
            step_aside=self._step_aside,
        )
        masked_count = 0
        for (offset, data), line in zip(chunk.lines, lines, strict=True):
            event, ts_ns, _, _, is_masked, problem = line
            if event is None:
                self._put_aside(chunk.segment, offset, len(data), problem)
                continue
            masked_count += is_masked
            last_ns = ts_ns
            found.append((Record(offset, len(data), ts_ns, event), line))
        if masked_count:
            self._metric.masked.add(masked_count)
        self._last_ns[chunk.segment] = last_ns
        return found

    def _put_aside(self, segment: str, offset: int, length: int, problem: Problem | None) -> None:
        field = problem.field if problem else ""
        self._metric.quarantined.add(1, field or "json")
        self.quarantine.append(BadLine(segment, offset, length, str(problem)[:REASON_CHARS]))

    def add(self, chunk: Chunk, records: Sequence[Record], meanwhile: Meanwhile) -> None:
        """Index what was read. ``meanwhile`` is called once, as `Store.add` calls it.

        Raises:
            StoreError: as that; after `TRIES` of one chunk only where the index takes nothing at all.
        """
        place = (chunk.segment, chunk.end)
        if self._failures.get(place, 0) >= TRIES:
            meanwhile(self._add_in_parts(chunk, records))
            return
        try:
            added = self._store.add(chunk.segment, chunk.fingerprint, records, chunk.end, meanwhile)
        except DiskError:
            raise
        except Exception:
            self._failures = {place: self._failures.get(place, 0) + 1}
            raise
        self._failures = {}
        self._metric.indexed.add(sum(seq is not None for seq in added.seqs))
        self._metric.duplicate.add(added.duplicate_count)

    def _add_in_parts(self, chunk: Chunk, records: Sequence[Record]) -> list[int | None]:
        """Find the events that the index cannot take, put them aside, and keep the others."""
        segment, fingerprint = chunk.segment, chunk.fingerprint
        start = chunk.lines[0][0] if chunk.lines else chunk.end
        self._store.add(segment, fingerprint, [], start)  # raises where the index takes nothing
        seqs = self._add_halves(chunk, records)
        self._store.add(segment, fingerprint, [], chunk.end)
        self._metric.indexed.add(sum(seq is not None for seq in seqs))
        return seqs

    def _add_halves(self, chunk: Chunk, records: Sequence[Record]) -> list[int | None]:
        """All at once, else one half after the other: one bad event among thousands costs two dozen
        transactions, and not thousands."""
        if not records:
            return []
        end = records[-1].offset + records[-1].length
        try:
            return [*self._store.add(chunk.segment, chunk.fingerprint, records, end).seqs]
        except DiskError:
            raise
        except StoreError as error:
            if len(records) == 1:
                problem = Problem("index", error.message)
                self._put_aside(chunk.segment, records[0].offset, records[0].length, problem)
                return [None]
        half = len(records) // 2
        return self._add_halves(chunk, records[:half]) + self._add_halves(chunk, records[half:])


def iter_placed(lines: Lines, seqs: Sequence[int | None]) -> Iterator[Placed]:
    for (record, line), seq in zip(lines, seqs, strict=True):
        if seq is not None:
            yield record.offset, row_of(seq, line)


def row_of(seq: int, line: Line) -> Row:
    assert line.event is not None
    return Row(seq, line.ts_ns, entry_of(line.event, is_redacted=line.is_redacted), line.shown)
