"""Where a finished line goes: the appender, or memory for as long as the disk refuses it."""

from _thread import RLock, start_new_thread
from time import monotonic, sleep

from laneway.base.errors import LogError
from laneway.base.words import number_of
from laneway.log.syncer import shared as syncer

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from laneway.log.append import Appender

WAITING_BYTES = 8 * 1024 * 1024
"""Lines kept in memory while the disk refuses them; past it they are lost, and counted."""

RETRY_S = 0.5
"""Pause before the disk is tried again; a log that can be written again has everything within 1 s,
whether or not the host logs anything more."""

TRY_LINES = 100
"""Waiting lines written at a time."""


class Outbox:
    """Keeps the order of lines; raises nothing. Thread-safe."""

    def __init__(
        self, appender: "Appender", complain: "Callable[[str], None]", *, is_durable: bool = False
    ) -> None:
        self.recorded = 0
        self.lost: dict[str, int] = {}
        self.sync_faults = 0
        """Syncs that failed behind acknowledged lines: those may be lost in a power cut."""
        appender.on_sync_fault = self._note_sync_fault
        self._appender = appender
        self._complain = complain
        self._is_durable = is_durable
        self._lock = RLock()  # a signal handler may come back into it
        self._waiting: list[bytes] = []
        self._in_hand = 0  # taken out of ``_waiting`` by the one who writes them now
        self._held_bytes = 0
        self._retry_at_s = 0.0
        self._has_thread = False

    @property
    def waiting(self) -> int:
        return len(self._waiting) + self._in_hand

    def keep(self, line: bytes) -> bool:
        """Write ``line``, or hold it in memory; False if there was no room for that either, and
        for a held line too where True means that it is on the disk."""
        if self._waiting or self._in_hand:
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
            if self._in_hand:
                return
            lines, self._waiting = self._waiting, []
            self._in_hand = len(lines)
        done = 0
        try:
            while done < len(lines):
                batch = lines[done : done + TRY_LINES]
                self._appender.append(batch)
                done += len(batch)
        except LogError:
            self._retry_at_s = monotonic() + RETRY_S
        finally:  # also where Ctrl-C ends it
            with self._lock:
                self.recorded += done
                self._waiting = lines[done:] + self._waiting
                self._in_hand = 0
                self._held_bytes = sum(map(len, self._waiting))

    def lose(self, reason: str, count: int = 1) -> None:
        with self._lock:
            self.lost[reason] = self.lost.get(reason, 0) + count

    def settle(self, timeout_s: float) -> None:
        """Sync what was written, rather than leave the last quarter of a second to whoever comes next."""
        syncer.settle(timeout_s)

    def _note_sync_fault(self, reason: str) -> None:
        self.sync_faults += 1
        self._complain(f"the disk cannot be synced, so a power cut may cost events: {reason}")

    def close(self) -> None:
        self.write_waiting(now=True)
        with self._lock:
            lines, self._waiting = self._waiting, []
        if lines:
            self.lose("log_unwritable", len(lines))
            self._complain(f"{number_of(len(lines), 'event')} lost: the log cannot be written")
        self._appender.close()

    def _hold(self, line: bytes) -> bool:
        with self._lock:
            if self._held_bytes + len(line) > WAITING_BYTES:
                self.lose("log_unwritable")
                return False
            self._waiting.append(line)
            self._held_bytes += len(line)
            is_first, self._has_thread = not self._has_thread, True
        if is_first:
            self._start_thread()
        return not self._is_durable

    def _start_thread(self) -> None:
        """A host that says nothing more must not keep its last events from the log."""
        try:
            start_new_thread(self._retry, ())
        except RuntimeError:  # no more threads: the next event tries again
            self._has_thread = False

    def _retry(self) -> None:
        while True:
            sleep(RETRY_S)
            with self._lock:
                if not self._waiting and not self._in_hand:
                    self._has_thread = False
                    return
            try:
                self.write_waiting(now=True)
            except Exception as fault:  # noqa: BLE001 - a thread must not print into a host
                self._complain(f"waiting events were not written: {type(fault).__name__}")
