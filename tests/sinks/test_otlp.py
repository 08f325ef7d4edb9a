"""What we write is what OpenTelemetry's own messages read."""

from base64 import b64encode
from typing import Any

import orjson
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from laneway.sinks.otlp import BATCH, encode
from tests.sinks.events import TRACE, at, run

IDS = ("traceId", "spanId", "parentSpanId")


def requests(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [orjson.loads(line) for line in b"".join(encode(events)).splitlines()]


def with_bytes(value: Any) -> Any:
    """OTLP writes ids as hex where Protobuf's JSON has base64."""
    if isinstance(value, dict):
        return {
            key: b64encode(bytes.fromhex(item)).decode() if key in IDS else with_bytes(item)
            for key, item in value.items()
        }
    return [with_bytes(item) for item in value] if isinstance(value, list) else value


def spans_of(events: list[dict[str, Any]]) -> list[Any]:
    """As the official messages hold them; an unknown field fails."""
    found = []
    for request in requests(events):
        if "resourceSpans" in request:
            message = ParseDict(with_bytes(request), ExportTraceServiceRequest())
            found += [
                s for r in message.resource_spans for scope in r.scope_spans for s in scope.spans
            ]
    return found


def attributes(item: Any) -> dict[str, Any]:
    return {a.key: getattr(a.value, a.value.WhichOneof("value")) for a in item.attributes}


def test_spans_carry_the_names_of_the_genai_conventions() -> None:
    spans = {span.name: span for span in spans_of(run())}

    assert set(spans) == {
        "chat qwen3", "execute_tool search", "execute_tool fetch", "evaluation", "invoke_agent researcher",
    }  # fmt: skip
    chat = attributes(spans["chat qwen3"])
    assert chat["gen_ai.usage.input_tokens"] == 12
    assert chat["gen_ai.conversation.id"] == "s1"
    assert orjson.loads(chat["gen_ai.output.messages"])[0]["parts"][0]["content"] == "done"
    assert chat["laneway.cost_usd"] == 0.25
    assert spans["chat qwen3"].trace_id.hex() == TRACE
    assert spans["execute_tool search"].parent_span_id == spans["chat qwen3"].span_id
    assert spans["invoke_agent researcher"].end_time_unix_nano == 0, "it is open still"


def test_a_failure_is_a_status_and_an_exception() -> None:
    (failed,) = [span for span in spans_of(run()) if span.name == "execute_tool fetch"]

    assert (failed.status.code, failed.status.message) == (2, "no route")
    assert attributes(failed)["error.type"] == "OSError"
    assert attributes(failed.events[0])["exception.stacktrace"] == "Traceback"


def test_the_rest_are_log_records_beside_their_span() -> None:
    (request,) = [request for request in requests(run()) if "resourceLogs" in request]
    message = ParseDict(with_bytes(request), ExportLogsServiceRequest())
    (record,) = message.resource_logs[0].scope_logs[0].log_records

    assert (record.event_name, record.body.string_value) == ("user_message", "Find =1+1")
    assert record.trace_id.hex() == TRACE
    resource = attributes(message.resource_logs[0].resource)
    assert (resource["service.name"], resource["host.name"]) == ("planner", "vm")


def test_an_event_without_ids_gets_the_same_ones_every_time() -> None:
    event = {"timestamp": at(0), "agent": "a", "event": "step", "duration_ms": 1, "id": "e"}

    assert requests([event]) == requests([event])
    (span,) = spans_of([event])
    assert (len(span.trace_id), len(span.span_id)) == (16, 8)


def test_nothing_unknown_is_dropped_and_no_number_is_too_large() -> None:
    odd = {
        "customer.tier": "gold",
        "n": 2**80,
        "deep": {"list": [1, None, {"x": True}]},
        "on": False,
    }
    (span,) = spans_of([{"timestamp": at(0), "agent": "a", "event": "x", "duration_ms": 1, **odd}])

    assert {"customer.tier", "laneway.n", "laneway.deep", "laneway.on"} <= attributes(span).keys()


def test_many_spans_are_many_requests() -> None:
    event = {"timestamp": at(0), "agent": "a", "event": "step", "duration_ms": 1}
    events = [{**event, "id": str(n)} for n in range(BATCH + 1)]

    assert len(requests(events)) == 2
    assert len(spans_of(events)) == BATCH + 1
