"""A span as events: its start, its end, and what happened in it; ids stay the same when it is sent again."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from laneway.base.clock import NS_PER_MS, format_ns
from laneway.base.errors import EventError
from laneway.base.limits import KEY_CHARS, KEYS, NAME_CHARS
from laneway.model.event import Event, normalise
from laneway.model.wire import stable_id
from laneway.sources.otlp.binding import Place
from laneway.sources.otlp.facts import OWN_PREFIX, Facts, take
from laneway.sources.otlp.message import Attributes, last_text, read_messages
from laneway.sources.otlp.record import Moment, Origin, Span

PAIRS = {
    "llm": ("llm_request", "llm_response"),
    "tool": ("tool_invocation", "tool_result"),
    "agent": ("agent_start", "agent_end"),
    "permission": ("permission_request", "permission_decision"),
}
"""Start and end by kind; any other kind X is ``X_start`` and ``X_end``."""

RESOURCE = {
    "service.namespace": "pod",
    "host.name": "host",
    "process.pid": "pid",
}
"""Attributes of a resource that an event has a field for."""

UNTOLD = ("telemetry.sdk.language", "telemetry.sdk.name", "telemetry.sdk.version", "service.name")
"""Of a resource: what says nothing of the work, and the name that the lane or `service` bears."""

REQUEST = ("gen_ai.request.", "llm.invocation_parameters", "gen_ai.system_instructions",
           "gen_ai.tool.definitions", "llm.tools", "llm.request.functions", "llm.prompt")  # fmt: skip
"""Attributes that begin so were known when the work began, and stand on the start."""

PROMPT_EVENTS = {
    "gen_ai.system.message": "system",
    "gen_ai.user.message": "user",
    "gen_ai.assistant.message": "assistant",
    "gen_ai.tool.message": "tool",
}
"""Events of the older conventions: one for each message."""

CHOICE_EVENT = "gen_ai.choice"
EVALUATION_EVENT = "gen_ai.evaluation.result"
EVALUATION = {
    "gen_ai.evaluation.name": "name",
    "gen_ai.evaluation.score.value": "score",
    "gen_ai.evaluation.score.label": "label",
}
EXCEPTION = ("exception.type", "exception.message", "exception.stacktrace")

KNOWN = frozenset(Event.__annotations__)
PLACED = frozenset(
    {"agent", "parent_agent", "event", "timestamp", "id", "session_id", "trace_id", "pod"}
)
"""What says where an event belongs is told by the span and what is around it, and by nothing else."""

PREFIX = "otel."
"""Before an attribute that bears the name of a field of ours and means something else."""

WORDS = ("messages", "input", "output", "task", "question", "query", "prompt", "user_msg", "answer")
"""Under one of these, frameworks keep what was said to an agent, or by it."""

OWN_SCOPE = "laneway"
"""The instrumentation scope of what `sinks.otlp` has written."""

HIDDEN = "__REDACTED__"
"""What OpenInference writes where it was told to hide the content."""

STACK_CHARS = 16_384


def span_events(span: Span, facts: Facts, place: Place) -> list[dict[str, Any]]:
    """All events of one span, in order of time."""
    given, answer = _messages(span, facts)
    is_own = bool(facts.own_id)  # then its messages are events of their own already
    said = _spoken(given, ("user", "human")) if place.is_outermost and not is_own else ""
    replied = _spoken(answer, ("assistant", "ai", "model")) if said else ""
    base = _base(span, facts, place)
    early, late = _own_fields(span, facts)
    outcome = _outcome(span, facts, place, answer)
    events: list[dict[str, Any]]
    end = {**base, **late, **outcome, "event": facts.own_event or _types(facts.kind)[1]}
    if facts.own_event:
        events = []
    elif facts.live_kind == facts.kind:  # its start is in the log: the end tells what came later
        end = {**early, "input": given, **end}
        events = []
    else:
        start = _start(base, early, given, facts)
        events = [_stamp(start, span, span.start_ns, "start", facts.own_start_id)]
    if said:
        message = {**base, "event": "user_message", "content": said, "role": "user"}
        events.insert(0, _stamp(message, span, span.start_ns, "user"))
    events += _moments(span, base)
    if replied:
        message = {**base, "event": "agent_response", "content": replied, "role": "assistant"}
        events.append(_stamp(message, span, span.end_ns or span.start_ns, "reply"))
    if span.end_ns or not is_own:  # one that was open when it was written has no end
        events.append(_stamp(end, span, span.end_ns or span.start_ns, "end", facts.own_id))
    return [fit(event) for event in events]


def start_event(span: Span, facts: Facts, place: Place) -> dict[str, Any]:
    """The start of a span that has just begun, before the span itself is sent."""
    early, late = _own_fields(span, facts)
    start = _start(_base(span, facts, place), {**late, **early}, _messages(span, facts)[0], facts)
    return fit(_stamp(start, span, span.start_ns, "live"))


def _types(kind: str) -> tuple[str, str]:
    return PAIRS.get(kind, (f"{kind}_start", f"{kind}_end"))


def _start(
    base: Mapping[str, Any], early: Mapping[str, Any], given: Any, facts: Facts
) -> dict[str, Any]:
    start = {**base, **early, "event": _types(facts.kind)[0], "input": given}
    return start | {"model": facts.request_model or facts.model}


def _base(span: Span, facts: Facts, place: Place) -> dict[str, Any]:
    named: dict[str, Any] = {"name": span.name}
    if facts.kind in ("tool", "llm") or facts.own_id:
        named = {"tool": facts.tool}
    return {
        **resource_fields(span.origin),
        "agent": place.agent,
        "parent_agent": place.parent_agent,
        "session_id": place.session_id,
        "trace_id": span.trace_id,
        "span_id": span.span_id,
        "parent_span_id": span.parent_id,
        "provider": facts.provider,
        **named,
    }


def _messages(span: Span, facts: Facts) -> tuple[Any, Any]:
    """What went in and came out; the older conventions tell it in the span's events."""
    given, answer = facts.input, facts.output
    said = [
        {"role": PROMPT_EVENTS[m.name], **_event_message(m.attributes)}
        for m in span.moments
        if m.name in PROMPT_EVENTS
    ]
    chosen = [
        {"role": "assistant", **_event_message(m.attributes)}
        for m in span.moments
        if m.name == CHOICE_EVENT
    ]
    return (given if given is not None else said or None), (
        answer if answer is not None else chosen or None
    )


def _event_message(attributes: Attributes) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if name != "gen_ai.system"}


def _spoken(value: Any, roles: Iterable[str]) -> str:
    if isinstance(value, Mapping):
        value = next((value[name] for name in WORDS if name in value), "")
    text = last_text(read_messages(value), roles)
    return "" if text == HIDDEN else text


def _own_fields(span: Span, facts: Facts) -> tuple[Attributes, Attributes]:
    """Attributes that have no field of ours: those of the beginning, and the others."""
    rest = dict(facts.rest)
    late = {name: value for name, value in rest.items() if not name.startswith(REQUEST)}
    early = {name: value for name, value in rest.items() if name.startswith(REQUEST)}
    if span.links:
        late["links"] = span.links
    return own(early), own({**late, **scope_fields(span.origin)})


def _outcome(span: Span, facts: Facts, place: Place, answer: Any) -> dict[str, Any]:
    """The fields that only an end has."""
    found: dict[str, Any] = {"duration_ms": max(0, span.end_ns - span.start_ns) / NS_PER_MS}
    if facts.kind not in ("llm", "tool") and not facts.own_id:
        found["model"] = ""
    else:
        found["model"] = facts.model or facts.request_model
    if place.is_metered:
        found |= facts.usage
    elif facts.usage:
        found |= {f"gen_ai.usage.{name}": value for name, value in facts.usage.items()}
    text = _plain_answer(answer) if facts.kind != "tool" else ""
    found["content" if text else "output"] = text or answer
    return found | _failure(span, facts)


def _plain_answer(answer: Any) -> str:
    """The answer where it is nothing but text."""
    if isinstance(answer, str):
        return answer
    if isinstance(answer, list) and len(answer) == 1:
        message = answer[0]
        if isinstance(message, dict) and set(message) <= {
            "role",
            "content",
            "finish_reason",
            "index",
        }:
            content = message.get("content")
            return content if isinstance(content, str) else ""
    return ""


def _failure(span: Span, facts: Facts) -> dict[str, Any]:
    raised = next((m for m in span.moments if m.name == "exception"), None)
    if not span.is_failed and "error.type" not in facts.rest:
        return {}
    attributes = raised.attributes if raised else {}
    error = error_of({**facts.rest, **attributes}, span.status_message)
    return {"level": "error", "error": error}


def error_of(attributes: Mapping[str, Any], message: str = "") -> dict[str, str]:
    """The ``error`` that the attributes of an exception tell."""
    kind = attributes.get("exception.type") or attributes.get("error.type") or "error"
    found = {
        "type": str(kind),
        "message": str(attributes.get("exception.message") or message or kind),
    }
    if stack := attributes.get("exception.stacktrace"):
        found["stack"] = str(stack)[-STACK_CHARS:]
    return found


def _moments(span: Span, base: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The span's events that are events of their own: they point to the span as their parent."""
    inside = {**base, "parent_span_id": span.span_id, "span_id": "", "tool": ""}
    has_failed = span.is_failed
    found = []
    for place, moment in enumerate(span.moments):
        if moment.name in PROMPT_EVENTS or moment.name == CHOICE_EVENT:
            continue
        if moment.name == "exception" and has_failed:
            has_failed = False  # the first one stands on the end
            continue
        event = {**inside, **moment_fields(moment)}
        found.append(_stamp(event, span, moment.ts_ns or span.start_ns, f"event {place}"))
    return found


def moment_fields(moment: Moment) -> dict[str, Any]:
    """What a span's event or a log record with a name says by itself."""
    rest = dict(moment.attributes)
    if moment.name == "exception":
        error = error_of(rest)
        for name in EXCEPTION:
            rest.pop(name, None)
        return {**own(rest), "event": "error", "level": "warning", "error": error}
    if moment.name == EVALUATION_EVENT:
        found = {ours: rest.pop(name) for name, ours in EVALUATION.items() if name in rest}
        text = take(rest, ("gen_ai.evaluation.explanation",))
        return {**own(rest), **found, "event": "evaluation", "content": text}
    return {**own(rest), "event": "log", "name": moment.name, "content": moment.name}


def resource_fields(origin: Origin) -> dict[str, Any]:
    return {
        ours: origin.resource[name] for name, ours in RESOURCE.items() if name in origin.resource
    }


def scope_fields(origin: Origin) -> dict[str, Any]:
    """Who recorded it, and where it ran."""
    if origin.scope.get("name") == OWN_SCOPE:  # the agent is the service there
        return {}
    told = {f"otel.scope.{name}": value for name, value in origin.scope.items()}
    if service := origin.resource.get("service.name"):
        told["service"] = service
    for name, value in origin.resource.items():
        if name not in RESOURCE and name not in UNTOLD:
            told[name] = value
    return told


def own(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Attributes as fields that none of ours is mistaken for; those of our own export are ours again."""
    return {_field_name(name, value)[:KEY_CHARS]: value for name, value in attributes.items()}


def _field_name(name: str, value: Any) -> str:
    if name.startswith(OWN_PREFIX):
        bare = name.removeprefix(OWN_PREFIX)
        return bare if bare not in PLACED and is_taken(bare, value) else name
    return f"{PREFIX}{name}" if name in KNOWN else name


def is_taken(name: str, value: Any) -> bool:
    """Whether an event may have it: the name alone does not make it ours."""
    try:
        normalise({"agent": "-", "event": "-", name: value})
    except EventError:
        return False
    return True


def _stamp(
    event: dict[str, Any], span: Span, ts_ns: int, part: str, own_id: str = ""
) -> dict[str, Any]:
    """With its time, and an id that is the same whenever this span is sent."""
    key = f"{span.trace_id} {span.span_id} {part}".encode()
    event_id = own_id or stable_id("otlp", 0, key)
    return {**event, "timestamp": format_ns(ts_ns), "id": event_id}


def fit(event: dict[str, Any]) -> dict[str, Any]:
    """Without empty fields, with names of a length that is taken, and with fewer keys than are refused."""
    found = {name: value for name, value in event.items() if value is not None and value != ""}
    for name in ("agent", "parent_agent", "session_id", "tool", "model", "provider", "host", "pod"):
        if name in found:
            found[name] = str(found[name])[:NAME_CHARS]
    found["event"] = str(found["event"])[:NAME_CHARS]
    _pack(found)
    return found


def _pack(event: dict[str, Any]) -> None:
    """The widest values become JSON in a text, until the event has few enough keys."""
    widths = [(_width(event[name]), name) for name in event if type(event[name]) in (dict, list)]
    total = len(event) + sum(width for width, _ in widths)
    if total <= KEYS:
        return
    for width, name in sorted(widths, reverse=True):
        if total <= KEYS:
            return
        if width:
            event[name] = orjson.dumps(event[name], default=str).decode()
            total -= width
    spare = [name for name in event if name not in KNOWN]
    if total > KEYS:
        packed = {name: event.pop(name) for name in spare}
        event["attributes"] = orjson.dumps(packed, default=str).decode()


def _width(value: Any) -> int:
    """Keys in a value, at every depth."""
    if isinstance(value, dict):
        return len(value) + sum(map(_width, value.values()))
    return sum(map(_width, value)) if isinstance(value, list) else 0
