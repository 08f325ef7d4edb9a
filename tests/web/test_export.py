"""The export: all of a query, resumable, in bounded memory, and only as long as somebody reads."""

import gzip
import threading
import time
from typing import Any

import anyio
import httpx
import orjson
import pytest

from laneway.hub.hub import Hub
from laneway.web import export as module
from tests.waiting import DEADLINE_S, eventually

from ..hub.event import event
from .test_query import fill

PLAIN = {"accept-encoding": "identity"}


async def lines_of(client: httpx.AsyncClient, **parameters: Any) -> list[int]:
    answer = await client.get("/api/export", params=parameters, headers=PLAIN)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("application/x-ndjson")
    return [orjson.loads(line)["seq"] for line in answer.text.splitlines()]


async def test_every_event_comes_once_over_many_pages(
    client: httpx.AsyncClient, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_EVENTS", 3)
    fill(hub, *(event(n, agent="ab"[n % 2]) for n in range(1, 11)))
    assert await lines_of(client) == list(range(1, 11))
    assert await lines_of(client, order="newest") == list(range(10, 0, -1))
    assert await lines_of(client, agent="a") == [2, 4, 6, 8, 10]
    assert await lines_of(client, agent="nobody") == []


async def test_it_goes_on_behind_the_last_line_that_arrived(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    fill(hub, *(event(n) for n in range(1, 8)))
    assert await lines_of(client, after="@4") == [5, 6, 7]
    assert await lines_of(client, after="@4", order="newest") == [3, 2, 1]
    for wrong, status in (("4", 400), ("@x", 400), ("@77", 404)):
        answer = await client.get("/api/export", params={"after": wrong})
        assert answer.status_code == status, answer.text


async def test_it_is_gzipped_where_that_is_accepted(client: httpx.AsyncClient, hub: Hub) -> None:
    fill(hub, *(event(n) for n in range(1, 4)))
    async with client.stream("GET", "/api/export", headers={"accept-encoding": "gzip"}) as answer:
        assert answer.headers["content-encoding"] == "gzip"
        raw = b"".join([chunk async for chunk in answer.aiter_raw()])
    assert len(gzip.decompress(raw).splitlines()) == 3
    answer = await client.get("/api/export", headers={"accept-encoding": "gzip;q=0"})
    assert "content-encoding" not in answer.headers


async def test_a_wrong_query_is_refused_before_the_first_line(client: httpx.AsyncClient) -> None:
    answer = await client.get("/api/export", params={"agnet": "a"})
    assert answer.status_code == 400
    assert answer.json()["code"] == "bad_query"


async def test_nothing_is_read_any_more_when_the_reader_has_left(
    running: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE_EVENTS", 10)
    pages: list[float] = []
    has_left = threading.Event()

    async def count(self: Any, call: Any) -> Any:
        pages.append(time.monotonic())
        if (
            len(pages) > 20
        ):  # many would fit into the buffers on the way before a busy machine reads one
            await anyio.to_thread.run_sync(has_left.wait, DEADLINE_S, abandon_on_cancel=True)
        await anyio.sleep(0.01)
        return await anyio.to_thread.run_sync(call)

    monkeypatch.setattr(module.Work, "__call__", count)
    running.post(*(event(n) for n in range(3_000)))
    eventually(lambda: running.get("/health")["index"]["events"] == 3_000)
    url, headers = f"{running.url}/api/export", {**running.headers, **PLAIN}
    async with (
        httpx.AsyncClient() as client,
        client.stream("GET", url, headers=headers) as answer,
    ):
        async for _ in answer.aiter_lines():
            break
    has_left.set()
    seen = -1
    while seen != len(pages):  # it stops within a page or two; on a busy machine, later
        seen = len(pages)
        await anyio.sleep(0.5)
    assert seen < 300, "it read on to the end"
