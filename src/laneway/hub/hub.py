"""The hub put together: the way in, the index and what feeds it, and the live stream."""

import gc
import logging
import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from laneway import __version__
from laneway.base.errors import LogError, StoreError
from laneway.base.settings import Settings
from laneway.hub.alert.watch import Alerts
from laneway.hub.indexer import CAN_SPLIT, Indexer
from laneway.hub.live import Live
from laneway.hub.lock import HubLock
from laneway.hub.metric import Metric, resident_bytes
from laneway.hub.payload import Payloads
from laneway.hub.pipeline import Intake, Recent, open_side_files
from laneway.hub.reserve import Reserve
from laneway.hub.telemetry import Telemetry
from laneway.hub.waiting import Waiting
from laneway.log.append import NO_SPACE_STATUS, Appender
from laneway.log.listing import find_unreadable
from laneway.log.segment import LogPath
from laneway.log.series import list_segments
from laneway.model.redact import make_redactor
from laneway.model.redact.scan import load_automatons

if TYPE_CHECKING:
    from laneway.hub.bus.link import BusLink
    from laneway.hub.engine import Engine
    from laneway.hub.follower import Follower

PROGRESS_S = 0.5

log = logging.getLogger("laneway.hub")


class Hub:
    """One hub of one log, running from when it is made until `close`. Its parts are thread-safe.

    The index is fed and asked in a process of its own (docs/adr/0008-indexer-process.md), or in
    this one with ``in_process``.

    Raises:
        HubError: another hub has this log, or its directory cannot be used.
        StoreError: the index cannot be opened.
    """

    def __init__(self, settings: Settings, *, in_process: bool = False, keeps: bool = True) -> None:
        self.settings = settings
        self.log_path = LogPath.parse(settings.log_path)
        self._keeps = keeps
        self.metric = Metric()
        self.redactor = make_redactor(settings, os.environ)
        load_automatons()
        recent = Recent() if in_process or not CAN_SPLIT else None
        self.side = open_side_files(settings)
        self.payloads = Payloads(self.side, make_redactor(settings, os.environ))
        self.intake = Intake(self.redactor, self.metric, recent, self.side)
        self.live = Live("", settings.live_events, self.metric)
        self._appender = Appender(
            self.log_path,
            segment_bytes=settings.segment_bytes,
            shared=settings.shared_log,
            durable=self.is_durable,
        )
        self._appender.on_sync_fault = self._note_sync_fault
        self._sync_fault_count = 0
        self._append_fault = ""
        self._has_no_space = False
        self._reserve = Reserve.of(settings)
        self._reserve.give_up_if_full()  # before anything is written: the start needs some space
        self.lock = HubLock(self.log_path.directory)
        self._reserve.keep()
        try:
            self._index = self._open_index(recent)
        except BaseException:
            self.lock.release()
            raise
        try:
            self._bus = self._open_bus()
        except BaseException:
            self._index.close()
            self.lock.release()
            raise
        waiting = Waiting(self.log_path.directory, self.redactor)
        self.telemetry = Telemetry(
            self.intake,
            waiting,
            self.metric,
            wait_s=settings.otlp_wait,
            metrics=settings.otlp_metrics,
        )
        self.store = self._index.store
        self.archive = self._index.archive
        self.inquiry = self._index.inquiry
        try:
            self.alerts = Alerts(settings, self.live, self.store, self.archive, self._write_alerts)
        except BaseException:
            self._close_parts()
            raise
        if keeps:
            self.alerts.start()

    def _open_bus(self) -> "BusLink | None":
        if not self.settings.bus or not self._keeps:
            return None
        from laneway.hub.bus.link import BusLink  # most hubs have no bus

        return BusLink(self.settings, self.metric)

    def _open_index(self, recent: Recent | None) -> "Engine | Indexer":
        if recent is None:
            return Indexer(self.settings, self.live, self.metric)
        from laneway.hub.engine import (
            Engine,  # a hub with an indexer needs no store and no follower
        )

        return Engine(self.settings, self.live, self.metric, recent, keeps=self._keeps)

    @property
    def is_durable(self) -> bool:
        """Whether what `append` took is on the disk when it returns."""
        return self.settings.durability == "durable"

    @property
    def follower(self) -> "Follower":
        """The follower of a hub ``in_process``."""
        assert not isinstance(self._index, Indexer)
        return self._index.follower

    def append(self, lines: Sequence[bytes]) -> None:
        """Put lines into the log at the level of the settings; on return they survive ``kill -9``.

        For one thread at a time, as is `note_appended`.

        Raises:
            LogError: the log cannot be written; nothing may be acknowledged.
        """
        try:
            self.write(lines, durable=self.is_durable)
        except LogError as error:
            self.note_refused(error)
            raise
        self.note_appended(len(lines))

    def write(self, lines: Sequence[bytes], *, durable: bool) -> None:
        """`append` without the counting; from any thread. Waits for the disk where ``durable``."""
        self._reserve.check()
        self._appender.append(lines, durable=durable)

    def _write_alerts(self, lines: Sequence[bytes]) -> None:
        """From the alerts' thread; the follower finds them by itself."""
        self.write(lines, durable=False)

    def note_appended(self, count: int) -> None:
        if self._append_fault:
            self._append_fault = ""
            self._reserve.keep()
        self.metric.accepted.add(count)
        self._index.wake(self._appender.segment)

    def note_refused(self, error: LogError) -> None:
        self._append_fault = error.message
        self._has_no_space = error.status == NO_SPACE_STATUS
        if self._has_no_space:
            self._reserve.give_up()
        self.metric.fault.add(1, "append")

    def _note_sync_fault(self, reason: str) -> None:
        self._sync_fault_count += 1
        if self._sync_fault_count == 1:
            log.error("the disk cannot be synced, so a power cut may cost events: %s", reason)

    def lag_bytes(self) -> int:
        """Bytes of the log that are not indexed yet."""
        return self._index.status().lag_bytes

    def fault(self) -> str:
        """What keeps events away, in a word: ``space``, ``log`` or ``index``; else nothing."""
        if self._append_fault:
            return "space" if self._has_no_space else "log"
        return "index" if self._index.status().fault else ""

    def health(self) -> dict[str, Any]:
        """What ``/health`` tells; no paths and no names, since it needs no token."""
        status = self._index.status()
        fault = self._append_fault or status.fault
        facts: dict[str, Any] = {
            "status": "failing" if fault else "ok",
            "version": __version__,
            "log": {
                "segments": len(self.log_path.numbers()),
                "bytes": self.log_bytes(),
                "writable": not self._append_fault,
                "durability": self.settings.durability,
                "sync_faults": self._sync_fault_count,
                "damaged_lines": status.damaged_line_count,
                "unreadable": len(self._find_unreadable()),
            },
            "index": {
                "events": status.event_count,
                "lag_bytes": status.lag_bytes,
                "following": not status.fault,
                "quarantined": status.quarantined_count,
                "broken": status.broken_count,
            },
            "viewers": self.live.viewer_count,
        }
        if self._bus:  # away or not: what comes is kept
            bus = self._bus.status
            facts["bus"] = {"connected": bus.is_connected, "pending_bytes": bus.pending_bytes}
        return facts

    def metrics(self) -> str:
        """The page for Prometheus."""
        status = self._index.status()
        self._index.fetch_metric()
        self.metric.take_side_files(self.side.kept, self.side.lost)
        memory_bytes = resident_bytes() + status.other_memory_bytes
        gauges: dict[str, tuple[str, float]] = {
            "laneway_index_lag_bytes": ("Bytes of the log not indexed yet.", status.lag_bytes),
            "laneway_log_bytes": ("Bytes of the log's own segments.", self.log_bytes()),
            "laneway_log_sync_faults": (
                "Syncs that failed: a power cut may cost events that were acknowledged.",
                self._sync_fault_count,
            ),
            "laneway_log_damaged_lines": (
                "Lines of the log that are lost.",
                status.damaged_line_count,
            ),
            "laneway_log_unreadable_files": (
                "Files in the log's folder that the hub may not read.",
                len(self._find_unreadable()),
            ),
            "laneway_viewers": ("Viewers connected.", self.live.viewer_count),
            "laneway_last_seq": ("Number of the newest indexed event.", status.last_seq),
            "process_resident_memory_bytes": ("Memory in RAM.", memory_bytes),
        }
        if self._bus:
            gauges |= self._bus.gauges()
        return self.metric.render(gauges, dict(self.redactor.counts))

    def log_bytes(self) -> int:
        """Size on the disk of the log's own segments, whatever their form and series."""
        return sum(file.size for file in list_segments(self.log_path))

    def _find_unreadable(self) -> list[str]:
        try:
            return find_unreadable(self.log_path.directory)
        except OSError:  # the folder itself is away: the follower tells
            return []

    def close(self) -> None:
        """Let the viewers go, finish the batch at hand, and release everything."""
        self.live.close()
        self.alerts.close()
        self._close_parts()

    def _close_parts(self) -> None:
        if self._bus:
            self._bus.close()
        self._index.close()
        self._appender.close()
        self.lock.release()


def reindex(settings: Settings, on_progress: Callable[[int, int], None]) -> int:
    """Build the index of a log anew, without a hub; the number of events in it.

    ``on_progress`` is told events so far and bytes left.

    Raises:
        HubError: a hub runs on this log.
        StoreError: the index cannot be written.
    """
    from laneway.hub.follower import GARBAGE_OBJECTS  # most hubs follow in another process

    hub = Hub(settings, in_process=True, keeps=False)
    threshold = gc.get_threshold()
    gc.set_threshold(GARBAGE_OBJECTS)
    try:
        hub.follower.reindex()
        while not hub.follower.wait_level(PROGRESS_S):
            on_progress(_event_count(hub), hub.lag_bytes())
            if hub.follower.fault:
                raise StoreError(f"the index cannot be built: {hub.follower.fault}")
        return _event_count(hub)
    finally:
        gc.set_threshold(*threshold)
        hub.close()


def _event_count(hub: Hub) -> int:
    return sum(state.event_count for state in hub.store.segments())
