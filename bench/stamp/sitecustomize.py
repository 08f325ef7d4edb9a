"""Stamps of the hub and its indexer as an event passes, for `bench.stages`.

Python runs this file at its start where the directory is on PYTHONPATH. The product knows nothing of it:
functions of its modules are wrapped when they are imported. Each stamp is a line ``stage first until ns``
in the file that ``LANEWAY_STAMPS`` names, of seqs ``[first, until)``.
"""

import importlib.abc
import importlib.util
import os
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from time import time_ns
from types import ModuleType
from typing import Any


def stamp(stage: str, first: int, until: int, ns: int) -> None:
    os.write(FILE, b"%s %d %d %d\n" % (stage.encode(), first, until, ns))


def plant_in_follower(module: ModuleType) -> None:
    owner: Any = module.Follower
    take, add = owner._take, owner._add
    seen = [0]

    def stamped_take(self: Any, chunk: Any) -> Any:
        seen[0] = time_ns()
        return take(self, chunk)

    def stamped_add(self: Any, chunk: Any, records: Any) -> Any:
        decoded_ns = time_ns()
        seqs = add(self, chunk, records)
        if known := [seq for seq in seqs if seq is not None]:
            for stage, ns in (("seen", seen[0]), ("decoded", decoded_ns), ("indexed", time_ns())):
                stamp(stage, known[0], known[-1] + 1, ns)
        return seqs

    owner._take, owner._add = stamped_take, stamped_add


def plant_in_live(module: ModuleType) -> None:
    owner: Any = module.Live
    publish, send = owner.publish, owner._send

    def stamped_publish(self: Any, rows: Any) -> None:
        if rows:
            stamp("handed over", rows[0].seq, rows[-1].seq + 1, time_ns())
        publish(self, rows)

    def stamped_send(self: Any) -> None:
        first, until = self._flushed, self._ring.next
        send(self)
        if first < until:
            stamp("offered", first, until, time_ns())

    owner.publish, owner._send = stamped_publish, stamped_send


PLANTS = {"laneway.hub.follower": plant_in_follower, "laneway.hub.live": plant_in_live}


class Finder(importlib.abc.MetaPathFinder):
    """Plants the stamps in a module when that has been loaded."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        plant = PLANTS.pop(name, None)
        if plant is None:
            return None
        spec = importlib.util.find_spec(name)
        assert spec
        assert spec.loader
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            plant(module)

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


if path := os.environ.get("LANEWAY_STAMPS"):
    FILE = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    sys.meta_path.insert(0, Finder())
