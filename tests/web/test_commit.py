"""Requests share appends, and with ``durable`` syncs; each is answered after its own."""

import asyncio
import errno
import itertools
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import httpx
import pytest

from laneway.base.errors import LogError
from laneway.base.settings import resolve
from laneway.hub.hub import Hub
from laneway.log import sync
from laneway.web.commit import Commit, DurableCommit, Tell
from tests.waiting import eventually

from ..hub.event import event
from .conftest import WAYS, Running


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """All of this by both ways: a plain request is answered before the application sees it."""
    return str(request.param)


async def test_requests_of_one_turn_share_an_append() -> None:
    batches: list[list[bytes]] = []
    commit = Commit(lambda lines: batches.append(list(lines)))
    await asyncio.gather(commit.append([b"a"]), commit.append([b"b", b"c"]))
    await commit.append([b"d"])
    assert batches == [[b"a", b"b", b"c"], [b"d"]]


async def test_nobody_is_answered_before_the_append() -> None:
    order: list[str] = []
    commit = Commit(lambda lines: order.append("appended"))

    async def send() -> None:
        await commit.append([b"a"])
        order.append("answered")

    await asyncio.gather(send(), send())
    assert order == ["appended", "answered", "answered"]


async def test_a_failed_append_fails_everybody_who_shares_it_and_nobody_else() -> None:
    failures = itertools.chain([LogError("full")], itertools.repeat(None))

    def append(lines: Sequence[bytes]) -> None:
        if error := next(failures):
            raise error

    commit = Commit(append)
    waiting = [commit.append([b"a"]), commit.append([b"b"]), commit.append([b"c"])]
    waiting[1].cancel()
    results = await asyncio.gather(*waiting, return_exceptions=True)
    assert [type(result) for result in results] == [LogError, asyncio.CancelledError, LogError]
    await commit.append([b"d"])


class Disk:
    """Notes the file's size at each sync for a request, and holds it up until it is told. The syncer behind
    the writers has a thread of its own, and perhaps the log of an earlier test."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.is_broken = False
        self.is_open = threading.Event()
        self.has_begun = threading.Event()

    def sync_file(self, fd: int) -> None:
        if not threading.current_thread().name.startswith("laneway-commit"):
            return
        size = os.fstat(fd).st_size
        self.has_begun.set()
        assert self.is_open.wait(180)
        if self.is_broken:
            raise OSError(errno.EIO, "Input/output error")
        self.sizes.append(size)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch) -> Iterator[Disk]:
    disk = Disk()
    monkeypatch.setattr(sync, "sync_file", disk.sync_file)
    monkeypatch.setattr(sync, "REST_NS", (0, 0))
    yield disk
    disk.is_open.set()


DURABLE = {"Laneway-Durability": "durable"}


async def _until(condition: Callable[[], object]) -> None:
    await asyncio.to_thread(eventually, condition)


async def test_who_asks_for_durable_is_answered_after_the_sync_and_others_meanwhile(
    client: httpx.AsyncClient, hub: Hub, disk: Disk
) -> None:
    durable = asyncio.create_task(client.post("/log", json=event(1), headers=DURABLE))
    await _until(disk.has_begun.is_set)
    other = await client.post("/log", json=event(2))
    assert other.json()["durable"] is False
    assert not durable.done()
    disk.is_open.set()
    receipt = (await durable).json()

    assert receipt["durable"] is True
    assert receipt["durability"] == "durable"


async def test_requests_that_come_during_a_sync_share_the_next_one(
    client: httpx.AsyncClient, hub: Hub, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    arrived: list[Sequence[bytes]] = []
    add = DurableCommit.add

    def count(commit: DurableCommit, lines: Sequence[bytes], tell: Tell) -> None:
        arrived.append(lines)
        add(commit, lines, tell)

    monkeypatch.setattr(DurableCommit, "add", count)
    first = asyncio.create_task(client.post("/log", json=event(0), headers=DURABLE))
    await _until(disk.has_begun.is_set)
    others = [
        asyncio.create_task(client.post("/log", json=event(n), headers=DURABLE))
        for n in range(1, 21)
    ]
    await _until(lambda: len(arrived) == 21)
    disk.is_open.set()
    answers = await asyncio.gather(first, *others)

    assert [answer.json()["durable"] for answer in answers] == [True] * 21
    assert len(disk.sizes) == 2
    assert disk.sizes[1] > 15 * disk.sizes[0]


async def test_a_batch_tells_its_level_too(client: httpx.AsyncClient, disk: Disk) -> None:
    disk.is_open.set()
    answer = await client.post("/log", json=[event(1), {"agent": 1}], headers=DURABLE)

    assert answer.json()["durable"] is True
    assert answer.json()["durability"] == "durable"
    assert answer.json()["accepted"] == 1


async def test_what_could_not_be_synced_is_not_acknowledged(
    client: httpx.AsyncClient, disk: Disk
) -> None:
    disk.is_open.set()
    disk.is_broken = True
    answer = await client.post("/log", json=event(1), headers=DURABLE)
    assert answer.status_code == 503
    assert answer.headers["retry-after"]
    disk.is_broken = False

    assert (await client.post("/log", json=event(1), headers=DURABLE)).json()["durable"] is True


def test_a_durable_hub_needs_no_asking(home: Path, tmp_path: Path) -> None:
    given = {"home": home, "log_path": tmp_path / "log", "port": 0, "durability": "durable"}
    running = Running(resolve(given, env={}))
    running.start()
    try:
        receipt = running.post(event(1)).json()
        assert receipt["durable"] is True
        assert running.get("/health")["log"]["durability"] == "durable"
    finally:
        running.stop()
