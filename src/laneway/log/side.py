"""Side files: payloads that are too long for a line, kept whole beside the log.

``side/ab/ab12….txt`` holds redacted bytes whose SHA-256 is its name. It is written under
another name and renamed, before the line that refers to it: whoever reads the line
finds all of it, and a writer that is killed in between leaves a file that
`laneway.log.sweep` removes.
"""

import os
import stat

from laneway.base.errors import LogError
from laneway.base.limits import SIDE_BYTES
from laneway.log.segment import DIRECTORY_MODE, make_directory
from laneway.log.share import share
from laneway.log.syncer import Source
from laneway.log.syncer import shared as syncer

DIRECTORY = "side"
SUFFIX = ".txt"
DRAFT = ".draft"
"""What a file is called until it is whole; see `laneway.log.sweep` for what a killed writer leaves."""

HASH_CHARS = 64
PREFIX_CHARS = 2

FILE_MODE = 0o600

HASH_BYTES = 1024 * 1024
"""Hashed at a time when a file is checked."""

CHECKED_FILES = 256
"""Files known to be whole, so that reading one in pieces hashes it once."""

_CLOEXEC = getattr(os, "O_CLOEXEC", 0)
_NOFOLLOW = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY_FLAGS = os.O_RDONLY | getattr(os, "O_DIRECTORY", 0) | _NOFOLLOW | _CLOEXEC
_DRAFT_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NOFOLLOW | _CLOEXEC


class SideFiles:
    """The side files of one log directory. Thread-safe; follows no symbolic link below the directory."""

    def __init__(
        self, directory: str, *, limit_bytes: int = SIDE_BYTES, durable: bool = False
    ) -> None:
        """``limit_bytes``: of one event, at most this much is kept. ``durable``: it survives a power cut."""
        self.directory = directory
        self.limit_bytes = limit_bytes
        self.kept = 0
        self.lost: dict[str, int] = {}
        self._durable = durable
        self._checked: dict[str, tuple[int, int, int]] = {}

    def keep(self, data: bytes) -> str:
        """The SHA-256 of ``data``, which is in its file then; ``""`` where the disk refuses it.

        Never raises: the event goes on with the beginning of its payload.
        """
        from hashlib import sha256

        digest = sha256(data).hexdigest()
        try:
            self._put(digest, data)
        except (OSError, NotImplementedError):  # also a platform without `dir_fd`
            self.lose("side_unwritable")
            return ""
        self.kept += 1
        return digest

    def lose(self, reason: str) -> None:
        """Count a payload of which only the beginning is kept."""
        self.lost[reason] = self.lost.get(reason, 0) + 1

    def size(self, digest: str) -> int:
        """Bytes of a side file that is whole.

        Raises:
            LogError: 404, there is none (any more), or it is damaged; the message says which.
        """
        fd = self._open(digest)
        try:
            self._check(digest, fd)
            return os.fstat(fd).st_size
        finally:
            os.close(fd)

    def read(self, digest: str, offset: int = 0, length: int = -1) -> bytes:
        """The bytes of a side file from ``offset`` on, all or at most ``length``.

        Raises:
            LogError: as for `size`.
        """
        fd = self._open(digest)
        try:
            self._check(digest, fd)
            size = os.fstat(fd).st_size
            end = size if length < 0 else min(offset + length, size)
            return _pread(fd, max(end - offset, 0), offset)
        finally:
            os.close(fd)

    def total_bytes(self) -> int:
        """Size of all side files; 0 without a directory for them."""
        top = os.path.join(self.directory, DIRECTORY)
        try:
            folders = [
                entry.path for entry in os.scandir(top) if entry.is_dir(follow_symlinks=False)
            ]
            return sum(
                entry.stat(follow_symlinks=False).st_size
                for folder in folders
                for entry in os.scandir(folder)
            )
        except OSError:  # none; or one went meanwhile
            return 0

    def _put(self, digest: str, data: bytes) -> None:
        parent = self._directory(digest, create=True)
        try:
            if not self._touch(parent, digest, len(data)):
                self._write(parent, digest, data)
            if self._durable:
                self._sync(parent, digest)
        finally:
            os.close(parent)

    def _touch(self, parent: int, digest: str, size: int) -> bool:
        """Whether the file is there already; then it counts as new, so that no sweep takes it now."""
        name = digest + SUFFIX
        try:
            facts = os.stat(name, dir_fd=parent, follow_symlinks=False)
            if not stat.S_ISREG(facts.st_mode) or facts.st_size != size:
                return False
            os.utime(name, dir_fd=parent, follow_symlinks=False)
        except OSError:  # none, or somebody else's, which may not be touched
            return False
        return True

    def _write(self, parent: int, digest: str, data: bytes) -> None:
        draft = f".{digest[:12]}.{os.getpid()}.{os.urandom(4).hex()}{DRAFT}"
        fd = os.open(draft, _DRAFT_FLAGS, FILE_MODE, dir_fd=parent)
        try:
            share(fd, parent)
            view = memoryview(data)
            while view:
                view = view[os.write(fd, view) :]
            if self._durable:
                os.fsync(fd)
            os.rename(draft, digest + SUFFIX, src_dir_fd=parent, dst_dir_fd=parent)
            if not self._durable:  # like its line: within half a second
                top = os.path.join(self.directory, DIRECTORY)
                folders = (os.path.join(top, digest[:PREFIX_CHARS]), top)
                syncer.hand_over(Source(), fd, directories=folders)
        except BaseException:
            try:
                os.unlink(draft, dir_fd=parent)
            except OSError:
                pass
            raise
        finally:
            os.close(fd)

    def _sync(self, parent: int, digest: str) -> None:
        """A file that another process put there may be in memory only."""
        fd = os.open(digest + SUFFIX, os.O_RDONLY | _NOFOLLOW | _CLOEXEC, dir_fd=parent)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        os.fsync(parent)

    def _directory(self, digest: str, *, create: bool) -> int:
        """A descriptor of the directory that the file is in, ``side/ab``."""
        fd = -1
        for name in (self.directory, DIRECTORY, digest[:PREFIX_CHARS]):
            above = fd
            try:
                fd = _enter(name, above, create=create, durable=self._durable)
            finally:
                if above >= 0:
                    os.close(above)
        return fd

    def _open(self, digest: str) -> int:
        if not is_digest(digest):
            raise LogError(
                f"{digest[:80]!r} is not a SHA-256", hint="64 lower-case hex digits", status=404
            )
        try:
            parent = self._directory(digest, create=False)
            try:
                flags = os.O_RDONLY | _NOFOLLOW | _CLOEXEC | getattr(os, "O_NONBLOCK", 0)
                return os.open(digest + SUFFIX, flags, dir_fd=parent)
            finally:
                os.close(parent)
        except FileNotFoundError:
            raise LogError(
                f"there is no side file {digest}",
                hint="retention removed it, or its event was never in this log",
                status=404,
            ) from None
        except (OSError, NotImplementedError) as error:
            raise LogError(f"the side file {digest} cannot be read: {error}", status=404) from error

    def _check(self, digest: str, fd: int) -> None:
        facts = os.fstat(fd)
        state = (facts.st_ino, facts.st_size, facts.st_mtime_ns)
        if self._checked.get(digest) == state:
            return
        if not stat.S_ISREG(facts.st_mode) or _hash(fd, facts.st_size) != digest:
            raise LogError(
                f"the side file {digest} is damaged: its bytes have another SHA-256",
                hint="restore it from a copy; the event itself keeps the beginning",
                status=404,
            )
        if len(self._checked) >= CHECKED_FILES:
            self._checked.clear()
        self._checked[digest] = state


def is_digest(text: str) -> bool:
    return len(text) == HASH_CHARS and not text.strip("0123456789abcdef")


def _enter(name: str, above: int, *, create: bool, durable: bool) -> int:
    """A descriptor of the directory ``name``; within ``above``, where it must not be a link."""
    if above < 0:
        flags = _DIRECTORY_FLAGS & ~_NOFOLLOW
        try:
            return os.open(name, flags)
        except FileNotFoundError:
            if not create:
                raise
            make_directory(name)
            return os.open(name, flags)
    try:
        return os.open(name, _DIRECTORY_FLAGS, dir_fd=above)
    except FileNotFoundError:
        if not create:
            raise
    try:
        os.mkdir(name, DIRECTORY_MODE, dir_fd=above)
        if durable:
            os.fsync(above)
    except FileExistsError:
        pass
    fd = os.open(name, _DIRECTORY_FLAGS, dir_fd=above)
    share(fd, above)
    return fd


def _pread(fd: int, length: int, offset: int) -> bytes:
    parts = []
    while length > 0:
        part = os.pread(fd, length, offset)
        if not part:
            break
        parts.append(part)
        offset += len(part)
        length -= len(part)
    return b"".join(parts)


def _hash(fd: int, size: int) -> str:
    from hashlib import sha256

    whole = sha256()
    for offset in range(0, size, HASH_BYTES):
        whole.update(_pread(fd, min(HASH_BYTES, size - offset), offset))
    return whole.hexdigest()
