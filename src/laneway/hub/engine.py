"""The index and what feeds it: store, archive and follower of one log, put together.

The hub runs it in a process of its own, the command line in its own process.
"""

import logging
import os
from collections.abc import Callable

from laneway.base.settings import Settings
from laneway.hub.archive import Archive, EventReader
from laneway.hub.backend import open_backend
from laneway.hub.builder import Builder
from laneway.hub.channel import Status
from laneway.hub.follower import Follower
from laneway.hub.inquiry import Inquiry
from laneway.hub.keeper import Keeper
from laneway.hub.line import LineReader
from laneway.hub.live import Sink
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Recent, open_side_files
from laneway.hub.reserve import Reserve
from laneway.hub.retainer import Retainer, Retention
from laneway.hub.sweeper import Sweeper
from laneway.log.damage import DamageList
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.log.text import Damage
from laneway.model.redact import make_redactor
from laneway.store.api import keep_on

INDEX_DIRECTORY = ".index"

CAN_BUILD = os.name == "posix"
"""Descriptors are inherited by number; elsewhere the follower reads everything."""

log = logging.getLogger("laneway.hub")


class Engine:
    """Runs from when it is made until `close`. Thread-safe. ``keeps``: also compresses and verifies, and
    tells ``sink`` what is new; without, nobody watches.

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
        keeps: bool = True,
        step_aside: Callable[[], None] = keep_on,
    ) -> None:
        log_path = LogPath.parse(settings.log_path)
        self.metric = metric
        side = open_side_files(settings)
        # What this redactor finds is counted apart.
        lines = LineReader(make_redactor(settings, os.environ), recent, side)
        self.damages = DamageList()
        self._reader = Reader(log_path, on_damage=self._note_damage)
        self.store = open_backend(
            settings,
            index_path(settings),
            on_problem or note_problem,
            EventReader(self._reader, lines),
            self._reader.read_text,
            step_aside,
        )
        self.archive = Archive(self.store, self._reader, lines, self._note_damage)
        self.inquiry = Inquiry(self.store, self.archive)
        self.follower = Follower(
            log_path,
            self.store,
            sink,
            lines,
            metric,
            self.archive,
            reserve=Reserve.of(settings),
            builder=Builder(settings, index_path(settings)) if CAN_BUILD else None,
            is_silent=not keeps,
            step_aside=step_aside,
            on_forget=self._forget,
            on_damage=self._note_damage,
        )
        self._keeper = Keeper(
            log_path,
            self.store,
            self._note_damage,
            compress=settings.compress,
            settled_s=settings.compress_after,
        )
        rules = Retention(settings.retention_age, settings.retention_bytes)
        self._retainer = Retainer(log_path, self.store, rules)
        self._retainer.start()
        self.follower.start()
        self._sweeper = Sweeper(log_path, side)
        if keeps:
            self._keeper.start()
            self._sweeper.start()

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
            self.metric.broken.total,
            damaged_line_count=self.damages.line_count,
        )

    def fetch_metric(self) -> None:
        """It counts in the caller's own metric already."""

    def close(self) -> None:
        """Finish the batch at hand, and release everything."""
        self._keeper.stop()
        self._sweeper.stop()
        self._retainer.stop()
        self.follower.stop()
        self.store.close()
        self._reader.close()

    def _forget(self, segment: str) -> None:
        self._reader.forget(segment)
        self.damages.forget(segment)

    def _note_damage(self, damage: Damage) -> None:
        if damage.line_count < 0:
            count = self.store.count_lines(damage.segment, damage.first_lost, damage.end)
            damage = damage._replace(line_count=count)
        if self.damages.add(damage):
            log.error("%s", damage)


def index_path(settings: Settings) -> str:
    """Where the index lives: beside the log, unless the settings name a place."""
    given = os.path.expanduser(settings.index_path)
    return given or os.path.join(LogPath.parse(settings.log_path).directory, INDEX_DIRECTORY)


def note_problem(message: str) -> None:
    log.warning("%s", message)
