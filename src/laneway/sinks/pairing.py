"""Starts and ends put together again: the spans of a run, and what is no part of one.

The rules are those of the dashboard's lanes: a start and its end share agent and span id; an
end that tells its duration stands for a whole span where its start is missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from laneway.base.clock import NS_PER_MS
from laneway.model.moment import parse_timestamp_ns
from laneway.model.vocabulary import is_end, is_start

Event = Mapping[str, Any]


class Span(NamedTuple):
    """``start`` or ``end`` is None where the other half was not seen; ``end_ns`` is None while it is open."""

    start: Event | None
    end: Event | None
    start_ns: int
    end_ns: int | None

    @property
    def facts(self) -> dict[str, Any]:
        """The fields of both halves; where they differ, the end knows better."""
        return {**(self.start or {}), **(self.end or {})}

    @property
    def kind(self) -> str:
        """The type of its start, or of its end where that is all there is."""
        return str((self.start or self.end or {}).get("event", ""))


class Instant(NamedTuple):
    """An event that is no part of a span."""

    event: Event
    ts_ns: int


class Pairing:
    """What is open between one event and the next. ``opened`` may be put back with `take`, event by event."""

    def __init__(self) -> None:
        self._opened: dict[tuple[str, str], tuple[Event, int]] = {}

    @property
    def opened(self) -> list[Event]:
        """Starts whose end has not come, oldest first."""
        return [start for start, _ in self._opened.values()]

    def take(self, event: Event) -> Span | Instant | None:
        """What an event completes; None for a start."""
        ts_ns = parse_timestamp_ns(event["timestamp"])
        kind, key = str(event["event"]), (str(event["agent"]), str(event.get("span_id") or ""))
        if key[1] and is_start(kind):
            if key in self._opened:  # said twice: the first one counts
                return Instant(event, ts_ns)
            self._opened[key] = event, ts_ns
            return None
        if key in self._opened and is_end(kind):
            start, start_ns = self._opened.pop(key)
            return Span(start, event, start_ns, max(start_ns, ts_ns))
        if (duration_ns := _duration_ns(event)) is not None and not is_start(kind):
            return Span(None, event, ts_ns - duration_ns, ts_ns)
        return Instant(event, ts_ns)

    def drop_oldest(self) -> Span:
        """The start that has waited longest, as the open span that it is."""
        return self._as_open(*self._opened.pop(next(iter(self._opened))))

    def rest(self) -> Iterator[Span]:
        """The spans that are open still."""
        return (self._as_open(start, start_ns) for start, start_ns in self._opened.values())

    def _as_open(self, start: Event, start_ns: int) -> Span:
        return Span(start, None, start_ns, None)


def pair(events: Iterable[Event]) -> Iterator[Span | Instant]:
    """Spans as they end, instants as they come, and last the spans that are open still, oldest first."""
    pairing = Pairing()
    for event in events:
        if item := pairing.take(event):
            yield item
    yield from pairing.rest()


def _duration_ns(event: Event) -> int | None:
    value = event.get("duration_ms")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return int(value * NS_PER_MS)
    return None
