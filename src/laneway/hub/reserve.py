"""Space set aside beside the log, and given up when the disk is full: the index can then finish what it
does, and a hub can start. The events of senders do not get it: they are refused until there is room."""

import os
from time import monotonic

from laneway.base.errors import LogError
from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.log.append import NO_SPACE_STATUS
from laneway.log.mount import VOLATILE, kind_of
from laneway.log.segment import LogPath

RESERVE_FILE = ".reserve"

SHARE = 16
"""Made only where this many times its size is free: it must not be what fills a small disk."""

WAL_SHARE = 4
"""The reserve is at least so many times what the index's write-ahead log grows to: folding it needs as
much space again while it stands, and so does what comes until the disk is known to be full."""

FULL_BYTES = MIB
"""Less than this is free: full, whatever a file system keeps back for its own."""


AMPLE_BYTES = 32 * MIB
"""More than this is free: neither the index's largest transaction meets the end of the disk nor the
folding of its write-ahead log (16 MiB), which needs as much space again."""

LOOK_S = 0.02
"""So often senders' way in looks whether the reserve is there: the indexer may have given it up, too,
and then they would use it up and the index would stand still."""


class Reserve:
    """The reserve of one log directory. Any process of the hub may make it or give it up, twice too."""

    def __init__(self, directory: str, size_bytes: int) -> None:
        self._directory = directory
        self._path = os.path.join(directory, RESERVE_FILE)
        self._size_bytes = size_bytes
        self._was_made = os.path.exists(self._path)
        self._next_look_s = 0.0

    @classmethod
    def of(cls, settings: Settings) -> "Reserve":
        return cls(LogPath.parse(settings.log_path).directory, settings.reserve_bytes)

    def keep(self) -> bool:
        """Make it where it makes sense and is missing; whether it is there. Raises nothing."""
        if not self._size_bytes or not hasattr(os, "posix_fallocate"):
            return False
        if self._is_whole():
            return True
        if self.free_bytes() < SHARE * self._size_bytes or kind_of(self._directory) in VOLATILE:
            return False
        try:
            fd = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o600)
            try:
                os.posix_fallocate(fd, 0, self._size_bytes)
            finally:
                os.close(fd)
        except OSError:
            self.give_up()
            return False
        self._was_made = True
        return True

    def give_up(self) -> None:
        self._next_look_s = 0.0
        try:
            os.unlink(self._path)
        except OSError:  # it was; or the file system is read-only
            pass

    def give_up_if_full(self) -> bool:
        """Whether the disk is full."""
        is_full = self.free_bytes() < FULL_BYTES
        if is_full:
            self.give_up()
        return is_full

    def has_room(self) -> bool:
        """Whether senders may have what is free: more than what was set aside for ourselves, and than
        what a write-ahead log gives back when it is folded, which the next transaction needs again."""
        kept_bytes = self._size_bytes + self._size_bytes // WAL_SHARE
        return not self._was_made or self._is_whole() or self.free_bytes() > kept_bytes

    def is_ample(self) -> bool:
        """Whether the index may write as much at a time as suits it."""
        return self.has_room() and self.free_bytes() > AMPLE_BYTES

    def check(self) -> None:
        """Look, every `LOOK_S`, and make it again where there is room.

        Raises:
            LogError: (507) what is free is kept for the index and the start.
        """
        now_s = monotonic()
        if now_s < self._next_look_s:
            return
        if not self.has_room():
            raise LogError(
                f"{self._directory}: no space left but the hub's own reserve",
                hint="make room, or bound the log with LANEWAY_RETENTION_BYTES",
                status=NO_SPACE_STATUS,
            )
        self._next_look_s = now_s + LOOK_S
        if self._was_made:
            self.keep()

    def free_bytes(self) -> int:
        """For users without privileges; 0 where nobody can tell."""
        try:
            facts = os.statvfs(self._directory)
        except (OSError, AttributeError):
            return 0
        return facts.f_bavail * facts.f_frsize

    def _is_whole(self) -> bool:
        try:
            return os.stat(self._path).st_blocks * 512 >= self._size_bytes
        except (OSError, AttributeError):
            return False
