"""The keeper: a thread of the indexer that seals and compresses finished segments, compacts their
indexes, and reads everything that no longer changes once a day, so that damage is found before somebody asks.

The work that costs something is done by `laneway.hub.chore`, one piece at a time.
"""

import logging
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from time import monotonic

import orjson

from laneway.hub.backend import Backend
from laneway.log.segment import PACKED, LogPath
from laneway.log.series import list_private, list_segments
from laneway.log.text import Damage

FIRST_S = 2.0
"""After the start: the hub shall be ready first."""

ROUND_S = 15.0
"""Between two looks for something to do; each lists the directory once."""

VERIFY_S = 86_400.0
"""Between two readings of what does not change."""

REST = 4
"""Reading pauses so many times as long as it took: it costs a fifth of a core while it lasts."""

CHORE_S = 3_600.0
"""A chore that takes this long hangs: 256 MiB take 10 s on a slow disk."""

NICE = 19
"""Of chores: they wait for everybody else."""

log = logging.getLogger("laneway.hub")


class Keeper:
    """`start` and `stop` once each."""

    def __init__(
        self,
        log_path: LogPath,
        store: Backend,
        note_damage: Callable[[Damage], None],
        *,
        compress: bool,
        settled_s: float,
    ) -> None:
        self._log_path = log_path
        self._store = store
        self._note_damage = note_damage
        self._compress = compress
        self._settled_s = settled_s
        self._verified_s: dict[tuple[str, object], float] = {}
        self._is_stopping = threading.Event()
        self._chore: subprocess.Popen[bytes] | None = None
        self._said: set[str] = set()
        self._thread = threading.Thread(target=self._run, name="laneway-keeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """A chore at work is killed: it leaves nothing half done. Safe to call twice."""
        self._is_stopping.set()
        chore = self._chore
        if chore and chore.poll() is None:
            chore.kill()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        pause_s = FIRST_S
        while not self._is_stopping.wait(pause_s):
            try:
                self.work()
            except Exception as error:  # noqa: BLE001 - the next round may go better
                self._say(f"{type(error).__name__}: {error}")
            pause_s = ROUND_S

    def work(self) -> None:
        """One round: everything that is due."""
        if os.path.isdir(self._log_path.directory):
            self._tend_plain()
        for segment in self._packed_segments():
            if self._is_stopping.is_set():
                return
            self._compact(segment)
        self._verify()

    def _tend_plain(self) -> None:
        from laneway.log.compress import CAN_COMPRESS, seal_settled, sweep

        if not CAN_COMPRESS:
            return
        all_series = [self._log_path, *list_private(self._log_path)]
        for series in all_series:
            try:
                seal_settled(series, settled_s=self._settled_s)
            except OSError as error:
                self._say(f"a segment cannot be sealed: {error.strerror or error}")
        if self._compress:
            sweep(self._log_path.directory)
            for segment in self._iter_sealed(all_series):
                self._do("compress", self._log_path.directory, segment)

    def _iter_sealed(self, all_series: Sequence[LogPath]) -> Iterator[str]:
        from laneway.log.compress import find_sealed

        indexed = {state.segment: state.indexed_bytes for state in self._store.segments()}
        for series in all_series:
            for segment in find_sealed(series, settled_s=self._settled_s):
                path = os.path.join(series.directory, segment)
                if not self._is_stopping.is_set() and indexed.get(segment) == _size(path):
                    yield segment

    def _packed_segments(self) -> list[str]:
        files = list_segments(self._log_path)
        names = {file.name for file in files}
        packed = [name.removesuffix(PACKED) for name in names if name.endswith(PACKED)]
        return sorted(segment for segment in packed if segment not in names)

    def _compact(self, segment: str) -> None:
        database = self._store.compactable(segment)
        if not database:
            return
        target = f"{database}.new"
        digest = self._do("compact", database, target)
        try:
            if digest and not self._is_stopping.is_set():
                self._store.adopt(segment, target, digest)
        finally:
            try:
                os.unlink(target)
            except FileNotFoundError:
                pass

    def _do(self, verb: str, *arguments: str) -> str:
        """The chore's answer, empty where it failed or had nothing to do."""
        command = [sys.executable, "-m", "laneway.hub.chore", str(NICE), verb, *arguments]
        watched, held = os.pipe()  # closes with us, however we end, and the chore ends with it
        try:
            chore = subprocess.Popen(  # noqa: S603 - our own module, by our own interpreter
                command, stdin=watched, stdout=subprocess.PIPE, stderr=subprocess.PIPE
            )
        finally:
            os.close(watched)
        with _held(held), chore:
            self._chore = chore
            if self._is_stopping.is_set():
                chore.kill()
            try:
                answer, problem = chore.communicate(timeout=CHORE_S)
            except subprocess.TimeoutExpired:
                chore.kill()
                answer, problem = chore.communicate()
            finally:
                self._chore = None
        if chore.returncode and not self._is_stopping.is_set():
            self._say(problem.decode(errors="replace").strip().rpartition("\n")[2])
        return str(orjson.loads(answer) or "") if answer and not chore.returncode else ""

    def _verify(self) -> None:
        """Read what does not change and was not read for a day."""
        for segment in self._packed_segments():
            if self._is_due(segment, "log"):
                self._verify_packed(segment)
        for state in self._store.segments():
            if self._is_stopping.is_set():
                return
            if self._is_due(state.segment, "index"):
                begun_s = monotonic()
                self._store.verify(state.segment)
                self._is_stopping.wait((monotonic() - begun_s) * REST)

    def _is_due(self, segment: str, part: str) -> bool:
        now_s = monotonic()
        if now_s - self._verified_s.get((segment, part), -VERIFY_S) < VERIFY_S:
            return False
        self._verified_s[segment, part] = now_s
        return True

    def _verify_packed(self, segment: str) -> None:
        from laneway.log.frame import DamageError
        from laneway.log.seekable import SeekableFile

        try:
            packed = SeekableFile(os.path.join(self._log_path.directory, segment + PACKED))
            if packed.layout.fault:
                self._note_damage(Damage(segment, 0, 0, 0, packed.layout.fault))
            for number in range(len(packed.layout.frames)):
                begun_s = monotonic()
                try:
                    packed.read_frame(number)
                except DamageError as error:
                    self._note_damage(error.damage)
                if self._is_stopping.wait((monotonic() - begun_s) * REST):
                    return
        except OSError:  # removed or written anew meanwhile
            self._verified_s.pop((segment, "log"), None)
            return
        self._verify_end(segment, packed.size)

    def _verify_end(self, segment: str, size: int) -> None:
        """Where head and tables are lost, the index knows how much there was."""
        for state in self._store.segments():
            if state.segment == segment and state.indexed_bytes > size:
                self._note_damage(Damage(segment, size, state.indexed_bytes, -1, "it was cut"))

    def _say(self, problem: str) -> None:
        if problem not in self._said:  # said once, not every round
            self._said.add(problem)
            log.warning("%s", problem)


@contextmanager
def _held(fd: int) -> Iterator[None]:
    try:
        yield
    finally:
        os.close(fd)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1
