"""Calls of the operating system that fail on demand: call number N, once or several times running."""

import builtins
import errno
import os
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest

CALLS = frozenset({
    "write", "open", "pread", "fstat", "stat", "listdir", "close", "fsync", "fdatasync", "replace",
    "readlink", "symlink", "unlink", "makedirs", "flock",
})  # fmt: skip

KINDS = {
    "EIO": errno.EIO,
    "ENOSPC": errno.ENOSPC,
    "EINTR": errno.EINTR,
    "EACCES": errno.EACCES,
    "short": errno.ENOSPC,
}
"""``short``: half of a write reaches the disk and no error is told; every other call fails."""

WRITES = frozenset({"write", "flock"})
"""Where only these fail, a line is cut short while nobody holds the lock."""


class Faults:
    """Counts the calls, and lets those numbered ``[at, at + count)`` fail, from 1."""

    def __init__(
        self, kind: str = "EIO", at: int = 0, count: int = 1, only: frozenset[str] = CALLS
    ) -> None:
        self.kind, self.at, self.count, self.only = kind, at, count, only
        self.names: list[str] = []

    @property
    def has_fired(self) -> bool:
        return 0 < self.at <= len(self.names)

    def strikes(self, name: str) -> bool:
        if name not in self.only:
            return False
        self.names.append(name)
        return self.at <= len(self.names) < self.at + self.count and self.at > 0

    def wrap(self, name: str, real: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            if not self.strikes(name):
                return real(*arguments, **options)
            if name == "close":
                real(*arguments)  # as on Linux: it fails, and the descriptor is gone
            if name == "write" and self.kind == "short":
                fd, data = arguments
                return real(fd, data[: len(data) // 2])
            raise OSError(KINDS[self.kind], f"injected into {name}")

        return call


class FaultyOs:
    """``os`` as one module sees it."""

    def __init__(self, faults: Faults) -> None:
        for name in CALLS & set(dir(os)):
            setattr(self, name, faults.wrap(name, getattr(os, name)))

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


def inject(monkeypatch: pytest.MonkeyPatch, faults: Faults, *modules: ModuleType) -> None:
    """Let the calls that these modules make go through ``faults``."""
    for module in modules:
        monkeypatch.setattr(module, "os", FaultyOs(faults))
        if hasattr(module, "flock"):
            monkeypatch.setattr(module, "flock", faults.wrap("flock", module.flock))
        monkeypatch.setattr(module, "open", faults.wrap("open", builtins.open), raising=False)
