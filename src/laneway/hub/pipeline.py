"""The way in: what a sender posts becomes lines of the log, event by event."""

from collections.abc import Iterable
from typing import NamedTuple

from laneway.base.clock import now_ns
from laneway.base.errors import BodyError, EventError, Problem
from laneway.hub.metric import Metric
from laneway.model.event import normalise
from laneway.model.redact import Redactor
from laneway.model.wire import encode_redacted

BATCH_EVENTS = 20_000
"""Events in one request at most: two thirds of a second of work."""


class Rejection(NamedTuple):
    """Why the event at ``place`` of a request was not taken; one for each field."""

    place: int
    field: str
    message: str


class Taken(NamedTuple):
    """``lines`` are ready to be appended; nothing is kept before that."""

    lines: list[bytes]
    rejections: list[Rejection]
    rejected_count: int


class Intake:
    """Validates, redacts and encodes. Pure but for its counters; appending is the caller's."""

    def __init__(self, redactor: Redactor, metric: Metric) -> None:
        self._redactor = redactor
        self._metric = metric

    def take(self, items: Iterable[object]) -> Taken:
        """Lines for the events that can be taken, reasons for the others.

        An item that is itself a `Problem` (a line that is no JSON) is rejected with it.

        Raises:
            BodyError: there are too many.
        """
        received_ns = now_ns()
        lines: list[bytes] = []
        rejections: list[Rejection] = []
        rejected_count = 0
        for place, item in enumerate(items):
            if place >= BATCH_EVENTS:
                raise BodyError(
                    f"more than {BATCH_EVENTS} events in one request",
                    hint="send smaller batches",
                    status=413,
                )
            try:
                lines.append(self._line(item, received_ns))
            except EventError as error:
                rejected_count += 1
                rejections += [Rejection(place, p.field, p.message) for p in error.problems]
        self._count(rejections)
        return Taken(lines, rejections, rejected_count)

    def _line(self, item: object, received_ns: int) -> bytes:
        if isinstance(item, Problem):
            raise EventError([item])
        event, _ = normalise(item, received_ns=received_ns)
        return encode_redacted(event, self._redactor)[0]

    def _count(self, rejections: Iterable[Rejection]) -> None:
        for rejection in rejections:
            self._metric.rejected.add(1, rejection.field or "body")
