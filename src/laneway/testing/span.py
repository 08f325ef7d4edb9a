"""Work with a beginning and an end, as a test looks at it."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from laneway.hub.ring import is_failure
from laneway.model.vocabulary import is_end, is_start

Event = dict[str, Any]

NAMED = ("tool", "model")
KINDS = {"tool_invocation": "tool", "llm_request": "llm"}
ENDS = {"tool_result": "tool", "llm_response": "llm"}


@dataclass
class Span:
    """``start`` or ``end`` is None where there was none (yet)."""

    span_id: str
    start: Event | None = None
    end: Event | None = None
    events: list[Event] = field(default_factory=list)
    """All that bear its id, start and end included."""

    @property
    def kind(self) -> str:
        """``tool``, ``llm``, ``agent``, ``session``, or what stands before ``_start`` and ``_end``."""
        name = (self.start or self.end or self.events[0])["event"]
        return KINDS.get(name) or ENDS.get(name) or name.removesuffix("_start").removesuffix("_end")

    @property
    def name(self) -> str:
        """Of the tool or model, else of the agent."""
        return str(next((self._get(name) for name in NAMED if self._get(name)), self.agent))

    @property
    def agent(self) -> str:
        return str(self.events[0]["agent"])

    @property
    def parent_span_id(self) -> str:
        """Of the work around it; ``""`` without any."""
        return self._get("parent_span_id") or ""

    @property
    def input(self) -> Any:
        return self._get("input")

    @property
    def output(self) -> Any:
        return self._get("output")

    @property
    def duration_ms(self) -> float | None:
        return self.end.get("duration_ms") if self.end else None

    @property
    def error(self) -> Any:
        """Its ``error``, or None."""
        return self._get("error")

    @property
    def is_open(self) -> bool:
        """Begun and not ended."""
        return self.end is None

    @property
    def has_failed(self) -> bool:
        return any(map(is_failure, self.events))

    def _get(self, name: str) -> Any:
        return next((event[name] for event in self.events if event.get(name) is not None), None)

    def __repr__(self) -> str:
        state = "open" if self.is_open else "failed" if self.has_failed else "done"
        return f"<{self.kind} {self.name}: {state}>"


def to_spans(events: Sequence[Event]) -> list[Span]:
    """In the order in which they appear."""
    spans: dict[str, Span] = {}
    for event in events:
        span_id = event.get("span_id")
        if not span_id:
            continue
        span = spans.setdefault(span_id, Span(span_id))
        span.events.append(event)
        if is_start(event["event"]):
            span.start = span.start or event
        elif is_end(event["event"]) or (event["event"] == "error" and "duration_ms" in event):
            span.end = event
    return [span for span in spans.values() if span.start or span.end]
