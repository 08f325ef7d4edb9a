"""The events of one trace as a tree of spans, written down in the order in which one reads it.

The tree is a flat list, each span before its children, with its depth: however deep agents nest
their calls, no encoder or reader meets its limit.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from laneway.base.clock import NS_PER_MS, format_ns
from laneway.hub.ring import is_failure
from laneway.hub.summary import summarise
from laneway.model.moment import parse_timestamp_ns
from laneway.model.vocabulary import is_end, is_start

EARLIEST_NS = parse_timestamp_ns("0001-01-01T00:00:00Z")
"""A duration of 30,000 years is allowed, and no date so far back."""

Event = Mapping[str, Any]


@dataclass(slots=True)
class Span:
    """``events`` are all that carry its id, and those that name it as parent and have none of
    their own. Without events: another span says that it is its child, and it was never seen."""

    span_id: str
    parent_span_id: str = ""
    events: list[Event] = field(default_factory=list)
    children: "list[Span]" = field(default_factory=list)
    start: Event | None = None
    end: Event | None = None
    start_ns: int = 0
    end_ns: int = 0

    @property
    def is_open(self) -> bool:
        """Begun, and no end was seen."""
        return self.start is not None and self.end is None


def tell_trace(trace_id: str, events: Sequence[Event], *, is_complete: bool) -> dict[str, Any]:
    """The answer about a trace; ``events`` in order of time, at least one."""
    spans, outside = _gather(events)
    for span in spans.values():
        _time(span)
    roots = _link(spans)
    times = [_ns(event) for event in events]
    begun = min([span.start_ns for span in spans.values() if span.events] + times)
    return {
        "trace_id": trace_id,
        "start": format_ns(begun),
        "end": format_ns(max(times)),
        "duration_ms": (max(times) - begun) / NS_PER_MS,
        "events": len(events),
        "errors": sum(map(is_failure, events)),
        "agents": list(dict.fromkeys(event["agent"] for event in events)),
        "open": sum(span.is_open for span in spans.values()),
        "complete": is_complete,
        "spans": _write_down(roots),
        "outside": [_mention(event) for event in outside],
    }


def _gather(events: Sequence[Event]) -> tuple[dict[str, Span], list[Event]]:
    spans: dict[str, Span] = {}
    outside: list[Event] = []
    for event in events:
        own, parent = event.get("span_id", ""), event.get("parent_span_id", "")
        if not own and not parent:
            outside.append(event)
            continue
        span = spans.setdefault(own or parent, Span(own or parent))
        span.events.append(event)
        if own and parent and parent != own:
            span.parent_span_id = span.parent_span_id or parent
    return spans, outside


def _time(span: Span) -> None:
    """Find what opens and closes the span, and when it ran."""
    own = [event for event in span.events if event.get("span_id")]
    times = [_ns(event) for event in span.events]
    span.start = next((event for event in own if is_start(event["event"])), None)
    ends = [event for event in own if is_end(event["event"])]
    if not ends and span.start is None:  # a span that came as one event, with its duration
        ends = [event for event in own if "duration_ms" in event]
    span.end = ends[-1] if ends else None
    span.end_ns = _ns(span.end) if span.end else max(times)
    if span.start:
        span.start_ns = _ns(span.start)
    elif span.end:
        length_ns = int(span.end.get("duration_ms", 0) * NS_PER_MS)
        span.start_ns = max(span.end_ns - length_ns, EARLIEST_NS)
    else:
        span.start_ns = min(times)


def _link(spans: dict[str, Span]) -> list[Span]:
    """Hang each span below its parent; the roots, with a stand-in for each parent that is missing."""
    _cut_circles(spans)
    roots: dict[str, Span] = {}
    for span in spans.values():
        parent_id = span.parent_span_id
        if not parent_id:
            roots[span.span_id] = span
        elif parent_id in spans:
            spans[parent_id].children.append(span)
        else:
            roots.setdefault(parent_id, Span(parent_id)).children.append(span)
    for span in [*spans.values(), *roots.values()]:
        span.children.sort(key=_begin)
    return sorted(roots.values(), key=_begin)


def _cut_circles(spans: dict[str, Span]) -> None:
    """A span whose parents lead back to itself loses its parent."""
    sound: set[str] = set()
    for span_id in spans:
        path: set[str] = set()
        while span_id in spans and span_id not in sound:
            path.add(span_id)
            if spans[span_id].parent_span_id in path:
                spans[span_id].parent_span_id = ""
            span_id = spans[span_id].parent_span_id
        sound |= path


def _begin(span: Span) -> tuple[int, str]:
    starts = [span.start_ns] if span.events else [child.start_ns for child in span.children]
    return min(starts, default=0), span.span_id


def _write_down(roots: Sequence[Span]) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = []
    waiting = [(span, 0) for span in reversed(roots)]
    while waiting:
        span, depth = waiting.pop()
        told.append({**(_tell(span) if span.events else _tell_missing(span)), "depth": depth})
        waiting += [(child, depth + 1) for child in reversed(span.children)]
    return told


def _tell(span: Span) -> dict[str, Any]:
    own = [event for event in (span.start, span.end) if event] or span.events[:1]
    duration_ms = (span.end or {}).get("duration_ms")
    if duration_ms is None:
        duration_ms = None if span.is_open else (span.end_ns - span.start_ns) / NS_PER_MS
    inside = [event for event in span.events if event is not span.start and event is not span.end]
    return {
        "span_id": span.span_id,
        "parent_span_id": span.parent_span_id,
        "name": _name(own),
        "event": own[0]["event"],
        "agent": own[0]["agent"],
        "start": format_ns(span.start_ns),
        "end": None if span.is_open else format_ns(span.end_ns),
        "duration_ms": duration_ms,
        "state": _state(span),
        "text": summarise(own[0]),
        "start_seq": span.start["seq"] if span.start else None,
        "end_seq": span.end["seq"] if span.end else None,
        "events": [_mention(event) for event in inside],
        "children": len(span.children),
    }


def _tell_missing(span: Span) -> dict[str, Any]:
    return {
        "span_id": span.span_id, "parent_span_id": "", "name": "", "event": "", "agent": "",
        "start": None, "end": None, "duration_ms": None, "state": "missing", "text": "",
        "start_seq": None, "end_seq": None, "events": [], "children": len(span.children),
    }  # fmt: skip


def _state(span: Span) -> str:
    if any(map(is_failure, span.events)):
        return "failed"
    return "open" if span.is_open else "done"


def _name(events: Sequence[Event]) -> str:
    """The tool or model, or else the agent."""
    for event in events:
        for key in ("tool", "model"):
            if event.get(key):
                return str(event[key])
    return str(events[0]["agent"])


def _mention(event: Event) -> dict[str, Any]:
    return {
        "seq": event["seq"], "id": event["id"], "timestamp": event["timestamp"],
        "event": event["event"], "agent": event["agent"], "error": is_failure(event),
        "text": summarise(event),
    }  # fmt: skip


def _ns(event: Event) -> int:
    return parse_timestamp_ns(event["timestamp"])
