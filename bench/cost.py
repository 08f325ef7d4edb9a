"""What one event costs at each stage of its way: processor time and bytes.

Processor time of the processes that do the work, not time by the clock: the figures say how many events a
second one core can carry through a stage, and add up to what a machine can. Each stage runs alone.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from websockets.sync.client import connect

from bench.burst import indexed
from bench.index import ask, iter_records
from bench.process import cpu_ms, family
from bench.table import machine, show, sized
from laneway.base.limits import BATCH_EVENTS
from laneway.store.api import Query, Split
from laneway.store.sqlite.store import SqliteStore
from tests.hub.bus.cluster import Cluster, running
from tests.torture.harness import Hub
from tests.waiting import eventually

EVENTS = sized(30_000, 600)
VIEWERS = sized(8, 2)
PROSE = "The planner asks the researcher for three sources on tidal power. " * 7
US_PER_MS = 1_000

WRITER = """
import sys, time, resource
import laneway
count = int(sys.argv[1])
laneway.log_event("warm", "log"); laneway.flush(30)
begun = time.process_time()
for n in range(count):
    laneway.log_event(f"agent-{n % 20}", "log", sys.argv[2], n=n, session_id=f"s-{n % 50}")
append = time.process_time() - begun
laneway.flush(600)
print(append, time.process_time() - begun - append)
"""


class Cost(NamedTuple):
    stage: str
    what: str
    us: float
    size_bytes: float
    """Written, or sent, for one event; 0 where nothing is."""


def per_event_us(milliseconds: float, count: int = 0) -> float:
    return milliseconds * US_PER_MS / (count or EVENTS)


def family_ms(pid: int) -> float:
    return sum(map(cpu_ms, family(pid)))


def write(env: dict[str, str]) -> tuple[float, float]:
    """Seconds of processor time: in the calls, and behind them until all is sent."""
    told = subprocess.run(
        [sys.executable, "-c", WRITER, str(EVENTS), PROSE],
        env=os.environ | env, capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    calls, behind = map(float, told.split())
    return calls, behind


@contextmanager
def hub(folder: Path, **env: str) -> Iterator[Hub]:
    made = Hub(folder / "home", folder / "log")
    made.env |= env
    made.start()
    try:
        yield made
    finally:
        made.stop()


def wait_indexed(made: Hub, count: int) -> None:
    eventually(lambda: indexed(made) >= count, "the index", 600)


def append(folder: Path) -> Iterator[Cost]:
    calls, _ = write({"LOG_PATH": str(folder / "log"), "LANEWAY_HOME": str(folder / "home")})
    size = sum(one.stat().st_size for one in (folder / "log").glob("*-0*.jsonl"))
    yield Cost("append", "log_event into the log", per_event_us(calls * 1000), size / EVENTS)


def lines(count: int) -> list[bytes]:
    return [
        json.dumps(
            {
                "timestamp": "2026-11-26T12:00:00.000000Z", "agent": f"agent-{n % 20}", "event": "log",
                "id": f"cost-{n}", "pod": "bench", "content": PROSE, "n": n, "session_id": f"s-{n % 50}",
            }
        ).encode()
        for n in range(count)
    ]  # fmt: skip


def ship(folder: Path) -> Iterator[Cost]:
    """Over HTTP: the sender's part, and all that the hub does, its index included."""
    with hub(folder) as made:
        eventually(lambda: indexed(made) == 0, "the hub", 60)
        assert made.process
        before = family_ms(made.process.pid)
        env = {
            "LOGGING_URL": f"{made.url}/log",
            "LANEWAY_HOME": str(folder / "sender"),
            "LANEWAY_TOKEN": (made.home / "ingest.token").read_text().strip(),
        }
        calls, behind = write(env)
        wait_indexed(made, EVENTS)
        spent = family_ms(made.process.pid) - before
    yield Cost("ship", "log_event into the spool", per_event_us(calls * 1000), 0)
    yield Cost("ship", "its shipper, HTTP", per_event_us(behind * 1000), 0)
    yield Cost("take", "hub: accept, append, index", per_event_us(spent), 0)


def index(folder: Path) -> Iterator[Cost]:
    store = SqliteStore(folder / "index")
    records = list(iter_records(EVENTS))
    begun_s = time.process_time()
    for start in range(0, len(records), BATCH_EVENTS):
        some = records[start : start + BATCH_EVENTS]
        store.add("events", "f", some, some[-1].offset + some[-1].length + 1)
    spent_ms = (time.process_time() - begun_s) * 1000
    store.settle()
    size = store.size_bytes("events")
    yield Cost("index", "SQLite, before it is compact", per_event_us(spent_ms), size / EVENTS)
    yield from ask_it(store)
    store.close()


def ask_it(store: SqliteStore) -> Iterator[Cost]:
    questions: dict[str, Callable[[], object]] = {
        "newest 200 of an agent": lambda: store.find(ask("agent:agent-03")),
        "newest 200 with a word": lambda: store.find(ask("planner")),
        "pulse of all by agent": lambda: store.aggregate(Query(), Split(("agent",), 60 * 10**9)),
    }
    rounds = sized(50, 2)
    for name, question in questions.items():
        question()
        begun_s = time.process_time()
        for _ in range(rounds):
            question()
        spent_ms = (time.process_time() - begun_s) * 1000
        yield Cost("query", f"{name} (one question)", per_event_us(spent_ms, rounds), 0)


def fan_out(folder: Path) -> Iterator[Cost]:
    """What each further viewer costs the hub."""
    spent = [live_ms(folder / str(count), count) for count in (0, VIEWERS)]
    more = max(spent[1][0] - spent[0][0], 0.0) / VIEWERS
    yield Cost("fan-out", "one viewer more, frames", per_event_us(more), spent[1][1])


def live_ms(folder: Path, viewers: int) -> tuple[float, float]:
    (folder / "log").mkdir(parents=True)
    with hub(folder) as made, ExitStack() as stack:
        headers = {"Authorization": f"Bearer {made.access_token}"}
        address = f"ws://127.0.0.1:{made.port}/logs/ws?format=frame&history=0"
        open_now = [
            stack.enter_context(connect(address, additional_headers=headers, max_size=None))
            for _ in range(viewers)
        ]
        assert made.process
        before = family_ms(made.process.pid)
        got, some = 0, lines(EVENTS)
        for start in range(0, EVENTS, BATCH_EVENTS):
            body = b"\n".join(some[start : start + BATCH_EVENTS])
            post(made, body)
            wait_indexed(made, min(start + BATCH_EVENTS, EVENTS))
            for viewer in open_now:
                got += drain(viewer)
        return family_ms(made.process.pid) - before, got / max(viewers, 1) / EVENTS


def drain(viewer: Any) -> int:
    size = 0
    while True:
        try:
            size += len(viewer.recv(timeout=0.05))
        except TimeoutError:
            return size


def post(made: Hub, body: bytes) -> None:
    token = (made.home / "ingest.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/x-ndjson"}
    request = urllib.request.Request(f"{made.url}/log", body, headers)
    with urllib.request.urlopen(request, timeout=120):
        pass


def bus(folder: Path) -> Iterator[Cost]:
    """Three copies on one machine: the sender's part, and that of each server."""
    with running(folder / "nats") as cluster:
        (folder / "in" / "log").mkdir(parents=True)
        flow = {"LANEWAY_BUS": cluster.urls, "LANEWAY_BUS_FLOW": "in"}
        with hub(folder / "in", **flow) as made:
            eventually(lambda: bool(cluster.nodes[0].stream()), "the stream", 120)
            assert made.process
            before, servers = family_ms(made.process.pid), servers_ms(cluster)
            env = {"LOGGING_URL": cluster.urls, "LANEWAY_HOME": str(folder / "sender")}
            _, behind = write(env)
            wait_indexed(made, EVENTS)
            spent = family_ms(made.process.pid) - before
            of_servers = servers_ms(cluster) - servers
            size = cluster.nodes[0].stream()["state"]["bytes"] / EVENTS
    yield Cost("bus", "SDK: its shipper, NATS", per_event_us(behind * 1000), 0)
    yield Cost("bus", "each of three servers", per_event_us(of_servers) / 3, size)
    yield Cost("bus", "hub: take, append, index", per_event_us(spent), 0)


def servers_ms(cluster: Cluster) -> float:
    return sum(cpu_ms(node.process.pid) for node in cluster.nodes if node.process)


def main() -> None:
    rows: list[dict[str, object]] = []
    for stage in (append, ship, index, fan_out, bus):
        with tempfile.TemporaryDirectory() as folder:
            for cost in stage(Path(folder)):
                rows.append(
                    {
                        "stage": cost.stage,
                        "what": cost.what,
                        "CPU us an event": round(cost.us, 1),
                        "a core carries, ev/s": int(1e6 / cost.us) if cost.us else "-",
                        "bytes": int(cost.size_bytes) or "-",
                    }
                )
                print(rows[-1], file=sys.stderr)
    show(f"Cost of an event ({machine()})", rows)


if __name__ == "__main__":
    main()
