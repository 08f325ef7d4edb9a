"""The live stream: a ring of the newest events, and viewers who get the same frames.

The follower's thread publishes and flushes; viewers join, take and leave from
anywhere. A viewer that reads too slowly loses frames, is told which, and
continues with the present: memory is bounded, and nobody waits for anybody.
"""

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from time import monotonic
from typing import Any, Protocol

import orjson

from laneway.base.errors import HubError
from laneway.hub import frame as wire
from laneway.hub.audience import COME_BACK, GOING_AWAY, Audience
from laneway.hub.excerpt import Excerpt, Past
from laneway.hub.frame import Frame
from laneway.hub.metric import Metric
from laneway.hub.ring import Mark, Names, Ring, Row
from laneway.hub.viewer import Form, Sieve, Viewer
from laneway.store.query.expr import EVERYTHING, Expr
from laneway.store.query.match import Subject

BATCH_S = wire.BATCH_MS / 1000

LEAST_S = BATCH_S / 2
"""Between two frames. The follower hands over what is new every `BATCH_S`, and that shall not wait once more:
only what comes faster is gathered here."""

FRAME_EVENTS = 2_000
"""Events in one frame at most: about 300 KB, decoded by a browser within one animation frame."""

HISTORY_EVENTS = 2_000
"""Backlog of a viewer that names no other number."""

EXCERPT_EVENTS = 5_000
"""Kept for those who see a part only. Who comes first has them read from the log: a fifth of a second."""

FILL_S = 20.0
"""A viewer that comes while the ring is being filled after a start waits at most this long."""


class Sink(Protocol):
    """Where the follower puts what is new; `Live` itself, or the way to one in another process."""

    @property
    def capacity(self) -> int: ...
    def fill(self, epoch: str, rows: Sequence[Row], next_seq: int) -> None: ...
    def publish(self, rows: Sequence[Row]) -> None: ...
    def absorb(self, rows: Sequence[Row]) -> None: ...
    def flush(self) -> float | None: ...
    def restart(self, epoch: str) -> None: ...


class Live:
    """Ring, dictionaries and viewers of one index."""

    def __init__(self, epoch: str, capacity: int, metric: Metric | None = None) -> None:
        self.epoch = epoch
        self.tap: Callable[[Sequence[Row]], None] | None = None
        """Hears what is published, in order, under the lock; it must not wait."""
        self._standing: Frame | None = None
        self.metric = metric or Metric()
        self._lock = threading.Lock()  # ring, names, viewers, and what was flushed
        self._ring = Ring(capacity, Names())
        self._audience = Audience()
        self._flushed = 1  # first seq that no frame has carried yet
        self._mark = self._ring.names.mark()
        self._lines: list[Frame] = []
        self._subjects: list[Subject] = []
        """What is pending as sieves and excerpts look at it; empty where there are none."""
        self._rows: list[Row] = []
        """What is pending; empty where there are no excerpts."""
        self._flushed_at_s = 0.0
        self._is_open = True
        self._is_filled = threading.Event()

    @property
    def seq(self) -> int:
        """The newest event's number; 0 where there is none."""
        return self._ring.next - 1

    @property
    def capacity(self) -> int:
        return self._ring.capacity

    @property
    def viewer_count(self) -> int:
        return len(self._audience)

    @property
    def names(self) -> Names:
        return self._ring.names

    def fill(self, epoch: str, rows: Sequence[Row], next_seq: int) -> None:
        """Begin with history: of ``rows``, by seq, the unbroken run that ends before ``next_seq``."""
        if epoch != self.epoch:
            self.restart(epoch)
        elif self._is_filled.is_set():  # the indexer began again: go on where it was
            self.publish([row for row in rows if row.seq > self.seq])
            return
        start = len(rows)
        while start and rows[start - 1].seq == next_seq - 1 - (len(rows) - start):
            start -= 1
        with self._lock:
            self._ring.restart(next_seq - (len(rows) - start))
            for row in rows[start:]:
                self._ring.push(row.ts_ns, row.entry)
            self._settle()
        self._is_filled.set()

    def publish(self, rows: Sequence[Row]) -> None:
        """Add ``rows``, in order of seq; they are sent by the next `flush` that is due."""
        with self._lock:
            if self.tap:
                self.tap(rows)
            for run in _iter_runs(rows):
                self._add(run)

    def absorb(self, rows: Sequence[Row]) -> None:
        """Add ``rows`` seen before under other seqs: a gap for viewers, history for newcomers."""
        with self._lock:
            self._send()
            since, before = self._ring.next, self._mark
            for row in rows:
                if row.seq != self._ring.next:
                    self._ring.restart(row.seq)
                self._ring.push(row.ts_ns, row.entry)
            self._settle()
            self._tell_gap(since, before)
            self._audience.end_excerpts()

    def _add(self, rows: Sequence[Row]) -> None:
        """Add ``rows``, whose seqs have no gaps, in pieces that fit into a frame."""
        ring = self._ring
        if rows[0].seq != ring.next:
            self._send()
            since = ring.next
            ring.restart(rows[0].seq)
            self._flushed = rows[0].seq
            self._tell_gap(since, self._mark)
            self._audience.end_excerpts()
        limit = min(FRAME_EVENTS, ring.capacity)
        while rows:
            room = limit - (ring.next - self._flushed)
            some, rows = rows[:room], rows[room:]
            ring.extend([row.ts_ns for row in some], [row.entry for row in some])
            if self._audience.wants("json"):
                self._lines += [wire.whole_event(row.line, row.seq) for row in some]
            if self._audience.has_excerpts:
                self._rows += some
            if self._audience.wants_subjects:
                self._subjects += [
                    Subject(orjson.loads(row.line), row.ts_ns, row.seq) for row in some
                ]
            if ring.next - self._flushed >= limit:
                self._send()

    def _tell_gap(self, since: int, before: Mark) -> None:
        """Seqs from ``since`` on are not sent, but the names that they brought are."""
        until = self._flushed
        if since >= until:
            return
        frames = [wire.gap(since, until, before)]
        self._audience.offer(frames, "json", "seqs")
        if new := self.names.between(before, self._mark):
            frames.append(wire.dictionary(until, new))
        self._audience.offer(frames, "frame")

    def flush(self) -> float | None:
        """Send what is pending, if due; seconds until it will be, or None if nothing is pending.

        The first event after a silence is due at once, what follows after `LEAST_S`.
        """
        with self._lock:
            if self._flushed == self._ring.next:
                return None
            wait_s = self._flushed_at_s + LEAST_S - monotonic()
            if wait_s > 0:
                return wait_s
            self._send()
            return None

    def _send(self) -> None:
        """Encode the pending events once, and hand them to everybody."""
        ring = self._ring
        if self._flushed == ring.next:
            return
        if self._audience.wants("frame"):
            new = ring.names.between(self._mark, ring.names.mark())
            columns = ring.batch(self._flushed, ring.next)
            self._audience.offer([wire.batch(columns, new, self._mark)], "frame")
        self._audience.offer_chosen(self._lines, self._subjects, self._flushed, ring.next)
        self._audience.offer_excerpts(self._rows, self._subjects, ring.next)
        self._settle()
        self._flushed_at_s = monotonic()
        if ring.is_crowded:
            self._renew_names()

    def _settle(self) -> None:
        self._flushed = self._ring.next
        self._mark = self._ring.names.mark()
        self._lines = []
        self._subjects = []
        self._rows = []

    def _renew_names(self) -> None:
        """Forget names that no event in the ring bears; viewers come back for the new ones."""
        self._ring.renumber(Names())
        self._mark = self._ring.names.mark()
        self._audience.dismiss(COME_BACK)

    def join(
        self,
        notify: Callable[[], None],
        *,
        epoch: str = "",
        since: int | None = None,
        history: int | None = None,
        form: Form = "frame",
        where: Expr = EVERYTHING,
    ) -> Viewer:
        """A new viewer, which finds the hello and its backlog waiting.

        ``since`` (the last seq it has, of this ``epoch``) resumes; else the newest ``history``
        events come first. It may take milliseconds to encode, and waits for `fill` after a
        start (else it could not resume): not for the event loop.

        ``where``, free of times that are relative: which events it gets, if ``form`` is not
        "frame". A viewer of seqs has no backlog: it hears of what follows its hello.

        Raises:
            HubError: there are too many viewers, or the hub is stopping.
        """
        sieve = None if form != "seqs" and where == EVERYTHING else Sieve(where)
        if not self._is_filled.wait(FILL_S):
            raise HubError("the hub is still starting", hint="try again in a few seconds")
        with self._lock:
            self._check_room()
            self._send()
            if sieve:
                sieve = self._audience.enter_sieve(sieve)
            viewer = Viewer(self, notify, form=form, sieve=sieve)
            viewer.start_seq = self._ring.next
            if form == "frame":
                resume = since if since is not None and epoch == self.epoch else None
                viewer.begin(self._beginning(resume, history))
                if self._standing:
                    viewer.begin([self._standing])
            elif form == "seqs":
                viewer.begin([wire.hello(self.epoch, self._ring.next - 1, Names())])
            self._audience.enter(viewer)
        return viewer

    def join_excerpt(
        self,
        notify: Callable[[], None],
        where: Expr,
        bound: Mapping[str, Any],
        read_past: Callable[[int, int], Past],
        *,
        epoch: str = "",
        since: int | None = None,
        history: int | None = None,
    ) -> Viewer:
        """`join` as a viewer of columns who sees no events but those of ``where``; its hello says so with
        ``bound``. ``read_past`` asks the index for the newest before a seq, at most so many; it is
        called without the lock, for whoever comes first.

        Raises:
            HubError: as `join`.
            StoreError: the index cannot be asked.
        """
        if not self._is_filled.wait(FILL_S):
            raise HubError("the hub is still starting", hint="try again in a few seconds")
        with self._entered(where, read_past) as excerpt, self._lock:
            self._check_room()
            if self._audience.excerpt(where) is not excerpt:
                raise HubError("the stream began anew", hint="try again")
            self._send()
            viewer = Viewer(self, notify, form="excerpt", excerpt=excerpt)
            viewer.start_seq = self._ring.next
            resume = since if epoch == self.epoch else None
            most = HISTORY_EVENTS if history is None and resume is None else history
            names = excerpt.names
            viewer.begin([wire.hello(self.epoch, self._ring.next - 1, names, bound)])
            viewer.begin(excerpt.beginning(self._ring.next, resume, most))
            self._audience.enter(viewer)
        return viewer

    @contextmanager
    def _entered(self, where: Expr, read_past: Callable[[int, int], Past]) -> Iterator[Excerpt]:
        """The excerpt of ``where``, filled, which does not end meanwhile for want of viewers."""
        with self._lock:
            self._check_room()
            self._send()
            excerpt = self._audience.excerpt(where)
            is_new = excerpt is None
            if excerpt is None:
                most = max(1, min(self.capacity, EXCERPT_EVENTS))
                excerpt = Excerpt(where, most, self._ring.next)
                self._audience.keep_excerpt(excerpt)
            excerpt.viewer_count += 1
        try:
            if is_new:
                past = read_past(excerpt.until, excerpt.capacity)
                with self._lock:
                    excerpt.fill(past)
            elif not excerpt.is_filled.wait(FILL_S):
                raise HubError("the past is still being read", hint="try again in a few seconds")
            yield excerpt
        except BaseException:
            if is_new and not excerpt.is_filled.is_set():
                with self._lock:  # whoever waits for it begins again
                    self._audience.drop_excerpt(where)
                excerpt.is_filled.set()
            raise
        finally:
            with self._lock:
                self._audience.leave_excerpt(excerpt)

    def _check_room(self) -> None:
        if not self._is_open:
            raise HubError("the hub is stopping", hint="try again in a few seconds")
        self._audience.check_room()

    def _beginning(self, resume: int | None, history: int | None) -> list[Frame]:
        ring = self._ring
        frames = [wire.hello(self.epoch, ring.next - 1, ring.names)]
        if resume is not None and resume < ring.next:
            wanted = resume + 1
            start = max(wanted, ring.first, ring.next - history if history is not None else 0)
            if start > wanted:
                frames.append(wire.gap(wanted, start, None))
        else:
            start = max(ring.first, ring.next - (HISTORY_EVENTS if history is None else history))
        for low in range(start, ring.next, FRAME_EVENTS):
            columns = ring.batch(low, min(low + FRAME_EVENTS, ring.next))
            frames.append(wire.batch(columns, {}, None, is_history=True))
        return frames

    def stand(self, frame: Frame) -> None:
        """Tell viewers of columns how something stands, now and when they join."""
        with self._lock:
            self._standing = frame
            self._audience.offer([frame], "frame")

    def wait_filled(self, timeout_s: float) -> bool:
        """Whether the history is there, after waiting for it."""
        return self._is_filled.wait(timeout_s) and self._is_open

    def leave(self, viewer: Viewer) -> None:
        with self._lock:
            self._audience.leave(viewer)

    def beat(self, lag_bytes: int, fault: str = "") -> None:
        """Tell everybody that the hub is alive, and in a word what keeps events away."""
        with self._lock:
            beat = wire.beat(self._flushed - 1, lag_bytes, fault)
            self._audience.offer([beat], "frame", "excerpt", "seqs")

    def restart(self, epoch: str) -> None:
        """Another index: all seqs are void, and viewers come back for the new ones."""
        with self._lock:
            self.epoch = epoch
            self._ring = Ring(self._ring.capacity, Names())
            self._settle()
            self._audience.dismiss(COME_BACK)

    def close(self) -> None:
        """Let every viewer go, and take no more."""
        self._is_filled.set()
        with self._lock:
            self._is_open = False
            self._audience.dismiss(GOING_AWAY)


def _iter_runs(rows: Sequence[Row]) -> Iterator[Sequence[Row]]:
    """``rows``, by seq, in the pieces that lie between gaps."""
    if rows and rows[-1].seq - rows[0].seq == len(rows) - 1:  # as a rule there is none
        yield rows
        return
    start = 0
    for end in range(1, len(rows) + 1):
        if end == len(rows) or rows[end].seq != rows[end - 1].seq + 1:
            yield rows[start:end]
            start = end
