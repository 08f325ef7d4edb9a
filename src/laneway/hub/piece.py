"""How much of the log the follower reads at a time: little while it is level, much while it is behind, and
less than it wanted where the disk has refused."""

from collections.abc import Callable

from laneway.base.limits import KIB, MIB

LEVEL_BYTES = 512 * KIB
"""About 700 events, indexed within one live batch."""

BACKLOG_BYTES = 2 * MIB
"""While the log grows faster than that: a transaction four times as large takes a fifth less of processor
time an event, and what is shown a tenth of a second later is late already."""

FAR_BYTES = 8 * MIB
"""While `FAR_LAG_BYTES` wait: a tenth to a fifth less again."""

FAR_LAG_BYTES = 32 * MIB
"""Two seconds and more of what can be indexed."""

FULL_BYTES = 32 * KIB
"""Once the disk is full: the write-ahead log needs room for a whole transaction, and what is left of the
reserve is better spent on the index."""

LEAST_BYTES = 4 * KIB
"""Halved down to this while the disk refuses: a transaction that did not fit gives its space back, so that
the same one would fail for ever. One line is read whole, however long."""


class Piece:
    """For one thread. ``lag_bytes`` tells how much of the log waits; ``has_room``, whether the disk has some
    to spare. Both are asked only where it matters."""

    def __init__(self, lag_bytes: Callable[[], int], has_room: Callable[[], bool]) -> None:
        self.size_bytes = LEVEL_BYTES
        """To read next."""
        self._lag_bytes = lag_bytes
        self._has_room = has_room

    @property
    def is_large(self) -> bool:
        """Whether more waited than a level log has at a time."""
        return self.size_bytes > LEVEL_BYTES

    def note_level(self) -> None:
        """There was nothing to read."""
        self.size_bytes = LEVEL_BYTES

    def note_read(self, read_bytes: int) -> None:
        """A step succeeded. What the disk once refused grows again by doubling: an index in ClickHouse that
        was away for an hour would not catch up in pieces of a few events."""
        if self.size_bytes < LEVEL_BYTES:
            if self._has_room():
                self.size_bytes = min(self.size_bytes * 2, LEVEL_BYTES)
        elif read_bytes <= LEVEL_BYTES // 2:
            self.size_bytes = LEVEL_BYTES
        else:
            self.size_bytes = FAR_BYTES if self._lag_bytes() > FAR_LAG_BYTES else BACKLOG_BYTES

    def note_refused(self) -> None:
        """The disk did not take it."""
        self.size_bytes = max(min(self.size_bytes // 2, FULL_BYTES), LEAST_BYTES)

    def note_full(self) -> None:
        """Something else did not find room."""
        self.size_bytes = min(self.size_bytes, FULL_BYTES)
