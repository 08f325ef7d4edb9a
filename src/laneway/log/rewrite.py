"""Put another text in the place of a sealed segment, so that a stop or a `kill -9` leaves the old or the new.

1. Write the new text to a hidden file beside it, with the first line's spelling changed by one blank:
   a file is known by its first line, so that every reader sees that it is another file.
2. Sync it, and rename it over the old one, under the lock that every writer takes, if that has not
   grown meanwhile; sync the directory.

A compressed segment stays compressed: its new text is compressed before the rename. So does a rotated
file that another program compressed (``.gz``), which is called by its whole name here.
"""

import os
import zlib
from collections.abc import Callable
from errno import EAGAIN, EBADMSG
from time import monotonic, sleep
from typing import IO, TYPE_CHECKING

from laneway.base.errors import LogError
from laneway.base.limits import MIB
from laneway.log.append import OPEN_FLAGS, open_segment, seal
from laneway.log.segment import GZIPPED, PACKED, LogPath
from laneway.log.sync import sync_directory, sync_file
from laneway.log.text import RawFile, open_private
from laneway.log.whole import iter_all_lines, open_whole

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows, where no file can be replaced that somebody has open

    def flock(fd: int, operation: int, /) -> None:  # type: ignore[misc]
        return

    LOCK_EX = LOCK_NB = 0  # type: ignore[misc]

if TYPE_CHECKING:
    from laneway.log.whole import Whole

DRAFT = ".scrub"
"""Ends the name of a hidden file with a text that is not in place yet."""

LOCK_WAIT_S = 5.0
TRIES = 3
"""A segment may be compressed, or grow by a last line, while it is read."""

Change = Callable[[int, bytes], bytes]
"""The line that takes the place of the one at this offset."""


def rewrite(directory: str, segment: str, change: Change, prepare: Callable[[], None]) -> None:
    """Replace the text of a sealed segment, line by line. ``prepare`` is called just before the new
    text takes its place.

    Raises:
        LogError: it cannot be read or written; it is as it was.
    """
    path = os.path.join(directory, segment)
    try:
        for _ in range(TRIES):
            if _try_rewrite(path, change, prepare):
                sync_directory(directory)
                return
    except OSError as error:
        raise LogError(
            f"{segment}: cannot be written anew: {error.strerror or error}",
            hint="it stays as it is; run the command again when that is mended",
        ) from error
    raise LogError(f"{segment}: it changes all the time", hint="run the command again")


def remove_drafts(directory: str) -> None:
    """What a command that was killed has left."""
    for name in os.listdir(directory):
        if name.startswith(".") and name.endswith(DRAFT):
            os.unlink(os.path.join(directory, name))


def seal_live(series: LogPath) -> bool:
    """Let writers go on in a new segment, so that the live one can be rewritten; False if one does not
    let go of it."""
    number = series.newest()
    if not number:
        return True
    os.close(open_segment(series.segment_path(number + 1)))
    series.point_link(number + 1)
    until_s = monotonic() + LOCK_WAIT_S
    while not seal(series.segment_path(number)):
        if monotonic() > until_s:
            return False
        sleep(0.001)
    return True


def _try_rewrite(path: str, change: Change, prepare: Callable[[], None]) -> bool:
    """False where the segment changed meanwhile."""
    is_gzipped = path.endswith(GZIPPED)
    with open_whole(path) as text:
        place = path if isinstance(text, RawFile) or is_gzipped else path + PACKED
        facts = os.stat(place)
        size = facts.st_size if is_gzipped else text.size
        if is_gzipped:
            _check_whole(path)
        draft = _draft_path(path)
        with open(draft, "w+b", opener=open_private) as target:
            _write(text, change, target)
            if is_gzipped:
                draft = _gzip(draft, int(facts.st_mtime))
            elif place != path:
                draft = _compress(draft, target)
    os.chmod(draft, facts.st_mode & 0o777)
    os.utime(draft, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # retention counts it
    _sync(draft)
    prepare()
    return _put_in_place(draft, place, size, facts) if place == path else _put_packed(draft, place)


def _check_whole(path: str) -> None:
    """What is read of a damaged one ends there, and the rest must not be lost by being left out."""
    import gzip

    try:
        with gzip.open(path) as file:
            while file.read(MIB):
                pass
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise OSError(EBADMSG, "it is damaged, and what can be read of it is not all") from error


def _write(text: "Whole", change: Change, target: IO[bytes]) -> None:
    for offset, line in iter_all_lines(text):
        new = change(offset, line) if line.strip() else line
        target.write((_respelt(new) if offset == 0 else new) + b"\n")
    target.flush()


def _respelt(line: bytes) -> bytes:
    """The same to every reader of JSON, and another fingerprint."""
    if line[:1] == b"{":
        return b"{ " + line[1:]
    return b"\r" + line if not line.strip() else b" " + line


def _compress(draft: str, source: IO[bytes]) -> str:
    from laneway.log import pack

    packed = f"{draft.removesuffix(DRAFT)}{PACKED}{DRAFT}"
    with open(packed, "w+b", opener=open_private) as target, RawFile(draft) as raw:
        pack.write(source.fileno(), raw.size, raw.read_fingerprint(), target)
    os.unlink(draft)
    return packed


def _gzip(draft: str, time_s: int) -> str:
    import gzip
    from shutil import copyfileobj

    packed = f"{draft.removesuffix(DRAFT)}{GZIPPED}{DRAFT}"
    with (
        open(draft, "rb") as source,
        open(packed, "w+b", opener=open_private) as target,
        gzip.GzipFile("", "wb", fileobj=target, mtime=time_s) as compressed,
    ):
        copyfileobj(source, compressed, MIB)
    os.unlink(draft)
    return packed


def _put_in_place(draft: str, path: str, size: int, facts: os.stat_result) -> bool:
    try:
        fd = os.open(path, OPEN_FLAGS & ~os.O_CREAT)
    except FileNotFoundError:  # compressed meanwhile
        os.unlink(draft)
        return False
    try:
        _lock(fd)
        now = os.fstat(fd)
        is_same = os.path.samestat(now, facts) and os.path.samestat(now, os.stat(path))
        if now.st_size != size or not is_same:
            os.unlink(draft)
            return False
        os.replace(draft, path)
        return True
    finally:
        os.close(fd)


def _put_packed(draft: str, path: str) -> bool:
    os.replace(draft, path)
    return True


def _lock(fd: int) -> None:
    until_s = monotonic() + LOCK_WAIT_S
    while True:
        try:
            flock(fd, LOCK_EX | LOCK_NB)
            return
        except BlockingIOError:
            if monotonic() > until_s:
                raise OSError(EAGAIN, "a writer does not let go of it") from None
            sleep(0.001)
        except OSError:  # no locks on this file system: its segments have one writer each
            return


def _draft_path(path: str) -> str:
    directory, segment = os.path.split(path)
    return os.path.join(directory, f".{segment}{DRAFT}")


def _sync(path: str) -> None:
    fd = os.open(path, os.O_RDWR)
    try:
        sync_file(fd)
    finally:
        os.close(fd)
