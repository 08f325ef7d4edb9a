"""One file that the tail follows: how far it was read, and whether it still is that file."""

import re
from typing import TYPE_CHECKING

from laneway.log.syncer import Source
from laneway.log.text import Damage, Lines, RawFile

if TYPE_CHECKING:
    from laneway.log.gzipped import GzipFile
    from laneway.log.seekable import SeekableFile

OWN_FILE = re.compile(r"[^.].*-\d{6,}\.jsonl")
"""What is only ever appended to: if it is shorter than before, something is lost."""

CHECK_BYTES = 256
"""Compared before the place to go on from: a foreign file that was cut and has grown past it (as
after a rotation by copytruncate) shows there, even where both begin with the same line."""


class Followed(Source):
    """``name`` is the segment's, whichever form the file has; ``offset`` is behind the last line
    that was handed out."""

    __slots__ = (
        "before",
        "cut",
        "fingerprint",
        "inode",
        "is_clean",
        "is_replaced",
        "name",
        "offset",
        "seen_bytes",
        "seen_size",
        "settled",
        "text",
        "waits_at",
    )

    def __init__(
        self, name: str, text: "RawFile | SeekableFile | GzipFile", inode: tuple[int, int]
    ) -> None:
        self.name = name
        self.text = text
        self.inode = inode
        self.fingerprint = ""
        self.offset = 0
        self.before = b""  # what stood just before ``offset``; empty where that is not known
        self.settled = 0  # the offset up to which its taker is done
        self.seen_size = 0  # at the last look
        self.seen_bytes = 0  # what was handed out before under another name
        self.waits_at = 0  # the size at which the last line was unfinished
        self.is_replaced = False
        self.is_clean = True
        self.cut: Damage | None = None

    @property
    def size(self) -> int:
        return self.text.size

    @property
    def is_own(self) -> bool:
        return OWN_FILE.fullmatch(self.name) is not None

    @property
    def series(self) -> str:
        """What numbered segments have in common; of any other file its name."""
        return self.name.rpartition("-")[0] if self.is_own else self.name

    def has_more(self, size: int) -> bool:
        return size > max(self.offset, self.waits_at)

    def is_cut(self, size: int) -> bool:
        """Whether what was read of a foreign file is no longer there."""
        if size < self.offset:
            return True
        return self.has_more(size) and not self.holds(self.before, self.offset)

    def holds(self, before: bytes, offset: int) -> bool:
        """Whether ``before`` stands just before ``offset``, as far as that can be told."""
        return not isinstance(self.text, RawFile) or self.text.has_before(offset, before)

    def is_like(self, other: "Followed") -> bool | None:
        """Whether this file, compressed, holds what ``other`` holds or held, which is gone; None where
        that cannot be told without their taker."""
        if isinstance(self.text, RawFile):
            return None
        from laneway.log.gzipped import GzipFile

        if not isinstance(self.text, GzipFile):
            return None
        if isinstance(other.text, GzipFile):
            return self.text.trailer == other.text.trailer
        return bool(other.before) and self.text.has_before(other.offset, other.before)

    def read_fingerprint(self) -> str:
        """Empty while the first line is not there."""
        if isinstance(self.text, RawFile):
            return self.text.read_fingerprint()
        return self.text.fingerprint

    def begin(self, offset: int) -> None:
        """Go on from ``offset``."""
        self.offset = self.settled = offset
        self.before = b""
        self.waits_at = 0

    def go_on(self, offset: int) -> None:
        """Go on from ``offset``, and know what stands before it."""
        self.begin(offset)
        if isinstance(self.text, RawFile):
            size = min(CHECK_BYTES, offset)
            self.before = self.text.read(offset - size, size)

    def read_lines(self, max_bytes: int) -> Lines:
        """The next lines; none where the file was cut since it was looked at."""
        found = self.text.read_lines(self.offset, max_bytes)
        if not self.is_own and not self.holds(self.before, self.offset):
            return Lines(b"", self.offset)
        self.before = (self.before + found.data[-CHECK_BYTES:])[-CHECK_BYTES:]
        return found

    def close(self) -> None:
        if isinstance(self.text, RawFile):
            self.text.close()
