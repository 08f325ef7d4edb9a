"""``laneway forward`` to a hub in a process of its own, and to collectors that fail."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
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

from laneway.base.errors import HubError, SettingError
from laneway.cli.forwarding.collector import Collector, parse_headers
from laneway.model.moment import parse_timestamp_ns
from tests.cli.conftest import Run, RunningHub, Show, StartHub, Write
from tests.sinks.events import run as sample
from tests.waiting import eventually

Lines = Callable[[], list[dict[str, object]]]
Reply = tuple[int, dict[str, str], bytes]


class Receiver:
    """Keeps what it is sent, read by OpenTelemetry's own messages; answers as it is told to."""

    def __init__(self) -> None:
        self.replies: list[Reply] = []
        self.requests: list[Any] = []
        self.refused = 0
        self.headers: dict[str, str] = {}
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                body = gzip.decompress(self.rfile.read(int(self.headers["Content-Length"])))
                receiver.headers = dict(self.headers)
                reply: Reply = (200, {"Content-Type": self.headers["Content-Type"]}, b"")
                if receiver.replies:
                    reply = receiver.replies.pop(0)
                if reply[0] == 200:
                    receiver.requests.append(self.read(body))
                else:
                    receiver.refused += 1
                self.send_response(reply[0])
                for name, value in {**reply[1], "Content-Length": str(len(reply[2]))}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(reply[2])

            def read(self, body: bytes) -> Any:
                if "json" in self.headers["Content-Type"]:
                    return orjson.loads(body)
                is_trace = self.path.endswith("traces")
                kind = ExportTraceServiceRequest if is_trace else ExportLogsServiceRequest
                return kind.FromString(body)

            def log_message(self, *_: object) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @property
    def names(self) -> list[str]:
        return [
            span.name
            for request in self.requests
            if isinstance(request, ExportTraceServiceRequest)
            for resource in request.resource_spans
            for scope in resource.scope_spans
            for span in scope.spans
        ]

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


def stored(hub: RunningHub, home: Path) -> list[dict[str, Any]]:
    token = (home / "access.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    answer = httpx.get(
        f"{hub.url}/api/events?order=oldest&limit=1000", headers=headers, timeout=180
    )
    events: list[dict[str, Any]] = answer.json()["events"]
    return [{k: v for k, v in event.items() if k != "seq"} for event in events]


@pytest.mark.parametrize("protocol", ["http/protobuf", "http/json"])
def test_what_another_hub_is_sent_is_what_stands_here(
    run: Run, write: Write, start_hub: StartHub, tmp_path: Path, lines: Lines, protocol: str
) -> None:
    write(*sample())
    write(
        {"event": "decision", "content": "left", "id": "d1", "weight": 3, "level": "warning"},
        {"event": "chain_start", "id": "c1", "span_id": "1" * 16, "trace_id": "2" * 32},
        {"event": "chain_end", "id": "c2", "span_id": "1" * 16, "trace_id": "2" * 32, "odd": [1]},
        {"event": "permission_request", "id": "p1", "span_id": "3" * 16, "tool": "rm"},
        {"event": "permission_decision", "id": "p2", "span_id": "3" * 16, "tool": "rm"},
    )
    other = tmp_path / "other"
    hub = start_hub(LANEWAY_HOME=str(other), LANEWAY_OTLP_WAIT="0")
    token = (other / "ingest.token").read_text().strip()
    variable = {"OTEL_EXPORTER_OTLP_HEADERS": f"authorization=Bearer%20{token}"}
    ended = run("forward", hub.url, "--protocol", protocol, **variable)
    assert ended.code == 0, ended.err
    assert "1 span still open" in ended.err

    wanted = {str(event["id"]): event for event in lines() if event["id"] != "e8"}
    eventually(lambda: len(stored(hub, other)) >= len(wanted))
    found = {event["id"]: event for event in stored(hub, other)}
    assert found.keys() == wanted.keys(), "each of them, the open one left out"
    told = ("agent", "event", "session_id", "trace_id", "tool", "model", "level", "error",
            "duration_ms", "input_tokens", "output_tokens", "cost_usd", "score", "weight", "host", "pid")  # fmt: skip
    for key, event in wanted.items():
        same = {name: value for name, value in event.items() if name in told}
        assert {name: found[key].get(name) for name in same} == same, key
        times = (parse_timestamp_ns(item["timestamp"]) for item in (event, found[key]))
        assert len(set(times)) == 1, key
    assert found["e2"]["input"] == {"q": "lanes"}
    assert found["e3"]["parent_agent"] == "planner"
    assert found["e4"]["output"] == ["a", 1]
    assert found["e6"]["content"] == "done"
    assert found["c2"]["odd"] == [1]
    assert found["e5"]["error"]["stack"] == "Traceback"

    again = run("forward", hub.url, "--protocol", protocol, "--again", **variable)
    assert again.code == 0
    assert len(stored(hub, other)) == len(wanted), "the same ids: each counts once"


def test_the_next_run_goes_on_where_this_one_ended(
    run: Run, write: Write, receiver: Receiver
) -> None:
    write(*sample())
    assert "4 spans and 1 record to" in run("forward", receiver.url).err
    assert "0 spans and 0 records" in run("forward", receiver.url).err
    write({"event": "agent_end", "agent": "researcher", "span_id": "d" * 16, "id": "e9",
           "timestamp": "2026-11-26T10:00:09Z"})  # fmt: skip
    assert "1 span and 0 records" in run("forward", receiver.url).err
    assert receiver.names[-1] == "invoke_agent researcher", "its start was read by the first run"


def test_a_collector_that_is_away_gets_all_later_and_nothing_twice(
    run: Run, write: Write, receiver: Receiver
) -> None:
    write(*sample())
    receiver.replies = [(503, {"Retry-After": "0"}, b"busy"), (429, {}, b"")]
    ended = run("forward", receiver.url)
    assert ended.code == 0
    assert ended.err.count("trying again") == 1
    assert (receiver.refused, len(receiver.names)) == (2, 4)


def test_what_will_never_be_taken_is_said_and_the_rest_goes(
    run: Run, write: Write, receiver: Receiver
) -> None:
    write(*sample())
    receiver.replies = [(400, {}, b"no such field")]
    ended = run("forward", receiver.url)
    assert "4 of traces are left out" in ended.err
    assert "no such field" in ended.err
    assert len(receiver.requests) == 1, "the records"


def test_a_batch_that_is_too_large_goes_in_halves(
    run: Run, write: Write, receiver: Receiver
) -> None:
    write(*sample())
    receiver.replies = [(413, {}, b"")]
    assert run("forward", receiver.url, "--only", "traces").code == 0
    assert [len(receiver.requests), len(receiver.names)] == [2, 4]


def test_what_was_taken_in_part_is_told(run: Run, write: Write, receiver: Receiver) -> None:
    write(*sample())
    answer = ExportTraceServiceResponse()
    answer.partial_success.rejected_spans = 3
    answer.partial_success.error_message = "too old"
    told = (200, {"Content-Type": "application/x-protobuf"}, answer.SerializeToString())
    receiver.replies = [told]
    assert "3 of traces were not taken: too old" in run("forward", receiver.url).err


def test_a_wrong_address_or_token_ends_it_and_nothing_is_noted_as_sent(
    run: Run, write: Write, receiver: Receiver
) -> None:
    write(*sample())
    receiver.replies = [(401, {}, b"who are you")]
    ended = run("forward", receiver.url, "--header", "X-Key=secret")
    assert (ended.code, "answered 401: who are you" in ended.err) == (3, True)
    assert receiver.headers["X-Key"] == "secret"
    assert "4 spans and 1 record to" in run("forward", receiver.url).err


def test_it_follows_the_log_and_a_query_chooses(
    show: Show, write: Write, receiver: Receiver, home: Path
) -> None:
    write(*sample())
    screen = show("forward", receiver.url, "agent:researcher", "--follow", "--new")
    eventually(lambda: list(home.glob("forward/*.json")))
    write({"event": "step", "agent": "researcher", "duration_ms": 5, "id": "n1"})
    write({"event": "step", "agent": "planner", "duration_ms": 5, "id": "n2"})
    eventually(lambda: receiver.names)
    screen.press_ctrl_c()
    assert screen.end() == 0
    assert receiver.names == ["step"]


def test_it_gives_up_only_after_its_patience() -> None:
    waited: list[float] = []
    collector = Collector("http://127.0.0.1:1", {}, patience_s=20, sleep=waited.append)
    with pytest.raises(HubError, match="does not answer"):
        collector.send("traces", {"resourceSpans": []})
    assert len(waited) > 3
    assert sum(waited) <= 20


def test_an_address_that_is_none_is_refused() -> None:
    with pytest.raises(SettingError):
        Collector("ftp://x", {})


def test_headers_are_read_as_opentelemetry_writes_them() -> None:
    assert parse_headers("a=1, authorization=Bearer%20x%3D, bad") == {"a": "1", "authorization": "Bearer x="}  # fmt: skip
