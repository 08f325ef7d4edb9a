"""Whatever somebody sends comes to an end: an event that the hub takes, or a reason."""

from itertools import product
from json import dumps
from typing import Any

import orjson
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from laneway.base.errors import BodyError
from laneway.model.event import normalise
from laneway.sources.otlp import json, protobuf
from laneway.sources.otlp.binding import Binder
from laneway.sources.otlp.event import span_events
from laneway.sources.otlp.facts import read_facts
from laneway.sources.otlp.log import log_event, log_facts
from laneway.sources.otlp.metric import point_event
from laneway.sources.otlp.record import Batch, from_tree, to_tree

ANY = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=12),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)  # fmt: skip
NAMES = st.sampled_from([
    "gen_ai.operation.name", "gen_ai.agent.name", "gen_ai.input.messages", "gen_ai.output.messages", "gen_ai.usage.input_tokens",
    "openinference.span.kind", "input.value", "output.value", "llm.input_messages.0.message.role", "llm.input_messages.0.message",
    "llm.input_messages.0.message.contents.0.x", "llm.input_messages.x", "llm.output_messages.0", "gen_ai.prompt.0.content", "gen_ai.prompt.0",
    "traceloop.span.kind", "traceloop.entity.name", "tool.name", "metadata", "session.id", "error.type", "timestamp", "event.name", "prompt",
    "model", "duration_ms", "exception.type", "agent.name", "gen_ai.tool.call.arguments",
]) | st.text(max_size=6)  # fmt: skip
WORDS = st.sampled_from(["chat", "invoke_agent", "execute_tool", "AGENT", "LLM", "TOOL", "CHAIN", "workflow", "tool", '{"messages": [1]}', '[{"role": 1}]', "[[]]", '{"role": {}}', ""])  # fmt: skip
VALUES = st.one_of(
    st.builds(lambda v: {"stringValue": v}, st.text(max_size=8) | WORDS),
    st.builds(lambda v: {"intValue": v}, st.integers(-(2**63), 2**63 - 1)),
    st.builds(lambda v: {"doubleValue": v}, st.floats(allow_nan=False, allow_infinity=False)),
    st.builds(lambda v: {"arrayValue": {"values": v}}, st.lists(st.builds(lambda t: {"stringValue": t}, WORDS), max_size=3)),
    st.builds(lambda v: {"kvlistValue": {"values": v}}, st.lists(st.builds(lambda t: {"key": t, "value": {"stringValue": t}}, WORDS), max_size=3)),
    ANY,
)  # fmt: skip
PAIRS = st.lists(st.fixed_dictionaries({"key": NAMES, "value": VALUES}), max_size=6)
HEX = st.sampled_from(["5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "", "0" * 16, "xyz"])
MOMENTS = st.lists(st.fixed_dictionaries({"name": st.sampled_from(["exception", "gen_ai.choice", "gen_ai.user.message", "gen_ai.evaluation.result", "x"]), "attributes": PAIRS}), max_size=2)  # fmt: skip
SPANS = st.fixed_dictionaries(
    {"traceId": st.just("5b8efff798038103d269b633813fc60c"), "spanId": st.just("eee19b7ec3c1b174") | HEX},
    optional={"parentSpanId": HEX, "name": st.text(max_size=8), "startTimeUnixNano": st.integers(0, 2**64 - 1) | ANY,
              "endTimeUnixNano": st.integers(0, 2**64 - 1).map(str), "attributes": PAIRS, "events": MOMENTS, "status": st.just({"code": 2}) | ANY},
)  # fmt: skip
RECORDS = st.fixed_dictionaries({}, optional={
    "timeUnixNano": st.integers(0, 2**64 - 1), "body": VALUES, "attributes": PAIRS, "traceId": HEX, "spanId": HEX, "severityNumber": st.integers(-5, 99),
    "eventName": st.sampled_from(["", "x", "gen_ai.choice", "gen_ai.evaluation.result", "codex.tool_result", "claude_code.api_error", "decision",
                                  "gen_ai.client.inference.operation.details"]),
})  # fmt: skip
POINTS = st.fixed_dictionaries({}, optional={
    "asInt": st.integers(-(2**63), 2**63 - 1).map(str) | ANY, "asDouble": st.floats() | ANY, "sum": st.floats() | ANY, "count": st.integers(0, 2**64 - 1) | ANY,
    "min": ANY, "max": st.floats(), "timeUnixNano": st.integers(0, 2**64 - 1), "attributes": PAIRS, "flags": ANY,
})  # fmt: skip
DATA = st.fixed_dictionaries({}, optional={"dataPoints": st.lists(POINTS | ANY, max_size=3), "aggregationTemporality": st.integers(-1, 4) | ANY, "isMonotonic": ANY})  # fmt: skip
METRICS = st.fixed_dictionaries({}, optional={"name": st.text(max_size=8) | ANY, "unit": ANY, "sum": DATA | ANY, "gauge": DATA, "histogram": DATA | ANY, "summary": DATA})  # fmt: skip


ANSWERS = [
    {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": f"eee19b7ec3c1b17{number}",
        "attributes": [{"key": "gen_ai.output.messages", "value": {"stringValue": answer}}],
    }
    for number, answer in enumerate(('["a text"]', "[5]", "[null]", "[[]]"))
]
"""Lists of messages whose one message is none."""


def events_of(batch: Batch) -> list[dict[str, Any]]:
    binder = Binder(30)
    found: list[dict[str, Any]] = []
    for span in batch.spans:
        facts = read_facts(span.name, span.attributes)
        binder.note(span, facts)
        place = binder.place(span, facts, now=True)
        assert place
        found += span_events(span, facts, place)
        assert from_tree(orjson.loads(orjson.dumps(to_tree(span)))) == span
    for record in batch.logs:
        said = log_facts(record)
        place = binder.place(record, said, now=True)
        assert place
        found.append(log_event(record, said, place))
    return found + [point_event(point) for point in batch.points]


@given(st.lists(SPANS | ANY, max_size=4))
@example(ANSWERS)
def test_any_spans_become_events_or_reasons(spans: list[Any]) -> None:
    body = orjson.dumps({"resourceSpans": [{"scopeSpans": [{"spans": spans}]}]})
    batch = json.read("traces", body)
    assert len(batch.spans) + len(batch.rejections) >= min(1, len(spans))
    for event in events_of(batch):
        normalise(event)


@given(st.lists(RECORDS | ANY, max_size=4))
def test_any_records_become_events_or_reasons(records: list[Any]) -> None:
    body = orjson.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]})
    for event in events_of(json.read("logs", body)):
        normalise(event)


@given(st.lists(METRICS | ANY, max_size=4))
def test_any_metrics_become_events_or_reasons(metrics: list[Any]) -> None:
    body = orjson.dumps({"resourceMetrics": [{"scopeMetrics": [{"metrics": metrics}]}]})
    for event in events_of(json.read("metrics", body)):
        normalise(event)


@given(ANY)
def test_any_json_is_read_or_refused(value: Any) -> None:
    for signal in ("traces", "logs", "metrics"):
        try:
            json.read(signal, orjson.dumps(value))
            outer = dict.fromkeys(("resourceSpans", "resourceLogs", "resourceMetrics"), value)
            json.read(signal, orjson.dumps(outer))
        except BodyError:
            pass


@given(st.binary(max_size=64))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    for form, signal in product((protobuf, json), ("traces", "logs", "metrics")):
        try:
            for event in events_of(form.read(signal, body)):
                normalise(event)
        except BodyError:
            pass


def test_a_deep_value_is_kept_as_text() -> None:
    value: dict[str, Any] = {"stringValue": "deep"}
    for _ in range(150):
        value = {"arrayValue": {"values": [value]}}
    span = {
        "traceId": "5b8efff798038103d269b633813fc60c",
        "spanId": "eee19b7ec3c1b174",
        "attributes": [{"key": "a", "value": value}],
    }
    tree = {"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}
    [start, end] = events_of(json.read("traces", dumps(tree).encode()))
    assert "deep" in repr(end["a"])
    normalise(start)


def test_reasons_name_no_python() -> None:
    with pytest.raises(BodyError, match="not an object with resourceSpans"):
        json.read("traces", b"[]")
