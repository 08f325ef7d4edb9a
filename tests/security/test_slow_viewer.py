"""Fifty viewers, ten of whom never read: nobody else misses anything, and memory stays bounded."""

import asyncio
import socket
from typing import Any

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from laneway.base.limits import MIB
from laneway.hub import live as hub_live
from laneway.web import runner
from laneway.web.connection import Bounds
from tests.hub.event import event, eventually
from tests.web.conftest import Running, running  # noqa: F401 - a fixture

EVENTS, SLOW, QUICK = 600, 10, 20
"""Quick ones of each kind, WebSocket and SSE."""

QUEUE_BYTES = 200_000


class Account:
    """What one viewer saw."""

    def __init__(self) -> None:
        self.seqs: list[int] = []
        self.gaps: list[int] = []

    def take(self, message: dict[str, Any]) -> bool:
        """Whether there is more to come."""
        if message["type"] == "batch":
            self.seqs += range(message["seq0"], message["seq0"] + message["n"])
        elif message["type"] == "gap":
            self.gaps += range(message["from"], message["to"])
        return max([*self.seqs[-1:], *self.gaps[-1:], 0]) < EVENTS


def ask(running: Running, path: str, *, upgrade: bool) -> socket.socket:  # noqa: F811
    """A viewer that reads nothing, not even the answer to its request."""
    host = running.url.removeprefix("http://")
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    made.connect((host.partition(":")[0], int(host.partition(":")[2])))
    head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\nAuthorization: {running.headers['Authorization']}\r\n"
    if upgrade:
        head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
    made.sendall(f"{head}\r\n".encode())
    return made


async def watch_socket(running: Running, account: Account, query: str = "") -> None:  # noqa: F811
    url = f"{running.url.replace('http', 'ws')}/logs/ws{query}"
    options: dict[str, Any] = {"additional_headers": running.headers, "max_size": None}
    async with connect(url, **options, ping_interval=None) as opened:
        while account.take(orjson.loads(await opened.recv())):
            pass


async def watch_events(running: Running, account: Account, client: httpx.AsyncClient) -> None:  # noqa: F811
    async with client.stream("GET", f"{running.url}/logs/sse", headers=running.headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: ") and not account.take(orjson.loads(line[6:])):
                return


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Small queues and little patience; every queue's length after it grew."""
    monkeypatch.setattr(hub_live, "CLIENT_QUEUE_BYTES", QUEUE_BYTES)
    monkeypatch.setattr(runner, "Bounds", lambda **given: Bounds(**given, send_s=1.0))
    found: list[int] = []
    real = hub_live.Viewer.offer

    def offer(self: hub_live.Viewer, frames: Any) -> None:
        real(self, frames)
        found.append(self._queued_bytes)

    monkeypatch.setattr(hub_live.Viewer, "offer", offer)
    return found


async def test_ten_of_fifty_viewers_never_read_and_the_others_miss_nothing(
    lengths: list[int],
    running: Running,  # noqa: F811
) -> None:
    sockets = [ask(running, "/logs/ws?format=json", upgrade=True) for _ in range(SLOW // 2)]
    sockets += [ask(running, "/logs/sse?format=json", upgrade=False) for _ in range(SLOW // 2)]
    accounts = [Account() for _ in range(2 * QUICK)]
    limits = httpx.Limits(max_connections=None)
    async with (
        httpx.AsyncClient(timeout=None, limits=limits) as client,
        asyncio.TaskGroup() as group,
    ):
        for account in accounts[:QUICK]:
            group.create_task(watch_socket(running, account))
        for account in accounts[QUICK:]:
            group.create_task(watch_events(running, account, client))
        await asyncio.to_thread(eventually, lambda: viewers(running) == SLOW + 2 * QUICK)
        for start in range(0, EVENTS, 50):
            batch = [event(n, content="seven words " * 2_500) for n in range(start, start + 50)]
            await asyncio.to_thread(running.post, *batch)
    for account in accounts:
        assert account.seqs == list(range(1, EVENTS + 1))
        assert account.gaps == []
    largest = 60_000  # one event as JSON: a queue may hold one frame beyond its bound
    assert max(lengths) <= QUEUE_BYTES + largest
    await asyncio.to_thread(eventually, lambda: viewers(running) == 0)
    assert count(running, 'laneway_connections_ended_total{reason="does_not_read"}') == SLOW
    assert count(running, "laneway_frames_dropped_total") > 0
    for one in sockets:
        one.close()
    again = Account()
    await watch_socket(running, again, "?since=0")
    assert again.seqs == list(range(1, EVENTS + 1))


def viewers(running: Running) -> int:  # noqa: F811
    return int(running.get("/health")["viewers"])


def count(running: Running, name: str) -> int:  # noqa: F811
    text = httpx.get(f"{running.url}/metrics", headers=running.headers, timeout=60).text
    return next(int(x.rpartition(" ")[2]) for x in text.splitlines() if x.startswith(f"{name} "))


async def test_a_plain_viewer_s_history_is_bounded_by_bytes_and_the_rest_is_named(
    running: Running,  # noqa: F811
) -> None:
    for start in range(1, 41, 10):
        await asyncio.to_thread(
            running.post, *[event(n, content="a word " * 30_000) for n in range(start, start + 10)]
        )
    await asyncio.to_thread(eventually, lambda: running.get("/health")["index"]["events"] == 40)
    url = f"{running.url.replace('http', 'ws')}/logs/ws?format=json&history=1000"
    async with connect(url, additional_headers=running.headers, max_size=None) as opened:
        first = orjson.loads(await opened.recv())
        assert first["type"] == "gap"
        size, seqs = 0, []
        while not seqs or seqs[-1] < 40:
            data = await opened.recv()
            size += len(data)
            seqs.append(orjson.loads(data)["seq"])
    assert size <= 4 * MIB + 300_000
    assert [*range(first["from"], first["to"]), *seqs] == list(range(1, 41))
