"""Kills its own process at a named point: ``LANEWAY_FAULT=name:count``, the count-th time it passes.

Python runs this file at its start where the directory is on PYTHONPATH. The
product knows nothing of it and pays nothing for it: functions of its modules are
wrapped when they are imported. `POINTS` is what the tests list.
"""

import importlib.abc
import os
import signal
import sys
from collections.abc import Callable, Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, NamedTuple


class Point(NamedTuple):
    """``call`` as the module reaches it, ``os.write`` or ``Class.method``; before it or after it."""

    module: str
    call: str
    when: str = "after"
    wanted: Callable[..., bool] = lambda *arguments: True
    """Of its arguments: only such a call counts."""


def _is_mark(fd: int, data: bytes) -> bool:
    return not data.strip(b"\n")


def _is_line(fd: int, data: bytes) -> bool:
    return not _is_mark(fd, data)


def _is_place(fd: int, data: bytes) -> bool:
    """The note of how far the spool was sent, and no event."""
    return data.endswith(b" \n")


def _goes_to(name: str) -> Callable[..., bool]:
    return lambda source, target=None: name in os.path.basename(str(target or source))


APPEND, SEGMENT, SYNC = "laneway.log.append", "laneway.log.segment", "laneway.log.sync"
SPOOL, SHIPPER, DROP = "laneway.sdk.spool", "laneway.sdk.shipper", "laneway.sdk.drop"
STORE, DIRECTORY = "laneway.store.sqlite.segment", "laneway.store.sqlite.directory"

POINTS = {
    # the append, in the log and in the spool
    "append-before": Point(APPEND, "os.write", "before", _is_line),
    "append-after": Point(APPEND, "os.write", "after", _is_line),
    "next-created": Point(APPEND, "Appender._seal", "before"),
    "seal-before": Point(APPEND, "os.write", "before", _is_mark),
    "seal-after": Point(APPEND, "os.write", "after", _is_mark),
    "link-made": Point(SEGMENT, "os.symlink"),
    "link-renamed": Point(SEGMENT, "os.replace"),
    "sync-before": Point(SYNC, "sync_file", "before"),
    "sync-after": Point(SYNC, "sync_file"),
    "directory-before": Point(SYNC, "sync_directory", "before"),
    "directory-after": Point(SYNC, "sync_directory"),
    # the shipper
    "post-before": Point("laneway.sdk.post", "Post.send", "before"),
    "post-after": Point("laneway.sdk.post", "Post.send"),
    "position-before": Point(SPOOL, "os.write", "before", _is_place),
    "position-after": Point(SPOOL, "os.write", "after", _is_place),
    "spool-unlink-before": Point(SPOOL, "os.unlink", "before"),
    "spool-unlink-after": Point(SPOOL, "os.unlink"),
    "dropped-before": Point(DROP, "os.replace", "before"),
    "dropped-after": Point(DROP, "os.replace"),
    "drop-unlink-before": Point(DROP, "os.unlink", "before"),
    "drop-unlink-after": Point(DROP, "os.unlink"),
    # the hub and its index
    "hub-before-answer": Point("laneway.hub.hub", "Hub.append"),
    "index-created": Point("laneway.store.sqlite.schema", "create"),
    "commit-before": Point(STORE, "write_summary"),
    "commit-after": Point(STORE, "SegmentWriter.write"),
    "show-before": Point("laneway.hub.intake", "Intake.add"),
    "epoch-before": Point(DIRECTORY, "os.replace", "before", _goes_to("epoch")),
    "epoch-after": Point(DIRECTORY, "os.replace", "after", _goes_to("epoch")),
    "retention-before": Point("laneway.log.retention", "remove_file", "before"),
    "retention-after": Point("laneway.log.retention", "remove_file"),
    "forget-before": Point("laneway.store.sqlite.store", "SqliteStore.forget", "before"),
    "drop-begun": Point(DIRECTORY, "remove_file", "before", lambda path: path.endswith(".db")),
    "drop-ended": Point(DIRECTORY, "Directory.remove"),
}


class _Bomb:
    def __init__(self, point: Point, count: int) -> None:
        self._point = point
        self._left = count

    def wrap(self, real: Callable[..., Any], *, is_method: bool) -> Callable[..., Any]:
        def call(*arguments: Any, **options: Any) -> Any:
            is_due = is_method or self._point.wanted(*arguments)
            if is_due and self._point.when == "before":
                self._pass()
            result = real(*arguments, **options)
            if is_due and self._point.when == "after":
                self._pass()
            return result

        return call

    def _pass(self) -> None:
        self._left -= 1
        if not self._left:
            os.kill(os.getpid(), signal.SIGKILL)

    def plant(self, module: ModuleType) -> None:
        owner, dot, name = self._point.call.rpartition(".")
        if owner == "os":
            module.os = _Os(name, self.wrap(getattr(os, name), is_method=False))  # type: ignore[attr-defined]
            return
        home = getattr(module, owner) if dot else module
        setattr(home, name, self.wrap(getattr(home, name), is_method=bool(dot)))


class _Os:
    """``os`` as one module sees it, with one call replaced."""

    def __init__(self, name: str, call: Callable[..., Any]) -> None:
        setattr(self, name, call)

    def __getattr__(self, name: str) -> Any:
        return getattr(os, name)


class _Finder(importlib.abc.MetaPathFinder):
    """Plants the bomb in its module when that has been loaded."""

    def __init__(self, bomb: _Bomb, module: str) -> None:
        self._bomb = bomb
        self._module = module

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name != self._module:
            return None
        sys.meta_path.remove(self)
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.loader
        load, bomb = spec.loader.exec_module, self._bomb

        def exec_module(module: ModuleType) -> None:
            load(module)
            bomb.plant(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if os.environ.get("LANEWAY_FAULT"):
    import importlib.util

    _name, _, _count = os.environ["LANEWAY_FAULT"].partition(":")
    _point = POINTS[_name]
    sys.meta_path.insert(0, _Finder(_Bomb(_point, int(_count or "1")), _point.module))
