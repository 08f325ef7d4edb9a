"""The index: events in per CPU second, bytes an event, and what the usual questions cost.

    python bench/index.py [EVENTS]

200,000 events of about 700 bytes of JSON by 40 agents, in segments of 100,000. They are added in
transactions of `BACKLOG_BYTES` of lines, about 3,000 events: what the follower reads at a time once the
log grows faster than it reads, which is the load at which the rate matters. (A log that it keeps up with
comes in smaller pieces, at a greater price an event that nobody waits for: the rate in transactions of
500 stands beside it.) Ingest counts CPU time of this process and leaves out reading and parsing, which
`bench.catchup` has in it. Queries run warm, one at a time.
"""

import itertools
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import orjson

from bench.table import machine, middle, quantile, show, sized, tell
from laneway.base.clock import NS_PER_MS, NS_PER_S, format_ns
from laneway.base.ids import new_event_id, new_span_id, new_trace_id
from laneway.hub.piece import BACKLOG_BYTES
from laneway.store.api import Query, Record, Split
from laneway.store.query.parse import parse
from laneway.store.sqlite.store import SqliteStore

EVENTS = sized(200_000, 3_000)
SEGMENT_EVENTS = 100_000
SMALL_EVENTS = 500
START_NS = 1_790_000_000 * NS_PER_S
GAP_NS = 20 * NS_PER_MS
ROUNDS = sized(30, 2)
KINDS = ("user_message", "agent_response", "llm_request", "llm_response", "tool_invocation",
         "tool_result", "decision", "log", "error")  # fmt: skip


def make_words(rng: random.Random) -> Callable[[int], str]:
    """Words with the frequencies of natural text: a few common ones and a long tail."""
    syllables = [a + b for a in "bcdfghklmnprstvw" for b in ("a", "e", "i", "o", "u", "an", "er")]
    vocabulary = ["".join(rng.choices(syllables, k=rng.randint(1, 4))) for _ in range(20_000)]
    weights = list(itertools.accumulate(1 / rank for rank in range(1, len(vocabulary) + 1)))
    return lambda count: " ".join(rng.choices(vocabulary, cum_weights=weights, k=count))


def iter_records(count: int) -> Iterator[Record]:
    rng = random.Random(7)
    words = make_words(rng)
    trace = new_trace_id()
    offset = 0
    for i in range(count):
        ts_ns = START_NS + i * GAP_NS + rng.randrange(GAP_NS)
        if i % 12 == 0:
            trace = new_trace_id()
        agent = int(rng.paretovariate(1)) % 40
        event: dict[str, Any] = {
            "timestamp": format_ns(ts_ns),
            "agent": f"agent-{agent}",
            "event": rng.choice(KINDS),
            "id": new_event_id(ts_ns),
            "content": words(63),
            "session_id": f"session-{i // 4_000 * 10 + agent % 10}",
            "trace_id": trace,
            "span_id": new_span_id(),
        }
        if event["event"].startswith("tool"):
            event |= {"tool": f"tool_{rng.randrange(20)}", "input": {"path": f"/src/{words(1)}.py"}}
        if event["event"].startswith("llm"):
            event |= {"model": "local-8b", "input_tokens": rng.randrange(9_000), "cost_usd": 0.0012}
        if i == count // 3:
            event |= {"content": "xylograph zeppelin", "agent": "recluse"}
        length = len(orjson.dumps(event))
        yield Record(offset, length, ts_ns, event)  # type: ignore[arg-type]
        offset += length + 1


def batches_of(records: list[Record], most_bytes: int) -> Iterator[list[Record]]:
    """As the follower takes them: lines of so many bytes at most, of one segment."""
    batch: list[Record] = []
    start = 0
    for number, record in enumerate(records):
        end = record.offset + record.length + 1
        if batch and (end - start > most_bytes or number % SEGMENT_EVENTS == 0):
            yield batch
            batch, start = [], record.offset
        batch.append(record)
    yield batch


def fill(store: SqliteStore, records: list[Record], most_bytes: int) -> float:
    """CPU seconds."""
    started = time.process_time()
    count = 0
    for batch in batches_of(records, most_bytes):
        end = batch[-1].offset + batch[-1].length + 1
        store.add(f"events-{count // SEGMENT_EVENTS + 1:06d}.jsonl", "f", batch, end)
        count += len(batch)
    return time.process_time() - started


def rate_in_small(records: list[Record], small_bytes: int) -> float:
    """Events in a CPU second, in transactions of `SMALL_EVENTS`."""
    some = records[: len(records) // 2]
    with tempfile.TemporaryDirectory() as path:
        store = SqliteStore(path)
        cpu_s = fill(store, some, small_bytes)
        store.close()
    return len(some) / cpu_s


def ask(text: str, **page: Any) -> Query:
    return Query(parse(text), **page)


def questions(store: SqliteStore, count: int) -> dict[str, Callable[[], object]]:
    middle = START_NS + count // 2 * GAP_NS
    minute = 60 * NS_PER_S
    end = START_NS + count * GAP_NS
    return {
        "newest 200": lambda: store.find(Query()),
        "200 by agent and event": lambda: store.find(ask("agent:agent-7 event:error")),
        "200 of a rare agent": lambda: store.find(ask("agent:recluse")),
        "200 of an absent agent": lambda: store.find(ask("agent:nobody")),
        "200 of a session": lambda: store.find(ask("session:session-113")),
        "200 errors before the middle": lambda: store.find(ask("has:error", until_ns=middle)),
        "200 by a common word": lambda: store.find(ask("tool")),
        "200 by a common word and agent": lambda: store.find(
            ask("tool agent:agent-7")),
        "200 by a rare word": lambda: store.find(ask("xylograph")),
        "200 by an absent word": lambda: store.find(ask("qqqqqq")),
        "200 by a phrase": lambda: store.find(ask('"xylograph zeppelin"')),
        "200 by a prefix": lambda: store.find(ask("xylo*")),
        "pulse of all, 1 h": lambda: store.aggregate(Query(), Split(step_ns=60 * minute)),
        "pulse of all, 1 min": lambda: store.aggregate(Query(), Split(step_ns=minute)),
        "pulse of 5 min, 1 s": lambda: store.aggregate(
            Query(since_ns=middle, until_ns=middle + 5 * minute), Split(step_ns=NS_PER_S)),
        "agents of all": lambda: store.groups("agent", Query()),
        "sessions of all": lambda: store.groups("session", Query()),
        "agents of the last 10 min": lambda: store.groups(
            "agent", Query(since_ns=end - 10 * minute)),
    }  # fmt: skip


def measure_ms(question: Callable[[], object]) -> list[float]:
    question()
    times = []
    for _ in range(ROUNDS):
        started = time.perf_counter()
        question()
        times.append((time.perf_counter() - started) * 1_000)
    return times


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    records = list(iter_records(count))
    raw = statistics.mean(record.length for record in records)
    with tempfile.TemporaryDirectory() as path:
        store = SqliteStore(path)
        cpu_s = fill(store, records, BACKLOG_BYTES)
        store.close()
        size = sum(file.stat().st_size for file in Path(path).iterdir())
        started = time.perf_counter()
        store = SqliteStore(path)
        opened_ms = (time.perf_counter() - started) * 1_000
        built: dict[str, object] = {
            "events": count,
            "bytes an event": raw,
            "a transaction": round(BACKLOG_BYTES / raw),
            "events per CPU second": count / cpu_s,
            f"in transactions of {SMALL_EVENTS}": rate_in_small(records, round(SMALL_EVENTS * raw)),
            "bytes of index an event": size / count,
            "of the log": size / count / raw,
            "opened in ms": opened_ms,
        }
        show(f"The index ({machine()})", [built])
        tell("index.per_s", count / cpu_s, runs=1, events=count)
        times = {name: measure_ms(question) for name, question in questions(store, count).items()}
        rows: list[dict[str, object]] = [
            {"question": name, "p50 ms": middle(taken), "p95 ms": quantile(taken, 0.95)}
            for name, taken in times.items()
        ]
        show(f"Questions to {count:,} events", rows)
        store.close()


if __name__ == "__main__":
    main()
