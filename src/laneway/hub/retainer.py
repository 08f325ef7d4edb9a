"""The retainer: a thread that removes the oldest segments of the log once they are too old or too many.

It waits for nobody: a follower that lags, or that cannot write its index, must not let the disk fill
up. The follower sees that a segment is gone, and drops its index after the batch at hand; what it had
not read of it counts as broken (``laneway_broken_bytes_total``) and is said.
"""

import logging
import threading
from time import thread_time
from typing import NamedTuple

from laneway.hub.backend import Backend
from laneway.log.patience import PatientClock
from laneway.log.retention import apply_retention
from laneway.log.segment import LogPath
from laneway.log.series import list_segments

LOOK_S = 60.0
"""Between two looks for segments that have become too old."""

BOUNDED_S, BOUNDED_SHARE = 0.1, 0.1
"""Between two looks where a total size is set, so that the log takes hardly more at any time; longer
where a look takes more than this share of a core. Its own work alone counts: on a machine that is
busy with others it must not become rarer."""

log = logging.getLogger("laneway.hub")


class Retention(NamedTuple):
    age_s: float = 0.0
    total_bytes: int = 0


class Retainer:
    """`start` and `stop` once each; without rules it does nothing."""

    def __init__(self, log_path: LogPath, store: Backend, rules: Retention) -> None:
        self._log_path = log_path
        self._store = store
        self._rules = rules
        newest_ns = max((file.mtime_ns for file in list_segments(log_path)), default=0)
        self._clock = PatientClock(newest_ns)
        self._fault = ""
        self._is_stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="laneway-retainer", daemon=True)

    def start(self) -> None:
        """What is due at the start is gone when this returns."""
        if self._rules != Retention():
            self._try_look()
            self._thread.start()

    def stop(self) -> None:
        """Safe to call twice."""
        self._is_stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def look(self) -> list[str]:
        """Remove what is due; the names of the segments."""
        rules, was_waiting = self._rules, self._clock.is_waiting
        removed = apply_retention(
            self._log_path,
            age_s=rules.age_s,
            total_bytes=rules.total_bytes,
            time_ns=self._clock.now_ns(),
            index_bytes=self._store.size_bytes,
        )
        if rules.age_s and self._clock.is_waiting and not was_waiting:
            log.warning("the clock is far ahead of the log: nothing becomes too old for an hour")
        for segment in removed:
            log.info("retention removed %s", segment)
        return removed

    def _run(self) -> None:
        pause_s = BOUNDED_S
        while not self._is_stopping.wait(pause_s):
            begun_s = thread_time()
            self._try_look()
            worked_s = thread_time() - begun_s
            is_bounded = self._rules.total_bytes > 0
            pause_s = max(BOUNDED_S, worked_s / BOUNDED_SHARE) if is_bounded else LOOK_S

    def _try_look(self) -> None:
        try:
            self.look()
            self._fault = ""
        except OSError as error:  # the next look may go better
            if str(error) != self._fault:
                log.warning("retention: %s", error)
            self._fault = str(error)
