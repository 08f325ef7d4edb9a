"""What the log and its index take on the disk, before and after sealing, and what reading back costs.

    python bench/disk.py [EVENTS] [prose|words]

Events of three agents' work: ``prose`` takes its texts from the standard library of this Python
(docstrings for what people and models say, code for what tools give back, a request that repeats
the last turns of the talk); ``words`` takes those of ``bench/index.py``, which are drawn at random
and compress worse than anything that was ever logged. The goal is (log + index) / raw <= 0.6.
"""

import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import orjson

from bench.index import iter_records
from bench.table import machine, middle, quantile, show, sized, tell
from laneway.base.clock import NS_PER_MS, NS_PER_S, format_ns
from laneway.base.ids import new_event_id, new_span_id, new_trace_id
from laneway.base.limits import MIB
from laneway.base.settings import Settings, resolve
from laneway.hub.chore import compact_index
from laneway.hub.engine import Engine
from laneway.hub.live import Live
from laneway.log.append import Appender
from laneway.log.compress import compress, find_sealed
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.log.tail import Tail
from laneway.store.api import Query

EVENTS = sized(120_000, 3_000)
SEGMENT_BYTES = sized(24, 1) * MIB
START_NS = 1_790_000_000 * NS_PER_S
GAP_NS = 20 * NS_PER_MS
AGENTS = ("planner", "researcher", "coder", "critic", "memory")
TURNS = 3
ROUNDS = sized(40, 2)


def read_texts() -> tuple[list[str], list[str]]:
    """Paragraphs of prose, and pieces of code."""
    prose, code = [], []
    for path in sorted(Path(os.__file__).parent.glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        for i, part in enumerate(text.split('"""')):
            pieces = [piece.strip() for piece in part.split("\n\n") if len(piece.strip()) > 60]
            (prose if i % 2 else code).extend(piece[:1_200] for piece in pieces)
    return prose, code


def iter_prose_events(count: int) -> Iterator[dict[str, Any]]:
    draw = random.Random(7)
    prose, code = read_texts()
    talk: list[dict[str, str]] = []
    trace, span, session = new_trace_id(), "", 0
    for i in range(count):
        ts_ns = START_NS + i * GAP_NS + draw.randrange(GAP_NS)
        if i % 40 == 0:
            trace, talk = new_trace_id(), []
            session += i % 400 == 0
        step = i % 5
        event: dict[str, Any] = {
            "timestamp": format_ns(ts_ns),
            "agent": AGENTS[draw.randrange(5) if step else 0],
            "event": ("user_message", "llm_request", "llm_response", "tool_invocation",
                      "tool_result")[step],
            "id": new_event_id(ts_ns),
            "session_id": f"session-{session}",
            "trace_id": trace,
            "span_id": (span := new_span_id() if step in (0, 1, 3) else span),  # an end has its start's
        }  # fmt: skip
        if step in (0, 2):
            text = draw.choice(prose)
            talk = [*talk, {"role": "user" if step == 0 else "assistant", "content": text}][-TURNS:]
            event["content"] = text
        if step == 1:
            event |= {"model": "local-8b", "input": talk}
        if step == 2:
            event |= {"model": "local-8b", "input_tokens": draw.randrange(9_000),
                      "output_tokens": draw.randrange(900), "duration_ms": draw.randrange(9_000)}  # fmt: skip
        if step == 3:
            event |= {"tool": "read_file", "input": {"path": f"/src/{draw.choice(prose)[:9]}.py"}}
        if step == 4:
            event |= {"tool": "read_file", "output": draw.choice(code), "duration_ms": 1.25}
        yield event


def iter_word_events(count: int) -> Iterator[dict[str, Any]]:
    for record in iter_records(count):
        yield dict(record.event)


def write_log(log_path: LogPath, events: Iterator[dict[str, Any]]) -> int:
    """Bytes of the plain log."""
    appender = Appender(log_path, segment_bytes=SEGMENT_BYTES)
    batch: list[bytes] = []
    total = 0
    for event in events:
        batch.append(orjson.dumps(event))
        total += len(batch[-1]) + 1
        if len(batch) == 200:
            appender.append(batch)
            batch = []
    appender.append(batch)
    newest = log_path.newest()
    appender.close()
    with open(log_path.segment_path(newest), "ab") as live:  # seal it, so that all is measured
        live.write(b"\n")
    with open(log_path.segment_path(newest + 1), "ab"):
        pass
    return total


def start(settings: Settings) -> Engine:
    """With all of the log in its index."""
    live = Live("", 100)
    engine = Engine(settings, live, live.metric, keeps=False)
    while not engine.follower.wait_level(1.0) or engine.follower.lag_bytes():
        pass
    return engine


def size_of(directory: Path, *suffixes: str) -> int:
    return sum(f.stat().st_size for f in directory.iterdir() if f.name.endswith(suffixes))


def measure_ms(call: Callable[[], object], rounds: int = ROUNDS) -> list[float]:
    times = []
    for _ in range(rounds):
        begun = time.perf_counter()
        call()
        times.append((time.perf_counter() - begun) * 1_000)
    return times


def row_of(name: str, times: list[float]) -> dict[str, object]:
    return {"reading": name, "p50 ms": middle(times), "p95 ms": quantile(times, 0.95)}


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    make = iter_word_events if sys.argv[2:] == ["words"] else iter_prose_events
    with tempfile.TemporaryDirectory() as path:
        directory = Path(path) / "log"
        log_path = LogPath(str(directory))
        raw = write_log(log_path, make(count))
        settings = resolve({"home": Path(path) / "home", "log_path": directory}, env={})
        start(settings).close()
        index = directory / ".index"
        before = size_of(index, ".db")
        engine = start(settings)
        segments = find_sealed(log_path, settled_s=0)
        plain = list(engine.store.find(Query(limit=1_000)).hits)
        with closing(Reader(log_path)) as reader:
            one = measure_ms(lambda: reader.read(*draw_pointer(plain)), 400)
        begun = time.process_time()
        for segment in segments:
            assert compress(str(directory), segment)
        compress_s = time.process_time() - begun
        begun = time.process_time()
        for segment in segments:
            database = engine.store.compactable(segment)
            digest = compact_index(database, f"{database}.new")
            assert engine.store.adopt(segment, f"{database}.new", digest)
        compact_s = time.process_time() - begun
        packed, after = size_of(directory, ".zst"), size_of(index, ".db")
        sizes = {"log, plain": raw, "log, compressed": packed, "index, as written": before,
                 "index, compacted": after, "log + index": packed + after}  # fmt: skip
        rows: list[dict[str, object]] = [
            {"part": name, "bytes an event": size / count, "of the raw log": size / raw}
            for name, size in sizes.items()
        ]
        show(f"{count:,} events in {len(segments)} segments ({machine()})", rows)
        tell("disk.of_raw", (packed + after) / raw, runs=1, events=count)
        print(f"\ncompressing {raw / compress_s / 1e6:.0f} MB per CPU second, compacting the index "
              f"{count / compact_s:,.0f} events per CPU second")  # fmt: skip
        reading = [row_of("one line, plain", one), cold(log_path, plain), *pages(engine, log_path)]
        engine.close()
        show("Reading back", [*reading, opens(log_path)])


def draw_pointer(pointers: list[Any]) -> tuple[str, int, int]:
    pointer = random.choice(pointers)
    return pointer.segment, pointer.offset, pointer.length


def cold(log_path: LogPath, pointers: list[Any]) -> dict[str, object]:
    def read_one() -> None:
        with closing(Reader(log_path)) as reader:
            reader.read(*draw_pointer(pointers))

    return row_of("one line, compressed, the file opened anew", measure_ms(read_one, 400))


def pages(engine: Engine, log_path: LogPath) -> Iterator[dict[str, object]]:
    newest = engine.store.find(Query(limit=1_000)).hits
    spread = [
        pointer
        for ns in range(START_NS, newest[0].ts_ns, max((newest[0].ts_ns - START_NS) // 200, 1))
        for pointer in engine.store.find(Query(limit=1, until_ns=ns + GAP_NS * 50)).hits
    ][:200]
    groups = {
        "a page: newest 200": newest[:200],
        "a page: every 5th of the newest 1,000": newest[::5],
        "a page: 200 over the whole log": spread,
    }
    for name, pointers in groups.items():

        def read_page(pointers: list[Any] = pointers) -> None:
            with closing(Reader(log_path)) as reader:
                for pointer in pointers:
                    reader.read(pointer.segment, pointer.offset, pointer.length)

        yield row_of(f"{name}, no frame kept", measure_ms(read_page))


def opens(log_path: LogPath) -> dict[str, object]:
    """A start of the tail over many compressed segments, all indexed: links to one file."""
    first = Path(log_path.segment_path(1) + ".zst")
    count = 1_000
    with tempfile.TemporaryDirectory(dir=log_path.directory) as many:
        for number in range(1, count + 1):
            os.link(first, os.path.join(many, f"events-{number:06d}.jsonl.zst"))
        tail = Tail(LogPath(many), {})
        tail.look()
        positions = {name: (f.fingerprint, f.size) for name, f in tail._files.items()}

        def look() -> None:
            Tail(LogPath(many), positions).look()

        return row_of(f"the tail's start over {count:,} compressed segments", measure_ms(look, 10))


if __name__ == "__main__":
    main()
