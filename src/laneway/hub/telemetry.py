"""OpenTelemetry's way in: spans become events once it is known whose they are, and lines by `Intake`."""

from collections import OrderedDict
from collections.abc import Iterable, Iterator
from threading import Lock
from typing import Any, NamedTuple

from laneway.base.clock import now_ns
from laneway.base.errors import BodyError
from laneway.hub.metric import Metric
from laneway.hub.pipeline import BATCH_EVENTS, CheckSender, Intake, Taken
from laneway.hub.waiting import Waiting
from laneway.sources.otlp.binding import Binder, Held, Place
from laneway.sources.otlp.event import span_events
from laneway.sources.otlp.facts import Facts, read_facts
from laneway.sources.otlp.log import log_event, log_facts
from laneway.sources.otlp.metric import is_agentic, point_event, series_of
from laneway.sources.otlp.record import Batch, LogRecord, Point, Span

MOST_ITEMS = BATCH_EVENTS // 4
"""Spans, records and points of one request: a span is four events at most, but for what happened in it."""

OWED_LINES = 100_000
"""Kept in memory while the log cannot be written; beyond, a restart finds them among those that waited."""


SERIES = 10_000
"""Series of metrics whose last value is remembered; the one that was silent for longest makes room."""

NAMES = 3
"""Told of the metrics that were not kept."""


class Arrival(NamedTuple):
    """What a request came to: ``taken`` is to be appended before it is answered."""

    taken: Taken
    rejected_count: int
    """Spans, records or points that are lost, those that could not be read among them."""
    reasons: list[str]


class Telemetry:
    """Spans and records of one hub. Thread-safe."""

    def __init__(
        self, intake: Intake, waiting: Waiting, metric: Metric, *, wait_s: float, metrics: str
    ) -> None:
        """``metrics`` tells which are kept: those of ``agents``, ``all`` or ``none``."""
        self._intake = intake
        self._metric = metric
        self._metrics = metrics
        self._values: OrderedDict[bytes, object] = OrderedDict()
        self._waiting = waiting
        self._wait_s = wait_s
        self._binder = Binder(wait_s)
        self._owed: list[bytes] = []
        self._unwritten = 0
        """Lines handed out and not known to be in the log: until then, what waited stays on the disk."""
        self._lock = Lock()
        self._account = Lock()  # of the two above; held for a moment only, on the event loop too
        for item in waiting.read():
            self._hold(item, _facts(item), now_ns())

    @property
    def held_count(self) -> int:
        return self._binder.held_count

    def take(self, batch: Batch, check_sender: CheckSender | None = None) -> Arrival:
        """Lines of all that can be said now; what must wait is on the disk on return.

        A sender that is bound to an agent is told at once what it may not say, so that nothing
        of its spans waits. `note_written` or `owe` is to follow.

        Raises:
            BodyError: there are too many.
            LogError: what must wait could not be written.
        """
        items: list[Span | LogRecord] = [*batch.spans, *batch.logs]
        if len(items) + len(batch.points) > MOST_ITEMS:
            raise BodyError(
                f"more than {MOST_ITEMS} spans, records or points in one request",
                hint="lower the exporter's batch size",
                status=413,
            )
        with self._lock:
            events = self._bind(items, now=check_sender is not None or not self._wait_s)
            others = [point for point in batch.points if not self._is_kept(point)]
            events += [[point_event(point)] for point in self._news(batch.points)]
            with self._account:
                self._unwritten += 1
        taken, lost = self._encode(events, check_sender)
        reasons = batch.rejections + [
            f"{field}: {message}" for _, field, message in taken.rejections
        ]
        if others:
            self._metric.points.add(len(others), "not kept")
            reasons.append(_not_kept(others))
        return Arrival(taken, len(batch.rejections) + lost + len(others), reasons)

    def settle(self) -> list[bytes]:
        """Lines of what has waited for long enough, and of what could not be appended before. It waits for
        nobody: while spans are being taken, there is nothing. `note_written` or `owe` is to follow."""
        if not self._lock.acquire(blocking=False):
            return []
        try:
            events = [_events(held, place) for held, place in self._binder.settle(now_ns())]
            with self._account:
                owed, self._owed = self._owed, []
                self._unwritten += bool(owed or events)
        finally:
            self._lock.release()
        return owed + self._encode(events, None)[0].lines

    def owe(self, lines: list[bytes]) -> None:
        """They could not be appended; spans that were acknowledged before may be among them."""
        with self._account:
            self._unwritten -= 1
            self._owed = (self._owed + lines)[-OWED_LINES:]

    def note_written(self) -> None:
        """What `take` or `settle` gave stands in the log: its copy on the disk may go, sooner or later."""
        with self._account:
            self._unwritten -= 1
        if self._lock.acquire(blocking=False):
            try:
                if not self._owed and not self._unwritten:
                    self._waiting.tidy(self._binder.held_items(), self._binder.held_count)
            finally:
                self._lock.release()

    def _bind(self, items: list[Span | LogRecord], *, now: bool) -> list[list[dict[str, Any]]]:
        since_ns = now_ns()
        known = [(item, _facts(item)) for item in items]
        for item, facts in known:
            if isinstance(item, Span):
                self._binder.note(item, facts)
        found, held = [], []
        for item, facts in known:
            place = self._binder.place(item, facts, now=now)
            if place is None:
                held.append(item)
                self._hold(item, facts, since_ns)
            else:
                found.append(_events(Held(item, facts, since_ns), place))
        self._waiting.add(held)
        return found + [_events(*pair) for pair in self._released(items, since_ns)]

    def _is_kept(self, point: Point) -> bool:
        return self._metrics == "all" or (self._metrics == "agents" and is_agentic(point))

    def _news(self, points: list[Point]) -> Iterator[Point]:
        """Those that are kept, without what repeats the value that its series had."""
        for point in filter(self._is_kept, points):
            if point.temporality != "delta":
                series, value = series_of(point), (point.value, point.measures)
                was = self._values.pop(series, None)
                self._values[series] = value
                if len(self._values) > SERIES:
                    self._values.popitem(last=False)
                if was == value:
                    self._metric.points.add(1, "unchanged")
                    continue
            self._metric.points.add(1, "kept")
            yield point

    def _hold(self, item: Span | LogRecord, facts: Facts, since_ns: int) -> None:
        if isinstance(item, Span):
            self._binder.note(item, facts)
            key = item.span_id
        else:
            key = f"{item.span_id} {item.ts_ns} {item.name}"
        self._binder.hold(key, Held(item, facts, since_ns))

    def _released(
        self, items: Iterable[Span | LogRecord], since_ns: int
    ) -> Iterator[tuple[Held, Place]]:
        for trace_id in dict.fromkeys(item.trace_id for item in items if item.trace_id):
            yield from self._binder.settle(since_ns, trace_id=trace_id)
        yield from self._binder.forget()

    def _encode(
        self, found: list[list[dict[str, Any]]], check_sender: CheckSender | None
    ) -> tuple[Taken, int]:
        """Lines, and how many spans or records have lost an event."""
        events = [event for group in found for event in group]
        taken = self._intake.take(events, check_sender, most=len(events))
        owner = [place for place, group in enumerate(found) for _ in group]
        return taken, len({owner[rejection.place] for rejection in taken.rejections})


def _not_kept(points: list[Point]) -> str:
    names = list(dict.fromkeys(point.name for point in points))
    shown = ", ".join(names[:NAMES]) + (", …" if len(names) > NAMES else "")
    return f"not kept: {len(points)} points of {shown} (the setting otlp_metrics tells which are)"


def _facts(item: Span | LogRecord) -> Facts:
    if isinstance(item, Span):
        return read_facts(item.name, item.attributes)
    return log_facts(item)


def _events(held: Held, place: Place) -> list[dict[str, Any]]:
    if isinstance(held.item, Span):
        return span_events(held.item, held.facts, place)
    return [log_event(held.item, held.facts, place)]
