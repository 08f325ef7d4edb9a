"""A log record as one event: GenAI events, the coding agents' own (``client``), and any program's lines."""

from collections.abc import Mapping
from hashlib import blake2b
from typing import Any

import orjson

from laneway.base.clock import format_ns
from laneway.model.vocabulary import EVENT_TYPES
from laneway.model.wire import stable_id
from laneway.sources.otlp.binding import Place
from laneway.sources.otlp.client import SERVICES, read_client
from laneway.sources.otlp.event import (
    CHOICE_EVENT,
    EVALUATION_EVENT,
    EXCEPTION,
    KNOWN,
    PROMPT_EVENTS,
    error_of,
    fit,
    is_taken,
    moment_fields,
    own,
    resource_fields,
    scope_fields,
)
from laneway.sources.otlp.facts import AGENT, OWN_ID, OWN_PREFIX, SESSION, Facts, take_name
from laneway.sources.otlp.message import read_messages, text_of
from laneway.sources.otlp.record import LogRecord, Moment

INFERENCE_EVENT = "gen_ai.client.inference.operation.details"
EXCEPTION_EVENT = "gen_ai.client.operation.exception"

SEVERITIES = ((21, "critical"), (17, "error"), (13, "warning"), (9, "info"), (1, "debug"))
"""``SeverityNumber`` from which a level counts."""

PLAIN_FIELDS = {
    "gen_ai.tool.name": "tool",
    "gen_ai.request.model": "model",
    "gen_ai.provider.name": "provider",
}


def log_facts(record: LogRecord) -> Facts:
    """Who says it, as far as the record itself tells; its attributes stay with the record."""
    attributes = dict(record.attributes)
    name = record.name or str(attributes.get("event.name") or "")
    own_id, parent_agent = (
        take_name(attributes, (name,)) for name in (OWN_ID, f"{OWN_PREFIX}parent_agent")
    )
    agent = take_name(attributes, AGENT)
    if agent and name.partition(".")[0] in SERVICES and not parent_agent:
        parent_agent = record.origin.service  # a coding agent's sub-agent
    return Facts(
        "message" if name.startswith("gen_ai.") else "log",  # the first waits for its span
        agent=agent,
        session=take_name(attributes, SESSION),
        own_id=own_id,
        parent_agent=parent_agent,
        rest=attributes,
    )


def log_event(record: LogRecord, facts: Facts, place: Place) -> dict[str, Any]:
    """The event of one record."""
    name = record.name or str(record.attributes.get("event.name") or "")
    event = {
        **resource_fields(record.origin),
        "agent": place.agent,
        "parent_agent": place.parent_agent,
        "session_id": place.session_id,
        "trace_id": record.trace_id,
        "parent_span_id": record.span_id,
        "level": level_of(record.severity),
        **scope_fields(record.origin),
        **_meaning(name, record, facts),
    }
    key = orjson.dumps([record.ts_ns, name, record.body, record.attributes], default=str)
    digest = blake2b(key, digest_size=16).digest()
    source = f"{record.trace_id} {record.span_id} {record.origin.service}"
    event_id = facts.own_id or stable_id(source, 0, digest)
    return fit({**event, "timestamp": format_ns(record.ts_ns), "id": event_id})


def level_of(severity: int) -> str:
    return next((name for least, name in SEVERITIES if severity >= least), "")


def _meaning(name: str, record: LogRecord, facts: Facts) -> dict[str, Any]:
    rest = dict(facts.rest)
    rest.pop("event.name", None)
    client = read_client(name, str(record.body or ""), record.origin.service, rest)
    if client is not None:
        return client
    if name == EVALUATION_EVENT:
        return moment_fields(Moment(name, 0, rest))
    if name in PROMPT_EVENTS or name == CHOICE_EVENT:
        return _message_event(name, record.body, rest)
    if name == INFERENCE_EVENT:
        return _inference_event(rest)
    if name == EXCEPTION_EVENT or "exception.type" in rest:
        return _exception_event(record.body, rest)
    body = record.body
    fields = {ours: rest.pop(key) for key, ours in PLAIN_FIELDS.items() if key in rest}
    found = {**own(rest), **fields, "event": name or "log"}
    if name in EVENT_TYPES:  # our own export: what it says of itself is what we said
        kept = {key: rest[key] for key in rest if key in KNOWN and is_taken(key, rest[key])}
        found |= kept
        for key in kept:
            found.pop(f"otel.{key}", None)
    return found | {"content": body}


def _message_event(name: str, body: Any, rest: dict[str, Any]) -> dict[str, Any]:
    """The older conventions' events: one message of the conversation each."""
    message = body if isinstance(body, Mapping) else {"content": body}
    inner = message.get("message")
    said = inner if isinstance(inner, Mapping) else message
    role = str(said.get("role") or PROMPT_EVENTS.get(name, "assistant"))
    text = text_of(said)
    found = {**own(rest), "event": name, "role": role, "content": text}
    if set(message) - {"content", "role"}:
        found["output" if name == CHOICE_EVENT else "input"] = dict(message)
    return found


def _inference_event(rest: dict[str, Any]) -> dict[str, Any]:
    """The opt-in event with the whole content; its span has counted the tokens already."""
    given = read_messages(rest.pop("gen_ai.input.messages", None))
    answer = read_messages(rest.pop("gen_ai.output.messages", None))
    model = rest.get("gen_ai.response.model") or rest.get("gen_ai.request.model")
    return {**own(rest), "event": "llm_details", "input": given, "output": answer, "model": model}


def _exception_event(body: Any, rest: dict[str, Any]) -> dict[str, Any]:
    error = error_of(rest)
    for name in EXCEPTION:
        rest.pop(name, None)
    return {**own(rest), "event": "error", "error": error, "content": body}
