"""Durable appends: a line counts when ``fdatasync`` has returned, which one call does for many.

Whoever comes first syncs for all whose lines stand in the file by then; the
others wait for that, and mostly find their line done.

After a sync that failed, the kernel may hold the pages for clean, so that the
next call would succeed over lost data: such a segment is never synced again
(nor acknowledged), and the lines are written anew to the next one.
"""

import os
from _thread import allocate_lock
from errno import EIO

try:
    import fcntl
except ImportError:  # Windows
    _FULL = None
else:
    _FULL = getattr(fcntl, "F_FULLFSYNC", None)  # macOS: its fsync leaves data in the drive's cache


def sync_file(fd: int) -> None:
    """Put a file's data, and the length that it has now, on the disk."""
    if _FULL is not None:
        fcntl.fcntl(fd, _FULL)
    elif hasattr(os, "fdatasync"):
        os.fdatasync(fd)
    else:
        os.fsync(fd)


REST_NS = (1_000_000_000, 60_000_000_000)
"""First and longest pause after a failed sync: each try begins a segment, and a dead disk gets few."""


class Group:
    """The appends to one open segment: how many were written, and how many of them are on the disk."""

    __slots__ = ("is_broken", "leader", "number", "synced", "written")

    def __init__(self, number: int) -> None:
        self.number = number
        self.leader = allocate_lock()
        self.written = 0
        self.synced = 0
        self.is_broken = False

    def sync(self, fd: int, ticket: int) -> None:
        """Return when append number ``ticket`` is on the disk. ``fd`` is the caller's own.

        Raises:
            OSError: that failed, now or before; the lines must be written elsewhere.
        """
        with self.leader:
            if self.synced >= ticket:
                return
            if self.is_broken:
                raise OSError(EIO, "a sync of this segment failed")
            written = self.written
            try:
                sync_file(fd)
            except OSError:
                self.is_broken = True
                raise
            self.synced = written


def sync_directory(path: str) -> None:
    """A new file's name is durable only then. Where directories cannot be opened, nothing is needed."""
    try:
        fd = os.open(path, os.O_RDONLY | getattr(os, "O_DIRECTORY", 0))
    except PermissionError:  # Windows; or a directory that may be written and not read
        return
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
