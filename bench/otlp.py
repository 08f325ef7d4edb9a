"""Spans a second that the hub takes over OTLP, acknowledged after the append, a batch at a time.

Whole traces, so that nothing waits: measured are parsing, meaning, redaction and the append of two events
for each span.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from time import perf_counter, time_ns

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.table import machine, show, sized

SPANS, REQUESTS = 500, sized(40, 2)
MESSAGES = '[{"role":"user","parts":[{"type":"text","content":"%s"}]}]' % (
    "What is the tide at noon? " * 10
)


def make_request(number: int) -> bytes:
    """A run of an agent: model calls and tools under one root."""
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "bench"
    spans = resource.scope_spans.add().spans
    trace_id, now_ns = os.urandom(16), time_ns()
    for place in range(SPANS):
        span = spans.add(trace_id=trace_id, span_id=(place + 1).to_bytes(8, "big"))
        span.start_time_unix_nano, span.end_time_unix_nano = now_ns, now_ns + 5_000_000
        kind = "invoke_agent" if not place else "chat" if place % 2 else "execute_tool"
        span.name = kind
        given = {"gen_ai.operation.name": kind}
        if place:
            span.parent_span_id = (1).to_bytes(8, "big")
            given |= {"gen_ai.input.messages": MESSAGES, "gen_ai.request.model": "m"}
        else:
            given |= {"gen_ai.agent.name": f"agent {number % 7}"}
        for name, value in given.items():
            span.attributes.add(key=name).value.string_value = value
        span.attributes.add(key="gen_ai.usage.input_tokens").value.int_value = 130
    return bytes(message.SerializeToString())


def main() -> None:
    with tempfile.TemporaryDirectory() as home:
        command = [sys.executable, "-m", "tests.web.hub_process", home, f"{home}/log"]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout
            url = process.stdout.readline().strip()
            token = Path(home, "ingest.token").read_text().strip()
            headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-protobuf"}
            bodies = [make_request(number) for number in range(REQUESTS + 1)]
            with httpx.Client(headers=headers, timeout=60) as client:
                client.post(f"{url}/v1/traces", content=bodies[0])  # loads protobuf
                begun_s = perf_counter()
                for body in bodies[1:]:
                    assert client.post(f"{url}/v1/traces", content=body).status_code == 200
                took_s = perf_counter() - begun_s
            process.terminate()
    rate = SPANS * REQUESTS / took_s
    load = f"load {os.getloadavg()[0]:.1f}"
    rows: list[dict[str, object]] = [
        {
            "spans a request": SPANS,
            "spans/s": round(rate),
            "events/s": round(2 * rate),
            "body bytes": len(bodies[0]),
        }
    ]
    show(f"OTLP in, durable against kill -9 when answered ({machine()}, {load})", rows)


if __name__ == "__main__":
    main()
