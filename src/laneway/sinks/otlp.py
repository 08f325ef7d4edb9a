"""Events as OpenTelemetry: spans rebuilt from starts and ends, log records for the rest.

One request a line in OTLP's JSON form (the OpenTelemetry Protocol File Exporter), under the
names of the GenAI semantic conventions. Ids are kept; what has none gets one made of
its own content, so that two exports of one event agree.
"""

from collections.abc import Iterable, Iterator, Mapping
from hashlib import blake2b
from typing import Any

import orjson

from laneway.model.vocabulary import LEVEL_RANK
from laneway.sinks.pairing import Instant, Span, pair

BATCH = 512
"""Spans or records in one request: the default of OpenTelemetry's own batch processors."""

INTERNAL, CLIENT = 1, 3
"""``SpanKind``."""

STATUS_ERROR = 2
SEVERITY = (5, 9, 13, 17, 21)
"""``SeverityNumber`` of our levels, from debug to critical."""

SCOPE = {"name": "laneway"}

OPERATIONS = {
    "llm_request": ("chat", "model", CLIENT),
    "tool_invocation": ("execute_tool", "tool", INTERNAL),
    "agent_start": ("invoke_agent", "agent", INTERNAL),
}
"""By the type that opens the span: operation, the field that its name ends with, kind."""

KINDS = {"permission_request": "permission"}
"""Kinds of work whose types do not end in ``_start`` and ``_end``."""

ENDS = {"llm_response": "llm_request", "tool_result": "tool_invocation", "agent_end": "agent_start"}

ATTRIBUTES = {
    "agent": "gen_ai.agent.name",
    "session_id": "gen_ai.conversation.id",
    "model": "gen_ai.request.model",
    "provider": "gen_ai.provider.name",
    "input_tokens": "gen_ai.usage.input_tokens",
    "output_tokens": "gen_ai.usage.output_tokens",
    "cache_read_tokens": "gen_ai.usage.cache_read.input_tokens",
    "cache_write_tokens": "gen_ai.usage.cache_creation.input_tokens",
    "tool": "gen_ai.tool.name",
}
RESOURCE = {
    "agent": "service.name",
    "pod": "service.namespace",
    "host": "host.name",
    "pid": "process.pid",
}
ELSEWHERE = frozenset({
    "timestamp", "event", "level", "error", "trace_id", "span_id", "parent_span_id", "duration_ms",
    "content", "input", "output",
}).union(RESOURCE, ATTRIBUTES)  # fmt: skip

Event = Mapping[str, Any]


def encode(events: Iterable[Event]) -> Iterator[bytes]:
    """Requests of spans (``resourceSpans``) and of records (``resourceLogs``), a line each."""
    spans: list[tuple[Event, dict[str, Any]]] = []
    records: list[tuple[Event, dict[str, Any]]] = []
    for item in pair(events):
        if isinstance(item, Span):
            spans.append((item.facts, span_of(item)))
        else:
            records.append((item.event, record_of(item)))
        for kind, found in (("Spans", spans), ("Logs", records)):
            if len(found) >= BATCH:
                yield _line(kind, found)
    for kind, found in (("Spans", spans), ("Logs", records)):
        if found:
            yield _line(kind, found)


def request_of_spans(spans: Iterable[Span]) -> dict[str, Any]:
    """An ``ExportTraceServiceRequest``."""
    return _request("Spans", [(span.facts, span_of(span)) for span in spans])


def request_of_records(instants: Iterable[Instant]) -> dict[str, Any]:
    """An ``ExportLogsServiceRequest``."""
    return _request("Logs", [(instant.event, record_of(instant)) for instant in instants])


def _line(kind: str, found: list[tuple[Event, dict[str, Any]]]) -> bytes:
    """One request of all in ``found``, which it empties."""
    line = orjson.dumps(_request(kind, found)) + b"\n"
    found.clear()
    return line


def span_of(span: Span) -> dict[str, Any]:
    """A ``Span``; one that is open still has no end yet, which is what 0 means there."""
    facts = span.facts
    opener = ENDS.get(span.kind, span.kind)
    operation, named_by, kind = OPERATIONS.get(opener, ("", "", INTERNAL))
    fields = {"gen_ai.operation.name": operation} if operation else {}
    fields |= _attributes(facts) | _payload(opener, facts) | _marks(span, opener, operation)
    name = f"{operation} {facts.get(named_by) or ''}".strip() or opener.removesuffix(
        "_start"
    ).removesuffix("_end")
    found: dict[str, Any] = {
        "traceId": trace_id_of(facts),
        "spanId": span_id_of(facts),
        "parentSpanId": str(facts.get("parent_span_id") or ""),
        "name": name,
        "kind": kind,
        "startTimeUnixNano": str(span.start_ns),
        "endTimeUnixNano": str(span.end_ns or 0),
        "attributes": _pairs(fields),
    }
    error = facts.get("error")
    if error:
        found["attributes"] += _pairs({"error.type": _error_type(error)})
        found["status"] = {"code": STATUS_ERROR, "message": _error_message(error)}
        found["events"] = [_exception(error, span.end_ns or span.start_ns)]
    return found


def record_of(instant: Instant) -> dict[str, Any]:
    """A ``LogRecord`` named by the event's type."""
    event = instant.event
    fields = _attributes(event) | {
        name: event[name] for name in ("input", "output", "error") if event.get(name)
    }
    found: dict[str, Any] = {
        "timeUnixNano": str(instant.ts_ns),
        "eventName": str(event["event"]),
        "severityNumber": SEVERITY[
            LEVEL_RANK.get(str(event.get("level")), 3 if event.get("error") else 1)
        ],
        "severityText": str(
            event.get("level") or ("error" if event.get("error") else "info")
        ).upper(),
        "body": _value(event.get("content", "")),
        "attributes": _pairs(fields),
    }
    span_id = event.get("parent_span_id") or event.get("span_id")
    if event.get("span_id"):
        found["attributes"] += _pairs({"laneway.span_id": event["span_id"]})
    if event.get("trace_id"):
        found["traceId"] = event["trace_id"]
        if span_id:
            found["spanId"] = span_id
    return found


def trace_id_of(event: Event) -> str:
    """Without one: the conversation is the trace, or the event stands alone."""
    given = event.get("trace_id")
    return str(given) if given else _hash(16, "trace", event.get("session_id") or event.get("id"))


def span_id_of(event: Event) -> str:
    given = event.get("span_id")
    return str(given) if given else _hash(8, "span", event.get("id"))


def _hash(size: int, *parts: object) -> str:
    return blake2b(
        "\0".join(map(str, parts)).encode("utf-8", "replace"), digest_size=size
    ).hexdigest()


ITEMS = {"Spans": "spans", "Logs": "logRecords"}


def _request(kind: str, found: list[tuple[Event, dict[str, Any]]]) -> dict[str, Any]:
    """One request of all in ``found``, grouped by where they come from."""
    groups: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    resources: dict[tuple[str, ...], list[dict[str, Any]]] = {}
    for event, item in found:
        key = tuple(str(event.get(name)) for name in RESOURCE)
        groups.setdefault(key, []).append(item)
        if key not in resources:
            resources[key] = _pairs({RESOURCE[name]: event.get(name) for name in RESOURCE})
    return {
        f"resource{kind}": [
            {
                "resource": {"attributes": resources[key]},
                f"scope{kind}": [{"scope": SCOPE, ITEMS[kind]: items}],
            }
            for key, items in groups.items()
        ]
    }


def _marks(span: Span, opener: str, operation: str) -> dict[str, Any]:
    """By what another Laneway makes the very events of it again."""
    found = {"laneway.start_id": (span.start or {}).get("id")}
    if span.start is None:
        found["laneway.event"] = span.kind
    elif not operation:
        found["laneway.kind"] = KINDS.get(opener, opener.removesuffix("_start"))
    return found


def _attributes(event: Event) -> dict[str, Any]:
    known = {ATTRIBUTES[name]: event[name] for name in ATTRIBUTES if event.get(name) is not None}
    rest = {
        name if "." in name else f"laneway.{name}": value
        for name, value in event.items()
        if name not in ELSEWHERE
    }
    return known | rest


def _payload(opener: str, facts: Event) -> dict[str, Any]:
    """What went in and what came out, under the names that the conventions have for it."""
    given, result = facts.get("input"), facts.get("output")
    content = facts.get("content")
    if opener == "tool_invocation":
        found = {"gen_ai.tool.call.arguments": given, "gen_ai.tool.call.result": result}
    elif opener == "llm_request":
        found = {
            "gen_ai.input.messages": _messages("user", given),
            "gen_ai.output.messages": _messages("assistant", content if result is None else result),
        }
        content = None
    else:
        found = {"input.value": given, "output.value": result}
    return {
        name: value
        for name, value in (found | {"laneway.content": content}).items()
        if value is not None
    }


def _messages(role: str, value: Any) -> str | None:
    """A JSON text, as the conventions want it; a list of messages stays as it was given."""
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(item, dict) and "role" in item for item in value):
        return orjson.dumps(value).decode()
    text = value if isinstance(value, str) else orjson.dumps(value).decode()
    return orjson.dumps([{"role": role, "parts": [{"type": "text", "content": text}]}]).decode()


def _exception(error: Any, ts_ns: int) -> dict[str, Any]:
    stack = error.get("stack") if isinstance(error, Mapping) else None
    fields = {
        "exception.type": _error_type(error),
        "exception.message": _error_message(error),
        "exception.stacktrace": stack,
    }
    return {"timeUnixNano": str(ts_ns), "name": "exception", "attributes": _pairs(fields)}


def _error_type(error: Any) -> str:
    return str(error.get("type") or "error") if isinstance(error, Mapping) else "error"


def _error_message(error: Any) -> str:
    return str(error.get("message") or "") if isinstance(error, Mapping) else str(error)


def _pairs(fields: Mapping[str, Any]) -> list[dict[str, Any]]:
    return [
        {"key": name, "value": _value(value)} for name, value in fields.items() if value is not None
    ]


def _value(value: Any) -> dict[str, Any]:
    """An ``AnyValue``; 64-bit integers are texts there."""
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return (
            {"intValue": str(value)} if -(2**63) <= value < 2**63 else {"stringValue": str(value)}
        )
    if isinstance(value, float):
        return {"doubleValue": value}
    if isinstance(value, Mapping):
        return {
            "kvlistValue": {
                "values": [{"key": str(k), "value": _value(v)} for k, v in value.items()]
            }
        }
    if isinstance(value, list):
        return {"arrayValue": {"values": [_value(item) for item in value]}}
    return {"stringValue": "" if value is None else str(value)}
