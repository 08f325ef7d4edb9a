"""Builds the indexes of sealed segments, one after the other, in a process of `laneway.hub.builder`.

It follows the log as the indexer does, with the same code, but for this segment alone, into a folder
of its own, and tells nobody. It may be killed at any moment: what it leaves is thrown away.
"""

import gc
import os
import sys
import threading
from collections.abc import Sequence
from multiprocessing.connection import Connection
from queue import SimpleQueue

from laneway.base.errors import LanewayError, LogError
from laneway.base.settings import Settings
from laneway.hub.archive import Archive
from laneway.hub.builder import Outcome, Task, identity_of
from laneway.hub.follower import Follower
from laneway.hub.line import LineReader
from laneway.hub.metric import Metric
from laneway.hub.pipeline import open_side_files
from laneway.hub.ring import Row
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.log.text import Damage
from laneway.model.redact import make_redactor
from laneway.store.sqlite.built import Built
from laneway.store.sqlite.compact import file_digest
from laneway.store.sqlite.store import SqliteStore

NICE = 5
"""What comes now is indexed before what came long ago."""


class Nobody:
    """A `laneway.hub.live.Sink` without viewers."""

    capacity = 0

    def fill(self, epoch: str, rows: Sequence[Row], next_seq: int) -> None: ...
    def publish(self, rows: Sequence[Row]) -> None: ...
    def absorb(self, rows: Sequence[Row]) -> None: ...
    def flush(self) -> None: ...
    def restart(self, epoch: str) -> None: ...


def build(settings: Settings, task: Task) -> Outcome:
    """Raises LanewayError where it cannot be done."""
    identity = identity_of(task.path)
    if identity is None:
        raise LogError(f"{task.path} is gone")
    log_path, metric = LogPath.parse(settings.log_path), Metric()
    damages: list[Damage] = []
    lines = LineReader(make_redactor(settings, os.environ), None, open_side_files(settings))
    reader = Reader(log_path, on_damage=damages.append)
    store = SqliteStore(task.folder, is_bulk=True)
    store.reserve(task.floor)
    follower = Follower(
        log_path, store, Nobody(), lines, metric, Archive(store, reader, lines),
        on_damage=damages.append, skip=lambda segment: segment != task.segment, is_silent=True,
    )  # fmt: skip
    try:
        follower.catch_up()
    finally:
        follower.stop()
        store.close()
        reader.close()
    database = store.database(task.segment)
    with open(database, "rb") as file:
        os.fsync(file.fileno())
    built = Built(database, file_digest(database), task.floor + task.room)
    return Outcome(built, metric, list(follower.quarantine), damages, task.path, identity)


def main(descriptor: int) -> None:
    """Serve tasks until the line is closed."""
    if hasattr(os, "nice"):
        os.nice(NICE)
    gc.disable()  # 30 µs an event: thousands are alive at once, and none is in a cycle
    line = Connection(descriptor)
    tasks: SimpleQueue[tuple[Settings, Task]] = SimpleQueue()
    threading.Thread(target=_receive, args=(line, tasks), daemon=True).start()
    while True:
        settings, task = tasks.get()
        try:
            line.send(build(settings, task))
        except (LanewayError, OSError) as error:
            line.send(getattr(error, "message", "") or f"{type(error).__name__}: {error}")
        gc.collect()


def _receive(line: Connection, tasks: "SimpleQueue[tuple[Settings, Task]]") -> None:
    """At the end of the line, in the midst of a task too, nobody wants what it makes."""
    try:
        while True:
            tasks.put(line.recv())
    except (EOFError, OSError):
        os._exit(0)


if __name__ == "__main__":
    main(int(sys.argv[1]))
