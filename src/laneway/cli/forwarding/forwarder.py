"""From the log's files to a collector: events become spans and records, batch by batch."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from laneway.base.clock import now_ns
from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.cli.backlog import end_positions, new_line_reader
from laneway.cli.forwarding.checkpoint import Checkpoint
from laneway.cli.forwarding.collector import TOO_LARGE, Collector, RefusedError
from laneway.hub.pipeline import open_side_files
from laneway.log.position import rename_keys
from laneway.log.segment import LogPath
from laneway.log.tail import Chunk, Tail
from laneway.model.cut import SIDE_FIELD, put_back
from laneway.sinks.otlp import BATCH, request_of_records, request_of_spans
from laneway.sinks.pairing import Instant, Pairing, Span
from laneway.store.query.expr import Expr, resolve
from laneway.store.query.match import Subject, compile_matcher

WAIT_S = 1.0
"""The tail looks by itself many times a second; this bounds how long Ctrl-C may take on Windows."""

OPEN_SPANS = 10_000
"""Starts that wait for their end; past it the oldest goes unsent, as one whose end will not come."""

LOOK_BYTES = MIB
"""Read of a file at a time: what is sent is noted after it."""

T = TypeVar("T")


@dataclass(slots=True)
class Tally:
    spans: int = 0
    records: int = 0
    rejected: int = 0
    """Of them, what the collector did not take, and never will."""
    unended: int = 0
    """Starts that were given up, see `OPEN_SPANS`."""
    lost_bytes: int = 0
    """Of files that were removed before they were read."""


class Forwarder:
    """One log and one collector. For one thread.

    What was sent and not noted, because the process ended in between, is sent again with the same ids.
    """

    def __init__(
        self,
        settings: Settings,
        collector: Collector,
        checkpoint: Checkpoint,
        where: Expr,
        *,
        signals: Sequence[str] = ("traces", "logs"),
        only_new: bool = False,
        say: Callable[[str], None],
    ) -> None:
        """``only_new``: where there is no checkpoint yet, begin at the log's end."""
        log_path = LogPath.parse(settings.log_path)
        if only_new and checkpoint.is_new:
            checkpoint.positions = end_positions(log_path)
            checkpoint.write()
        self.tally = Tally()
        self._collector = collector
        self._checkpoint = checkpoint
        self._signals = signals
        self._say = say
        self._matches = compile_matcher(resolve(where, now_ns()))
        self._lines = new_line_reader(settings)
        self._side = open_side_files(settings)
        self._tail = Tail(log_path, checkpoint.positions)
        self._pairing = Pairing()
        for event in checkpoint.opened:
            self._pairing.take(event)
        self._spans: list[Span] = []
        self._records: list[Instant] = []

    @property
    def open_count(self) -> int:
        return len(self._pairing.opened)

    def run(self, *, follow: bool) -> None:
        """Send all that there is, and with ``follow`` what comes, for ever.

        Raises:
            HubError: the collector takes nothing.
            LogError: the checkpoint cannot be written.
        """
        self._tail.look()
        while True:
            chunks = self._tail.poll(LOOK_BYTES)
            for change in self._tail.take_changes():
                rename_keys(self._checkpoint.positions, change)
            self.tally.lost_bytes += sum(one.unread_bytes for one in self._tail.take_breaks())
            for chunk in chunks:
                self._take(chunk)
                if len(self._spans) + len(self._records) >= BATCH:
                    self._send()
            if not chunks:
                self._send()
                if not follow:
                    return
                self._tail.wait(WAIT_S)

    def close(self) -> None:
        self._tail.close()
        self._collector.close()

    def _take(self, chunk: Chunk) -> None:
        for offset, data in chunk.lines:
            if offset < chunk.seen_bytes:
                continue
            line = self._lines.read(data, chunk.fingerprint, offset, now_ns())
            if line.event is None:
                continue
            event = cast(dict[str, Any], line.event)
            if self._matches(Subject(event, line.ts_ns)):
                self._add(self._whole(event))
        self._checkpoint.positions[chunk.segment] = chunk.fingerprint, chunk.end

    def _whole(self, event: dict[str, Any]) -> dict[str, Any]:
        """With its payloads: the collector has no part in our side files."""
        if SIDE_FIELD in event:
            put_back(event, self._side.read)
            event.pop(SIDE_FIELD, None)
        return event

    def _add(self, event: dict[str, Any]) -> None:
        item = self._pairing.take(event)
        if isinstance(item, Span):
            self._spans.append(item)
        elif item is not None:
            self._records.append(item)
        elif len(self._pairing.opened) > OPEN_SPANS:
            self._pairing.drop_oldest()
            self.tally.unended += 1

    def _send(self) -> None:
        """All that waits; then the checkpoint says so."""
        if "traces" in self._signals:
            for begin in range(0, len(self._spans), BATCH):
                self._send_spans(self._spans[begin : begin + BATCH])
        if "logs" in self._signals:
            for begin in range(0, len(self._records), BATCH):
                self._send_records(self._records[begin : begin + BATCH])
        self._spans.clear()
        self._records.clear()
        self._checkpoint.opened = [dict(event) for event in self._pairing.opened]
        self._checkpoint.write()

    def _send_spans(self, spans: list[Span]) -> None:
        if self._post("traces", request_of_spans(spans), len(spans)):
            self.tally.spans += len(spans)
        else:
            for half in halves(spans):
                self._send_spans(half)

    def _send_records(self, records: list[Instant]) -> None:
        if self._post("logs", request_of_records(records), len(records)):
            self.tally.records += len(records)
        else:
            for half in halves(records):
                self._send_records(half)

    def _post(self, signal: str, request: dict[str, Any], count: int) -> bool:
        """False where it is to be sent in smaller parts."""
        try:
            answer = self._collector.send(signal, request)
        except RefusedError as error:
            if error.status == TOO_LARGE and count > 1:
                return False
            self.tally.rejected += count
            self._say(f"{count} of {signal} are left out: {error.message}")
            return True
        if answer.rejected or answer.message:
            self.tally.rejected += answer.rejected
            self._say(f"{answer.rejected} of {signal} were not taken: {answer.message}")
        return True


def halves(items: list[T]) -> tuple[list[T], list[T]]:
    middle = len(items) // 2
    return items[:middle], items[middle:]
