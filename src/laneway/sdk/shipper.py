"""The shipper: a daemon thread that forwards the spool to the hub, at least once and in order.

The place in the spool advances only after the hub's 2xx. A lost reply makes a
repeat, which the hub knows by the event's id. There is no limit on age: what
could not be sent waits in the spool, and any later process sends it.
"""

import os
import threading
from collections.abc import Callable
from random import random
from time import monotonic

from laneway.base.errors import LanewayError
from laneway.base.limits import BATCH_EVENTS, KIB, MIB
from laneway.base.settings import Settings
from laneway.sdk.drop import read_dropped, segments_held
from laneway.sdk.post import Refusal, open_post
from laneway.sdk.spool import SIDE_MARK, Spool

try:
    from fcntl import LOCK_EX, LOCK_NB, flock
except ImportError:  # Windows: one process a spool

    def flock(fd: int, operation: int, /) -> None:  # type: ignore[misc]
        return None

    LOCK_EX = LOCK_NB = 0  # type: ignore[misc]

IDLE_S = 0.05
"""The lock's holder looks this often for lines of other processes; its own wake it at once."""

GATHER_S, GATHER_BYTES = 0.006, 64 * KIB
"""While less than this is sent at a time, the next batch begins so long after the one before: a request of
six events costs sender and hub little more than one of one. The first after a pause goes at once."""

STAND_BY_S = 0.5
"""The others look this often whether the lock is free."""

SWEEP_S = 5.0
"""Between two looks for side files of what was sent."""

BACK_OFF_S = (0.1, 5.0)
"""First and longest pause after a failure; each is doubled, with jitter so that a fleet spreads."""

TOO_MANY = 429
"""The hub asks for patience; nobody need be told, unless it goes on."""


class Shipper:
    """Forwards one spool. `start` is cheap; `drain` and `stop` may be called from any thread."""

    def __init__(self, spool: Spool, settings: Settings, complain: Callable[[str], None]) -> None:
        self.spool = spool
        self._post = open_post(settings)
        self._complain = complain
        self._wake = threading.Event()
        self._hurry = threading.Event()  # nobody shall gather: somebody waits for the end
        self._drains: list[
            None
        ] = []  # one for each `drain` at work: a count that threads may share
        self._gather_until_s = 0.0
        self._is_stopping = False
        self._lock_fd = -1
        self._batch_events = BATCH_EVENTS
        self._body_bytes = settings.body_bytes
        self._sweep_at_s = 0.0
        self._failures = 0
        self._not_before_s = 0.0
        self._shipped = 0
        self._rejected = 0
        self._last_error = ""
        self._thread = threading.Thread(target=self._run, name="laneway-shipper", daemon=True)

    def start(self) -> None:
        """A host at its limit of threads keeps its events in the spool; `wake` tries again."""
        try:
            self._thread.start()
        except RuntimeError as fault:
            self._last_error = str(fault)
            self._complain(f"events wait in the spool: {fault}")

    def wake(self) -> None:
        if not self._wake.is_set():
            self._wake.set()
            if self._thread.ident is None and not self._is_stopping:
                self.start()

    def drain(self, timeout_s: float) -> bool:
        """Wait until the hub has all that stands in the spool now; True if it has."""
        until_s = monotonic() + timeout_s
        end = self.spool.end()
        self._failures = 0
        self._drains.append(None)
        try:
            self._hurry.set()
            self.wake()
            while not self._has_shipped(end):
                if monotonic() >= until_s or not self._thread.is_alive():
                    return False
                threading.Event().wait(0.005)
            return True
        finally:
            self._drains.pop()

    def stop(self, timeout_s: float = 2.0) -> None:
        """End after the batch at hand, so that nobody sends it again."""
        self._is_stopping = True
        self._hurry.set()
        self._wake.set()
        if self._thread.ident is not None:
            self._thread.join(timeout_s)

    def stats(self) -> dict[str, object]:
        return {
            "shipped": self._shipped,
            "rejected": self._rejected,
            "dropped": read_dropped(self.spool.directory),
            "spool_bytes": self.spool.backlog_bytes(),
            "last_error": self._last_error,
        }

    def _has_shipped(self, end: tuple[int, int]) -> bool:
        try:
            return end[1] == 0 or self.spool.read_position() >= end
        except OSError:
            return False

    def _run(self) -> None:
        try:
            while not self._is_stopping:
                pause_s = self._turn()
                if pause_s and self._wake.wait(pause_s) and self._failures:
                    threading.Event().wait(min(pause_s, BACK_OFF_S[0]))
                self._gather()
                self._wake.clear()
        finally:
            self._post.close()
            self._release()

    def _gather(self) -> None:
        """After a batch of few."""
        until_s, self._gather_until_s = self._gather_until_s, 0.0
        rest_s = until_s - monotonic()
        if rest_s > 0 and not self._drains and not self._is_stopping:
            self._hurry.wait(rest_s)
        self._hurry.clear()

    def _turn(self) -> float:
        """Forward one batch; the pause before the next turn."""
        asked_s = self._not_before_s - monotonic()
        if asked_s > 0:  # new events wake this thread, and do not shorten what the hub asked for
            return asked_s
        try:
            if not self._hold():
                return STAND_BY_S
            has_more = self._ship_batch()
            self._sweep()
        except (OSError, LanewayError) as error:
            return self._fail(error)
        except Exception as fault:  # noqa: BLE001 - a fault of ours: the thread lives on, and tries
            return self._fail(LanewayError(f"{type(fault).__name__}: {fault}"))
        self._failures = 0
        return 0.0 if has_more else IDLE_S

    def _fail(self, error: Exception) -> float:
        self._failures += 1
        self._last_error = told = _tell(error)
        asked_s = error.retry_after_s if isinstance(error, Refusal) else 0.0
        self._not_before_s = monotonic() + asked_s
        is_refusal = isinstance(error, Refusal) and error.status != TOO_MANY
        if self._failures >= 3 or is_refusal:
            self._complain(f"events wait in the spool: {told}")
        longest_s = min(BACK_OFF_S[1], BACK_OFF_S[0] * 2.0 ** min(self._failures, 10))
        return max(asked_s, longest_s * (0.5 + random() / 2))  # noqa: S311 - jitter, no secret

    def _ship_batch(self) -> bool:
        begun_s = monotonic()
        number, offset = self.spool.read_position()
        lines, end = self.spool.read_batch(number, offset, self._batch_events, MIB)
        if end == offset:
            return self._next_segment(number, offset)
        whole = next((i for i, line in enumerate(lines) if SIDE_MARK in line), None)
        if whole is not None:  # goes alone, for it may fill a request
            lines, end = self.spool.read_batch(number, offset, max(whole, 1), MIB)
        if lines and SIDE_MARK in lines[0]:
            self._send_whole(lines[0])
        elif lines and not self._send(lines):
            return True
        self.spool.write_position(number, end)
        if end - offset < GATHER_BYTES:
            self._gather_until_s = begun_s + GATHER_S
        return True

    def _send(self, lines: list[bytes]) -> bool:
        """False if the batch was too large and a smaller one must be tried."""
        try:
            rejected = self._post.send(lines)
        except Refusal as refusal:
            if refusal.status != 413:
                raise
            if len(lines) > 1:
                self._batch_events = max(1, len(lines) // 2)
                return False
            rejected = [0]
        self._batch_events = BATCH_EVENTS
        if rejected:
            self.spool.reject([lines[index] for index in rejected if index < len(lines)])
        self._rejected += len(rejected)
        self._shipped += len(lines) - len(rejected)
        return True

    def _send_whole(self, line: bytes) -> None:
        """Send one event with its payloads, or without the rest of them where the hub takes no such body."""
        whole = self.spool.inline(line)
        try:
            rejected = self._post.send([whole]) if len(whole) <= self._body_bytes else None
        except Refusal as refusal:
            if refusal.status != 413:
                raise
            rejected = None
        if rejected is None:
            self.spool.side.lose("side_too_large")
            self._send([self.spool.bare(line)])
            return
        if rejected:
            self.spool.reject([whole])
        self._rejected += len(rejected)
        self._shipped += 1 - len(rejected)

    def _sweep(self) -> None:
        if monotonic() >= self._sweep_at_s:
            self._sweep_at_s = monotonic() + SWEEP_S
            self.spool.sweep()

    def _next_segment(self, number: int, offset: int) -> bool:
        if not self.spool.is_finished(number, offset):
            return False
        try:
            with segments_held(self.spool.directory):
                following = [n for n in self.spool.log_path.numbers() if n > number]
                if not following:
                    return False
                self.spool.write_position(following[0], 0)
        except BlockingIOError:  # somebody makes room
            return False
        self.spool.remove(number)
        return True

    def _hold(self) -> bool:
        """Whether this process is the one that forwards."""
        if self._lock_fd >= 0:
            return True
        if not os.path.isdir(self.spool.directory):
            return False
        path = os.path.join(self.spool.directory, "ship.lock")
        fd = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o600)
        try:
            flock(fd, LOCK_EX | LOCK_NB)
        except OSError:
            os.close(fd)
            return False
        self._lock_fd = fd
        return True

    def _release(self) -> None:
        if self._lock_fd >= 0:
            os.close(self._lock_fd)
            self._lock_fd = -1


def _tell(error: Exception) -> str:
    if isinstance(error, ConnectionRefusedError):
        return f"nobody answers there ({error.strerror})"
    return getattr(error, "strerror", None) or str(error)
