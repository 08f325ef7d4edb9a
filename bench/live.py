"""From `log_event` in one process to a viewer's socket in another: 1,000 events/s, 20 viewers.

The time is the event's own timestamp to the arrival of the frame that carries
it, both on this machine's clock. bench/ui/latency.py goes on to the painted page.
"""

import asyncio
import json
import sys
import tempfile
import time
from pathlib import Path

from websockets.asyncio.client import connect

from bench.ingest import CONTENT
from bench.table import machine, middle, quantile, show, sized
from tests.torture.harness import Hub

VIEWERS, RATE, SECONDS = sized((20, 1_000, 8), (3, 200, 1))

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


async def measure(hub: Hub, env: dict[str, str]) -> tuple[list[float], list[int]]:
    delays_ms: list[float] = []
    counts = [0] * VIEWERS
    viewers = [asyncio.create_task(watch(hub, delays_ms, counts, i)) for i in range(VIEWERS)]
    await asyncio.sleep(1)
    sender = await asyncio.create_subprocess_exec(
        sys.executable, "-c", SENDER, str(RATE), str(SECONDS), env=env
    )
    await sender.wait()
    await asyncio.sleep(1)
    for viewer in viewers:
        viewer.cancel()
    await asyncio.gather(*viewers, return_exceptions=True)
    return delays_ms, counts


def main() -> None:
    rows = []
    for mode in ("file mode", "HTTP mode"):
        with tempfile.TemporaryDirectory() as folder:
            hub = Hub(Path(folder) / "home", Path(folder) / "log")
            hub.start()
            env = {**hub.env, "LOGGING_URL": f"{hub.url}/log"} if mode == "HTTP mode" else hub.env
            try:
                delays_ms, counts = asyncio.run(measure(hub, env))
            finally:
                hub.stop()
        rows.append(
            {
                "way": mode,
                "p50 ms": middle(delays_ms),
                "p99 ms": quantile(delays_ms, 0.99),
                "max ms": max(delays_ms),
                "seen by each viewer": f"{min(counts)} of {RATE * SECONDS}",
            }
        )
    show(f"Event to socket, {RATE} events/s, {VIEWERS} viewers ({machine()})", rows)


if __name__ == "__main__":
    main()
