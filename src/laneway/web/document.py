"""A small JSON document in the home: for its owner only, replaced whole, changed under a lock.

The command line changes it while a hub reads it, and several hubs may share one home.
"""

import os
from collections.abc import Callable
from secrets import token_hex
from typing import Any

import orjson

from laneway.base.errors import SettingError
from laneway.base.limits import MIB
from laneway.log.segment import make_directory
from laneway.log.text import open_own

try:
    from fcntl import LOCK_EX, flock
except ImportError:  # Windows: the last of two changes at once wins

    def flock(fd: int, operation: int, /) -> None:  # type: ignore[misc]
        return

    LOCK_EX = 0  # type: ignore[misc]

MOST_BYTES = MIB
"""Thousands of tokens or sessions; a larger file is not ours."""

Content = dict[str, Any]
Stamp = tuple[int, int, int]
"""What tells two states of a file apart: inode, time of change, size."""

MISSING: Stamp = (0, 0, 0)


class Document:
    """One file, an object with ``version`` 1. Safe between threads and processes."""

    def __init__(self, path: str) -> None:
        self.path = path

    def stamp(self) -> Stamp:
        return stamp_of(self.path)

    def read(self) -> Content:
        """Its content; empty where there is no file.

        Raises:
            SettingError: it cannot be read, or is no such document.
        """
        try:
            with open(self.path, "rb", opener=open_own) as file:
                text = file.read(MOST_BYTES + 1)
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise SettingError(f"{self.path}: {error.strerror}") from error
        try:
            content = orjson.loads(text)
        except orjson.JSONDecodeError as error:
            raise self._not_ours(str(error)) from None
        if not isinstance(content, dict) or content.get("version") != 1:
            raise self._not_ours('"version" is not 1')
        return content

    def change(self, edit: Callable[[Content], None]) -> None:
        """Let ``edit`` change the content in place, and write it; nobody else changes it meanwhile.

        Raises:
            SettingError: it cannot be read or written; it is then as it was.
        """
        try:
            make_directory(os.path.dirname(self.path))
            lock = os.open(f"{self.path}.lock", os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise SettingError(f"{self.path}: {error.strerror}") from error
        try:
            flock(lock, LOCK_EX)
            content = self.read() or {"version": 1}
            edit(content)
            replace(self.path, orjson.dumps(content, option=orjson.OPT_INDENT_2) + b"\n")
        finally:
            os.close(lock)

    def _not_ours(self, reason: str) -> SettingError:
        return SettingError(
            f"{self.path} cannot be read: {reason}",
            hint="move it away; `laneway token new` begins another one",
        )


def stamp_of(path: str) -> Stamp:
    try:
        facts = os.stat(path)
    except FileNotFoundError:
        return MISSING
    except OSError:  # there, and out of reach for now: what was read of it stays
        return (-1, 0, 0)
    return (facts.st_ino, facts.st_mtime_ns, facts.st_size)


def replace(path: str, data: bytes) -> None:
    """Let ``path`` hold ``data``: all of it or none, on the disk before it has the name, mode 0600.

    Raises:
        SettingError: it cannot be written; what was there is there still.
    """
    draft = f"{path}.{os.getpid()}.{token_hex(4)}"
    try:
        fd = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with open(fd, "wb") as file:
                file.write(data)
                file.flush()
                os.fsync(fd)
            os.replace(draft, path)
        except BaseException:
            os.unlink(draft)
            raise
    except OSError as error:
        raise SettingError(f"{path}: {error.strerror}", hint="is the home writable?") from error
