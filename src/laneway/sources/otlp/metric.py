"""A point of a metric as an event: its number as it was reported, never added up.

Token and cost counters repeat what the model calls tell one by one, so their numbers stand in ``value``
and are in no total of tokens or cost.
"""

from typing import Any

import orjson

from laneway.base.clock import format_ns
from laneway.model.wire import stable_id
from laneway.sources.otlp.event import fit, own, resource_fields, scope_fields
from laneway.sources.otlp.facts import AGENT, SESSION, take_name
from laneway.sources.otlp.record import Point

AGENTIC = (
    *("claude_code.", "codex.", "gemini_cli.", "github.copilot.", "copilot_chat."),
    *("gen_ai.", "mcp.", "agent.", "llm.", "traceloop."),
)
"""How metrics begin that tell of agents, tools and models; all others tell of any program."""

PLAIN = ("value", "unit", "kind", "temporality", "since", "count", "min", "max", "name", "service")
"""Names of ours that are no field of the schema: an attribute of such a name is kept under its prefix."""


def is_agentic(point: Point) -> bool:
    return point.name.startswith(AGENTIC)


def series_of(point: Point) -> bytes:
    """What a point shares with the one before it and the one after it."""
    parts = [
        point.origin.resource,
        point.origin.scope,
        point.name,
        point.attributes,
        point.start_ns,
    ]
    return orjson.dumps(parts, default=str, option=orjson.OPT_SORT_KEYS)


def point_event(point: Point) -> dict[str, Any]:
    """The event of one point; the same whenever it is sent."""
    rest = dict(point.attributes)
    agent = take_name(rest, AGENT) or point.origin.service
    session = take_name(rest, SESSION)
    told = own(rest)
    found = {
        **resource_fields(point.origin),
        **scope_fields(point.origin),
        **{f"otel.{name}" if name in PLAIN else name: value for name, value in told.items()},
        "agent": agent,
        "session_id": session,
        "event": "metric",
        "level": "debug",
        "content": f"{point.name} {point.value} {point.unit}".rstrip(),
        "name": point.name,
        "value": point.value,
        "unit": point.unit,
        "kind": point.kind,
        "temporality": point.temporality,
        "since": format_ns(point.start_ns) if point.start_ns else "",
        **point.measures,
    }
    key = series_of(point) + b" %d" % point.ts_ns
    return fit(
        {**found, "timestamp": format_ns(point.ts_ns), "id": stable_id("otlp metric", 0, key)}
    )
