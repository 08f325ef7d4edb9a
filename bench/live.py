"""From `log_event` in one process to a viewer's socket in another: 1,000 events/s, 20 viewers, and 100.

The time is the event's own timestamp to the arrival of the frame that carries
it, both on this machine's clock; `bench.painted` goes on to the painted page. Of a crowd of 100 the first
20 are looked at so, and the others take what they get: all are in one process, which would else be what
is measured. "hub" is processor time of the process that sends, a second.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

from websockets.asyncio.client import connect

from bench.ingest import CONTENT
from bench.process import cpu_ms
from bench.table import machine, middle, quantile, show, sized
from tests.torture.harness import Hub

VIEWERS, RATE, SECONDS = sized((20, 1_000, 8), (3, 200, 1))
CROWD = sized(100, 5)

SENDER = f"""
import sys, time
import laneway
rate, seconds = int(sys.argv[1]), float(sys.argv[2])
began = time.perf_counter()
for i in range(int(rate * seconds)):
    wait = began + i / rate - time.perf_counter()
    if wait > 0:
        time.sleep(wait)
    laneway.log_event(f"agent-{{i % 50}}", "log", {CONTENT!r}, i=i)
laneway.flush(10)
"""


async def watch(hub: Hub, delays_ms: list[float], counts: list[int], index: int) -> None:
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    address = f"ws://127.0.0.1:{hub.port}/logs/ws?history=0"
    async with connect(address, additional_headers=headers, compression=None, max_size=None) as ws:
        async for text in ws:
            now_ms = time.time() * 1000
            message = json.loads(text)
            if message["type"] != "batch":
                continue
            counts[index] += message["n"]
            delays_ms.extend(now_ms - message["t0"] - dt for dt in message["dt"])


async def take(hub: Hub, byte_counts: list[int]) -> None:
    """A viewer that does nothing with what it gets."""
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    address = f"ws://127.0.0.1:{hub.port}/logs/ws?history=0"
    async with connect(address, additional_headers=headers, compression=None, max_size=None) as ws:
        place = len(byte_counts)
        byte_counts.append(0)
        async for text in ws:
            byte_counts[place] += len(text)


class Seen(NamedTuple):
    delays_ms: list[float]
    counts: list[int]
    """Events that each of those who were looked at has."""
    byte_counts: list[int]
    """What each of the others has."""
    hub_ms: float
    """Processor time of the hub, a second of the sender's."""


async def measure(hub: Hub, env: dict[str, str], count: int) -> Seen:
    delays_ms: list[float] = []
    byte_counts: list[int] = []
    counts = [0] * min(VIEWERS, count)
    viewers = [asyncio.create_task(watch(hub, delays_ms, counts, i)) for i in range(len(counts))]
    viewers += [asyncio.create_task(take(hub, byte_counts)) for _ in range(count - len(counts))]
    await asyncio.sleep(1)
    assert hub.process
    before_ms = cpu_ms(hub.process.pid)
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDER, str(RATE), str(SECONDS), env=env
    )
    await sender.wait()
    spent_ms = cpu_ms(hub.process.pid) - before_ms
    await asyncio.sleep(1)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return Seen(delays_ms, counts, byte_counts, spent_ms / SECONDS)


def main() -> None:
    rows = []
    for mode, count in (("file mode", VIEWERS), ("HTTP mode", VIEWERS), ("file mode", CROWD)):
        with tempfile.TemporaryDirectory() as folder:
            hub = Hub(Path(folder) / "home", Path(folder) / "log")
            hub.start()
            env = {**hub.env, "LOGGING_URL": f"{hub.url}/log"} if mode == "HTTP mode" else hub.env
            try:
                seen = asyncio.run(measure(hub, env, count))
            finally:
                hub.stop()
        rows.append(
            {
                "way": mode,
                "viewers": count,
                "p50 ms": middle(seen.delays_ms),
                "p99 ms": quantile(seen.delays_ms, 0.99),
                "max ms": max(seen.delays_ms),
                "hub ms a second": seen.hub_ms,
                "seen by each viewer": f"{min(seen.counts)} of {RATE * SECONDS}",
                "taken by each other": f"{min(seen.byte_counts, default=0) / 1024:.0f} KiB",
            }
        )
    show(f"Event to socket, {RATE} events/s ({machine()})", rows)


if __name__ == "__main__":
    main()
