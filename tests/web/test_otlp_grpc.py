"""OTLP over gRPC: a hub behind real sockets, OpenTelemetry's own exporters and grpcio's own client."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from laneway.base.errors import HubError, LanewayError, LogError
from laneway.base.limits import MIB
from laneway.base.settings import Settings, resolve
from laneway.web.otlp_grpc import RETRY_INFO, status_of
from laneway.web.rate import RateError
from tests.waiting import eventually

from .conftest import Running

EXPORT = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
TRACE, ROOT = bytes.fromhex("5b8efff798038103d269b633813fc60c"), bytes.fromhex("eee19b7ec3c1b174")


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    given: dict[str, Any] = {"home": home, "log_path": tmp_path / "log", "port": 0, "grpc_port": 0}
    return resolve({**given, "body_bytes": MIB, "otlp_wait": 3600.0}, env={})


Export = Callable[..., Any]


@pytest.fixture
def export(running: Running) -> Iterator[Export]:
    """One call with the token of this machine."""
    assert running.ready
    channel = grpc.insecure_channel(running.ready.grpc_address)
    call = channel.unary_unary(EXPORT)

    def send(body: bytes, token: str = "", **more: Any) -> bytes:
        bearer = token or running.headers["Authorization"]
        answer: bytes = call(body, metadata=[("authorization", bearer)], timeout=180, **more)
        return answer

    yield send
    channel.close()


def request(*names: str, trace_id: bytes = TRACE) -> bytes:
    message = ExportTraceServiceRequest()
    scope = message.resource_spans.add().scope_spans.add()
    for name in names:
        scope.spans.add(trace_id=trace_id, span_id=ROOT, name=name)
    return bytes(message.SerializeToString())


def test_a_run_with_the_real_exporters_arrives_whole(running: Running) -> None:
    assert running.ready
    token = running.headers["Authorization"].removeprefix("Bearer ")
    address = f"http://{running.ready.grpc_address}"
    program = [sys.executable, "-m", "tests.web.otel_grpc_run", address, token]
    done = subprocess.run(program, capture_output=True, text=True, timeout=180, check=False)
    assert (done.returncode, done.stderr) == (0, "")

    wanted = 12
    eventually(lambda: running.get("/health")["index"]["events"] >= wanted)
    events = running.get("/api/events", order="oldest")["events"]
    assert sorted({(event["agent"], event["event"]) for event in events}) == [
        ("planner", "agent_end"), ("planner", "agent_response"), ("planner", "agent_start"), ("planner", "llm_request"),
        ("planner", "llm_response"), ("planner", "log"), ("planner", "metric"), ("planner", "user_message"),
        ("researcher", "agent_end"), ("researcher", "agent_start"), ("researcher", "tool_invocation"), ("researcher", "tool_result"),
    ]  # fmt: skip
    assert len(events) == wanted
    assert {e["session_id"] for e in events if e["event"] != "metric"} == {"conv-1"}
    assert running.get("/api/usage")["usage"][0]["input_tokens"] == 130


def test_what_cannot_be_read_is_told_and_the_rest_is_taken(
    running: Running, export: Export
) -> None:
    message = ExportTraceServiceRequest.FromString(request("good"))
    message.resource_spans[0].scope_spans[0].spans.add(trace_id=b"short", name="bad")
    told = ExportTraceServiceResponse.FromString(
        export(message.SerializeToString(), compression=grpc.Compression.Gzip)
    ).partial_success
    assert (told.rejected_spans, told.error_message) == (1, 'trace_id: "73686f7274" is not 32 hex digits')  # fmt: skip
    eventually(lambda: running.get("/health")["index"]["events"] == 2)


@pytest.mark.parametrize(
    ("token", "code"),
    [("Bearer wrong", grpc.StatusCode.UNAUTHENTICATED), ("none", grpc.StatusCode.UNAUTHENTICATED)],
)
def test_a_call_without_a_token_is_refused(export: Export, token: str, code: Any) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        export(request("x"), token)
    assert caught.value.code() == code
    assert "ingest.token" in caught.value.details()


def test_no_request_is_one_that_cannot_be_read(export: Export) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        export(b"\xff\xff")
    assert caught.value.code() == grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("compression", [None, grpc.Compression.Gzip], ids=["plain", "gzip"])
def test_a_message_beyond_the_limit_is_refused(
    running: Running, export: Export, compression: Any
) -> None:
    """However small it is on the wire."""
    with pytest.raises(grpc.RpcError) as caught:
        export(request("x" * 2 * MIB), compression=compression)
    assert caught.value.code() == grpc.StatusCode.RESOURCE_EXHAUSTED
    export(request("next"))


def test_two_hubs_cannot_have_one_port(running: Running, tmp_path: Path) -> None:
    assert running.ready
    port = int(running.ready.grpc_address.rpartition(":")[2])
    given = {"home": tmp_path / "other", "log_path": tmp_path / "log2", "port": 0}
    (tmp_path / "other").mkdir()
    second = Running(resolve({**given, "grpc_port": port}, env={}))
    with pytest.raises(HubError, match=f"grpc_port: 127.0.0.1:{port}"):
        second.start()


@pytest.mark.parametrize(
    ("error", "code", "trailers"),
    [
        (LogError("full", status=507), grpc.StatusCode.UNAVAILABLE, True),
        (RateError("token", 7), grpc.StatusCode.UNAVAILABLE, True),
        (LanewayError("too many", status=413), grpc.StatusCode.INVALID_ARGUMENT, False),
    ],
)
def test_exporters_send_again_what_may_be_taken_later(
    error: LanewayError, code: Any, trailers: bool
) -> None:
    found, _, told = status_of(error)
    assert (found, [name for name, _ in told]) == (code, [RETRY_INFO] if trailers else [])


def test_the_wait_is_told_as_exporters_read_it() -> None:
    from google.rpc.error_details_pb2 import RetryInfo

    _, _, [(_, info)] = status_of(RateError("token", 700))
    assert RetryInfo.FromString(info).retry_delay.seconds == 700


def test_without_the_port_grpc_is_not_loaded(home: Path, tmp_path: Path) -> None:
    program = """
import sys, threading
from laneway.base.settings import resolve
from laneway.web.server import serve
settings = resolve({"home": sys.argv[1], "log_path": sys.argv[2], "port": 0}, env={})
serve(settings, on_ready=lambda ready: ready.stop())
print([name for name in sys.modules if name.partition(".")[0] in ("grpc", "google", "opentelemetry")])
"""
    words = [sys.executable, "-c", program, str(home), str(tmp_path / "log")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=180, check=True)
    assert done.stdout == "[]\n"
