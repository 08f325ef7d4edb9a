"""The figures that Laneway wants to reach, as data: a row for each number, and which bench measures it.

What a bench tells (`bench.table.tell`) is judged here. A goal for ten million events is not met by a smaller
log: that can at most show that it was missed already.
"""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

TEN_MILLION = 10_000_000

Verdict = Literal["met", "missed", "not measured here"]


class Goal(NamedTuple):
    figure: str
    """``BENCH.NAME``."""
    what: str
    sign: Literal["≤", "≥"]
    limit: float
    unit: str
    peer: str = ""
    """The best peer that is known, measured elsewhere, in words."""
    events: int = 0
    """The size of the log that the goal is for."""

    @property
    def bench(self) -> str:
        return self.figure.partition(".")[0]

    def holds(self, value: float) -> bool:
        return value <= self.limit if self.sign == "≤" else value >= self.limit


GOALS = (
    Goal("append.p50_us", "`log_event`, redacted, survives kill -9: p50", "≤", 12, "µs"),
    Goal("append.of_naive", "the same, of the naive open-append-close", "≤", 1, "×"),
    Goal("imports.modules", "`from laneway import log_event`", "≤", 30, "modules",
         "structlog 236, sentry 296, logfire 671, fastapi 804"),
    Goal("ingest.one_of_bare", "HTTP, one event a request, of a bare ASGI handler", "≥", 0.7, "×"),
    Goal("ingest.one_of_disler", "HTTP, one event a request, of disler's server elsewhere", "≥", 2, "×",
         "disler 7,780 events/s on a quiet machine"),
    Goal("ingest.batch_per_s", "HTTP, batches of 500", "≥", 60_000, "events/s",
         "Phoenix 115, MLflow 553 spans/s"),
    Goal("peers.batch_of_phoenix", "HTTP, batches, of Phoenix until stored", "≥", 100, "×"),
    Goal("painted.p50_ms", "event to painted page, 1,000 events/s, 20 viewers: p50", "≤", 30, "ms",
         "disler 0.4 ms to the socket, then its page dies at 20 events/s"),
    Goal("painted.p99_ms", "the same: p99", "≤", 100, "ms"),
    Goal("frames.per_s", "the page at 5,000 events/s of 50 agents", "≥", 60, "frames/s",
         "disler below 1 at 20 events/s"),
    Goal("frames.task_ms", "the same: main thread of a frame", "≤", 6, "ms"),
    Goal("frames.million", "zoom over a million events: main thread of a frame", "≤", 6, "ms"),
    Goal("query.newest_ms", "newest 200 with any filter: p95", "≤", 5, "ms",
         "one SQLite file 13–400, DuckDB 12–426 ms at 2 million", TEN_MILLION),
    Goal("query.word_ms", "200 by a word: p95", "≤", 5, "ms", "", TEN_MILLION),
    Goal("query.pulse_ms", "pulse of any window: p95", "≤", 50, "ms", "", TEN_MILLION),
    Goal("index.per_s", "index with full text, one core, 2 MiB a transaction", "≥", 25_000, "events/s",
         "8,000–10,000 events/s in one file"),
    Goal("sustained.per_s", "the same by a running hub, beside the writer, with viewers' rows", "≥", 25_000,
         "events/s"),
    Goal("burst.accepted_per_s", "a burst into the log while the hub follows", "≥", 100_000, "events/s"),
    Goal("disk.of_raw", "log and index of the raw JSONL, sealed", "≤", 0.6, "×"),
    Goal("start.rest_mib", "the hub at rest", "≤", 150, "MiB", "Phoenix 450 MB, MLflow 2.3 GB", TEN_MILLION),
    Goal("burst.peak_mib", "the hub under 50,000 events/s", "≤", 300, "MiB"),
    Goal("start.ready_s", "`laneway up` until ready", "≤", 1, "s", "Phoenix 21 s", TEN_MILLION),
)  # fmt: skip


def judge(goal: Goal, told: Mapping[str, Any] | None) -> Verdict:
    if told is None:
        return "not measured here"
    if not goal.holds(told["value"]):
        return "missed"
    return "met" if told["events"] >= goal.events else "not measured here"
