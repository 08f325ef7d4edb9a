"""Read a compressed segment (`laneway.log.frame`) from any line."""

import os
from bisect import bisect_right
from collections.abc import Iterator
from errno import ESTALE

from laneway.log.frame import DamageError, Layout, decode, zstd
from laneway.log.layout import read_head, read_layout
from laneway.log.text import Lines, open_own


class SeekableFile:
    """One compressed segment. Holds no descriptor and needs no `close`. Thread-safe.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._layout: Layout | None = None
        self._offsets: list[int] = []
        fd = self._open()
        try:
            self._identity = _identity_of(fd)
            head = read_head(fd)
        finally:
            os.close(fd)
        known = head or self.layout
        self.size, self.fingerprint = known.size, known.fingerprint

    @property
    def layout(self) -> Layout:
        """Read when it is first needed: what is wholly indexed is opened by its head alone."""
        if self._layout is None:
            fd = self._open()
            try:
                layout = read_layout(fd)
            finally:
                os.close(fd)
            self._offsets = [frame.offset for frame in layout.frames]
            self._layout = layout
        return self._layout

    def number_at(self, offset: int) -> int:
        """The frame that holds the text at ``offset``; the number of frames past the end."""
        frames = self.layout.frames
        number = bisect_right(self._offsets, offset) - 1
        return number if number >= 0 and offset < frames[number].end else len(frames)

    def read_frame(self, number: int) -> bytes:
        """
        Raises:
            DamageError: its bytes are not those that were written.
            OSError: it cannot be read, or is not the file that was opened.
        """
        frame = self.layout.frames[number]
        fd = self._open()
        try:
            if _identity_of(fd) != self._identity:
                raise OSError(ESTALE, "was written anew")
            data = os.pread(fd, frame.size, frame.place)
        finally:
            os.close(fd)
        try:
            return decode(data, frame.length)
        except (ValueError, zstd.ZstdError) as error:
            reason = str(error).removeprefix("Unable to decompress Zstandard data: ")
            raise DamageError(self.path, number, frame, reason) from None

    def read_lines(self, offset: int, max_bytes: int) -> Lines:
        """Whole frames from ``offset``, about ``max_bytes``; a damaged one comes alone."""
        pieces: list[bytes] = []
        number, end = self.number_at(offset), offset
        while number < len(self.layout.frames) and end - offset < max_bytes:
            frame = self.layout.frames[number]
            try:
                text = self.read_frame(number)
            except DamageError as damage:
                return (
                    Lines(b"".join(pieces), end) if pieces else Lines(b"", frame.end, damage.damage)
                )
            pieces.append(text[end - frame.offset :])
            number, end = number + 1, frame.end
        return Lines(b"".join(pieces), end)

    def read(self, offset: int, length: int) -> bytes:
        """The text there."""
        data = self.read_lines(offset, length).data
        return data[:length]

    def iter_damage(self) -> Iterator[DamageError]:
        """Read all of it, and tell what is lost."""
        for number in range(len(self.layout.frames)):
            try:
                self.read_frame(number)
            except DamageError as damage:
                yield damage

    def _open(self) -> int:
        return open_own(self.path, os.O_RDONLY)


def _identity_of(fd: int) -> tuple[int, int, int]:
    facts = os.fstat(fd)
    return facts.st_dev, facts.st_ino, facts.st_size
