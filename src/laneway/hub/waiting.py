"""Spans that wait for their ancestors, on the disk: acknowledged ones must survive the hub's end.

A line is one span, redacted. The file is emptied when nothing waits, and written anew when most of it is
of spans that wait no longer. What is read back at a start may have been logged just before the end: its
events have the same ids and count once.
"""

import os
from collections.abc import Iterable, Iterator

import orjson

from laneway.base.errors import LogError
from laneway.base.limits import MIB
from laneway.model.redact import Redactor
from laneway.model.wire import encode_redacted
from laneway.sources.otlp.record import LogRecord, Span, from_tree, to_tree

NAME = ".otlp-waiting"
"""In the log's directory. No reader of the log takes it for a segment."""

REWRITE_BYTES = 16 * MIB
"""Larger than this, the file is worth being written anew."""

FRAME = {"agent": "-", "event": "waiting"}
"""What the redactor wants to see around a span."""


class Waiting:
    """The file of one log directory. For one thread at a time."""

    def __init__(self, directory: str, redactor: Redactor) -> None:
        self.path = os.path.join(directory, NAME)
        self._redactor = redactor
        self._size = self._size_found()

    def add(self, items: Iterable[Span | LogRecord]) -> None:
        """On return they survive ``kill -9``.

        Raises:
            LogError: the disk does not take them.
        """
        data = b"".join(map(self._line, items))
        if data:
            self._write(self.path, os.O_APPEND, data)
            self._size += len(data)

    def read(self) -> Iterator[Span | LogRecord]:
        """What a hub that has ended left; a line that was torn is passed over."""
        try:
            with open(self.path, "rb") as file:
                lines = file.readlines()
        except OSError:
            return
        for line in lines:
            try:
                yield from_tree(orjson.loads(line)["item"])
            except (ValueError, TypeError, KeyError, AttributeError):
                continue

    def tidy(self, held: Iterable[Span | LogRecord], held_count: int) -> None:
        """Drop those that wait no longer, once that is worth it; a failure costs only space."""
        if not self._size or (held_count and self._size < REWRITE_BYTES):
            return
        data = b"".join(map(self._line, held))
        if data and len(data) * 2 > self._size:
            return
        try:
            self._write(f"{self.path}.new", os.O_TRUNC, data)
            os.replace(f"{self.path}.new", self.path)
            self._size = len(data)
        except (OSError, LogError):
            return

    def _line(self, item: Span | LogRecord) -> bytes:
        """A span longer than a line is cut here; only if the hub ends now is that all there is."""
        line, _ = encode_redacted({**FRAME, "item": to_tree(item)}, self._redactor)
        return line if line.endswith(b"\n") else line + b"\n"

    def _write(self, path: str, how: int, data: bytes) -> None:
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | how, 0o600)
            try:
                view = memoryview(data)
                while view:
                    view = view[os.write(fd, view) :]
            finally:
                os.close(fd)
        except OSError as error:
            raise LogError(f"{path}: {error.strerror}", hint="is there space?") from error

    def _size_found(self) -> int:
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0
