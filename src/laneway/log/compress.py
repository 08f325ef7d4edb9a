"""Compress one sealed segment, so that a stop or a `kill -9` at any moment loses and repeats nothing.

1. Write the compressed form to a hidden file beside it, which one process at a time has locked.
2. Sync it, read it back, and compare the digest of its text.
3. Rename it into place and sync the directory: both forms are there now, and the plain one counts.
4. Under the lock that every writer takes, look that the plain one has not grown, and unlink it.

Whoever finds both forms later checks the compressed one as in 2, and goes on with 4, or begins anew.
A writer that held the plain one open finds it deleted, and goes on in the live segment.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import blake2b
from time import monotonic, sleep
from typing import NamedTuple

from laneway.base.clock import NS_PER_S, now_ns
from laneway.base.errors import LogError
from laneway.base.limits import MIB
from laneway.log import pack
from laneway.log.append import seal
from laneway.log.frame import DamageError
from laneway.log.seekable import SeekableFile
from laneway.log.segment import PACKED, SEAL, LogPath
from laneway.log.sync import sync_directory, sync_file
from laneway.log.text import RawFile, open_private

try:
    from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock
except ImportError:  # Windows, where no file can be removed that somebody has open
    CAN_COMPRESS = False
else:
    CAN_COMPRESS = True
    LOCK_NOW = LOCK_EX | LOCK_NB

SETTLED_S = 600.0
"""A segment is left alone so long after its last write: a process that was stopped in the middle of
an append wakes up and finds it as it was."""

LOCK_WAIT_S = 5.0


class Packed(NamedTuple):
    """What compressing a segment gave, in bytes of the disk."""

    segment: str
    raw_bytes: int
    packed_bytes: int


def find_sealed(series: LogPath, *, settled_s: float = SETTLED_S, time_ns: int = 0) -> list[str]:
    """Segments of a series that are sealed, settled and not compressed, oldest first."""
    return [name for name, end in _iter_settled(series, settled_s, time_ns) if end == SEAL]


def seal_settled(series: LogPath, *, settled_s: float = SETTLED_S) -> None:
    """Mark the settled segments that lost their mark, and so perhaps their last lines, to a power cut just
    after the next one was begun: a line without an end that nobody goes on with gets one, and is told.

    Raises:
        OSError: it cannot be written.
    """
    for name, end in _iter_settled(series, settled_s):
        if end and end != SEAL:
            seal(os.path.join(series.directory, name))


def _iter_settled(
    series: LogPath, settled_s: float, time_ns: int = 0
) -> Iterator[tuple[str, bytes]]:
    """Plain segments that were not written for so long and are not the live one, and how they end."""
    newest_ns = (time_ns or now_ns()) - int(settled_s * NS_PER_S)
    for name in map(series.segment_name, series.numbers()[:-1]):
        try:
            with open(os.path.join(series.directory, name), "rb") as file:
                facts = os.fstat(file.fileno())
                end = os.pread(file.fileno(), len(SEAL), max(0, facts.st_size - len(SEAL)))
        except OSError:
            continue
        if facts.st_mtime_ns <= newest_ns:
            yield name, end


def compress(directory: str, segment: str) -> Packed | None:
    """Compress a sealed segment; None where it grew meanwhile, or another process is at it.

    Raises:
        LogError: it cannot be read or written, or what was written does not read back.
    """
    path = os.path.join(directory, segment)
    try:
        with _opened(path) as source:
            size = os.fstat(source).st_size
            if not (_has_whole_form(path, source, size) or _write(path, source, size)):
                return None
            packed_bytes = os.stat(path + PACKED).st_size
            if not _remove_raw(path, source, size):
                os.unlink(path + PACKED)
                return None
        sync_directory(directory)
    except OSError as error:
        raise LogError(
            f"{segment}: cannot be compressed: {error.strerror or error}",
            hint="it stays as it is; `laneway doctor` looks at the disk",
        ) from error
    return Packed(segment, size, packed_bytes)


def sweep(directory: str) -> None:
    """Remove what compressions that were killed have left."""
    for name in os.listdir(directory):
        if name.startswith(".") and name.endswith(PACKED + TEMPORARY):
            path = os.path.join(directory, name)
            try:
                with _opened(path) as fd:
                    flock(fd, LOCK_NOW)
                    os.unlink(path)
            except OSError:  # in work, or gone
                continue


TEMPORARY = ".tmp"


def _has_whole_form(path: str, source: int, size: int) -> bool:
    """Whether the compressed form is there already, and holds just this text."""
    try:
        packed = SeekableFile(path + PACKED)
    except OSError:
        return False
    return packed.size == size and _digest_of(packed) == _digest_of_raw(source, size)


def _write(path: str, source: int, size: int) -> bool:
    directory, segment = os.path.split(path)
    temporary = os.path.join(directory, f".{segment}{PACKED}{TEMPORARY}")
    with open(temporary, "r+b", opener=_open_draft) as target:
        try:
            flock(target.fileno(), LOCK_NOW)
        except BlockingIOError:
            return False
        except OSError:  # no locks here: one hub a log keeps others away
            pass
        target.truncate(0)
        with RawFile(path) as raw:
            fingerprint = raw.read_fingerprint()
        digest = pack.write(source, size, fingerprint, target)
        target.flush()
        facts = os.fstat(source)
        os.fchmod(target.fileno(), facts.st_mode & 0o777)
        os.utime(target.fileno(), ns=(facts.st_atime_ns, facts.st_mtime_ns))  # retention counts it
        sync_file(target.fileno())
        if _digest_of(SeekableFile(temporary)) != digest:
            os.unlink(temporary)
            raise LogError(
                f"{segment}: its compressed form does not read back as it was written",
                hint="it stays as it is; the disk or the memory may be failing",
            )
        os.replace(temporary, path + PACKED)
    sync_directory(directory)
    return True


def _digest_of(packed: SeekableFile) -> str:
    """Of the text as it can be read; nothing where any of it is damaged."""
    whole = blake2b(digest_size=16)
    try:
        for number in range(len(packed.layout.frames)):
            whole.update(packed.read_frame(number))
    except DamageError:
        return ""
    return "" if packed.layout.fault else whole.hexdigest()


def _digest_of_raw(source: int, size: int) -> str:
    whole = blake2b(digest_size=16)
    for offset in range(0, size, MIB):
        whole.update(os.pread(source, min(MIB, size - offset), offset))
    return whole.hexdigest()


def _remove_raw(path: str, source: int, size: int) -> bool:
    """Unlink the plain form if it is still what was compressed."""
    give_up_s = monotonic() + LOCK_WAIT_S
    while not _try_lock(source):
        if monotonic() > give_up_s:
            return False
        sleep(0.001)
    try:
        facts = os.fstat(source)
        if facts.st_size != size or not os.path.samestat(
            facts, os.stat(path)
        ):  # grown, or rewritten
            return False
        os.unlink(path)
        return True
    finally:
        try:
            flock(source, LOCK_UN)
        except OSError:
            pass


def _try_lock(fd: int) -> bool:
    try:
        flock(fd, LOCK_NOW)
    except BlockingIOError:
        return False
    except OSError:  # no locks on this file system: its segments have one writer each
        pass
    return True


@contextmanager
def _opened(path: str) -> Iterator[int]:
    fd = os.open(path, os.O_RDWR | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0))
    try:
        yield fd
    finally:
        os.close(fd)


def _open_draft(path: str, flags: int) -> int:
    return open_private(path, flags | os.O_CREAT)
