"""The text of a log file: lines from an offset, whatever form the file has on the disk."""

import os
from collections.abc import Iterator
from hashlib import blake2b
from typing import NamedTuple, Protocol

from laneway.base.limits import BODY_BYTES, MIB
from laneway.base.words import number_of

FINGERPRINT_BYTES = 4096
"""A file is known by its first line, or by this much of it: inode numbers are used again."""


class Damage(NamedTuple):
    """A stretch of a segment's text that is lost, ``[start, end)``."""

    segment: str
    start: int
    end: int
    line_count: int
    """-1 where that is not known."""
    reason: str
    frame: int = -1
    """Of a compressed segment; -1 in any other."""

    @property
    def first_lost(self) -> int:
        """Where the text of lines is lost from: one that was cut of its newline alone gets another."""
        return self.start if self.frame >= 0 else self.start + 1

    def __str__(self) -> str:
        place = f"frame {self.frame} of {self.segment}" if self.frame >= 0 else self.segment
        lines = "" if self.line_count < 0 else f", {number_of(self.line_count, 'line')}"
        return f"{place} is damaged ({self.reason}): bytes {self.start} to {self.end}{lines}"


class Lines(NamedTuple):
    """``data`` ends in a newline; ``end`` is where to go on; both may be behind ``damage``."""

    data: bytes
    end: int
    damage: Damage | None = None


class Text(Protocol):
    """One file as its uncompressed text."""

    @property
    def size(self) -> int:
        """Bytes of it now."""

    def read_lines(self, offset: int, max_bytes: int) -> Lines:
        """Complete lines from ``offset``, about ``max_bytes`` (more if one line is longer)."""


class Readable(Protocol):
    """What a place in a foreign file can be compared in."""

    def read(self, offset: int, length: int) -> bytes:
        """What stands there; fewer bytes at the end."""


def open_own(path: str, flags: int) -> int:
    """A descriptor of a file in the log's directory; no link is followed and no pipe waited for: who
    may write there must not choose what is read."""
    more = ("O_CLOEXEC", "O_NOFOLLOW", "O_NONBLOCK")
    for name in more:
        flags |= getattr(os, name, 0)
    return os.open(path, flags)


def open_private(path: str, flags: int) -> int:
    """The opener of a file that is for its owner only, and never somebody's link."""
    return os.open(path, flags | getattr(os, "O_NOFOLLOW", 0), 0o600)


class RawFile:
    """A file of plain lines. `close` once."""

    def __init__(self, path: str) -> None:
        self._fd = open_own(path, os.O_RDONLY)

    @property
    def size(self) -> int:
        return os.fstat(self._fd).st_size

    def fileno(self) -> int:
        return self._fd

    def identity(self) -> tuple[int, int]:
        facts = os.fstat(self._fd)
        return facts.st_dev, facts.st_ino

    def read_fingerprint(self) -> str:
        """Empty while the first line is not there."""
        return fingerprint_of(os.pread(self._fd, FINGERPRINT_BYTES, 0))

    def has_before(self, offset: int, data: bytes) -> bool:
        """Whether ``data`` stands just before ``offset``."""
        return not data or os.pread(self._fd, len(data), offset - len(data)) == data

    def read_lines(self, offset: int, max_bytes: int) -> Lines:
        data = os.pread(self._fd, max_bytes, offset)
        cut = data.rfind(b"\n") + 1
        while not cut and max_bytes <= len(data) < BODY_BYTES:
            more = os.pread(self._fd, MIB, offset + len(data))
            if not more:
                break
            cut = (len(data) + more.rfind(b"\n") + 1) if b"\n" in more else 0
            data += more
        if not cut and len(data) >= BODY_BYTES:
            cut = len(data)  # no line is that long: hand it out as it is, to be quarantined
        return Lines(data[:cut], offset + cut)

    def read(self, offset: int, length: int) -> bytes:
        return os.pread(self._fd, length, offset)

    def close(self) -> None:
        os.close(self._fd)

    def __enter__(self) -> "RawFile":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def fingerprint_of(head: bytes) -> str:
    """Of a text that begins with ``head``; empty where its first line is not complete."""
    head = head[:FINGERPRINT_BYTES]
    line, newline, _ = head.partition(b"\n")
    return fingerprint(line) if newline or len(head) == FINGERPRINT_BYTES else ""


def fingerprint(line: bytes) -> str:
    """What a file is known by, from its first line (without newline, cut at `FINGERPRINT_BYTES`)."""
    return blake2b(line, digest_size=16).hexdigest()


def iter_lines(data: bytes, offset: int) -> Iterator[tuple[int, bytes]]:
    """Lines with their offsets, blank ones left out."""
    for line in data.split(b"\n"):
        if text := line.rstrip(b"\r"):
            yield offset, text
        offset += len(line) + 1
