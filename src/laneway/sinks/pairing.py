"""Starts and ends put together again: the spans of a run, and what is no part of one.

The rules are those of the dashboard's lanes: a start and its end share agent and span id; an
end that tells its duration stands for a whole span where its start is missing.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from laneway.base.clock import NS_PER_MS
from laneway.model.event import parse_timestamp_ns
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


def pair(events: Iterable[Event]) -> Iterator[Span | Instant]:
    """Spans as they end, instants as they come, and last the spans that are open still, oldest first."""
    opened: dict[tuple[str, str], tuple[Event, int]] = {}
    for event in events:
        ts_ns = parse_timestamp_ns(event["timestamp"])
        kind, key = str(event["event"]), (str(event["agent"]), str(event.get("span_id") or ""))
        if key[1] and is_start(kind):
            if key in opened:  # said twice: the first one counts
                yield Instant(event, ts_ns)
            else:
                opened[key] = event, ts_ns
        elif key in opened and is_end(kind):
            start, start_ns = opened.pop(key)
            yield Span(start, event, start_ns, max(start_ns, ts_ns))
        elif (duration_ns := _duration_ns(event)) is not None and not is_start(kind):
            yield Span(None, event, ts_ns - duration_ns, ts_ns)
        else:
            yield Instant(event, ts_ns)
    for start, start_ns in opened.values():
        yield Span(start, None, start_ns, None)


def _duration_ns(event: Event) -> int | None:
    value = event.get("duration_ms")
    if isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0:
        return int(value * NS_PER_MS)
    return None
