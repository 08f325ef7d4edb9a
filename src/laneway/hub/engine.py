"""The index and what feeds it: store, archive and follower of one log, put together.

The hub runs it in a process of its own, the command line in its own process.
"""

import logging
import os
from collections.abc import Callable

from laneway.base.settings import Settings
from laneway.hub.archive import Archive
from laneway.hub.channel import Status
from laneway.hub.follower import Follower, Retention
from laneway.hub.line import LineReader
from laneway.hub.live import Sink
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Recent, make_redactor
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.store.sqlite.store import SqliteStore

INDEX_DIRECTORY = ".index"

log = logging.getLogger("laneway.hub")


class Engine:
    """Runs from when it is made until `close`. Thread-safe.

    Raises:
        StoreError: the index cannot be opened.
    """

    def __init__(
        self,
        settings: Settings,
        sink: Sink,
        metric: Metric,
        recent: Recent | None = None,
        *,
        on_problem: Callable[[str], None] | None = None,
    ) -> None:
        log_path = LogPath.parse(settings.log_path)
        self.metric = metric
        self.store = SqliteStore(index_path(settings), on_problem=on_problem or note_problem)
        lines = LineReader(make_redactor(settings), recent)  # what it finds is counted apart
        self._reader = Reader(log_path)
        self.archive = Archive(self.store, self._reader, lines)
        self.follower = Follower(
            log_path,
            self.store,
            sink,
            lines,
            metric,
            self.archive,
            retention=Retention(settings.retention_age, settings.retention_bytes),
            on_forget=self._reader.forget,
        )
        self.follower.start()

    def wake(self, segment: str) -> None:
        """Something was appended to ``segment``."""
        self.follower.wake(segment)

    def status(self) -> Status:
        return Status(
            sum(state.event_count for state in self.store.segments()),
            self.store.last_seq,
            self.follower.lag_bytes(),
            self.follower.fault,
            self.metric.quarantined.total,
        )

    def fetch_metric(self) -> None:
        """It counts in the caller's own metric already."""

    def close(self) -> None:
        """Finish the batch at hand, and release everything."""
        self.follower.stop()
        self.store.close()
        self._reader.close()


def index_path(settings: Settings) -> str:
    """Where the index lives: beside the log, unless the settings name a place."""
    given = os.path.expanduser(settings.index_path)
    return given or os.path.join(LogPath.parse(settings.log_path).directory, INDEX_DIRECTORY)


def note_problem(message: str) -> None:
    log.warning("%s", message)
