"""One round with one server: started, watched, fed, asked, killed, started again and counted."""

import time
from collections.abc import Callable
from typing import Any

from bench.peers.event import AGENTS, iter_events
from bench.peers.server import LOOK_S, PATIENCE_S, Server
from bench.table import middle, quantile

BATCH = 500
REST_S = 2.0
LOOK_MOST_S = 0.2
STILL_S = 5.0
"""A count that did not grow for so long after a new start does not grow any more."""

LOOKS = 20
"""Single events whose way into the API is timed, and questions of each kind."""


def drive(server: Server, single: int, batches: int) -> dict[str, Any]:
    found: dict[str, Any] = {"takes": server.takes}
    try:
        found["first start s"] = server.start()
        time.sleep(REST_S)
        rss, pss, processes = server.memory_mib()
        found |= {"processes": processes, "rest RSS MiB": rss, "rest PSS MiB": pss}
        server.send(list(iter_events(1)))  # what is loaded with the first
        wait_for(server.visible, 1)
        stored = 1
        ways = [way_ms(server, stored + n) for n in range(min(LOOKS, single))]
        stored += len(ways)
        found |= {"visible p50 ms": middle(ways), "visible p95 ms": quantile(ways, 0.95)}
        answered, _ = feed(server, stored, single, 1)
        found["one, answered/s"] = answered
        stored += single
        answered, until_stored = feed(server, stored, batches, BATCH)
        found |= {"batch, answered/s": answered, "batch, stored/s": until_stored}
        stored += batches * BATCH
        found["full RSS MiB"], found["full PSS MiB"], _ = server.memory_mib()
        found["newest 200 p50 ms"] = middle([took_ms(server.ask) for _ in range(LOOKS)])
        agents = [f"agent-{n % AGENTS}" for n in range(LOOKS)]
        found["200 of an agent p50 ms"] = middle(
            [took_ms(lambda agent=agent: server.ask(agent)) for agent in agents]  # type: ignore[misc]
        )
        found["disk bytes an event"] = server.disk_bytes() / stored
        found["kept %"] = 100 * kill_while_fed(server, stored, batches)
        return found
    finally:
        if server.process:
            server.kill()


def way_ms(server: Server, number: int) -> float:
    """From before one event is sent until the API shows it."""
    began_s = time.perf_counter()
    server.send(list(iter_events(1, number)))
    wait_for(server.visible, number + 1)
    return (time.perf_counter() - began_s) * 1000


def feed(server: Server, start: int, requests: int, size: int) -> tuple[float, float]:
    """Events a second until all were acknowledged, and until all were stored; one connection."""
    bodies = [list(iter_events(size, start + n * size)) for n in range(requests)]
    began_s = time.perf_counter()
    for events in bodies:
        server.send(events)
    answered_s = time.perf_counter() - began_s
    wait_for(server.count, start + requests * size)
    return requests * size / answered_s, requests * size / (time.perf_counter() - began_s)


def kill_while_fed(server: Server, stored: int, batches: int) -> float:
    """Of the events acknowledged just before a SIGKILL, the part that is there after a new start."""
    count = batches * BATCH
    for n in range(batches):
        server.send(list(iter_events(BATCH, stored + n * BATCH)))
    server.kill()
    server.start()
    until_s, there = time.monotonic() + PATIENCE_S, -1
    while time.monotonic() < until_s and there < stored + count:
        before, there = there, server.count()
        if before == there and there >= 0:
            break
        time.sleep(STILL_S)
    return max(0, there - stored) / count


def wait_for(ask: Callable[[], int], count: int) -> None:
    """Asks again after a twentieth of the time that it waited so far: more often would slow the server."""
    began_s = time.monotonic()
    while (there := ask()) < count:
        waited_s = time.monotonic() - began_s
        if waited_s > PATIENCE_S:
            raise TimeoutError(f"{there:,} of {count:,} acknowledged after {PATIENCE_S:.0f} s")
        time.sleep(min(LOOK_MOST_S, max(LOOK_S, waited_s / 20)))


def took_ms(ask: Callable[[], Any]) -> float:
    began_s = time.perf_counter()
    if not ask():
        raise RuntimeError("an answer had no event")
    return (time.perf_counter() - began_s) * 1000
