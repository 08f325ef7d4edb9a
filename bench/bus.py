"""Events over the bus: how many a second from one hub's log to the bus, and on into another hub's index.

Beside it, in the same run, a bare client that publishes the same lines without a log, without redaction, and
with the same window of acknowledgements. Servers, hubs and client share the machine.
"""

import asyncio
import json
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any

from nats.aio.client import Client
from websockets.sync.client import connect

from bench.burst import indexed
from bench.table import machine, quantile, show, sized
from laneway.hub.bus.stream import PUBLISHED
from tests.hub.bus.cluster import Cluster, running
from tests.torture.harness import Hub
from tests.waiting import eventually

EVENTS = sized(20_000, 1_000)
SINGLE, PAUSE_S = sized(200, 5), 0.03
PROSE = "The planner asks the researcher for three sources on tidal power. " * 7


def lines_of(name: str) -> list[bytes]:
    """About 700 bytes each, as the storage figures have them."""
    return [
        json.dumps(
            {
                "timestamp": "2026-11-26T12:00:00.000000Z", "agent": f"agent-{n % 20}",
                "event": "log", "id": f"{name}-{n}", "pod": "bench", "content": PROSE, "n": n,
            }
        ).encode()
        for n in range(EVENTS)
    ]  # fmt: skip


def hub_of(directory: Path, name: str, cluster: Cluster) -> Hub:
    (directory / name / "log").mkdir(parents=True)
    hub = Hub(directory / name / "home", directory / name / "log")
    hub.env["LANEWAY_BUS"] = cluster.urls
    return hub


def told(hub: Hub, name: str) -> int:
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    request = urllib.request.Request(f"{hub.url}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=60) as answer:
        page = answer.read().decode().splitlines()
    return next((int(line.split()[1]) for line in page if line.startswith(f"{name} ")), 0)


def bare_rate(cluster: Cluster, replicas: int) -> float:
    async def publish() -> float:
        client = Client()
        await client.connect(cluster.nodes[0].url)
        jet = client.jetstream(publish_async_max_pending=2 * PUBLISHED)
        await jet.add_stream(name="bare", subjects=["bare.>"], num_replicas=replicas)
        lines = lines_of("bare")
        begun_s = time.monotonic()
        for start in range(0, EVENTS, PUBLISHED):
            futures = [
                await jet.publish_async(
                    f"bare.a.{n % 20}", lines[n], headers={"Nats-Msg-Id": f"bare-{n}"}
                )
                for n in range(start, min(start + PUBLISHED, EVENTS))
            ]
            await asyncio.gather(*futures)
        rate = EVENTS / (time.monotonic() - begun_s)
        await jet.delete_stream("bare")
        await client.close()
        return rate

    return asyncio.run(publish())


def hub_rates(directory: Path, cluster: Cluster) -> tuple[float, float, list[float]]:
    """From the log to the bus, from there into another hub's index, and single events' way in ms."""
    north, south = (hub_of(directory, name, cluster) for name in ("north", "south"))
    log = directory / "north" / "log" / "events-000001.jsonl"
    log.write_bytes(b"\n".join(lines_of("hub")) + b"\n")
    south.env["LANEWAY_BUS_FLOW"] = "in"
    try:
        north.start()
        begun_s = time.monotonic()
        eventually(lambda: told(north, "laneway_bus_published") >= EVENTS, "publishing", 600)
        out_s = time.monotonic() - begun_s
        south.start()
        begun_s = time.monotonic()
        eventually(lambda: indexed(south) >= EVENTS, "the index", 600)
        in_s = time.monotonic() - begun_s
        return EVENTS / out_s, EVENTS / in_s, ways_ms(north, south)
    finally:
        for hub in (north, south):
            if hub.process:
                hub.stop()


def ways_ms(north: Hub, south: Hub) -> list[float]:
    address = f"ws://127.0.0.1:{south.port}/logs/ws?format=json&history=0"
    headers = {"Authorization": f"Bearer {south.access_token}"}
    ways: list[float] = []
    with connect(address, additional_headers=headers, max_size=None) as viewer:
        for n in range(SINGLE):
            begun_s = time.monotonic()
            post(north, {"agent": "one", "event": "log", "way": n})
            while json.loads(viewer.recv(timeout=60)).get("way") != n:
                pass
            ways.append((time.monotonic() - begun_s) * 1000)
            time.sleep(PAUSE_S)
    return ways


def post(hub: Hub, event: dict[str, Any]) -> None:
    token = (hub.home / "ingest.token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    request = urllib.request.Request(
        f"{hub.url}/log", data=json.dumps(event).encode(), headers=headers
    )
    with urllib.request.urlopen(request, timeout=60):
        pass


def main() -> None:
    rows: list[dict[str, object]] = []
    for servers in (1, 3):
        with tempfile.TemporaryDirectory() as folder:
            directory = Path(folder)
            with running(directory / "nats", size=servers) as cluster:
                bare = bare_rate(cluster, servers)
                out, into, ways = hub_rates(directory, cluster)
        rows.append(
            {
                "copies": servers,
                "bare client ev/s": int(bare),
                "log to bus ev/s": int(out),
                "of bare": out / bare,
                "bus to index ev/s": int(into),
                "one event, p50 ms": quantile(ways, 0.5),
                "p99 ms": quantile(ways, 0.99),
            }
        )
    show(f"Bus ({machine()})", rows)


if __name__ == "__main__":
    main()
