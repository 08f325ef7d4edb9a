"""What one event costs its caller: `log_event` beside the naive writer and other loggers.

All run in one process, in turns, so that a noisy machine is noisy for all.
What each has promised when the call returns is part of the table.
"""

import datetime
import json
import logging
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from time import perf_counter_ns

from bench.table import machine, middle, quantile, show, sized, tell

CONTENT = ("The planner asks the researcher for three sources on tidal power, " * 4)[:250]
ROUNDS, CALLS = sized((12, 1_500), (2, 100))

Call = Callable[[], object]


def laneway_call(folder: str) -> Call:
    import laneway

    laneway.configure(log_path=f"{folder}/laneway", home=f"{folder}/home")
    return lambda: laneway.log_event("planner", "user_message", CONTENT, session_id="s1")


def naive_writer(folder: str) -> Callable[..., None]:
    """The founding document's utility, to the letter."""
    path = f"{folder}/naive.jsonl"
    lock = threading.Lock()

    def log_event(
        agent: str, event_type: str, content: str | None = None, **kwargs: object
    ) -> None:
        event: dict[str, object] = {
            "timestamp": datetime.datetime.now(datetime.UTC).replace(tzinfo=None).isoformat() + "Z",
            "agent": agent,
            "event": event_type,
        }
        if content is not None:
            event["content"] = content
        for key, value in kwargs.items():
            event[key] = value
        line = json.dumps(event)
        with lock, open(path, "a") as file:
            file.write(line + "\n")

    return log_event


def naive_call(folder: str) -> Call:
    log_event = naive_writer(folder)
    return lambda: log_event("planner", "user_message", CONTENT, session_id="s1")


def structlog_call(folder: str) -> Call:
    import structlog

    file = open(f"{folder}/structlog.jsonl", "a", buffering=1)  # noqa: SIM115 - lives as long as we
    logger = structlog.wrap_logger(
        structlog.WriteLogger(file),
        processors=[
            structlog.processors.TimeStamper(fmt="iso"),
            structlog.processors.JSONRenderer(),
        ],
    )
    return lambda: logger.info("user_message", agent="planner", content=CONTENT, session_id="s1")


def loguru_call(folder: str) -> Call:
    from loguru import logger

    logger.remove()
    logger.add(f"{folder}/loguru.jsonl", serialize=True)
    bound = logger.bind(agent="planner", session_id="s1")
    return lambda: bound.info(CONTENT)


def logging_call(folder: str) -> Call:
    class Json(logging.Formatter):
        def format(self, record: logging.LogRecord) -> str:
            return json.dumps({"timestamp": record.created, "content": record.getMessage(),
                               "agent": "planner", "session_id": "s1"})  # fmt: skip

    logger = logging.getLogger("bench")
    handler = logging.FileHandler(f"{folder}/logging.jsonl")
    handler.setFormatter(Json())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    return lambda: logger.info(CONTENT)


def otel_call(folder: str, processor_name: str) -> tuple[Call, Call]:
    """A span a call, exported to a file by the SDK's console exporter (its only local one); and what
    waits for the export."""
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import (
        BatchSpanProcessor,
        ConsoleSpanExporter,
        SimpleSpanProcessor,
    )

    file = open(f"{folder}/otel-{processor_name}.jsonl", "a")  # noqa: SIM115
    exporter = ConsoleSpanExporter(
        out=file, formatter=lambda span: span.to_json(indent=None) + "\n"
    )
    kind = {"simple": SimpleSpanProcessor, "batch": BatchSpanProcessor}[processor_name]
    provider = TracerProvider()
    provider.add_span_processor(kind(exporter))
    tracer = provider.get_tracer("bench")

    def call() -> None:
        with tracer.start_as_current_span("user_message") as span:
            span.set_attribute("content", CONTENT)
            span.set_attribute("session.id", "s1")

    return call, provider.force_flush


def nothing() -> None:
    """For who has put nothing off."""


def contestants(folder: str) -> list[tuple[str, str, Call, Call]]:
    """Name, promise, call, and what ends its turn: a thread that still works for one holds the interpreter
    for up to 5 ms at a time, in one of a hundred calls of the next."""
    return [
        (
            "laneway log_event",
            "survives kill -9; redacted; rotation-safe",
            laneway_call(folder),
            nothing,
        ),
        ("naive open-append-close", "survives kill -9", naive_call(folder), nothing),
        ("structlog, kept file", "survives kill -9", structlog_call(folder), nothing),
        ("loguru, serialize", "survives kill -9", loguru_call(folder), nothing),
        ("logging.FileHandler, JSON", "survives kill -9", logging_call(folder), nothing),
        ("OpenTelemetry span, simple", "survives kill -9", *otel_call(folder, "simple")),
        ("OpenTelemetry span, batch", "nothing yet", *otel_call(folder, "batch")),
    ]


def main() -> None:
    base = "/dev/shm" if "--memory" in sys.argv and os.path.isdir("/dev/shm") else None
    with tempfile.TemporaryDirectory(dir=base) as folder:
        calls = contestants(folder)
        times: dict[str, list[float]] = {name: [] for name, *_ in calls}
        for _ in range(200):
            for _, _, call, _ in calls:
                call()
        for _ in range(ROUNDS):
            for name, _, call, settle in calls:
                record = times[name].append
                for _ in range(CALLS):
                    began = perf_counter_ns()
                    call()
                    record((perf_counter_ns() - began) / 1000)
                settle()
        naive = middle(times["naive open-append-close"])
        show(
            f"One event of {len(CONTENT)} characters, µs in the caller ({machine()})",
            [
                {
                    "writer": name,
                    "p50": middle(times[name]),
                    "p99": quantile(times[name], 0.99),
                    "of naive": middle(times[name]) / naive,
                    "promise on return": promise,
                }
                for name, promise, *_ in calls
            ],
        )
        ours = middle(times["laneway log_event"])
        beside = {"peer": "naive open-append-close", "runs": ROUNDS * CALLS}
        tell("append.p50_us", ours, peer_value=naive, **beside)
        tell("append.of_naive", ours / naive, peer_value=1.0, **beside)


if __name__ == "__main__":
    main()
