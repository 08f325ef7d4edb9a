"""One receiver of the live stream: its queue, bounded, and which events it wants."""

import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal, Protocol

from laneway.base.limits import CLIENT_QUEUE_BYTES
from laneway.hub import frame as wire
from laneway.hub.excerpt import Excerpt
from laneway.hub.frame import Frame
from laneway.hub.metric import Metric
from laneway.hub.ring import Names
from laneway.store.query.expr import Expr
from laneway.store.query.match import Subject, compile_matcher

Form = Literal["frame", "excerpt", "json", "seqs"]
"""What a viewer is sent: columns of all events, or of those that it may see; its events one by one; or
the numbers of its events."""


class Stream(Protocol):
    """What a viewer needs of `laneway.hub.live.Live`."""

    metric: Metric

    @property
    def names(self) -> Names: ...


class Sieve:
    """One query, for all viewers that ask it: the matcher looks at an event once."""

    def __init__(self, where: Expr) -> None:
        self.where = where
        self.viewer_count = 0
        self._matches = compile_matcher(where)

    def find(self, subjects: Sequence[Subject]) -> list[int]:
        """The seqs of those that match."""
        return [subject.seq for subject in subjects if self._matches(subject)]


class Viewer:
    """One receiver's queue. ``notify`` is called from any thread when there is something to take."""

    def __init__(
        self,
        stream: Stream,
        notify: Callable[[], None],
        *,
        form: Form,
        sieve: Sieve | None = None,
        excerpt: Excerpt | None = None,
    ) -> None:
        self.form = form
        self.excerpt = excerpt
        """What it sees a part of, where its columns are not those of all."""
        self.sieve = sieve
        """Which events it wants, None for all; not for viewers of columns."""
        self.start_seq = 0
        self.close_code = 0
        self._stream = stream
        self._notify = notify
        self._lock = threading.Lock()
        self._backlog: deque[Frame] = deque()
        self._queue: deque[Frame] = deque()
        self._queued_bytes = 0

    def take(self) -> Frame | None:
        """The next frame to send, or None."""
        with self._lock:
            if self._backlog:
                return self._backlog.popleft()
            if not self._queue:
                return None
            frame = self._queue.popleft()
            self._queued_bytes -= len(frame.data)
            return frame

    def begin(self, frames: Sequence[Frame]) -> None:
        """What it is sent before anything live; not counted against its queue."""
        self._backlog.extend(frames)

    def offer(self, frames: Sequence[Frame]) -> None:
        """Queue ``frames``; past the limit all that waits is dropped and named in a gap."""
        with self._lock:
            for frame in frames:
                if self._queue and self._queued_bytes + len(frame.data) > CLIENT_QUEUE_BYTES:
                    self._drop_queue(frame)
                self._queue.append(frame)
                self._queued_bytes += len(frame.data)
        self._notify()

    def close(self, code: int) -> None:
        """Let it go; ``code`` as a WebSocket closes."""
        self.close_code = self.close_code or code
        self._notify()

    def _drop_queue(self, following: Frame) -> None:
        first = next((frame for frame in self._queue if frame.has_events), following)
        self._stream.metric.dropped_frames.add(len(self._queue))
        standing = next((frame for frame in reversed(self._queue) if frame.stands), None)
        self._queue.clear()
        if standing and not following.stands:
            self._queue.append(standing)
        if first.since < following.since:
            self._queue.append(wire.gap(first.since, following.since, first.before))
        if first.before and following.before and first.before != following.before:
            names = self.excerpt.names if self.excerpt else self._stream.names
            new = names.between(first.before, following.before)
            self._queue.append(wire.dictionary(following.since, new))
        self._queued_bytes = sum(len(frame.data) for frame in self._queue)
