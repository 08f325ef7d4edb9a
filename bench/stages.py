"""Where an event's time goes from `log_event` to a viewer's socket: file mode, 20 viewers beside each other.

`bench/stamp` has the hub and its indexer tell when an event passes a stage; the first stamp is the event's
own time, the last the arrival of its frame at a viewer. Each row is the time since the stage before.
"""

import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from websockets.asyncio.client import connect

from bench.live import SENDER, VIEWERS
from bench.table import machine, middle, quantile, show, sized
from tests.torture.harness import Hub

STAGES = ("seen", "decoded", "indexed", "handed over", "offered", "at the socket")
MEANING = {
    "seen": "the tail has read it",
    "decoded": "it is an event, looked through for secrets",
    "indexed": "its transaction is committed",
    "handed over": "the hub's process has it",
    "offered": "its frame is encoded and in every viewer's queue",
    "at the socket": "its frame has arrived",
}
RATES, SECONDS = sized(((10, 1_000, 5_000), 6), ((200,), 1))

Times = dict[int, int]
"""When an event passed, in ns, by seq."""


async def watch(hub: Hub, born: Times, arrived: Times, *, counts: bool) -> None:
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    address = f"ws://127.0.0.1:{hub.port}/logs/ws?history=0"
    async with connect(address, additional_headers=headers, compression=None, max_size=None) as ws:
        async for text in ws:
            now_ns = time.time_ns()
            if not counts:
                continue
            message = json.loads(text)
            if message["type"] == "batch":
                for seq, dt in enumerate(message["dt"], message["seq0"]):
                    born[seq] = int((message["t0"] + dt) * 1e6)
                    arrived[seq] = now_ns


async def measure(hub: Hub, rate: int) -> tuple[Times, Times]:
    born: Times = {}
    arrived: Times = {}
    viewers = [
        asyncio.create_task(watch(hub, born, arrived, counts=not number))
        for number in range(VIEWERS)
    ]
    await asyncio.sleep(1)
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDER, str(rate), str(SECONDS), env=hub.env
    )
    await sender.wait()
    await asyncio.sleep(1)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return born, arrived


def read_stamps(path: Path) -> dict[str, Times]:
    found: dict[str, Times] = {stage: {} for stage in STAGES}
    for line in path.read_text().splitlines():
        *words, first, until, ns = line.split(" ")
        found[" ".join(words)] |= dict.fromkeys(range(int(first), int(until)), int(ns))
    return found


def iter_rows(passed: dict[str, Times], born: Times) -> Iterator[dict[str, object]]:
    seqs = [seq for seq in born if all(seq in passed[stage] for stage in STAGES)]
    before = born
    for stage in STAGES:
        spent_ms = [(passed[stage][seq] - before[seq]) / 1e6 for seq in seqs]
        yield row_of(stage, MEANING[stage], spent_ms)
        before = passed[stage]
    yield row_of("all", "", [(before[seq] - born[seq]) / 1e6 for seq in seqs])


def row_of(stage: str, meaning: str, spent_ms: list[float]) -> dict[str, object]:
    return {
        "stage": stage,
        "p50 ms": middle(spent_ms),
        "p99 ms": quantile(spent_ms, 0.99),
        "max ms": max(spent_ms),
        "what has happened": meaning,
    }


def main() -> None:
    for rate in RATES:
        with tempfile.TemporaryDirectory() as folder:
            hub = Hub(Path(folder) / "home", Path(folder) / "log")
            stamps = Path(folder) / "stamps"
            places = f"{Path(__file__).with_name('stamp')}:{hub.env.get('PYTHONPATH', '')}"
            hub.env |= {"LANEWAY_STAMPS": str(stamps), "PYTHONPATH": places}
            hub.start()
            try:
                born, arrived = asyncio.run(measure(hub, rate))
            finally:
                hub.stop()
            passed = read_stamps(stamps) | {"at the socket": arrived}
            rows = list(iter_rows(passed, born))
        show(
            f"From log_event to the socket, {rate} events/s, {VIEWERS} viewers ({machine()})", rows
        )


if __name__ == "__main__":
    main()
