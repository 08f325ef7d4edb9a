"""Servers that take events or spans over HTTP, each driven in the same way: Laneway, Phoenix, MLflow.

A server runs alone, in a folder of its own, started by the command of its documentation for one machine.
"""

import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from bench.peers.event import Event
from bench.process import family, proportional_mib, resident_mib, session
from bench.result import ROOT
from tests.port import free_port

PEER_BIN = ROOT / ".peers" / "python" / "bin"
PATIENCE_S = 240.0
"""For a start, and for what was acknowledged to be stored: a loaded machine is slow."""

LOOK_S = 0.002
PROTOBUF = {"Content-Type": "application/x-protobuf"}


TRACE_SPANS = 20
"""A turn of an agent: a root and what it did. Traces of one span each would cost most servers far more."""


def spans_of(events: list[Event]) -> bytes:
    """One span an event, in traces of twenty, as an OTLP request."""
    message = ExportTraceServiceRequest()
    resource = message.resource_spans.add()
    resource.resource.attributes.add(key="service.name").value.string_value = "bench"
    spans = resource.scope_spans.add().spans
    trace_id = root_id = b""
    for place, event in enumerate(events):
        now_ns, span_id = time.time_ns(), os.urandom(8)
        if place % TRACE_SPANS == 0:
            trace_id, root_id = os.urandom(16), span_id
        span = spans.add(trace_id=trace_id, span_id=span_id, name=event["event"])
        span.parent_span_id = b"" if span_id == root_id else root_id
        span.start_time_unix_nano, span.end_time_unix_nano = now_ns, now_ns + 1_000_000
        given = {name: event[name] for name in ("agent", "session_id")}
        given |= {"gen_ai.agent.name": event["agent"], "session.id": event["session_id"]}
        for name, value in (given | {"input.value": event["content"]}).items():
            span.attributes.add(key=name).value.string_value = value
    return bytes(message.SerializeToString())


@dataclass
class Server:
    """What all have; a subclass says how it is started, fed and asked."""

    folder: Path
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None
    client: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=PATIENCE_S))

    package = ""
    health = "/health"
    takes = "OTLP"
    promise = ""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def command(self) -> list[str]:
        raise NotImplementedError

    def env(self) -> dict[str, str]:
        return {}

    def send(self, events: list[Event]) -> None:
        """Returns when they were acknowledged."""
        self.post("/v1/traces", spans_of(events), PROTOBUF)

    def count(self) -> int:
        """How many events or spans the API has."""
        raise NotImplementedError

    def visible(self) -> int:
        """How many single events or spans the API shows; asked before there are many."""
        return self.count()

    def ask(self, agent: str = "") -> Any:
        """The newest 200, of one agent where it is named."""
        raise NotImplementedError

    def post(self, path: str, body: bytes, headers: dict[str, str]) -> httpx.Response:
        answer = self.client.post(f"{self.url}{path}", content=body, headers=headers)
        return answer.raise_for_status()

    def start(self) -> float:
        """Seconds until its health page answers, and until it can be asked."""
        began_s = time.perf_counter()
        with open(self.folder / "output.txt", "ab") as out:
            self.process = subprocess.Popen(
                self.command(), env={**os.environ, **self.env()}, stdout=out, stderr=out,
                cwd=self.folder, start_new_session=True,
            )  # fmt: skip
        while not self._is_healthy():
            if self.process.poll() is not None:
                raise RuntimeError(f"ended with {self.process.returncode}: {self._last_words()}")
            if time.perf_counter() - began_s > PATIENCE_S:
                raise TimeoutError(f"not ready after {PATIENCE_S:.0f} s: {self._last_words()}")
            time.sleep(LOOK_S)
        return time.perf_counter() - began_s

    def _is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.url}{self.health}", timeout=5).status_code == 200
        except httpx.HTTPError:
            return False

    def _last_words(self) -> str:
        lines = (self.folder / "output.txt").read_text(errors="replace").strip().splitlines()
        return lines[-1][:200] if lines else "it said nothing"

    def memory_mib(self) -> tuple[float, float, int]:
        """RSS and PSS of all its processes, and how many there are."""
        assert self.process
        pids = family(self.process.pid)
        return sum(map(resident_mib, pids)), sum(map(proportional_mib, pids)), len(pids)

    def kill(self) -> None:
        """SIGKILL to every one of its processes; no one of them can tidy up."""
        assert self.process
        for pid in {*family(self.process.pid), *session(self.process.pid)}:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                continue
        self.process.wait()
        self.client.close()
        self.client = httpx.Client(timeout=PATIENCE_S)

    def disk_bytes(self) -> int:
        return sum(path.stat().st_size for path in self.folder.rglob("*") if path.is_file())


class Laneway(Server):
    package = "laneway"
    promise = "redacted, appended to the log: survives kill -9"

    def command(self) -> list[str]:
        return [sys.executable, "-m", "laneway", "up", "--port", str(self.port), "--no-open"]

    def env(self) -> dict[str, str]:
        home = self.folder / "home"
        return {
            "LANEWAY_HOME": str(home),
            "LOG_PATH": str(self.folder / "log"),
            "LANEWAY_RESERVE_BYTES": "1MiB",
        }

    def _headers(self, name: str, **more: str) -> dict[str, str]:
        token = (self.folder / "home" / f"{name}.token").read_text().strip()
        return {"Authorization": f"Bearer {token}", **more}

    def send(self, events: list[Event]) -> None:
        body = spans_of(events)
        self.post("/v1/traces", body, self._headers("ingest", **PROTOBUF))

    def count(self) -> int:
        """Events in the index; two of a span."""
        return int(self.get("/health")["index"]["events"]) // 2

    def ask(self, agent: str = "") -> Any:
        return self.get(f"/api/events?limit=200{f'&q=agent:{agent}' if agent else ''}")["events"]

    def get(self, path: str) -> Any:
        answer = self.client.get(f"{self.url}{path}", headers=self._headers("access"))
        return answer.raise_for_status().json()


class LanewayEvents(Laneway):
    takes = "POST /log"

    def send(self, events: list[Event]) -> None:
        body = b"\n".join(json.dumps(event).encode() for event in events)
        kind = "application/x-ndjson" if len(events) > 1 else "application/json"
        self.post("/log", body, self._headers("ingest", **{"Content-Type": kind}))

    def count(self) -> int:
        return int(self.get("/health")["index"]["events"])


class Phoenix(Server):
    package = "arize-phoenix"
    health = "/healthz"
    promise = "in a queue in memory"

    def command(self) -> list[str]:
        return [str(PEER_BIN / "phoenix"), "serve"]

    def env(self) -> dict[str, str]:
        return {
            "PHOENIX_WORKING_DIR": str(self.folder),
            "PHOENIX_HOST": "127.0.0.1",
            "PHOENIX_PORT": str(self.port),
            "PHOENIX_GRPC_PORT": str(free_port()),
            "PHOENIX_TELEMETRY_ENABLED": "false",
            "DO_NOT_TRACK": "1",
        }

    def count(self) -> int:
        query = {"query": "{projects{edges{node{name recordCount}}}}"}
        answer = self.client.post(f"{self.url}/graphql", json=query).raise_for_status().json()
        return sum(int(edge["node"]["recordCount"]) for edge in answer["data"]["projects"]["edges"])

    def ask(self, agent: str = "") -> Any:
        given = {"limit": "200"} | ({"attribute": f"agent:{agent}"} if agent else {})
        answer = self.client.get(f"{self.url}/v1/projects/default/spans", params=given)
        return answer.raise_for_status().json()["data"]


class Mlflow(Server):
    package = "mlflow"
    promise = "stored in SQLite"

    def command(self) -> list[str]:
        patient = (
            "--timeout-worker-healthcheck 120"  # else its own parent kills it on a loaded machine
        )
        return [
            str(PEER_BIN / "mlflow"), "server", "--host", "127.0.0.1", "--port", str(self.port),
            "--backend-store-uri", f"sqlite:///{self.folder}/mlflow.db",
            "--default-artifact-root", str(self.folder / "artifacts"), "--uvicorn-opts", patient,
        ]  # fmt: skip

    def env(self) -> dict[str, str]:
        return {"MLFLOW_DISABLE_TELEMETRY": "true", "DO_NOT_TRACK": "true"}

    def send(self, events: list[Event]) -> None:
        self.post("/v1/traces", spans_of(events), PROTOBUF | {"x-mlflow-experiment-id": "0"})

    def count(self) -> int:
        """Rows of its database, read beside it: its API counts neither traces nor spans."""
        path = self.folder / "mlflow.db"
        with closing(
            sqlite3.connect(f"file:{path}?mode=ro", uri=True, timeout=PATIENCE_S)
        ) as database:
            return int(database.execute("SELECT count(*) FROM spans").fetchone()[0])

    def visible(self) -> int:
        """The traces of a page, which have a span each while this is asked."""
        return len(self._search({"max_results": 500}).get("traces", []))

    def ask(self, agent: str = "") -> Any:
        given: dict[str, Any] = {"max_results": 200}
        if agent:
            given["filter"] = f"span.attributes.agent LIKE '%{agent}%'"
        return self._search(given)["traces"]

    def _search(self, given: dict[str, Any]) -> Any:
        where = {"type": "MLFLOW_EXPERIMENT", "mlflow_experiment": {"experiment_id": "0"}}
        path = f"{self.url}/api/3.0/mlflow/traces/search"
        answer = self.client.post(path, json={"locations": [where], **given})
        return answer.raise_for_status().json()


SERVERS: dict[str, type[Server]] = {
    "laneway, POST /log": LanewayEvents,
    "laneway, OTLP": Laneway,
    "Phoenix, OTLP": Phoenix,
    "MLflow, OTLP": Mlflow,
}
