"""Fifty viewers, ten of whom never read: nobody else misses anything, and memory stays bounded."""

import asyncio
import itertools
import re
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

import httpx
import orjson
import pytest
from websockets.asyncio.client import connect

from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.hub import viewer as hub_viewer
from tests.hub.event import event
from tests.waiting import eventually
from tests.web.conftest import Running

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


class Ask(Protocol):
    def __call__(self, running: Running, path: str, *, upgrade: bool) -> socket.socket: ...


@pytest.fixture
def ask() -> Iterator[Ask]:
    """A viewer that reads nothing, not even the answer to its request. A test that fails leaves none open:
    the collector would complain of them in another test."""
    asked: list[socket.socket] = []

    def ask(running: Running, path: str, *, upgrade: bool) -> socket.socket:
        host = running.url.removeprefix("http://")
        made = socket.socket()
        asked.append(made)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        made.connect((host.partition(":")[0], int(host.partition(":")[2])))
        head = f"GET {path} HTTP/1.1\r\nHost: {host}\r\n"
        head += f"Authorization: {running.headers['Authorization']}\r\n"
        if upgrade:
            head += "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            head += "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
        made.sendall(f"{head}\r\n".encode())
        return made

    yield ask
    for made in asked:
        with suppress(OSError):  # closed by the test, or cut by the hub
            made.shutdown(socket.SHUT_RDWR)
        made.close()


async def watch_socket(running: Running, account: Account, query: str = "") -> None:
    url = f"{running.url.replace('http', 'ws')}/logs/ws{query}"
    options: dict[str, Any] = {"additional_headers": running.headers, "max_size": None}
    async with connect(url, **options, ping_interval=None) as opened:
        while account.take(orjson.loads(await opened.recv())):
            pass


async def watch_events(running: Running, account: Account, client: httpx.AsyncClient) -> None:
    async with client.stream("GET", f"{running.url}/logs/sse", headers=running.headers) as answer:
        async for line in answer.aiter_lines():
            if line.startswith("data: ") and not account.take(orjson.loads(line[6:])):
                return


@pytest.fixture
def lengths(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> list[int]:
    """Small queues and little patience; every queue's length after it grew."""
    monkeypatch.setattr(hub_viewer, "CLIENT_QUEUE_BYTES", QUEUE_BYTES)
    settings.send_timeout = 1.0
    found: list[int] = []
    real = hub_viewer.Viewer.offer

    def offer(self: hub_viewer.Viewer, frames: Any) -> None:
        real(self, frames)
        found.append(self._queued_bytes)

    monkeypatch.setattr(hub_viewer.Viewer, "offer", offer)
    return found


async def test_ten_of_fifty_viewers_never_read_and_the_others_miss_nothing(
    lengths: list[int],
    running: Running,
    ask: Ask,
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
    await asyncio.to_thread(speak_until_cut, running)
    assert count(running, 'laneway_connections_ended_total{reason="does_not_read"}') == SLOW
    assert count(running, "laneway_frames_dropped_total") > 0
    for one in sockets:
        one.close()
    again = Account()
    await watch_socket(running, again, "?since=0")
    assert again.seqs == list(range(1, max(len(again.seqs), EVENTS) + 1))
    assert again.gaps == []


def speak_until_cut(running: Running) -> None:
    """Who does not read is told from who has nothing to read once the kernel's buffers are full, megabytes
    for each. A busy hub drops frames before they get there: events must go on until they are."""

    numbers = itertools.count(EVENTS + 1)

    def is_alone() -> bool:
        if viewers(running) == 0:
            return True
        some = itertools.islice(numbers, 10)
        running.post(*(event(n, content="seven words " * 2_500) for n in some))
        return False

    eventually(is_alone, "all who read nothing are cut")


class SlowReader:
    """A WebSocket or SSE viewer that takes `SIP_BYTES` at a time, in a thread, until it is told to hurry."""

    SIP_BYTES, PAUSE_S = 4096, 0.05

    def __init__(self, asked: socket.socket) -> None:
        self.data = bytearray()
        self.is_cut = False
        self.longest_pause_s = 0.0
        self.hurry = threading.Event()
        self._socket = asked
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        read_s = time.monotonic()
        try:
            while data := self._socket.recv(self.SIP_BYTES):
                self.data += data
                now_s = time.monotonic()
                self.longest_pause_s = max(self.longest_pause_s, now_s - read_s)
                read_s = now_s
                self.hurry.wait(self.PAUSE_S)
        except OSError:
            pass
        self.is_cut = True

    def close(self) -> None:
        with suppress(OSError):  # cut
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def seqs(self) -> list[int]:
        return [int(found) for found in re.findall(rb'"seq":(\d+)\}', bytes(self.data))]

    def gaps(self) -> list[int]:
        found = re.findall(rb'\{"type":"gap","from":(\d+),"to":(\d+)\}', bytes(self.data))
        return [seq for since, until in found for seq in range(int(since), int(until))]


@pytest.mark.parametrize("kind", ["ws", "sse"])
def test_a_viewer_that_reads_slowly_is_kept_and_told_what_it_missed_and_one_that_takes_nothing_is_cut(
    settings: Settings,
    serving: Callable[[], Running],
    monkeypatch: pytest.MonkeyPatch,
    ask: Ask,
    kind: str,
) -> None:
    """Slower than events come for three times as long as one may take nothing at all."""
    monkeypatch.setattr(hub_viewer, "CLIENT_QUEUE_BYTES", QUEUE_BYTES)
    settings.send_timeout = 2.0
    running = serving()
    path, upgrade = f"/logs/{kind}?format=json&history=0", kind == "ws"
    ended = 'laneway_connections_ended_total{reason="does_not_read"}'
    count_sent = 0
    while True:  # on a machine that stood still, it was silent too, and comes anew
        begun, before = count_sent, count(running, ended)
        slow = SlowReader(ask(running, path, upgrade=upgrade))
        silent = ask(running, path, upgrade=upgrade)
        eventually(lambda: viewers(running) == 2)
        until_s = time.monotonic() + 3 * settings.send_timeout
        while time.monotonic() < until_s or count_sent < begun + 400:
            numbers = range(count_sent + 1, count_sent + 21)
            running.post(*(event(n, content="seven words " * 2_500) for n in numbers))
            count_sent += 20
        eventually(lambda: count(running, ended) > before)  # noqa: B023
        if slow.longest_pause_s < settings.send_timeout / 2:
            break
        slow.close()
        silent.close()
        eventually(lambda: viewers(running) == 0)
    assert count(running, ended) == before + 1
    assert not slow.is_cut
    assert slow.seqs()[-1:] < [count_sent], "it was not slow"
    slow.hurry.set()
    eventually(lambda: max([*slow.seqs(), *slow.gaps()], default=0) >= count_sent)
    running.post(event(count_sent + 1))
    eventually(lambda: slow.seqs()[-1] == count_sent + 1)
    assert slow.gaps()
    assert sorted([*slow.seqs(), *slow.gaps()]) == list(range(begun + 1, count_sent + 2))
    assert viewers(running) == 1
    silent.close()
    slow.close()


def viewers(running: Running) -> int:
    return int(running.get("/health")["viewers"])


def count(running: Running, name: str) -> int:
    text = httpx.get(f"{running.url}/metrics", headers=running.headers, timeout=180).text
    found = (int(x.rpartition(" ")[2]) for x in text.splitlines() if x.startswith(f"{name} "))
    return next(found, 0)  # a series that counted nothing yet is not named


async def test_a_plain_viewer_s_history_is_bounded_by_bytes_and_the_rest_is_named(
    running: Running,
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
