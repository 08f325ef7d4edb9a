"""A rotated log that somebody else compressed (``app.jsonl.2.gz``), as its text.

gzip cannot be entered in the middle. When the text is first needed the file is read once, and the
state of the decompression is kept at some places (32 KiB each): from the nearest one a line is
some milliseconds away. Who only wants to know which file it is reads its beginning and its end.
"""

import os
import zlib
from errno import EBADMSG, ESTALE
from functools import cached_property
from typing import NamedTuple

from laneway.base.limits import BODY_BYTES, MIB
from laneway.log.frame import Frame, Layout
from laneway.log.text import FINGERPRINT_BYTES, Lines, fingerprint_of, open_own

FRAME_BYTES = MIB
"""Text that is decompressed at a time."""

POINTS = 64
"""States kept of one file, about 40 KB each: of a text of 1 GB every sixteenth frame has one."""

READ_BYTES = 64 * 1024
TRAILER_BYTES = 8
"""Check sum and size of the text: two files with the same ones hold the same."""

HEAD = b"\x1f\x8b"
WITH_HEADER = 31
"""``wbits`` of zlib: gzip's own header and check sums."""


class _Point(NamedTuple):
    """The decompressor as it is before the byte of the file at ``place``."""

    place: int
    state: "zlib._Decompress"

    def copy(self) -> "_Point":
        return _start(self.place) if self.state.eof else self._replace(state=self.state.copy())


class GzipFile:
    """Holds no descriptor and needs no `close`. Thread-safe. Its text has less than 4 GiB, for its size
    is the one that the file tells at its end.

    Raises:
        OSError: it cannot be opened, or is none.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        fd = self._open()
        try:
            facts = os.fstat(fd)
            self._identity = facts.st_dev, facts.st_ino, facts.st_size
            self.trailer = os.pread(fd, TRAILER_BYTES, max(facts.st_size - TRAILER_BYTES, 0))
            head, _ = _inflate(fd, _start(), FINGERPRINT_BYTES)
        finally:
            os.close(fd)
        self.size = int.from_bytes(self.trailer[-4:], "little")
        self.fingerprint = fingerprint_of(head)
        self._frames_to_a_point = self.size // (FRAME_BYTES * POINTS) + 1
        self._points: list[_Point] = []

    @property
    def layout(self) -> Layout:
        return self._layout

    @cached_property
    def _layout(self) -> Layout:
        fd = self._open_same()
        try:
            return self._walk(fd)
        finally:
            os.close(fd)

    def _walk(self, fd: int) -> Layout:
        frames: list[Frame] = []
        points: list[_Point] = []
        point, offset = _start(), 0
        every = self._frames_to_a_point
        while True:
            if len(frames) % every == 0:
                points.append(point.copy())
            text, point = _inflate(fd, point, FRAME_BYTES)
            if not text:
                break
            frames.append(Frame(0, 0, offset, len(text), -1))
            offset += len(text)
        self._points = points
        self.size = max(self.size, offset)  # larger, where it is several in one
        return Layout(offset, self.fingerprint, frames)

    def number_at(self, offset: int) -> int:
        """The frame that holds the text at ``offset``; the number of frames past the end."""
        return min(offset // FRAME_BYTES, len(self.layout.frames))

    def read_frame(self, number: int) -> bytes:
        """
        Raises:
            OSError: it is damaged, cannot be read, or is not the file that was opened.
        """
        frame = self.layout.frames[number]
        nearest = number // self._frames_to_a_point
        point = self._points[nearest].copy()
        fd = self._open_same()
        try:
            for _ in range(number - nearest * self._frames_to_a_point + 1):
                text, point = _inflate(fd, point, FRAME_BYTES)
        finally:
            os.close(fd)
        if len(text) != frame.length:
            raise OSError(EBADMSG, "is damaged")
        return text

    def read(self, offset: int, length: int) -> bytes:
        pieces, end = [], min(offset + length, self.layout.size)
        while offset < end:
            number = self.number_at(offset)
            start = offset - number * FRAME_BYTES
            pieces.append(self.read_frame(number)[start : start + end - offset])
            offset += len(pieces[-1])
        return b"".join(pieces)

    def has_before(self, offset: int, data: bytes) -> bool:
        """Whether ``data`` stands just before ``offset``."""
        return not data or self.read(offset - len(data), len(data)) == data

    def read_lines(self, offset: int, max_bytes: int) -> Lines:
        """Complete lines from ``offset``, about ``max_bytes``; what follows the last newline is none."""
        data = self.read(offset, max_bytes)
        while b"\n" not in data and len(data) < BODY_BYTES:
            more = self.read(offset + len(data), FRAME_BYTES)
            if not more:
                break
            data += more
        cut = data.rfind(b"\n") + 1
        if not cut and len(data) >= BODY_BYTES:
            cut = len(data)  # no line is that long: hand it out as it is, to be quarantined
        return Lines(data[:cut], offset + cut)

    def _open_same(self) -> int:
        fd = self._open()
        facts = os.fstat(fd)
        if (facts.st_dev, facts.st_ino, facts.st_size) != self._identity:
            os.close(fd)
            raise OSError(ESTALE, "was written anew")
        return fd

    def _open(self) -> int:
        return open_own(self.path, os.O_RDONLY)


def _start(place: int = 0) -> _Point:
    return _Point(place, zlib.decompressobj(WITH_HEADER))


def _inflate(fd: int, point: _Point, length: int) -> tuple[bytes, _Point]:
    """The next ``length`` bytes of text, fewer at the end or before damage, and where that is. The
    state of ``point`` is used up."""
    place, state = point
    pieces: list[bytes] = []
    while length > 0:
        data = os.pread(fd, READ_BYTES, place)
        if state.eof:  # another one may follow, as `gzip >>` leaves them
            if not data.startswith(HEAD):
                break
            state = zlib.decompressobj(WITH_HEADER)
        if not data:
            break
        try:
            text = state.decompress(data, length)
        except zlib.error:
            break
        place += len(data) - len(state.unused_data if state.eof else state.unconsumed_tail)
        pieces.append(text)
        length -= len(text)
    return b"".join(pieces), _Point(place, state)
