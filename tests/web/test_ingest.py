import asyncio
import gzip
from collections.abc import Sequence
from pathlib import Path

import httpx
import orjson
import pytest

from laneway.base.errors import LogError
from laneway.hub.hub import Hub
from laneway.store.api import Query
from laneway.web.app import App
from laneway.web.ingest import INLINE_BYTES
from tests.waiting import eventually

from ..hub.event import event
from .conftest import WAYS

NDJSON = {"Content-Type": "application/x-ndjson"}


def stored(hub: Hub, count: int) -> list[str]:
    """Ids in the index, once there are ``count``."""
    eventually(lambda: hub.store.last_seq >= count)
    lines = hub.archive.page(Query(newest_first=False, limit=1000)).lines
    return [orjson.loads(line)["id"] for line in lines]


def first_segment(hub: Hub) -> bytes:
    return Path(hub.log_path.segment_path(1)).read_bytes()


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """All of this by both ways: a plain request is answered before the application sees it."""
    return str(request.param)


async def test_one_event_is_logged_and_indexed(client: httpx.AsyncClient, hub: Hub) -> None:
    answer = await client.post("/log", json=event(1))
    assert answer.status_code == 200
    assert answer.json() == {
        "status": "logged",
        "accepted": 1,
        "rejected": 0,
        "durable": False,
        "durability": "default",
        "errors": [],
    }
    assert stored(hub, 1) == ["id-1"]


async def test_the_event_is_in_the_log_when_the_answer_comes(
    client: httpx.AsyncClient, hub: Hub
) -> None:
    await client.post("/log", json=event(1))
    assert orjson.loads(first_segment(hub))["id"] == "id-1"


@pytest.mark.parametrize("kind", ["application/json", "application/x-ndjson", "text/plain", ""])
async def test_lines_are_read_under_any_type(
    client: httpx.AsyncClient, hub: Hub, kind: str
) -> None:
    body = b"\n\n".join(orjson.dumps(event(n)) for n in (1, 2, 3)) + b"\n"
    answer = await client.post("/log", content=body, headers={"Content-Type": kind})
    assert answer.json()["accepted"] == 3
    assert stored(hub, 3) == ["id-1", "id-2", "id-3"]


async def test_an_array_is_taken_in_part(client: httpx.AsyncClient, hub: Hub) -> None:
    items = [event(1), event(2, timestamp="yesterday"), 7, event(3)]
    answer = await client.post("/log", json=items)
    assert answer.status_code == 200
    receipt = answer.json()
    assert (receipt["status"], receipt["accepted"], receipt["rejected"]) == ("logged", 2, 2)
    assert receipt["errors"] == [
        {
            "index": 1,
            "field": "timestamp",
            "message": '"yesterday" is not ISO 8601 or a Unix time',
        },
        {"index": 2, "field": "", "message": "7 is not a JSON object"},
    ]
    assert stored(hub, 2) == ["id-1", "id-3"]


@pytest.mark.parametrize("body", [b"[]", b"", b"\n \n", b"[ ]"])
async def test_nothing_is_taken_gladly(client: httpx.AsyncClient, body: bytes) -> None:
    answer = await client.post("/log", content=body)
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 0


NO_EVENT = [b"{", b"null", b"[1,2]", b'"text"', b"\xff\xfe", b"{}", b'{"agent":"a"}']
NO_EVENT += [b"not json\nat all", b"[" * 5000]


@pytest.mark.parametrize("body", NO_EVENT)
async def test_a_body_without_any_event_is_422(
    client: httpx.AsyncClient, hub: Hub, body: bytes
) -> None:
    answer = await client.post("/log", content=body)
    assert answer.status_code == 422
    assert answer.json()["status"] == "rejected"
    assert answer.json()["errors"]
    assert hub.metric.accepted.total == 0


async def test_deep_nesting_is_refused_and_nothing_breaks(client: httpx.AsyncClient) -> None:
    for depth in (65, 300, 100_000):
        body = b'{"agent":"a","event":"x","input":' + b"[" * depth + b"]" * depth + b"}"
        assert (await client.post("/log", content=body)).status_code == 422
    fine = b'{"agent":"a","event":"x","input":' + b"[" * 60 + b"]" * 60 + b"}"
    assert (await client.post("/log", content=fine)).status_code == 200


async def test_gzip_is_taken(client: httpx.AsyncClient, hub: Hub) -> None:
    body = gzip.compress(orjson.dumps([event(1), event(2)]))
    answer = await client.post("/log", content=body, headers={"Content-Encoding": "gzip"})
    assert answer.json()["accepted"] == 2
    assert stored(hub, 2) == ["id-1", "id-2"]


async def test_a_large_body_is_taken_in_a_worker(client: httpx.AsyncClient, hub: Hub) -> None:
    items = [event(n, content="x" * 500) for n in range(1, 601)]
    assert len(orjson.dumps(items)) > INLINE_BYTES
    assert (await client.post("/log", json=items)).json()["accepted"] == 600
    assert len(stored(hub, 600)) == 600


async def test_a_body_past_the_limit_is_413(client: httpx.AsyncClient, app: App, hub: Hub) -> None:
    app.ingest._limit_bytes = 1000
    answer = await client.post("/log", json=event(1, content="x" * 1000))
    assert answer.status_code == 413
    assert "LANEWAY_BODY_BYTES" in answer.json()["hint"]
    bomb = gzip.compress(b" " * 2000)
    answer = await client.post("/log", content=bomb, headers={"Content-Encoding": "gzip"})
    assert answer.status_code == 413
    assert hub.metric.refused.values == {("bad_body",): 2}


async def test_millions_of_lines_are_refused_before_they_fill_the_memory(
    client: httpx.AsyncClient,
) -> None:
    for body in (b"\n" * 3_000_000 + b"1", b"[" + b"1," * 30_000 + b"1]"):
        assert (await client.post("/log", content=body)).status_code == 413


async def test_a_log_that_cannot_be_written_is_503_and_nothing_is_acknowledged(
    client: httpx.AsyncClient, app: App, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(lines: Sequence[bytes], *, durable: bool) -> None:
        raise LogError("No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(hub._appender, "append", full)
        answers = await asyncio.gather(*[client.post("/log", json=event(n)) for n in (1, 2)])
        for answer in answers:
            assert answer.status_code == 503
            assert answer.headers["retry-after"]
            assert answer.json()["code"] == "log_failed"
        health = await client.get("/health")
        assert health.status_code == 503
        assert health.json()["log"]["writable"] is False
    assert (await client.post("/log", json=event(3))).status_code == 200
    assert (await client.get("/health")).status_code == 200
    assert stored(hub, 1) == ["id-3"]


async def test_only_post_sends(client: httpx.AsyncClient) -> None:
    for method in ("GET", "PUT", "DELETE", "OPTIONS", "HEAD"):
        assert (await client.request(method, "/log")).status_code == 405
