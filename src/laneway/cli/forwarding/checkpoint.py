"""How far a log was sent to one collector, and the starts whose end has not come."""

import os
from hashlib import blake2b
from typing import Any

import orjson

from laneway.base.errors import LogError
from laneway.base.settings import Settings
from laneway.log.replace import replace_file
from laneway.log.segment import make_directory

Positions = dict[str, tuple[str, int]]


class Checkpoint:
    """One file. It goes forward when the collector has taken a batch; before that, a crash sends it again."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.is_new = True
        self.positions: Positions = {}
        self.opened: list[dict[str, Any]] = []

    @classmethod
    def of(cls, settings: Settings, *told: str) -> "Checkpoint":
        """In the home, one for each log, address and query: ``told``."""
        key = "\0".join((os.path.abspath(settings.log_path), *told)).encode("utf-8", "replace")
        name = blake2b(key, digest_size=8).hexdigest()
        return cls(os.path.join(settings.home, "forward", f"{name}.json"))

    def read(self) -> None:
        """One that cannot be read is as none: all is sent again, with the same ids."""
        try:
            with open(self.path, "rb") as file:
                found: Any = orjson.loads(file.read())
            self.positions = {n: (str(mark), int(end)) for n, (mark, end) in found["log"].items()}
            self.opened = [dict(event) for event in found["open"]]
            self.is_new = False
        except (OSError, ValueError, TypeError, KeyError, AttributeError):
            self.positions, self.opened = {}, []

    def write(self) -> None:
        """At once or not at all.

        Raises:
            LogError: the disk does not take it.
        """
        try:
            make_directory(os.path.dirname(self.path))
            replace_file(self.path, orjson.dumps({"log": self.positions, "open": self.opened}))
        except OSError as error:
            raise LogError(f"{self.path}: {error.strerror or error}") from error
