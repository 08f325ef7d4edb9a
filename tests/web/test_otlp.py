"""OTLP over HTTP, against OpenTelemetry's own messages and its own exporter in a process of its own."""

import gzip
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from opentelemetry.proto.collector.logs.v1.logs_service_pb2 import ExportLogsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from laneway.base.errors import LogError
from laneway.base.settings import Settings, resolve
from laneway.hub.hub import Hub
from laneway.hub.waiting import NAME
from laneway.sources.otlp import json as otlp_json
from laneway.store.api import Query
from laneway.web.app import App
from tests.waiting import eventually

from .conftest import Running, Tokens
from .otel_run import SECRET

TRACE, ROOT, CHILD = "5b8efff798038103d269b633813fc60c", "eee19b7ec3c1b174", "eee19b7ec3c1b175"
PROTOBUF = {"Content-Type": "application/x-protobuf"}
START_NS = 1_780_000_000_000_000_000


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    return resolve(
        {"home": home, "log_path": tmp_path / "log", "port": 0, "otlp_wait": 3600.0}, env={}
    )


def span(span_id: str = ROOT, parent_id: str = "", **attributes: Any) -> dict[str, Any]:
    pairs = [
        {"key": key.replace("__", "."), "value": {"stringValue": value}}
        for key, value in attributes.items()
    ]
    return {
        "traceId": TRACE, "spanId": span_id, "parentSpanId": parent_id, "name": "work", "kind": 1,
        "startTimeUnixNano": str(START_NS), "endTimeUnixNano": str(START_NS + 2_500_000),
        "attributes": pairs,
    }  # fmt: skip


def agent(span_id: str = ROOT, name: str = "planner") -> dict[str, Any]:
    return span(span_id, gen_ai__operation__name="invoke_agent", gen_ai__agent__name=name)


def chat(span_id: str = CHILD, parent_id: str = ROOT) -> dict[str, Any]:
    return span(span_id, parent_id, gen_ai__operation__name="chat")


def request(*spans: dict[str, Any], service: str = "svc") -> dict[str, Any]:
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": service}}]}
    return {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": list(spans)}]}]}


def logged(hub: Hub, count: int) -> list[dict[str, Any]]:
    eventually(lambda: hub.store.last_seq >= count)
    lines = hub.archive.page(Query(newest_first=False, limit=1000)).lines
    return [orjson.loads(line) for line in lines]


@pytest.mark.parametrize("manner", ["batch", "simple"])
def test_a_run_with_the_real_exporter_arrives_whole(running: Running, manner: str) -> None:
    token = running.headers["Authorization"].removeprefix("Bearer ")
    program = [sys.executable, "-m", "tests.web.otel_run", running.url, token, manner]
    done = subprocess.run(program, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (0, "")

    wanted = 11
    eventually(lambda: running.get("/health")["index"]["events"] >= wanted)
    events = running.get("/api/events", order="oldest")["events"]
    by_type = {(event["agent"], event["event"]): event for event in events}
    assert set(by_type) == {
        ("planner", "user_message"), ("planner", "agent_start"), ("planner", "llm_request"),
        ("planner", "log"), ("planner", "llm_response"), ("researcher", "agent_start"),
        ("researcher", "tool_invocation"), ("researcher", "tool_result"), ("researcher", "agent_end"),
        ("planner", "agent_response"), ("planner", "agent_end"),
    }  # fmt: skip
    assert len(events) == wanted
    assert {event["session_id"] for event in events} == {"conv-1"}
    assert by_type["researcher", "agent_start"]["parent_agent"] == "planner"
    assert by_type["planner", "user_message"]["content"] == "Weather in Paris?"
    answer = by_type["planner", "llm_response"]
    assert (answer["input_tokens"], answer["output_tokens"], answer["cache_read_tokens"]) == (130, 12, 100)  # fmt: skip
    assert (answer["model"], answer["content"], answer["gen_ai.response.id"]) == ("claude-x-1", "Rain.", "r1")  # fmt: skip
    result = by_type["researcher", "tool_result"]
    assert result["error"]["type"] == "LookupError"
    assert "no such city" in result["error"]["stack"]
    assert by_type["researcher", "tool_invocation"]["input"]["city"] == "Paris"
    assert result["my.own"] == "kept"
    assert result["service.version"] == "7"
    assert by_type["planner", "log"]["level"] == "warning"
    assert running.get("/api/usage")["usage"][0]["input_tokens"] == 130, "agents repeat the sum"
    log = b"".join(
        p.read_bytes() for p in Path(running.settings.log_path).rglob("*") if p.is_file()
    )
    assert SECRET.encode() not in log
    assert b"[redacted:" in log


def started(running: Running, manner: str) -> subprocess.Popen[str]:
    """The program, with a log for what it records itself: the hub's."""
    token = running.headers["Authorization"].removeprefix("Bearer ")
    words = [sys.executable, "-m", "tests.web.otel_run", running.url, token, manner]
    place = {"LOG_PATH": running.settings.log_path, "LANEWAY_HOME": running.settings.home}
    return subprocess.Popen(
        words, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env={**os.environ, **place}
    )


def kinds(events: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return sorted((e["agent"], e["event"], e.get("parent_agent", "")) for e in events)


WHOLE_RUN = [
    ("planner", "agent_end", ""), ("planner", "agent_response", ""), ("planner", "agent_start", ""), ("planner", "llm_request", ""),
    ("planner", "llm_response", ""), ("planner", "user_message", ""), ("researcher", "agent_end", "planner"),
    ("researcher", "agent_start", "planner"), ("researcher", "tool_invocation", "planner"), ("researcher", "tool_result", "planner"),
]  # fmt: skip


def test_work_that_runs_is_seen_and_its_end_joins_its_start(running: Running) -> None:
    program = started(running, "live")
    eventually(lambda: running.get("/health")["index"]["events"] == 2)
    begun = running.get("/api/events", q="is:open", order="oldest")["events"]
    assert kinds(begun) == [("planner", "agent_start", ""), ("planner", "llm_request", "")]
    assert begun[1]["model"] == "claude-x"
    assert {event["session_id"] for event in begun} == {"conv-1"}

    _, said = program.communicate("go on\n", timeout=180)
    assert (program.returncode, said) == (0, "")
    eventually(lambda: running.get("/health")["index"]["events"] == len(WHOLE_RUN) + 1)
    assert running.get("/api/events", q="is:open")["events"] == []
    events = running.get("/api/events", q="-event:log", order="oldest")["events"]
    assert kinds(events) == WHOLE_RUN, "none of them twice"
    by_type = {(event["agent"], event["event"]): event for event in events}
    start, end = by_type["planner", "llm_request"], by_type["planner", "llm_response"]
    assert start["id"] == begun[1]["id"]
    assert (start["span_id"], start["trace_id"]) == (end["span_id"], end["trace_id"])
    assert end["parent_span_id"] == by_type["planner", "agent_start"]["span_id"]
    assert (end["input_tokens"], end["content"]) == (130, "Rain.")
    assert not [name for event in events for name in event if name.startswith("laneway.live")]


def test_spans_need_no_exporter_and_no_hub_to_be_recorded(running: Running) -> None:
    program = started(running, "alone")
    _, said = program.communicate(timeout=180)
    assert (program.returncode, said) == (0, "")
    eventually(lambda: running.get("/health")["index"]["events"] == len(WHOLE_RUN) + 1)
    events = running.get("/api/events", q="-event:log", order="oldest")["events"]
    assert kinds(events) == WHOLE_RUN
    result = next(event for event in events if event["event"] == "tool_result")
    assert (result["error"]["type"], result["session_id"]) == ("LookupError", "conv-1")
    assert running.get("/api/usage")["usage"][0]["input_tokens"] == 130


async def test_a_batch_that_is_sent_again_counts_once(client: httpx.AsyncClient, hub: Hub) -> None:
    for _ in range(3):
        answer = await client.post("/v1/traces", json=request(agent(), chat()))
        assert (answer.status_code, answer.json()) == (200, {})
    events = logged(hub, 4)
    eventually(lambda: hub.lag_bytes() == 0)
    assert sorted(event["event"] for event in events) == ["agent_end", "agent_start", "llm_request", "llm_response"]  # fmt: skip
    assert hub.store.last_seq == 4


async def test_a_child_waits_for_its_parent_and_gets_its_lane(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    await client.post("/v1/traces", json=request(chat()))
    assert hub.telemetry.held_count == 1
    assert hub.metric.accepted.total == 0
    await client.post("/v1/traces", json=request(agent()))
    assert {event["agent"] for event in logged(hub, 4)} == {"planner"}
    assert hub.telemetry.held_count == 0
    assert Path(hub.log_path.directory, NAME).read_bytes() == b""


async def test_what_waits_survives_the_end_of_the_hub(
    client: httpx.AsyncClient, app: App, hub: Hub, settings: Settings
) -> None:
    secret = span(CHILD, ROOT, gen_ai__operation__name="chat", note=f"password={SECRET}")
    await client.post("/v1/traces", json=request(secret))
    waiting = Path(hub.log_path.directory, NAME).read_bytes()
    assert SECRET.encode() not in waiting, "redacted before the first byte is written"
    hub.close()

    given = {"home": settings.home, "log_path": settings.log_path, "otlp_wait": 0.0}
    late = resolve(given, env={})
    again = Hub(late, in_process=True)
    try:
        assert again.telemetry.held_count == 1
        again.append(again.telemetry.settle())
        assert {event["agent"] for event in logged(again, 2)} == {"svc"}
    finally:
        again.close()


async def test_nothing_is_lost_while_the_log_cannot_be_written(
    client: httpx.AsyncClient, app: App, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    await client.post("/v1/traces", json=request(chat()))

    def refuse(lines: object, **_: object) -> None:
        raise LogError("no space", status=507)

    with monkeypatch.context() as patch:
        patch.setattr(hub, "write", refuse)
        answer = await client.post("/v1/traces", json=request(agent()))
        assert answer.status_code == 503, "an exporter throws away what is answered with 507"
        assert answer.headers["retry-after"]
        assert answer.json()["code"] == 14
    await app.otlp.settle()
    assert len(logged(hub, 4)) == 4, "the child, acknowledged before, too"


async def test_what_cannot_be_read_is_told_and_the_rest_is_taken(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    bad = span(span_id="xyz")
    answer = await client.post("/v1/traces", json=request(bad, agent(), {"name": 7, "events": 5}))
    told = answer.json()["partialSuccess"]
    assert (answer.status_code, told["rejectedSpans"]) == (200, "2")
    assert 'spanId: "xyz" is not 16 hex digits' in told["errorMessage"]
    assert len(logged(hub, 2)) == 2


async def test_protobuf_is_answered_in_protobuf(client: httpx.AsyncClient, hub: Hub) -> None:
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    scope.spans.add(trace_id=bytes.fromhex(TRACE), span_id=bytes.fromhex(ROOT), name="good")
    scope.spans.add(trace_id=b"short", span_id=b"", name="bad")
    body = gzip.compress(message.SerializeToString())
    answer = await client.post(
        "/v1/traces", content=body, headers={**PROTOBUF, "Content-Encoding": "gzip"}
    )
    assert answer.headers["content-type"] == "application/x-protobuf"
    told = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert (told.rejected_spans, told.error_message) == (1, 'trace_id: "73686f7274" is not 32 hex digits')  # fmt: skip
    assert [event["name"] for event in logged(hub, 2)] == ["good", "good"]


@pytest.mark.parametrize("path", ["/v1/traces", "/v1/logs", "/v1/metrics"])
async def test_empty_requests_are_well(client: httpx.AsyncClient, path: str) -> None:
    assert (await client.post(path, json={})).json() == {}
    assert (await client.post(path, content=b"", headers=PROTOBUF)).content == b""


async def test_refusals_have_the_form_of_the_request(
    client: httpx.AsyncClient, stranger: httpx.AsyncClient, tokens: Tokens
) -> None:
    broken = await client.post("/v1/traces", content=b"\xff\xff", headers=PROTOBUF)
    assert (broken.status_code, broken.headers["content-type"]) == (400, "application/x-protobuf")
    assert b"ExportTraceServiceRequest" in broken.content
    assert (await client.post("/v1/traces", content=b"[]", headers={"Content-Type": "application/json"})).status_code == 400  # fmt: skip
    assert (await client.post("/v1/logs", content=b"x", headers={"Content-Type": "text/plain"})).status_code == 415  # fmt: skip
    assert (await client.get("/v1/traces")).status_code == 405
    refused = await stranger.post("/v1/traces", json=request(agent()))
    assert (refused.status_code, refused.json()["code"]) == (401, 16)
    bearer = {"Authorization": f"Bearer {tokens.ingest}"}
    assert (await stranger.post("/v1/traces", json=request(agent()), headers=bearer)).status_code == 200  # fmt: skip


async def test_a_large_body_is_refused(client: httpx.AsyncClient, settings: Settings) -> None:
    body = gzip.compress(b" " * (settings.body_bytes + 1))
    answer = await client.post(
        "/v1/traces", content=body, headers={**PROTOBUF, "Content-Encoding": "gzip"}
    )
    assert answer.status_code == 413


async def test_log_records_are_events(client: httpx.AsyncClient, hub: Hub) -> None:
    message = ExportLogsServiceRequest()
    record = message.resource_logs.add().scope_logs.add().log_records.add(
        time_unix_nano=START_NS, severity_number=17, event_name="gen_ai.evaluation.result"
    )  # fmt: skip
    record.attributes.add(key="gen_ai.evaluation.score.value").value.double_value = 0.5
    record.attributes.add(key="gen_ai.evaluation.name").value.string_value = "relevance"
    for _ in range(2):
        await client.post("/v1/logs", content=message.SerializeToString(), headers=PROTOBUF)
    eventually(lambda: hub.lag_bytes() == 0)
    [event] = logged(hub, 1)
    assert (event["event"], event["score"], event["name"], event["level"]) == ("evaluation", 0.5, "relevance", "error")  # fmt: skip
    assert event["agent"] == "unknown_service"


def measured(name: str, value: int, temporality: int, at_s: int = 0) -> dict[str, Any]:
    point = {"timeUnixNano": str(START_NS + at_s * 10**9), "asInt": str(value)}
    total = {"aggregationTemporality": temporality, "isMonotonic": True, "dataPoints": [point]}
    metric = {"name": name, "unit": "1", "sum": total}
    return {"resourceMetrics": [{"scopeMetrics": [{"metrics": [metric]}]}]}


DELTA, CUMULATIVE = 1, 2


async def test_a_metric_of_an_agent_is_an_event_and_counts_no_tokens(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    for _ in range(2):
        answer = await client.post(
            "/v1/metrics", json=measured("claude_code.token.usage", 1200, DELTA)
        )
        assert (answer.status_code, answer.json()) == (200, {})
    eventually(lambda: hub.lag_bytes() == 0)
    [event] = logged(hub, 1)
    assert (event["event"], event["name"], event["value"]) == ("metric", "claude_code.token.usage", 1200)  # fmt: skip
    usage = (await client.get("/api/usage")).json()
    assert not any(row.get("input_tokens") for row in usage["usage"])


async def test_a_total_that_stays_the_same_is_not_written_again(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    for at_s, value in enumerate((5, 5, 5, 8)):
        await client.post("/v1/metrics", json=measured("gen_ai.calls", value, CUMULATIVE, at_s))
    assert [event["value"] for event in logged(hub, 2)] == [5, 8]
    assert hub.metric.points.values == {("kept",): 2, ("unchanged",): 2}


async def test_metrics_of_any_program_are_told_to_be_not_kept(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    answer = await client.post("/v1/metrics", json=measured("http.server.duration", 5, DELTA))
    told = answer.json()["partialSuccess"]
    assert (answer.status_code, told["rejectedDataPoints"]) == (200, "1")
    assert told["errorMessage"].startswith("not kept: 1 points of http.server.duration")
    assert hub.metric.points.values == {("not kept",): 1}
    assert 'laneway_metric_points_total{outcome="not kept"} 1' in hub.metrics()


@pytest.mark.parametrize("kept", ["all", "none"])
async def test_which_metrics_are_kept_is_a_setting(home: Path, tmp_path: Path, kept: str) -> None:
    given = {"home": home, "log_path": tmp_path / "log", "otlp_metrics": kept}
    hub = Hub(resolve(given, env={}), in_process=True)
    try:
        for name in ("http.server.duration", "gen_ai.calls"):
            body = orjson.dumps(measured(name, 5, DELTA))
            arrival = hub.telemetry.take(otlp_json.read("metrics", body))
            assert (len(arrival.taken.lines), arrival.rejected_count) == ((1, 0) if kept == "all" else (0, 1))  # fmt: skip
    finally:
        hub.close()
