"""Room in a full spool at the cost of its oldest events, for hosts that would rather keep the newest.

Whole segments go, oldest first, but for the one that is being sent: what the hub is just getting
would be counted as lost and arrive. The count is on the disk before the segment is gone, so that a
kill in between neither forgets it nor counts it twice.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from laneway.base.clock import now_ns
from laneway.log.append import seal

if TYPE_CHECKING:
    from laneway.sdk.spool import Spool

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
except ImportError:  # Windows: one process a spool

    def flock(fd: int, operation: int, /) -> None:  # type: ignore[misc]
        return None

    LOCK_EX = LOCK_NB = LOCK_UN = 0  # type: ignore[misc]

LOCK = "drop.lock"
DROPPED = "dropped"

_held: set[int] = set()


@contextmanager
def segments_held(directory: str) -> Iterator[None]:
    """Nobody drops a segment, and the shipper begins none, meanwhile.

    Raises:
        BlockingIOError: another process or thread is at it now, for milliseconds.
    """
    fd = os.open(
        os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600
    )
    _held.add(fd)
    try:
        flock(fd, LOCK_EX | LOCK_NB)
        try:
            yield
        finally:
            flock(fd, LOCK_UN)
    finally:
        _held.discard(fd)
        os.close(fd)


def drop_oldest(spool: "Spool") -> bool:
    """Drop one segment; False if there is none to drop.

    Raises:
        BlockingIOError: another process is at it now.
        OSError: the count of what goes cannot be written; nothing was dropped.
    """
    with segments_held(spool.directory):
        sending, _ = spool.read_position()
        numbers = spool.log_path.numbers()
        number = next((n for n in numbers[:-1] if n > sending), 0)
        if not number:
            return False
        path = spool.log_path.segment_path(number)
        if not seal(path):  # a writer is just ending it
            raise BlockingIOError
        with open(path, "rb") as file:
            data = file.read()
            end_ns = os.fstat(file.fileno()).st_mtime_ns
        count, last = _read(spool.directory)
        if number > last:  # else it was counted, and whoever did so was killed
            _write(spool.directory, count + count_lines(data), number)
        os.unlink(path)
        _drop_side_files(spool, data, end_ns)
        return True


def count_lines(data: bytes) -> int:
    """Events in a segment: lines, but for empty ones and the seal."""
    return sum(line[:1] == b"{" for line in data.split(b"\n"))


def read_dropped(directory: str) -> int:
    """Events dropped from a spool in its whole life."""
    return _read(directory)[0]


def _read(directory: str) -> tuple[int, int]:
    try:
        with open(os.path.join(directory, DROPPED), encoding="ascii") as file:
            count, number = file.read().split()
            return int(count), int(number)
    except (OSError, ValueError):
        return 0, 0


def _write(directory: str, count: int, number: int) -> None:
    path = os.path.join(directory, DROPPED)
    with open(path + ".tmp", "w", encoding="ascii") as file:
        file.write(f"{count} {number}\n")
    os.replace(path + ".tmp", path)


def _drop_side_files(spool: "Spool", data: bytes, end_ns: int) -> None:
    """Remove what only the dropped lines refer to. A file that is newer than they is in use again."""
    from laneway.log.sweep import iter_referred, sweep

    gone = set(iter_referred(data.split(b"\n")))
    if gone:
        sweep(
            spool.side,
            spool.iter_referred,
            now_ns() - end_ns,
            only=lambda path: any(digest in path for digest in gone),
        )


def _close_in_child() -> None:
    """A child must not hold the lock of its parent."""
    for fd in _held:
        os.close(fd)
    _held.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_close_in_child)
