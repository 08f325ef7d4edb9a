"""What a hub remembers about the bus, beside its log: who it is there, and how far the log is published."""

import os
import secrets
from typing import Any

import orjson

from laneway.base.errors import LogError
from laneway.log.replace import replace_file
from laneway.log.segment import LogPath, make_directory
from laneway.log.series import place_series
from laneway.sdk.bus.subject import encode_name

DIRECTORY = ".bus"

Positions = dict[str, tuple[str, int]]
"""File name → (fingerprint, offset of the first line that the bus has not acknowledged)."""


class Place:
    """The directory ``.bus`` of one log, for one stream. Removing it means: publish all again."""

    def __init__(self, log_path: LogPath, stream: str) -> None:
        """
        Raises:
            LogError: the directory cannot be written.
        """
        self._directory = os.path.join(log_path.directory, DIRECTORY)
        self._path = os.path.join(self._directory, f"{encode_name(stream)}.json")
        self.series = place_series(log_path, "bus", stream)
        try:
            make_directory(self._directory)
            self.hub = self._read_hub()
        except OSError as error:
            raise LogError(f"{self._directory}: {error.strerror}") from error

    def _read_hub(self) -> str:
        """A name that no other hub has; it tells which messages are our own."""
        path = os.path.join(self._directory, "hub")
        try:
            with open(path, encoding="ascii") as file:
                if name := file.read().strip():
                    return name
        except FileNotFoundError:
            pass
        name = secrets.token_hex(8)
        replace_file(path, name.encode())
        return name

    def read_positions(self) -> Positions:
        """Empty where there is no note, or none that can be read: repeats have the same ids."""
        try:
            with open(self._path, "rb") as file:
                found: Any = orjson.loads(file.read())
            return {name: (str(mark), int(offset)) for name, (mark, offset) in found.items()}
        except (OSError, ValueError, TypeError, AttributeError):
            return {}

    def write_positions(self, positions: Positions) -> None:
        """Atomic: a crash leaves the old note or the new one.

        Raises:
            LogError: the disk does not take it; what it says is published again after a restart.
        """
        try:
            replace_file(self._path, orjson.dumps(positions))
        except OSError as error:
            raise LogError(f"{self._path}: {error.strerror}") from error
