"""OpenTelemetry's spans when they begin: exporters send a span when it has ended, so that work that runs,
or hangs, is not to be seen.

    provider.add_span_processor(LiveSpans())             # beside an exporter that sends the ends to the hub
    provider.add_span_processor(LiveSpans(ends=True))    # or alone: the ends are recorded here, too

The start is written at once, and the span is marked (``laneway.live.*``), so that the hub, when the span
comes, adds its end and no second start.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.sdk.trace import Span as SdkSpan
from opentelemetry.trace import StatusCode

from laneway.integrations.exchange import guarded
from laneway.sdk.context import ROOT, enter, leave
from laneway.sdk.recorder import shared as recorder
from laneway.sources.otlp.binding import Place
from laneway.sources.otlp.event import span_events, start_event
from laneway.sources.otlp.facts import LIVE_AGENT, LIVE_KIND, LIVE_SESSION, Facts, read_facts
from laneway.sources.otlp.record import Moment, Origin, Span

OPEN_SPANS = 10_000
"""Remembered for those inside them; past it the oldest are forgotten, as ones that never end are."""


@dataclass(slots=True)
class Open:
    """A span that runs, as far as those inside it and its own end want to know."""

    place: Place
    speaks: bool
    """Whether somebody was spoken to here, or further out."""
    is_metered: bool = True


class LiveSpans(SpanProcessor):
    """Records the start of every sampled span; with ``ends``, all that the hub would make of it.

    What a span is (a model call, a tool, an agent) and whose, is what its attributes tell when it begins.
    Never raises into the program; faults are counted in `laneway.stats`.
    """

    def __init__(self, *, ends: bool = False) -> None:
        self._records_ends = ends
        self._open: OrderedDict[int, Open] = OrderedDict()

    def on_start(self, span: SdkSpan, parent_context: Context | None = None) -> None:
        self._begin(span)

    def on_end(self, span: ReadableSpan) -> None:
        self._end(span)

    def shutdown(self) -> None:
        """Everything is written when it is said."""

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        return True

    @guarded
    def _begin(self, span: SdkSpan) -> None:
        if not span.get_span_context().trace_flags.sampled:
            return
        begun = read_span(span)
        facts = read_facts(begun.name, begun.attributes)
        outer = self._open.get(span.parent.span_id) if span.parent else None
        place = place_in(outer, begun, facts)
        said = facts.is_scope and facts.input not in (None, "", [], {})
        speaks = said or bool(outer and outer.speaks)
        self._open[span.get_span_context().span_id] = Open(place, speaks)
        if len(self._open) > OPEN_SPANS:
            self._open.popitem(last=False)
        marks = {
            LIVE_KIND: facts.kind,
            LIVE_AGENT: place.agent,
            LIVE_SESSION: place.session_id,
        }
        span.set_attributes({name: value for name, value in marks.items() if value})
        record([start_event(begun, facts, place)])

    @guarded
    def _end(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        known = self._open.pop(context.span_id, None) if context else None
        if known is None or not self._records_ends:
            return
        ended = read_span(span)
        facts = read_facts(ended.name, ended.attributes)
        outer = self._open.get(span.parent.span_id) if span.parent else None
        if outer and facts.usage:
            outer.is_metered = False
        is_outermost = facts.is_scope and not (outer and outer.speaks)
        place = known.place._replace(is_metered=known.is_metered, is_outermost=is_outermost)
        record(span_events(ended, facts, place))


def place_in(outer: Open | None, span: Span, facts: Facts) -> Place:
    """Whose work it is, by the span around it: the rules of the hub's, with all that is known now."""
    around = outer.place if outer else Place("")
    agent = facts.agent or around.agent or span.origin.service
    parent = around.agent if around.agent != agent else around.parent_agent
    session = facts.session or around.session_id or (span.trace_id if facts.is_agentic else "")
    return Place(agent, parent, session)


def read_span(span: ReadableSpan) -> Span:
    """As the wire would bring it."""
    context, parent, status = span.get_span_context(), span.parent, span.status
    assert context
    scope = span.instrumentation_scope
    named = {"name": scope.name, "version": scope.version or ""} if scope else {}
    return Span(
        Origin(plain(span.resource.attributes), {k: v for k, v in named.items() if v}),
        f"{context.trace_id:032x}",
        f"{context.span_id:016x}",
        f"{parent.span_id:016x}" if parent else "",
        span.name,
        span.start_time or 0,
        span.end_time or 0,
        plain(span.attributes),
        [Moment(e.name, e.timestamp, plain(e.attributes)) for e in span.events],
        [
            {
                "trace_id": f"{link.context.trace_id:032x}",
                "span_id": f"{link.context.span_id:016x}",
            }
            for link in span.links
        ],
        status.status_code is StatusCode.ERROR,
        status.description or "",
    )


def plain(attributes: Mapping[str, Any] | None) -> dict[str, Any]:
    """Sequences are lists on the wire."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in (attributes or {}).items()
    }


def record(events: Iterable[dict[str, Any]]) -> None:
    """What the program has bound meanwhile says nothing of them."""
    token = enter(ROOT)
    try:
        for event in events:
            agent, kind = event.pop("agent"), event.pop("event")
            recorder.record(agent, kind, event.pop("content", None), event)
    finally:
        leave(token)
