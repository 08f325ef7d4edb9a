"""The hub put together: log, index, live stream, and the thread that joins them."""

import logging
import os
from collections.abc import Callable, Sequence
from typing import Any

from laneway import __version__
from laneway.base.errors import LogError, StoreError
from laneway.base.settings import Settings
from laneway.hub.archive import Archive
from laneway.hub.follower import Follower, Retention
from laneway.hub.line import LineReader
from laneway.hub.live import Live
from laneway.hub.lock import HubLock
from laneway.hub.metric import Metric, resident_bytes
from laneway.hub.pipeline import Intake, Recent
from laneway.log.append import Appender
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.model.redact import Redactor, environment_secrets
from laneway.store.sqlite.store import SqliteStore

INDEX_DIRECTORY = ".index"

PROGRESS_S = 0.5

log = logging.getLogger("laneway.hub")


class Hub:
    """One hub of one log, running from when it is made until `close`. Its parts are thread-safe.

    Raises:
        HubError: another hub has this log, or its directory cannot be used.
        StoreError: the index cannot be opened.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.log_path = LogPath.parse(settings.log_path)
        self.metric = Metric()
        self.redactor = make_redactor(settings)
        recent = Recent()
        self.intake = Intake(self.redactor, self.metric, recent)
        self.lock = HubLock(self.log_path.directory)
        try:
            self.store = SqliteStore(index_path(settings), on_problem=note_problem)
        except BaseException:
            self.lock.release()
            raise
        lines = LineReader(make_redactor(settings), recent)  # what it finds is counted apart
        self._appender = Appender(self.log_path, segment_bytes=settings.segment_bytes)
        self._reader = Reader(self.log_path)
        self._append_fault = ""
        self.archive = Archive(self.store, self._reader, lines)
        self.live = Live(self.store.epoch, settings.live_events, self.metric)
        self.follower = Follower(
            self.log_path,
            self.store,
            self.live,
            lines,
            self.metric,
            self.archive,
            retention=Retention(settings.retention_age, settings.retention_bytes),
            on_forget=self._reader.forget,
        )
        self.follower.start()

    def append(self, lines: Sequence[bytes]) -> None:
        """Put lines into the log; on return they survive ``kill -9``.

        Raises:
            LogError: the log cannot be written; nothing may be acknowledged.
        """
        try:
            self._appender.append(lines)
        except LogError as error:
            self._append_fault = error.message
            self.metric.fault.add(1, "append")
            raise
        self._append_fault = ""
        self.metric.accepted.add(len(lines))
        self.follower.wake(self._appender.segment)

    def lag_bytes(self) -> int:
        """Bytes of the log that are not indexed yet."""
        return self.follower.lag_bytes()

    def health(self) -> dict[str, Any]:
        """What ``/health`` tells; no paths and no names, since it needs no token."""
        fault = self._append_fault or self.follower.fault
        states = self.store.segments()
        return {
            "status": "failing" if fault else "ok",
            "version": __version__,
            "log": {
                "segments": len(self.log_path.numbers()),
                "bytes": self.log_bytes(),
                "writable": not self._append_fault,
            },
            "index": {
                "events": sum(state.event_count for state in states),
                "lag_bytes": self.lag_bytes(),
                "following": not self.follower.fault,
                "quarantined": self.metric.quarantined.total,
            },
            "viewers": self.live.viewer_count,
        }

    def metrics(self) -> str:
        """The page for Prometheus."""
        gauges: dict[str, tuple[str, float]] = {
            "laneway_index_lag_bytes": ("Bytes of the log not indexed yet.", self.lag_bytes()),
            "laneway_log_bytes": ("Bytes of the log's own segments.", self.log_bytes()),
            "laneway_viewers": ("Viewers connected.", self.live.viewer_count),
            "laneway_last_seq": ("Number of the newest indexed event.", self.store.last_seq),
            "process_resident_memory_bytes": ("Memory in RAM.", resident_bytes()),
        }
        return self.metric.render(gauges, dict(self.redactor.counts))

    def log_bytes(self) -> int:
        """Size of the log's own segments."""
        path_of = self.log_path.segment_path
        return sum(_size(path_of(number)) for number in self.log_path.numbers())

    def close(self) -> None:
        """Let the viewers go, finish the batch at hand, and release everything."""
        self.live.close()
        self.follower.stop()
        self._appender.close()
        self.store.close()
        self._reader.close()
        self.lock.release()


def index_path(settings: Settings) -> str:
    """Where the index lives: beside the log, unless the settings name a place."""
    given = os.path.expanduser(settings.index_path)
    return given or os.path.join(LogPath.parse(settings.log_path).directory, INDEX_DIRECTORY)


def _size(path: str) -> int:
    try:
        return os.stat(path).st_size
    except OSError:  # removed since it was listed
        return 0


def make_redactor(settings: Settings) -> Redactor:
    """With the same key as the SDK on this machine, so that marks of one secret agree."""
    key_path = os.path.join(settings.home, "redact.key")
    return Redactor(environment_secrets(os.environ), key_path)


def note_problem(message: str) -> None:
    log.warning("%s", message)


def reindex(settings: Settings, on_progress: Callable[[int, int], None]) -> int:
    """Build the index of a log anew, without a hub; the number of events in it.

    ``on_progress`` is told events so far and bytes left.

    Raises:
        HubError: a hub runs on this log.
        StoreError: the index cannot be written.
    """
    hub = Hub(settings)
    try:
        hub.follower.reindex()
        while not hub.follower.wait_level(PROGRESS_S):
            on_progress(hub.store.last_seq, hub.lag_bytes())
            if hub.follower.fault:
                raise StoreError(f"the index cannot be built: {hub.follower.fault}")
        return hub.store.last_seq
    finally:
        hub.close()
