"""The follower: one thread that reads the log into the index and on to the viewers.

It is the only way from the log to anybody: what an agent appended on a shared
volume and what the hub appended itself come along here, in one order.
"""

import logging
import os
import threading
from collections.abc import Callable, Sequence
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, NamedTuple

from laneway.base.errors import LanewayError
from laneway.base.limits import KIB
from laneway.hub.archive import Archive
from laneway.hub.arrival import Arrivals
from laneway.hub.backend import Backend
from laneway.hub.intake import Intake, Lines, Placed, iter_placed
from laneway.hub.line import LineReader
from laneway.hub.live import BATCH_S, Sink
from laneway.hub.metric import Metric
from laneway.hub.piece import Piece
from laneway.hub.reserve import Reserve
from laneway.hub.ring import Row
from laneway.log.followed import OWN_FILE
from laneway.log.position import Change, Moved, rename_keys
from laneway.log.segment import LogPath
from laneway.log.syncer import shared as syncer
from laneway.log.tail import Break, Chunk, Tail
from laneway.log.text import Damage
from laneway.store.api import DiskError, SegmentState, do_nothing, keep_on

if TYPE_CHECKING:
    from laneway.hub.builder import Builder

PACE_BYTES = 64 * KIB
"""While less than this comes at a time, let more gather between two looks, `BATCH_S` apart at most: a
transaction of a hundred events costs little more than one of ten. This is the only wait on the way to the
viewers."""

LOOKS_TAKE = 0.2
"""Of the time at most, while that is so: where a look is quick the next one comes sooner than `BATCH_S`, and
where the processors are busy it is not."""

IDLE_S = 0.5
"""Longest wait while nothing comes; bounds the stop, nothing else."""

RETRY_S = 1.0
"""Pause after the index failed: the disk is full, or the file system stands still."""

GARBAGE_OBJECTS = 50_000
"""New ones before Python looks for garbage, in a process that follows: more than a large transaction leaves
alive. With its own 700 all of it is looked through dozens of times while it is made, and nothing in it is in
a cycle."""

BREAKS = {
    "cut": "%s was cut in place, as logrotate's copytruncate does: %d bytes that were seen there are"
    " lost, and what was written just before the cut may be (let the rotation rename and create)",
    "gone": "%s was removed or replaced with %d bytes not read yet",
}

log = logging.getLogger("laneway.hub")


class Ahead(NamedTuple):
    """What was read while the chunk before it was written."""

    chunks: list[Chunk]
    lines: Lines | None = None
    """Of the first chunk; None where they depend on what is not done yet."""
    fault: Exception | None = None
    """Why nothing could be read."""


class Follower:
    """Follows one log. `start` and `stop` once each; the other methods from any thread."""

    def __init__(
        self,
        log_path: LogPath,
        store: Backend,
        live: Sink,
        lines: LineReader,
        metric: Metric,
        archive: Archive,
        *,
        reserve: Reserve | None = None,
        builder: "Builder | None" = None,
        skip: Callable[[str], bool] = lambda segment: False,
        is_silent: bool = False,
        step_aside: Callable[[], None] = keep_on,
        on_forget: Callable[[str], None] = lambda segment: None,
        on_damage: Callable[[Damage], None] = lambda damage: None,
    ) -> None:
        """``skip``: segments that are nobody's business here. ``is_silent``: there are no viewers, and
        nothing is counted for them. ``step_aside`` is called every few milliseconds of work."""
        self._log_path = log_path
        self._store = store
        self._live = live
        self._lines = lines
        self._metric = metric
        self._archive = archive
        self._reserve = reserve
        self._is_silent = is_silent
        self._step_aside = step_aside
        self._skip = builder.is_pending if builder else skip
        self._on_forget = on_forget
        self._on_damage = on_damage
        self._seen_bytes: dict[str, int] = {}  # of segments whose damaged index is built again
        self._tail = self._new_tail()
        self._intake = Intake(store, lines, metric, is_shown=not is_silent, step_aside=step_aside)
        self.quarantine = self._intake.quarantine
        self._arrivals = Arrivals(builder, store, metric, self.quarantine, on_damage)
        self._counted_bytes = {state.segment: state.indexed_bytes for state in store.segments()}
        """Up to where each segment is counted: an index that is built again counts nothing twice."""
        self._thread = threading.Thread(target=self._run, name="laneway-follower", daemon=True)
        self._is_stopping = threading.Event()
        self._is_level = threading.Event()
        self._level_lock = threading.Lock()
        self._piece = Piece(self.lag_bytes, lambda: reserve is None or reserve.is_ample())
        self._ahead: Ahead | None = None
        self._wants_reindex = False
        self._is_purged = False  # the viewers' history is built again at the end
        self._newest_segment = ""
        self._fault = ""

    @property
    def fault(self) -> str:
        """What keeps the index from following; empty while it does."""
        if self._thread.is_alive() or self._is_stopping.is_set():
            return self._fault
        return "the follower has ended"

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Finish the batch at hand and end. Safe to call twice."""
        self._is_stopping.set()
        self._tail.wake()
        if self._thread.is_alive():
            self._thread.join()
        self._arrivals.close()
        self._tail.close()

    def catch_up(self) -> None:
        """Read to the end of the log in the caller's thread, instead of `start`.

        Raises:
            StoreError: the index takes it not.
        """
        while self._read_on():
            pass

    def wake(self, segment: str) -> None:
        """Something was appended to ``segment``; a new one is found at once, not at the next scan."""
        if segment == self._newest_segment:
            self._tail.wake()
        else:
            self._newest_segment = segment
            self._tail.rescan()

    def lag_bytes(self) -> int:
        """Bytes of the log that are not indexed yet."""
        apart = self._arrivals.lag_bytes()
        ahead = self._ahead
        apart += sum(map(_size, ahead.chunks)) if ahead else 0
        try:
            return self._tail.lag_bytes() + apart
        except OSError:  # a file was closed between the list and the look
            return apart

    def reindex(self) -> None:
        """Build the index anew from the log; viewers come back for the new numbers."""
        with self._level_lock:
            self._is_level.clear()
            self._wants_reindex = True
        self._tail.wake()

    def wait_level(self, timeout_s: float) -> bool:
        """Wait until the index has reached the end of the log; whether it has."""
        return self._is_level.wait(timeout_s)

    def _new_tail(self) -> Tail:
        states = self._store.segments()
        tail = Tail(
            self._log_path,
            {state.segment: (state.fingerprint, state.indexed_bytes) for state in states},
            self._archive.is_same,
            syncer=syncer if os.name == "posix" else None,  # elsewhere readers cannot sync
            skip=self._skip,
        )
        try:
            tail.look()  # who asks for the lag while history is read must hear the truth
        except OSError:  # the first poll meets it, too, and tells
            pass
        return tail

    def _run(self) -> None:
        try:
            self._follow_changes()  # what was renamed while nobody looked is read by its new name
            self._fill_live()
        except Exception as error:  # noqa: BLE001 - history is a comfort; the present goes on
            self._note_fault(error)
            self._reopen()  # a change that could not be followed is found again
            self._live.fill(self._store.epoch, [], self._store.last_seq + 1)
        self._begin_builds()
        while not self._is_stopping.is_set():
            try:
                self._step()
            except Exception as error:  # noqa: BLE001 - the thread must outlive any one batch
                self._note_fault(error)
                self._is_stopping.wait(RETRY_S)
                self._reopen()

    def _fill_live(self) -> None:
        """The ring begins with what the index holds, so that viewers of before a restart resume."""
        rows = self._newest()
        if not self._is_stopping.is_set():
            self._live.fill(self._store.epoch, rows, self._store.last_seq + 1)

    def _newest(self) -> list[Row]:
        """As many events of the index as the ring has room for."""
        if self._is_silent:
            return []
        return self._archive.newest(
            self._store.last_seq + 1, self._live.capacity, self._is_stopping.is_set
        )

    def _note_fault(self, error: Exception) -> None:
        self._metric.fault.add(1, "follower")
        is_full = self._reserve is not None and self._reserve.give_up_if_full()
        if isinstance(error, DiskError):
            self._piece.note_refused()
        elif is_full:
            self._piece.note_full()
        is_known = isinstance(error, LanewayError)
        fault = error.message if isinstance(error, LanewayError) else type(error).__name__
        if fault != self._fault:  # said once, not every second
            log.error("the index cannot follow the log: %s", fault, exc_info=not is_known)
        self._fault = fault

    def _reopen(self) -> None:
        """Begin again from where the index stands: what was read and not indexed is read again."""
        self._ahead = None
        self._tail.close()
        self._tail = self._new_tail()

    def _step(self) -> None:
        """One look at the log, and a wait where it has nothing new."""
        if self._wants_reindex:
            self._begin_anew()
        if damaged := self._store.take_damaged():
            self._heal(damaged)
        self._take_built()
        begun_s = monotonic()
        chunks = self._read_on()
        due_s = self._live.flush()
        if not chunks and self._is_purged:
            self._is_purged = False
            self._fill_live()
        if not chunks:
            self._note_level()
            self._tail.wait(IDLE_S if due_s is None else due_s)
        elif sum(map(_size, chunks)) < PACE_BYTES:
            ended_s = monotonic()
            pace_s = min(BATCH_S, (ended_s - begun_s) / LOOKS_TAKE)
            rest_s = begun_s + pace_s - ended_s
            if rest_s > 0:
                self._is_stopping.wait(rest_s if due_s is None else min(rest_s, due_s))

    def _note_level(self) -> None:
        """The end is reached; not of an index that somebody wants anew since this look began."""
        with self._level_lock:
            if not self._wants_reindex and not self._arrivals.is_awaited:
                self._is_level.set()

    def _read_on(self) -> list[Chunk]:
        """One look at the log; the chunks that were taken."""
        ahead, self._ahead = self._ahead, None
        chunks, lines, fault = ahead or Ahead(self._tail.poll(self._piece.size_bytes))
        if fault:
            raise fault
        self._follow_changes()
        for one in self._tail.take_breaks():
            self._note_break(one)
        for chunk in chunks:
            self._take(chunk, lines, is_last=chunk is chunks[-1])
            self._live.flush()
            lines = None
        self._fault = ""
        if chunks:
            self._piece.note_read(sum(map(_size, chunks)))
        else:
            self._piece.note_level()
        return chunks

    def _begin_builds(self) -> None:
        """What has no index and no longer grows is left to the builder."""
        try:
            if self._arrivals.begin(lambda: self._tail.wake()):
                self._reopen()
        except Exception as error:  # noqa: BLE001 - then all is read here
            self._arrivals.close()
            self._note_fault(error)

    def _take_built(self) -> None:
        """When all is there, the viewers come back: history has grown below what they know."""
        if not self._arrivals.take(self._note_taken):
            return
        self._reopen()
        if self._arrivals.take_complete():
            self._store.renew_epoch()
            self._live.restart(self._store.epoch)
            self._live.absorb(self._newest())

    def _note_taken(self, state: SegmentState) -> None:
        self._intake.note(state.segment, state.last_ns)
        self._counted_bytes[state.segment] = state.indexed_bytes

    def _begin_anew(self) -> None:
        self._wants_reindex = False
        self._arrivals.close()
        self._store.reset()
        self._intake.forget_all()
        self._begin_builds()
        self._reopen()
        self._live.restart(self._store.epoch)

    def _heal(self, segments: Sequence[str]) -> None:
        """Drop the damaged indexes of these segments, and read them again; they are news to nobody."""
        for state in self._store.segments():
            if state.segment in segments:
                self._seen_bytes[state.segment] = state.indexed_bytes
        for segment in segments:
            self._metric.fault.add(1, "index")
            self._forget(segment)
        self._store.renew_epoch()
        self._reopen()
        self._live.restart(self._store.epoch)

    def _follow_changes(self) -> None:
        for change in self._tail.take_changes():
            self._follow_change(change)

    def _follow_change(self, change: Change) -> None:
        """A name vanished, or files were renamed: what is known goes with them."""
        if isinstance(change, Moved):
            self._store.rename(change.names)
            for segment in {*change.names, *change.names.values()}:
                self._on_forget(segment)
            self._intake.rename(change)
            rename_keys(self._seen_bytes, change)
        else:
            self._forget(change.segment)
        rename_keys(self._counted_bytes, change)

    def _forget(self, segment: str) -> None:
        self._store.forget(segment)
        self._intake.forget(segment)
        self._on_forget(segment)

    def _take(self, chunk: Chunk, lines: Lines | None, *, is_last: bool) -> None:
        """Index one chunk, then show it. ``lines``: its events, where they were read ahead. ``is_last`` of
        those that were read with it.

        Raises:
            StoreError: nothing of it is in the index yet, or only a beginning; it is read again.
        """
        self._is_level.clear()
        damage = self._measure(chunk.damage) if chunk.damage else None
        if chunk.is_replaced:
            self._forget(chunk.segment)
            if not damage and OWN_FILE.fullmatch(chunk.segment):
                self._purge()
        if damage:
            self._on_damage(damage)
        seen_bytes = max(chunk.seen_bytes, self._seen_bytes.get(chunk.segment, 0))
        if chunk.end >= seen_bytes:
            self._seen_bytes.pop(chunk.segment, None)
        if not self._intake.knows(chunk.segment):
            self._store.settle()  # as a rule the others have come to their end
        lines = self._intake.read(chunk) if lines is None else lines
        looks_ahead = is_last and self._piece.is_large
        rows = self._index(chunk, lines, looks_ahead=looks_ahead)
        if not self._is_purged:  # then all is shown again when it is read
            self._live.absorb([row for offset, row in rows if offset < seen_bytes])
            self._live.publish([row for offset, row in rows if offset >= seen_bytes])

    def _index(self, chunk: Chunk, lines: Lines, *, looks_ahead: bool) -> list[Placed]:
        """Add the chunk to the index, and make meanwhile what viewers are sent of it; what follows is read
        meanwhile, too, where it ``looks_ahead``."""
        rows: list[Placed] = []
        raised: list[Exception] = []

        def meanwhile(seqs: Sequence[int | None]) -> None:
            try:
                self._count_activity(chunk, lines, seqs)
                rows.extend(iter_placed(lines, seqs))
                if looks_ahead:
                    self._look_ahead()
            except Exception as error:  # noqa: BLE001 - the index is at work, and must not hear of it
                raised.append(error)

        self._step_aside()
        begun_s = perf_counter()
        records = [record for record, _ in lines]
        self._intake.add(chunk, records, do_nothing if self._is_silent else meanwhile)
        self._metric.index_s.observe(perf_counter() - begun_s)
        self._metric.indexed_bytes.add(_size(chunk))
        if raised:
            raise raised[0]
        return rows

    def _look_ahead(self) -> None:
        """Read what comes next. Its events only where nothing stands in between that they depend on."""
        try:
            chunks, lines = self._tail.poll(self._piece.size_bytes), None
            if chunks and not self._tail.has_changes:
                first = chunks[0]
                is_plain = not (first.is_replaced or first.damage) and self._intake.knows(
                    first.segment
                )
                lines = self._intake.read(first) if is_plain else None
        except Exception as error:  # noqa: BLE001 - it flies once this chunk is done with
            self._ahead = Ahead([], fault=error)
        else:
            self._ahead = Ahead(chunks, lines) if chunks else None

    def _count_activity(self, chunk: Chunk, lines: Lines, seqs: Sequence[int | None]) -> None:
        counted_bytes = self._counted_bytes.get(chunk.segment, 0)
        self._metric.activity.count(
            (line.event, line.ts_ns)
            for (record, line), seq in zip(lines, seqs, strict=True)
            if seq is not None and line.event is not None and record.offset >= counted_bytes
        )
        self._counted_bytes[chunk.segment] = max(counted_bytes, chunk.end)

    def _purge(self) -> None:
        """A segment of ours was rewritten, to get secrets out of it: no viewer keeps what it was shown."""
        self._store.renew_epoch()
        self._live.restart(self._store.epoch)
        self._is_purged = True

    def _measure(self, damage: Damage) -> Damage:
        """How many lines it cost, while the index still knows them."""
        if damage.line_count >= 0:
            return damage
        count = self._store.count_lines(damage.segment, damage.first_lost, damage.end)
        return damage._replace(line_count=count)

    def _note_break(self, one: Break) -> None:
        self._metric.broken.add(1, one.how)
        self._metric.broken_bytes.add(one.unread_bytes)
        log.warning(BREAKS[one.how], one.segment, one.unread_bytes)


def _size(chunk: Chunk) -> int:
    return sum(len(data) for _, data in chunk.lines)
