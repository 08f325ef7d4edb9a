"""What the hub and its indexer say to each other over their socket pairs, and the two ends of it.

Both ends are one version of one program on one machine, so messages are
pickled objects: ``(verb, ...)`` on the feed, ``(part, name, arguments)`` and
``(is_ok, result)`` on a line for questions. Rows go as columns: pickled one by one they
cost five times as much.
"""

import os
import socket
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

from laneway.hub.ring import Entry, Row

QUESTION_LINES = 7
"""Questions at a time: as many as the web floor asks of the index, those that read the log
included, and one for ``/health``."""


MESSAGE_ROWS = 500
"""Published at a time: unpickled in half a millisecond, in which the hub's interpreter does nothing else."""

Columns = tuple[tuple[Any, ...], ...]
"""Rows by column: seqs, times, lines, and then what an `Entry` holds."""


class Status(NamedTuple):
    """How the index stands. ``fault`` is empty while it follows the log."""

    event_count: int = 0
    last_seq: int = 0
    lag_bytes: int = 0
    fault: str = ""
    quarantined_count: int = 0
    broken_count: int = 0
    """Log files that somebody cut, or took away before they were read."""
    other_memory_bytes: int = 0
    """In RAM, of a process that is not the caller's."""
    damaged_line_count: int = 0


def pair() -> tuple[Connection, int]:
    """Our end, and the descriptor of the other one, for a child to inherit."""
    ours, theirs = socket.socketpair()
    os.set_inheritable(theirs.fileno(), True)
    return Connection(ours.detach()), theirs.detach()


def pack_rows(rows: Sequence[Row]) -> Columns:
    """Plain tuples of plain values."""
    if not rows:
        return ()
    seqs, times_ns, entries, lines = zip(*rows, strict=True)
    return seqs, times_ns, lines, *zip(*entries, strict=True)


def unpack_rows(columns: Columns) -> list[Row]:
    if not columns:
        return []
    seqs, times_ns, lines, *rest = columns
    entries = map(Entry._make, zip(*rest, strict=True))
    return list(map(Row._make, zip(seqs, times_ns, entries, lines, strict=True)))


class FeedSink:
    """The indexer's end of the feed: a `laneway.hub.live.Sink`. For the follower's thread only.

    A hub that falls behind lets the socket fill, and the follower waits: nothing piles up.
    """

    def __init__(self, feed: Connection, capacity: int) -> None:
        self._feed = feed
        self._capacity = capacity

    @property
    def capacity(self) -> int:
        return self._capacity

    def _send(self, message: tuple[object, ...]) -> None:
        try:
            self._feed.send(message)
        except (BrokenPipeError, ConnectionResetError):
            os._exit(0)  # the hub is gone; the index bears this as it bears `kill -9`

    def fill(self, epoch: str, rows: Sequence[Row], next_seq: int) -> None:
        self._send(("fill", epoch, pack_rows(rows), next_seq))

    def publish(self, rows: Sequence[Row]) -> None:
        for start in range(0, len(rows), MESSAGE_ROWS):
            self._send(("publish", pack_rows(rows[start : start + MESSAGE_ROWS])))

    def absorb(self, rows: Sequence[Row]) -> None:
        if rows:
            self._send(("absorb", pack_rows(rows)))

    def flush(self) -> None:
        """The hub's own end knows when a frame is due."""

    def restart(self, epoch: str) -> None:
        self._send(("restart", epoch))
