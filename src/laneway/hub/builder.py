"""The builder: after a start, the indexes of sealed segments that have none are built side by side.

The follower reads one line after the other, in one interpreter. A segment that nobody writes any
more can be read by another process (`laneway.hub.build`), one for each core, while the follower goes
on with the newest; a finished database is moved into the index. What cannot be built so, for
whatever reason, the follower reads as ever.
"""

import logging
import os
import shutil
import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, NamedTuple

from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.hub.channel import pair
from laneway.hub.metric import Metric
from laneway.log.segment import PACKED, LogPath
from laneway.log.series import list_segments
from laneway.log.text import Damage
from laneway.log.whole import open_whole
from laneway.store.sqlite.built import Built
from laneway.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from laneway.hub.intake import BadLine

BUILD_BYTES = 16 * MIB
"""Text of a segment that is worth a process: less is read within two seconds."""

MOST_PROCESSES = 4
"""Each has some 75 MB, and all read one disk."""

LEAST_LINE_BYTES = 24
"""``{"agent":"a","event":"b"}`` has more: so many bytes are one event at most."""

COUNT_BYTES = 4 * MIB
"""Read at a time to count lines."""

FOLDER = "build-"

log = logging.getLogger("laneway.hub")


class Pending(NamedTuple):
    """A segment without an index. ``text_bytes``: its size as plain lines."""

    segment: str
    path: str
    text_bytes: int


Identity = tuple[int, int, int, int]
"""Device, inode, size, time of the last change."""


def identity_of(path: str) -> Identity | None:
    try:
        facts = os.stat(path, follow_symlinks=False)
    except OSError:
        return None
    return facts.st_dev, facts.st_ino, facts.st_size, facts.st_mtime_ns


class Task(NamedTuple):
    """``floor``: the seq before those that are reserved, ``room`` of them."""

    segment: str
    path: str
    folder: str
    floor: int
    room: int


class Outcome(NamedTuple):
    """What came of a task: the index, and what the indexer tells of the lines that it read itself."""

    built: Built
    metric: Metric
    bad_lines: "list[BadLine]"
    damages: list[Damage]
    path: str
    identity: Identity
    """The file that was read, and what it was before."""

    def is_current(self) -> bool:
        """Whether that file still is what was read; `laneway scrub` may have rewritten it."""
        return identity_of(self.path) == self.identity


class Helper(NamedTuple):
    """A process of `laneway.hub.build`: it does one task after the other, until the line is closed."""

    line: "Connection"
    process: subprocess.Popen[bytes]


class Builder:
    """`begin`, `take_done`, `settle` and `close` are for the follower's thread; the others for any."""

    def __init__(self, settings: Settings, index_path: str) -> None:
        self.on_done: Callable[[], None] = lambda: None
        self._settings = settings
        self._index_path = index_path
        self._pending: dict[str, int] = {}
        self._tasks: deque[Task] = deque()
        self._done: deque[tuple[str, Outcome | None]] = deque()
        self._threads: list[threading.Thread] = []
        self._processes: set[subprocess.Popen[bytes]] = set()
        self._idle: list[Helper] = []
        self._lock = threading.Lock()  # processes, and whether any may be started
        self._is_closing = False

    def begin(self, store: SqliteStore) -> bool:
        """Find what is to be built and start with it, the newest first; whether there is anything."""
        self.close()
        self._sweep()
        found = [*self._iter_unknown({state.segment for state in store.segments()})]
        if not found:
            return False
        tasks = []
        for number, pending in enumerate(found):
            room = self._room(pending, is_last=number == len(found) - 1)
            folder = os.path.join(self._index_path, f"{FOLDER}{number}")
            tasks.append(Task(pending.segment, pending.path, folder, store.reserve(room), room))
        self._pending = {pending.segment: pending.text_bytes for pending in found}
        self._tasks = deque(reversed(tasks))
        self._is_closing = False
        count = min(len(tasks), os.cpu_count() or 1, MOST_PROCESSES)
        self._threads = [
            threading.Thread(target=self._work, name="laneway-builder", daemon=True)
            for _ in range(count)
        ]
        for thread in self._threads:
            thread.start()
        return True

    def is_pending(self, segment: str) -> bool:
        """Whether a segment is nobody else's business."""
        return segment in self._pending

    @property
    def is_at_work(self) -> bool:
        return bool(self._pending)

    def lag_bytes(self) -> int:
        return sum(self._pending.copy().values())

    def take_done(self) -> list[tuple[str, Outcome | None]]:
        """Segments that are done with since the last call; None where it failed. They stay pending
        until `settle`."""
        found = []
        while self._done:
            found.append(self._done.popleft())
        return found

    def settle(self, segment: str) -> None:
        """Whoever follows the log has it from now on."""
        self._pending.pop(segment, None)
        if not self._pending:
            self.close()

    def close(self) -> None:
        """End what is at work, and forget it. Safe to call twice."""
        with self._lock:
            self._is_closing = True
            self._tasks.clear()
            for process in self._processes:
                process.kill()
        for thread in self._threads:
            thread.join()
        if self._threads:
            self._sweep()
        self._threads = []
        self._done.clear()
        self._pending = {}

    def _iter_unknown(self, known: set[str]) -> Iterator[Pending]:
        """By name, so that seqs follow the order of the log."""
        log_path = LogPath.parse(self._settings.log_path)
        files = {file.name: file for file in list_segments(log_path) if not file.is_last}
        for name in sorted(files):
            segment = name.removesuffix(PACKED)
            if segment in known or (name != segment and segment in files):
                continue
            path = os.path.join(log_path.directory, name)
            try:
                with open_whole(path) as text:
                    size = text.size
            except OSError:
                continue
            if size >= BUILD_BYTES:
                yield Pending(segment, path, size)

    def _room(self, pending: Pending, *, is_last: bool) -> int:
        """Seqs to reserve. Of the last segment as many as it has lines: what is newer goes on right
        behind it, and the viewers' history ends where the seqs have a gap."""
        if is_last:
            try:
                return _count_lines(pending)
            except OSError:
                pass
        return pending.text_bytes // LEAST_LINE_BYTES + 1

    def _work(self) -> None:
        while True:
            try:
                task = self._tasks.popleft()
            except IndexError:
                self._end_idle()
                return
            outcome = None
            try:
                outcome = self._build(task)
            except Exception as error:  # noqa: BLE001 - the follower reads it, and tells what is wrong
                if not self._is_closing:
                    log.warning("%s is not indexed beside the others: %s", task.segment, error)
            self._done.append((task.segment, outcome))
            self.on_done()

    def _build(self, task: Task) -> Outcome | None:
        helper = self._take_helper()
        if helper is None:
            return None
        try:
            helper.line.send((self._settings, task))
            answer: Outcome | str = helper.line.recv()
        except (EOFError, OSError):
            self._end(helper)
            answer = f"its process ended with code {helper.process.returncode}"
        else:
            with self._lock:
                self._idle.append(helper)
        if isinstance(answer, str):
            raise RuntimeError(answer)
        return answer

    def _take_helper(self) -> "Helper | None":
        """One that has done a task before, or a new one: a start costs 0.3 s. None while closing."""
        with self._lock:
            if self._is_closing:
                return None
            if self._idle:
                return self._idle.pop()
            line, descriptor = pair()
            command = [sys.executable, "-m", "laneway.hub.build", str(descriptor)]
            try:
                process = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                    command, pass_fds=[descriptor], stdin=subprocess.DEVNULL
                )
            except BaseException:
                line.close()
                raise
            finally:
                os.close(descriptor)
            self._processes.add(process)
            return Helper(line, process)

    def _end(self, helper: "Helper") -> None:
        helper.line.close()
        helper.process.wait()
        with self._lock:
            self._processes.discard(helper.process)

    def _end_idle(self) -> None:
        with self._lock:
            idle, self._idle = self._idle, []
        for helper in idle:
            self._end(helper)

    def _sweep(self) -> None:
        """Remove what builders left behind."""
        try:
            names = os.listdir(self._index_path)
        except OSError:
            return
        for name in names:
            if name.startswith(FOLDER):
                shutil.rmtree(os.path.join(self._index_path, name), ignore_errors=True)


def _count_lines(pending: Pending) -> int:
    with open_whole(pending.path) as text:
        count = offset = 0
        while offset < pending.text_bytes:
            part = text.read_lines(offset, COUNT_BYTES)
            if part.end == offset:
                break
            count, offset = count + part.data.count(b"\n"), part.end
        return count
