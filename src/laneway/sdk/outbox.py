"""Where a finished line goes: the appender, or memory for as long as the disk refuses it."""

from _thread import allocate_lock
from time import monotonic

from laneway.base.errors import LogError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from laneway.log.append import Appender

WAITING_BYTES = 8 * 1024 * 1024
"""Lines kept in memory while the disk refuses them; past it they are lost, and counted."""

RETRY_S = 0.5
"""Pause before the disk is tried again; a log that is writable again has everything within 1 s."""

TRY_LINES = 100
"""Waiting lines written at a time."""


class Outbox:
    """Keeps the order of lines; raises nothing. Thread-safe."""

    def __init__(self, appender: "Appender", complain: "Callable[[str], None]") -> None:
        self.recorded = 0
        self.lost: dict[str, int] = {}
        self._appender = appender
        self._complain = complain
        self._lock = allocate_lock()
        self._waiting: list[bytes] = []
        self._waiting_bytes = 0
        self._retry_at_s = 0.0

    @property
    def waiting(self) -> int:
        return len(self._waiting)

    def keep(self, line: bytes) -> bool:
        """Write ``line``, or hold it in memory; False if there was no room for that either."""
        if self._waiting:
            is_held = self._hold(line)
            self.write_waiting()
            return is_held
        try:
            self._appender.append((line,))
        except LogError as error:
            self._retry_at_s = monotonic() + RETRY_S
            self._complain(f"events wait in memory: {error}")
            return self._hold(line)
        self.recorded += 1
        return True

    def write_waiting(self, *, now: bool = False) -> None:
        """Try to write what waits, not more often than every `RETRY_S` unless ``now``."""
        if not self._waiting or (monotonic() < self._retry_at_s and not now):
            return
        with self._lock:
            lines, self._waiting, self._waiting_bytes = self._waiting, [], 0
        done = 0
        try:
            while done < len(lines):
                batch = lines[done : done + TRY_LINES]
                self._appender.append(batch)
                done += len(batch)
        except LogError:
            self._retry_at_s = monotonic() + RETRY_S
        self.recorded += done
        if done < len(lines):
            with self._lock:
                self._waiting = lines[done:] + self._waiting
                self._waiting_bytes = sum(map(len, self._waiting))

    def lose(self, reason: str, count: int = 1) -> None:
        self.lost[reason] = self.lost.get(reason, 0) + count

    def close(self) -> None:
        self.write_waiting(now=True)
        if self._waiting:
            self.lose("log_unwritable", len(self._waiting))
            self._waiting = []
        self._appender.close()

    def _hold(self, line: bytes) -> bool:
        with self._lock:
            if self._waiting_bytes + len(line) > WAITING_BYTES:
                self.lose("log_unwritable")
                return False
            self._waiting.append(line)
            self._waiting_bytes += len(line)
            return True
