"""Questions while events are indexed, beside the same questions to an index that nobody writes.

    python -m bench.beside [EVENTS] [realistic]

Over the log and the index that `bench.query` made (the same sizes, places and sources). As in a hub's
indexer, one process does both: a thread reads lines as the follower does and adds them, `EVENTS_S` of
them a second, to a segment of its own, which is forgotten at the end. The goal: no p95 more than doubled.
"""

import itertools
import os
import sys
import threading
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from statistics import median
from typing import BinaryIO

import orjson

from bench.query import EVENTS, home_of, iter_events, opened, questions
from bench.table import machine, quantile, show, sized
from laneway.base.clock import format_ns, now_ns
from laneway.base.ids import new_event_id
from laneway.hub.courtesy import Courtesy
from laneway.hub.line import LineReader
from laneway.hub.worker import tune_interpreter
from laneway.log.text import fingerprint
from laneway.model.redact import Redactor
from laneway.store.api import Record
from laneway.store.sqlite.store import SqliteStore

EVENTS_S = 5_000
"""What forty agents that never rest may write."""

BATCHES_S = 20
"""Transactions: the follower takes one every 50 ms."""

SEGMENT = "beside.jsonl"
SAMPLES = 10_000
ROUNDS = sized(40, 3)
PATIENCE_S, LEAST_ROUNDS = 1.0, 3
"""For one question and pass: a slow one gets fewer rounds, and its p95 is its worst."""

PAUSE_S = 0.005


class Feed:
    """Adds events until it is stopped."""

    def __init__(self, store: SqliteStore, log: Path, courtesy: Courtesy) -> None:
        self._store = store
        self._path = log / SEGMENT
        self._courtesy = courtesy
        self._lines = LineReader(Redactor())
        self._samples = [event for _, event in iter_events(SAMPLES)]
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self.added = 0
        self.late_s = 0.0
        """How far it fell behind its pace at worst."""

    def __enter__(self) -> "Feed":
        self._begun_s = time.perf_counter()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()
        self.events_s = self.added / (time.perf_counter() - self._begun_s)
        self._store.forget(SEGMENT)
        self._path.unlink()

    def _run(self) -> None:
        with self._path.open("wb", buffering=0) as file:
            self._add_to(file)

    def _add_to(self, file: BinaryIO) -> None:
        """Lines go into the log, too: a search for a fragment reads them there."""
        offset, samples, first_line = 0, itertools.cycle(self._samples), ""
        while not self._is_over.is_set():
            lines: list[tuple[int, bytes]] = []
            for sample in itertools.islice(samples, EVENTS_S // BATCHES_S):
                lines.append((offset, self._line(sample)))
                offset += len(lines[-1][1]) + 1
            file.write(b"".join(data + b"\n" for _, data in lines))
            first_line = first_line or fingerprint(lines[0][1])
            read = self._lines.read_all(
                lines, first_line, 0, is_shown=True, step_aside=self._courtesy.step_aside
            )
            self._courtesy.step_aside()
            records = [
                Record(start, len(data), line.ts_ns, line.event)
                for (start, data), line in zip(lines, read, strict=True)
                if line.event is not None
            ]
            self._store.add(SEGMENT, first_line, records, offset)
            self.added += len(records)
            ahead_s = self._begun_s + self.added / EVENTS_S - time.perf_counter()
            self.late_s = max(self.late_s, -ahead_s)
            self._is_over.wait(max(ahead_s, 0))

    def _line(self, sample: dict[str, object]) -> bytes:
        ts_ns = now_ns()
        return orjson.dumps(sample | {"timestamp": format_ns(ts_ns), "id": new_event_id(ts_ns)})


def main(arguments: Iterable[str]) -> None:
    count = next((int(text) for text in arguments if text.isdecimal()), EVENTS)
    print(f"{count:,} events, {machine()}, load {os.getloadavg()[0]:.1f}; milliseconds")
    home, courtesy = home_of(count, is_real="realistic" in arguments), Courtesy()
    store, archive = opened(home, courtesy.step_aside)
    tune_interpreter()
    asked = [one for one in questions(store, archive, count) if one.goal_ms]
    times: dict[str, dict[str, list[float]]] = {"quiet": {}, "beside": {}}
    for question in asked:
        times["quiet"][question.name] = measure(question.ask, courtesy)
    store.forget(SEGMENT)  # what a run that was killed left
    with Feed(store, home / "log", courtesy) as feed:
        for question in asked:
            times["beside"][question.name] = measure(question.ask, courtesy)
    for question in asked:
        times["quiet"][question.name] += measure(question.ask, courtesy)
    print(
        f"{feed.events_s:,.0f} events a second were added meanwhile, {feed.late_s:.2f} s late at worst"
    )
    rows = []
    for question in asked:
        quiet, beside = times["quiet"][question.name], times["beside"][question.name]
        row: dict[str, object] = {"question": question.name, "goal": question.goal_ms}
        for name, some in (("quiet", quiet), ("beside", beside)):
            row |= {f"{name} p50": median(some), f"{name} p95": quantile(some, 0.95)}
        rows.append(row | {"times": quantile(beside, 0.95) / quantile(quiet, 0.95)})
    show("questions beside ingest, warm", rows)
    store.close()


def measure(ask: Callable[[], object], courtesy: Courtesy) -> list[float]:
    ask()
    found: list[float] = []
    until_s = time.perf_counter() + PATIENCE_S
    while len(found) < LEAST_ROUNDS or (len(found) < ROUNDS and time.perf_counter() < until_s):
        started = time.perf_counter()
        with courtesy.answering():
            ask()
        found.append((time.perf_counter() - started) * 1_000)
        time.sleep(PAUSE_S)
    return found


if __name__ == "__main__":
    main(sys.argv[1:])
