"""Random reads of single lines, by segment, offset and length."""

import os
import threading
from collections import OrderedDict

from laneway.base.errors import LogError
from laneway.log.segment import LogPath

OPEN_FILES = 64
"""Descriptors kept open; reads cluster in the newest segments."""


class Reader:
    """Reads lines back. Thread-safe."""

    def __init__(self, log_path: LogPath) -> None:
        self._directory = log_path.directory
        self._files: OrderedDict[str, int] = OrderedDict()
        self._lock = threading.Lock()

    def read(self, segment: str, offset: int, length: int) -> bytes:
        """The ``length`` bytes at ``offset``.

        Raises:
            LogError: the segment is gone, or shorter than that.
        """
        with self._lock:
            fd = self._descriptor(segment)
            data = os.pread(fd, length, offset)
        if len(data) != length:
            raise LogError(
                f"{segment}: {len(data)} of {length} bytes at offset {offset}",
                hint="the file was cut; `laneway reindex` brings the index in line with it",
                status=404,
            )
        return data

    def forget(self, segment: str) -> None:
        """Close a segment that was removed or replaced."""
        with self._lock:
            fd = self._files.pop(segment, -1)
        if fd >= 0:
            os.close(fd)

    def close(self) -> None:
        with self._lock:
            files, self._files = self._files, OrderedDict()
        for fd in files.values():
            os.close(fd)

    def _descriptor(self, segment: str) -> int:
        if segment in self._files:
            self._files.move_to_end(segment)
            return self._files[segment]
        if os.path.basename(segment) != segment:
            raise LogError(f"{segment!r} is not a file name", status=404)
        try:
            fd = os.open(
                os.path.join(self._directory, segment),
                os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0),
            )
        except OSError as error:
            raise LogError(
                f"{segment}: {error.strerror}",
                hint="retention or somebody else removed this part of the log",
                status=404,
            ) from error
        self._files[segment] = fd
        if len(self._files) > OPEN_FILES:
            os.close(self._files.popitem(last=False)[1])
        return fd
