"""The tail: every complete line of every log file in the directory, once, in order within a file.

It follows our own segments and any other ``*.jsonl`` beside them (a naive
writer's ``observability.jsonl``, and what a foreign rotation makes of it). It
looks at file sizes and needs no notification service: 40 looks a second cost
less than 0.2 % of a core and work on every volume (docs/adr/0004-polling.md).
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from hashlib import blake2b
from time import monotonic
from typing import NamedTuple

from laneway.base.limits import BODY_BYTES, MIB
from laneway.log.segment import LogPath

FINGERPRINT_BYTES = 4096
"""A file is known by its first line, or by this much of it: inode numbers are used again."""

POLL_MIN_S, POLL_MAX_S = 0.004, 0.032
"""Pause between two looks: short right after something came, longer while nothing does."""

SCAN_S = 0.5
"""How often the directory is listed, whatever its time says: not every file system keeps that."""

LOG_FILE = re.compile(r"[^.].*\.jsonl(\.\d+|-\d{8,})?")
"""Segments, foreign logs, and their rotated forms (``x.jsonl.1``, ``x.jsonl-20261123``)."""


class Chunk(NamedTuple):
    """Complete lines of one file, blank ones left out; ``end`` is where the next chunk begins."""

    segment: str
    fingerprint: str
    lines: list[tuple[int, bytes]]
    end: int
    is_replaced: bool
    """The name stands for another file than before: what was known of it is void."""
    is_moved: bool
    """The file was followed under another name before (a rotation renamed it)."""


class _File:
    """One followed file."""

    __slots__ = (
        "fd",
        "fingerprint",
        "inode",
        "is_moved",
        "is_replaced",
        "name",
        "offset",
        "settled",
        "size",
    )

    def __init__(self, name: str, fd: int, inode: tuple[int, int]) -> None:
        self.name = name
        self.fd = fd
        self.inode = inode
        self.fingerprint = ""
        self.offset = 0
        self.settled = 0
        self.size = 0
        self.is_replaced = False
        self.is_moved = False


class Tail:
    """Follows a log directory from ``positions``: ``{file name: (fingerprint, offset)}``.

    One thread polls; `wake` and `lag_bytes` may be called from any.
    """

    def __init__(self, log_path: LogPath, positions: Mapping[str, tuple[str, int]]) -> None:
        self._log_path = log_path
        self._positions = dict(positions)
        self._files: dict[str, _File] = {}
        self._names = {fingerprint: name for name, (fingerprint, _) in positions.items()}
        self._vanished: list[str] = []
        self._wake = threading.Event()
        self._scan_at_s = 0.0
        self._scanned_ns = -1
        self._pause_s = POLL_MIN_S

    def poll(self, max_bytes: int = MIB) -> list[Chunk]:
        """What is new, at most about ``max_bytes`` a file, oldest segment first; empty when level."""
        for file in self._files.values():
            file.settled = file.offset  # who asks for more has dealt with what it was given
        changed_ns = self._directory_ns()
        if changed_ns != self._scanned_ns or monotonic() >= self._scan_at_s:
            self._scanned_ns = (
                changed_ns  # taken before the list: what comes during it is listed next
            )
            self._scan()
            self._scan_at_s = monotonic() + SCAN_S
        chunks = [chunk for file in self._in_order() if (chunk := self._read(file, max_bytes))]
        self._pause_s = POLL_MIN_S if chunks else min(self._pause_s * 1.25, POLL_MAX_S)
        return chunks

    def look(self) -> None:
        """Find the files and the place to go on from in each: `lag_bytes` is right before a `poll`."""
        self._scan()
        for file in self._in_order():
            if not file.fingerprint:
                self._identify(file, _size(file.fd))

    def wait(self, timeout_s: float) -> None:
        """Return when a followed file has grown, `wake` was called, or the time is over."""
        until_s = monotonic() + timeout_s
        while not self._has_grown():
            rest_s = min(until_s, self._scan_at_s) - monotonic()
            if rest_s <= 0 or self._wake.wait(min(self._pause_s, rest_s)):
                break
            self._pause_s = min(self._pause_s * 1.25, POLL_MAX_S)
        self._wake.clear()

    def wake(self) -> None:
        """Something was appended, or the follower shall stop: end the wait at once."""
        self._wake.set()

    def rescan(self) -> None:
        """`wake`, and list the directory at once: a new file was begun."""
        self._scan_at_s = 0.0
        self._wake.set()

    def lag_bytes(self) -> int:
        """Bytes in the files that were not handed out yet, or were by the last `poll`: those may be
        in work still."""
        return sum(max(0, _size(file.fd) - file.settled) for file in list(self._files.values()))

    def take_vanished(self) -> list[str]:
        """Names of files that were followed (now, or when ``positions`` was taken) and are gone."""
        names, self._vanished = self._vanished, []
        return names

    def close(self) -> None:
        for file in self._files.values():
            os.close(file.fd)
        self._files.clear()

    def _in_order(self) -> list[_File]:
        return sorted(self._files.values(), key=lambda file: file.name)

    def _directory_ns(self) -> int:
        """When an entry of the directory last came, went or was renamed."""
        try:
            return os.stat(self._log_path.directory).st_mtime_ns
        except OSError:
            return 0

    def _has_grown(self) -> bool:
        return self._directory_ns() != self._scanned_ns or any(
            _size(file.fd) > max(file.offset, file.size) for file in self._files.values()
        )

    def _scan(self) -> None:
        seen = dict(self._iter_entries())
        for name, file in list(self._files.items()):
            if seen.get(name) != file.inode:
                self._drop(file, is_gone=name not in seen)
        for name in sorted(seen):
            if name not in self._files:
                self._follow(name)
        for name in [name for name in self._positions if name not in seen]:
            del self._positions[name]
            self._vanished.append(name)

    def _iter_entries(self) -> Iterator[tuple[str, tuple[int, int]]]:
        try:
            entries = list(os.scandir(self._log_path.directory))
        except (FileNotFoundError, NotADirectoryError):
            return
        for entry in entries:
            if LOG_FILE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False):
                try:
                    facts = entry.stat(follow_symlinks=False)
                except OSError:
                    continue
                yield entry.name, (facts.st_dev, facts.st_ino)

    def _follow(self, name: str) -> None:
        path = os.path.join(self._log_path.directory, name)
        try:
            fd = os.open(path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0))
        except OSError:
            return  # unreadable or gone: looked at again with the next scan
        facts = os.fstat(fd)
        self._files[name] = _File(name, fd, (facts.st_dev, facts.st_ino))

    def _drop(self, file: _File, *, is_gone: bool) -> None:
        """A name vanished or stands for another file; unread lines of the old one are lost to us."""
        os.close(file.fd)
        del self._files[file.name]
        if is_gone and file.fingerprint:
            self._positions.pop(file.name, None)
            self._vanished.append(file.name)

    def _read(self, file: _File, max_bytes: int) -> Chunk | None:
        size = _size(file.fd)
        if size < file.offset:  # truncated in place: what was read is gone, begin again
            file.fingerprint, file.offset, file.settled, file.size = "", 0, 0, 0
        if size <= max(file.offset, file.size):
            return None
        if not file.fingerprint and not self._identify(file, size):
            return None
        data, end = _read_lines(file.fd, file.offset, min(size - file.offset, max_bytes))
        if not data:
            file.size = size  # an unfinished line: look again when it has grown
            return None
        chunk = Chunk(
            file.name,
            file.fingerprint,
            list(_iter_lines(data, file.offset)),
            end,
            file.is_replaced,
            file.is_moved,
        )
        file.offset, file.size, file.is_replaced = end, 0, False
        self._positions[file.name] = (file.fingerprint, end)
        return chunk

    def _identify(self, file: _File, size: int) -> bool:
        """Fingerprint a file once its first line is there, and find the place to go on from."""
        head = os.pread(file.fd, FINGERPRINT_BYTES, 0)
        line, newline, _ = head.partition(b"\n")
        if not newline and len(head) < FINGERPRINT_BYTES:
            file.size = size
            return False
        file.fingerprint = fingerprint(line)
        known, offset = self._positions.get(file.name, ("", 0))
        is_same = known == file.fingerprint and offset <= size
        file.offset = file.settled = offset if is_same else 0
        file.is_replaced = bool(known) and not is_same
        file.is_moved = self._names.get(file.fingerprint, file.name) != file.name
        self._names[file.fingerprint] = file.name
        return size > file.offset


def fingerprint(line: bytes) -> str:
    """What a file is known by, from its first line (without newline, cut at `FINGERPRINT_BYTES`)."""
    return blake2b(line, digest_size=16).hexdigest()


def _size(fd: int) -> int:
    return os.fstat(fd).st_size


def _read_lines(fd: int, offset: int, length: int) -> tuple[bytes, int]:
    """Bytes from ``offset`` up to the last newline within ``length`` (more if one line is longer)."""
    data = os.pread(fd, length, offset)
    cut = data.rfind(b"\n") + 1
    while not cut and length <= len(data) < BODY_BYTES:
        more = os.pread(fd, MIB, offset + len(data))
        if not more:
            break
        cut = (len(data) + more.rfind(b"\n") + 1) if b"\n" in more else 0
        data += more
    if not cut and len(data) >= BODY_BYTES:
        cut = len(data)  # no line is that long: hand it out as it is, to be quarantined
    return data[:cut], offset + cut


def _iter_lines(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    for line in data.split(b"\n"):
        if text := line.rstrip(b"\r"):
            yield offset, text
        offset += len(line) + 1
