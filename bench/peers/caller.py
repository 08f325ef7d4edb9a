"""One peer in a process of its own, of their environment: what a call costs, or calls until it is killed.

    python -m bench.peers.caller NAME cost|kill COUNT FOLDER ADDRESS

``cost`` prints one JSON object. ``kill`` prints ``done`` when the last call has returned, and waits: what the
peer has kept by then is what it promises. ADDRESS is a sink's (`bench.peers.sink`), or for Laneway a hub's.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from time import perf_counter_ns, process_time_ns
from typing import Any, NamedTuple

from bench.peers.event import Event, iter_events

WARM_UP = 100


class Peer(NamedTuple):
    call: Callable[[Event], object]
    flush: Callable[[], object] = lambda: None


def laneway_file(folder: Path, _: str) -> Peer:
    import laneway

    laneway.configure(log_path=str(folder / "log"), home=str(folder / "home"))
    return Peer(lambda event: laneway.log_event(event["agent"], event["event"], **_rest(event)))


def laneway_http(folder: Path, address: str) -> Peer:
    """The hub's ingest token is in ``folder/hub``, the spool in ``folder/home``."""
    import laneway

    token = str(folder / "hub" / "home" / "ingest.token")
    laneway.configure(logging_url=f"{address}/log", home=str(folder / "home"), token_file=token)
    return Peer(
        lambda event: laneway.log_event(event["agent"], event["event"], **_rest(event)),
        lambda: laneway.flush(60),
    )


def _rest(event: Event) -> Event:
    return {key: value for key, value in event.items() if key not in ("agent", "event")}


def naive(folder: Path, _: str) -> Peer:
    from bench.append import naive_writer

    write = naive_writer(str(folder))
    return Peer(lambda event: write(event["agent"], event["event"], **_rest(event)))


def stdlib(folder: Path, _: str) -> Peer:
    import logging

    class Json(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return json.dumps(
                {"timestamp": record.created, "level": record.levelname, **record.event}
            )  # type: ignore[attr-defined]

    logger = _logger(folder, Json())
    return Peer(lambda event: logger.info("%s", event["event"], extra={"event": event}))


def python_json_logger(folder: Path, _: str) -> Peer:
    from pythonjsonlogger.json import JsonFormatter

    logger = _logger(folder, JsonFormatter("{asctime}{levelname}{message}", style="{"))
    return Peer(
        lambda event: logger.info(event["event"], extra=_rest(event) | {"agent": event["agent"]})
    )


def _logger(folder: Path, formatter: Any) -> Any:
    import logging

    handler = logging.FileHandler(folder / "log.jsonl")
    handler.setFormatter(formatter)
    logger = logging.getLogger("bench")
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return logger


def structlog(folder: Path, _: str) -> Peer:
    import structlog as library

    file = open(folder / "log.jsonl", "a", buffering=1)  # noqa: SIM115 - lives as long as we
    stamp, render = library.processors.TimeStamper(fmt="iso"), library.processors.JSONRenderer()
    logger = library.wrap_logger(library.WriteLogger(file), processors=[stamp, render])
    return Peer(lambda event: logger.info(event["event"], agent=event["agent"], **_rest(event)))


def loguru(folder: Path, _: str) -> Peer:
    from loguru import logger

    logger.remove()
    logger.add(folder / "log.jsonl", serialize=True)
    return Peer(
        lambda event: logger.bind(agent=event["agent"], **_rest(event)).info("{}", event["event"])
    )


def otel(folder: Path, address: str, *, is_batch: bool, is_http: bool) -> Peer:
    from opentelemetry.sdk.trace import TracerProvider, export

    if is_http:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

        exporter: Any = OTLPSpanExporter(endpoint=f"{address}/v1/traces")
    else:
        file = open(folder / "log.jsonl", "a")  # noqa: SIM115
        exporter = export.ConsoleSpanExporter(
            out=file, formatter=lambda s: s.to_json(indent=None) + "\n"
        )
    provider = TracerProvider()
    kind = export.BatchSpanProcessor if is_batch else export.SimpleSpanProcessor
    provider.add_span_processor(kind(exporter))
    return Peer(_span_call(provider.get_tracer("bench")), provider.force_flush)


def _span_call(tracer: Any) -> Callable[[Event], None]:
    def call(event: Event) -> None:
        with tracer.start_as_current_span(event["event"]) as span:
            span.set_attribute("gen_ai.agent.name", event["agent"])
            for name, value in _rest(event).items():
                span.set_attribute(name, value)

    return call


def logfire(folder: Path, address: str) -> Peer:
    """Its own exporter, with retries on disk, towards the sink."""
    import logfire as library

    library.configure(
        token="pylf_v1_local_0123456789",
        send_to_logfire=True,
        console=False,
        metrics=False,
        inspect_arguments=False,
        config_dir=folder,
        data_dir=folder,
        advanced=library.AdvancedOptions(base_url=address),
    )
    return Peer(
        lambda event: library.info(event["event"], agent=event["agent"], **_rest(event)),
        library.force_flush,
    )


def langfuse(_: Path, address: str) -> Peer:
    from langfuse import Langfuse

    client = Langfuse(public_key="pk-lf-local", secret_key="sk-lf-local", base_url=address)

    def call(event: Event) -> None:
        name, metadata = event["event"], {"agent": event["agent"], "session": event["session_id"]}
        with client.start_as_current_observation(
            name=name, input=event["content"], metadata=metadata
        ):
            pass

    return Peer(call, client.flush)


def mlflow(folder: Path, _: str) -> Peer:
    """Traces into SQLite in the caller's process, the default of a program without a server."""
    import mlflow as library

    library.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
    library.set_experiment("bench")

    def call(event: Event) -> None:
        with library.start_span(event["event"]) as span:
            span.set_inputs({"content": event["content"]})
            span.set_attributes({"agent": event["agent"], "session": event["session_id"]})

    return Peer(call, library.flush_trace_async_logging)


class Contestant(NamedTuple):
    package: str
    """Whose version is told; empty where it is of the standard library."""
    make: Callable[[Path, str], Peer]
    target: str
    """``file``, ``sink`` or ``hub``."""
    promise: str
    """When the call returns."""
    part: float = 1.0
    """Of the calls: one that takes milliseconds gets fewer."""


def _otel(*, is_batch: bool, is_http: bool) -> Callable[[Path, str], Peer]:
    return lambda folder, address: otel(folder, address, is_batch=is_batch, is_http=is_http)


WRITTEN = "written to the file; survives kill -9"
SPOOLED = "in a spool on disk; survives kill -9"
QUEUED = "in a queue in memory"
CONTESTANTS = {
    "laneway, file": Contestant("laneway", laneway_file, "file", f"redacted, {WRITTEN}, and rotation"),
    "laneway, HTTP": Contestant("laneway", laneway_http, "hub", f"redacted, {SPOOLED}"),
    "naive open-append-close": Contestant("", naive, "file", WRITTEN),
    "logging.FileHandler, JSON": Contestant("", stdlib, "file", WRITTEN),
    "structlog, kept file": Contestant("structlog", structlog, "file", WRITTEN),
    "loguru, serialize": Contestant("loguru", loguru, "file", WRITTEN),
    "python-json-logger": Contestant("python-json-logger", python_json_logger, "file", WRITTEN),
    "OpenTelemetry simple, file": Contestant(
        "opentelemetry-sdk", _otel(is_batch=False, is_http=False), "file", WRITTEN),
    "OpenTelemetry batch, file": Contestant(
        "opentelemetry-sdk", _otel(is_batch=True, is_http=False), "file", QUEUED),
    "OpenTelemetry simple, HTTP": Contestant(
        "opentelemetry-sdk", _otel(is_batch=False, is_http=True), "sink", "answered by the server", 0.2),
    "OpenTelemetry batch, HTTP": Contestant(
        "opentelemetry-sdk", _otel(is_batch=True, is_http=True), "sink", QUEUED),
    "logfire": Contestant("logfire", logfire, "sink", QUEUED),
    "langfuse": Contestant("langfuse", langfuse, "sink", QUEUED),
    "mlflow, SQLite": Contestant("mlflow", mlflow, "file", QUEUED, 0.1),
}  # fmt: skip


def cost(peer: Peer, count: int) -> dict[str, object]:
    """µs of each call; and processor time of the whole process, its threads and the end with it."""
    times_ns = []
    events = list(iter_events(count, WARM_UP))
    for event in iter_events(WARM_UP):
        peer.call(event)
    peer.flush()
    cpu_ns = process_time_ns()
    for event in events:
        began_ns = perf_counter_ns()
        peer.call(event)
        times_ns.append(perf_counter_ns() - began_ns)
    began_ns = perf_counter_ns()
    peer.flush()
    flush_ms = (perf_counter_ns() - began_ns) / 1e6
    cpu_us = (process_time_ns() - cpu_ns) / 1e3 / count
    return {"times_us": [ns / 1e3 for ns in times_ns], "cpu_us": cpu_us, "flush_ms": flush_ms}


def main() -> None:
    name, mode, count, folder, address = sys.argv[1:6]
    peer = CONTESTANTS[name].make(Path(folder), address)
    if mode == "cost":
        print(json.dumps(cost(peer, int(count))), flush=True)
        return
    for event in iter_events(int(count)):
        peer.call(event)
    print("done", flush=True)
    time.sleep(600)


if __name__ == "__main__":
    main()
