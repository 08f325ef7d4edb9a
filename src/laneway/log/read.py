"""Random reads of single lines, by segment, offset and length."""

import os
import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING

from laneway.base.errors import LogError
from laneway.base.limits import MIB
from laneway.log.segment import GZIPPED, PACKED, LogPath
from laneway.log.text import Damage, open_own

if TYPE_CHECKING:
    from laneway.log.gzipped import GzipFile
    from laneway.log.seekable import SeekableFile

OPEN_FILES = 64
"""Descriptors kept open; reads cluster in the newest segments."""

CACHE_BYTES = 16 * MIB
"""Text of decompressed frames kept: a page of 200 hits that lie far apart, and the page after it."""

CAN_COUNT_LINKS = os.name == "posix"

REPLACED_HINT = "the file was cut; `laneway reindex` brings the index in line with it"


class Reader:
    """Reads lines back, from plain and from compressed segments. Thread-safe."""

    def __init__(
        self, log_path: LogPath, *, on_damage: Callable[[Damage], None] = lambda damage: None
    ) -> None:
        self._on_damage = on_damage
        self._directory = log_path.directory
        self._files: OrderedDict[str, int] = OrderedDict()
        self._packed: dict[str, SeekableFile | GzipFile] = {}
        self._frames: OrderedDict[tuple[str, int], bytes] = OrderedDict()
        self._frame_bytes = 0
        self._lock = threading.Lock()

    def read(self, segment: str, offset: int, length: int) -> bytes:
        """The ``length`` bytes at ``offset``.

        Raises:
            LogError: the segment is gone, or shorter than that; as a `DamageError`, damaged there.
        """
        packed = self._packed.get(segment)
        if packed is None:
            with self._lock:
                fd = self._try_descriptor(segment)
                data = os.pread(fd, length, offset) if fd >= 0 else b""
            if fd < 0:
                packed = self._open_packed(segment)
        if packed is not None:
            data = self._read_packed(packed, segment, offset, length)
        if len(data) != length:
            raise LogError(
                f"{segment}: {len(data)} of {length} bytes at offset {offset}",
                hint=REPLACED_HINT,
                status=404,
            )
        return data

    def read_text(self, segment: str, start: int, end: int) -> bytes:
        """The text in ``[start, end)``, for a search through much of it: nothing of it is kept.

        Raises:
            LogError: the segment is gone or shorter, or damaged there.
        """
        packed = self._packed.get(segment)
        if packed is None:
            with self._lock:
                fd = self._try_descriptor(segment)
                fd = os.dup(fd) if fd >= 0 else fd
            if fd >= 0:
                try:
                    return os.pread(fd, end - start, start)
                finally:
                    os.close(fd)
            packed = self._open_packed(segment)
        number, last = packed.number_at(start), packed.number_at(end - 1)
        try:
            first = packed.layout.frames[number].offset
            text = b"".join(packed.read_frame(one) for one in range(number, last + 1))
        except OSError as error:
            self.forget(segment)
            raise _gone(segment, error) from error
        except IndexError:
            raise LogError(
                f"{segment}: it ends before {end}", hint=REPLACED_HINT, status=404
            ) from None
        return text[start - first : end - first]

    def forget(self, segment: str) -> None:
        """Close a segment that was removed, replaced or compressed."""
        with self._lock:
            fd = self._files.pop(segment, -1)
            self._packed.pop(segment, None)
            for key in [key for key in self._frames if key[0] == segment]:
                self._frame_bytes -= len(self._frames.pop(key))
        if fd >= 0:
            os.close(fd)

    def close(self) -> None:
        with self._lock:
            files, self._files = self._files, OrderedDict()
            self._packed.clear()
            self._frames.clear()
            self._frame_bytes = 0
        for fd in files.values():
            os.close(fd)

    def _try_descriptor(self, segment: str) -> int:
        """Of the plain form; -1 where there is none."""
        if segment in self._files:
            self._files.move_to_end(segment)
            if os.fstat(self._files[segment]).st_nlink or not CAN_COUNT_LINKS:
                return self._files[segment]
            os.close(self._files.pop(segment))  # it was compressed or removed: let go of its space
        if os.path.basename(segment) != segment:
            raise LogError(f"{segment!r} is not a file name", status=404)
        try:
            fd = open_own(os.path.join(self._directory, segment), os.O_RDONLY)
        except FileNotFoundError:
            return -1
        except OSError as error:
            raise _gone(segment, error) from error
        self._files[segment] = fd
        if len(self._files) > OPEN_FILES:
            os.close(self._files.popitem(last=False)[1])
        return fd

    def _open_packed(self, segment: str) -> "SeekableFile | GzipFile":
        from laneway.log.gzipped import GzipFile
        from laneway.log.seekable import SeekableFile

        path = os.path.join(self._directory, segment)
        packed: SeekableFile | GzipFile
        try:
            try:
                packed = SeekableFile(path + PACKED)
            except FileNotFoundError:
                packed = GzipFile(path + GZIPPED)
        except OSError as error:
            raise _gone(segment, error) from error
        self._packed[segment] = packed
        return packed

    def _read_packed(
        self, packed: "SeekableFile | GzipFile", segment: str, offset: int, length: int
    ) -> bytes:
        number, pieces, end = packed.number_at(offset), [], offset + length
        frames = packed.layout.frames
        while offset < end and number < len(frames):
            text = self._frame(packed, segment, number)
            start = offset - frames[number].offset
            pieces.append(text[start : start + end - offset])
            offset += len(pieces[-1])
            number += 1
        return b"".join(pieces)

    def _frame(self, packed: "SeekableFile | GzipFile", segment: str, number: int) -> bytes:
        from laneway.log.frame import DamageError

        key = segment, number
        with self._lock:
            if key in self._frames:
                self._frames.move_to_end(key)
                return self._frames[key]
        try:
            text = packed.read_frame(number)
        except DamageError as error:
            self._on_damage(error.damage)
            raise
        except OSError as error:
            self.forget(segment)  # removed, or written anew
            raise _gone(segment, error) from error
        with self._lock:
            if key not in self._frames and self._packed.get(segment) is packed:
                self._frames[key] = text
                self._frame_bytes += len(text)
            while self._frame_bytes > CACHE_BYTES:
                self._frame_bytes -= len(self._frames.popitem(last=False)[1])
        return text


def _gone(segment: str, error: OSError) -> LogError:
    return LogError(
        f"{segment}: {error.strerror}",
        hint="retention or somebody else removed this part of the log",
        status=404,
    )
