"""The live stream as the holders of some bound tokens see it: a ring, dictionaries and frames of their own.

All who see the same events share one, so that an event is looked at once for them and a frame encoded once.
Nothing in a frame comes from an event that they do not see; the numbers of their events alone tell that
there are others.
"""

import threading
from bisect import bisect_left
from collections import deque
from collections.abc import Sequence
from itertools import islice
from typing import Any, NamedTuple

from laneway.hub import frame as wire
from laneway.hub.frame import Frame
from laneway.hub.ring import Names, Ring, Row
from laneway.store.query.expr import Expr
from laneway.store.query.match import Subject, compile_matcher

FRAME_EVENTS = 2_000
"""As many as a frame of all events has at most."""


class Past(NamedTuple):
    """Every event that matches, from seq ``since`` up to where was asked, in order of seq."""

    since: int
    rows: list[Row]
    """Without their lines."""


class Excerpt:
    """Of one index, the events of ``where``. Every method but the waiting for `is_filled` needs the lock of
    `laneway.hub.live.Live`."""

    def __init__(self, where: Expr, capacity: int, until: int) -> None:
        """It hears of the events from seq ``until`` on; `fill` brings what was before."""
        self.where = where
        self.until = until
        self.viewer_count = 0
        self.is_filled = threading.Event()
        self._matches = compile_matcher(where)
        self._ring = Ring(capacity, Names())
        self._seqs: deque[int] = deque(maxlen=self._ring.capacity)
        """Of what is in the ring, where places have no gaps and seqs do."""
        self._since = until
        self._early: deque[Row] = deque(maxlen=self._ring.capacity)
        """What came before it was filled."""
        self._sent = self._ring.next
        """The first place that no frame has carried yet."""
        self._told = until
        """The first seq that no frame has covered yet."""
        self._mark = self.names.mark()

    @property
    def names(self) -> Names:
        return self._ring.names

    @property
    def capacity(self) -> int:
        return self._ring.capacity

    @property
    def is_crowded(self) -> bool:
        return self._ring.is_crowded

    @property
    def since(self) -> int:
        """From this seq on, all that it shows is in the ring."""
        return self._seqs[0] if len(self._seqs) == self.capacity else self._since

    def fill(self, past: Past) -> None:
        self._since = past.since
        for rows in (past.rows, list(self._early)):
            for start in range(0, len(rows), self.capacity):
                self._push(rows[start : start + self.capacity])
        self._early.clear()
        self._settle(self.until)
        self.is_filled.set()

    def take(self, rows: Sequence[Row], subjects: Sequence[Subject]) -> None:
        """``subjects``: the same events, decoded; more of them than a frame holds come in pieces."""
        found = [row for row, subject in zip(rows, subjects, strict=True) if self._matches(subject)]
        if self.is_filled.is_set():
            self._push(found)
        else:
            self._early.extend(found)

    def flush(self, until: int) -> Frame | None:
        """What came since the last frame, in one that covers the seqs before ``until``; where nothing did,
        none: how often others are heard is not told."""
        if self._sent == self._ring.next:
            return None
        new = self.names.between(self._mark, self.names.mark())
        columns = self._columns(self._sent, self._ring.next, self._told, until)
        frame = wire.batch(columns, new, self._mark)
        self._settle(until)
        return frame

    def beginning(self, until: int, resume: int | None, history: int | None) -> list[Frame]:
        """What a viewer is sent first, after the hello: all from behind seq ``resume`` on, at most the last
        ``history``. The frames cover the seqs up to ``until``, so that the viewer knows there are no more."""
        ring, seqs = self._ring, list(self._seqs)
        wanted = self.since if resume is None else resume + 1
        start = bisect_left(seqs, wanted)
        cut = start if history is None else max(start, len(seqs) - history)
        since = seqs[cut - 1] + 1 if cut > start else max(wanted, self.since)
        frames = [wire.gap(wanted, since, None)] if since > wanted and resume is not None else []
        low = ring.first + cut
        while True:
            high = min(low + FRAME_EVENTS, ring.next)
            end = until if high == ring.next else seqs[high - ring.first]
            columns = self._columns(low, high, since, end)
            frames.append(wire.batch(columns, {}, None, is_history=True))
            if high == ring.next:
                return frames
            low, since = high, end

    def _push(self, rows: Sequence[Row]) -> None:
        if rows:
            self._ring.extend([row.ts_ns for row in rows], [row.entry for row in rows])
            self._seqs.extend(row.seq for row in rows)

    def _settle(self, until: int) -> None:
        self._sent = self._ring.next
        self._told = until
        self._mark = self.names.mark()

    def _columns(self, low: int, high: int, since: int, until: int) -> dict[str, Any]:
        """The events at the places ``[low, high)``, as all that there are with seqs ``[since, until)``."""
        columns = self._ring.batch(low, high) if low < high else wire.no_columns()
        start = low - self._ring.first
        seqs = list(islice(self._seqs, start, start + high - low))
        return columns | {"seq0": since, "to": until, "seq": seqs}
