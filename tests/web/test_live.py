import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from socket import SO_RCVBUF, SOL_SOCKET
from socket import socket as Socket
from typing import Any
from urllib.parse import quote_plus

import httpx
import orjson
import pytest
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from laneway.base.limits import CLIENTS
from laneway.base.settings import Settings
from laneway.hub.frame import whole_event
from laneway.hub.live import Live
from laneway.web import live as live_module
from laneway.web.live import EventChannel
from laneway.web.token import load
from tests.waiting import DEADLINE_S, eventually

from ..hub.event import event
from .conftest import Running, bearer


@asynccontextmanager
async def socket(running: Running, query: str = "", **more: Any) -> AsyncIterator[ClientConnection]:
    url = f"{running.url.replace('http', 'ws')}/logs/ws{query}"
    options = {"additional_headers": running.headers, "max_size": None, **more}
    async with connect(url, **options) as opened:
        yield opened


async def next_message(opened: ClientConnection, *, is_beat: bool = False) -> Any:
    """The next one that is none of the beats, which come whenever their time is; or the next beat."""
    async with asyncio.timeout(DEADLINE_S):
        while True:
            message = orjson.loads(await opened.recv())
            if (message.get("type") == "beat") is is_beat:
                return message


async def seqs_until(opened: ClientConnection, last: int) -> list[int]:
    """Seqs of the batches, up to ``last``."""
    found: list[int] = []
    while not found or found[-1] < last:
        message = await next_message(opened)
        if message["type"] == "batch":
            found += range(message["seq0"], message["seq0"] + message["n"])
    return found


def post(running: Running, *numbers: int, **fields: Any) -> None:
    running.post(*[event(number, **fields) for number in numbers])


def level(running: Running, seq: int) -> None:
    """Wait until the event ``seq`` is indexed."""
    eventually(lambda: running.get("/api/events", limit=1)["events"][:1] or seq == 0)
    eventually(lambda: running.get("/api/events", limit=1)["events"][0]["seq"] >= seq)


async def test_a_viewer_is_greeted_and_shown_what_happens(running: Running) -> None:
    async with socket(running) as opened:
        hello = await next_message(opened)
        assert (hello["type"], hello["v"], hello["seq"], hello["agents"]) == ("hello", 1, 0, [])
        assert abs(hello["now"] - time.time() * 1000) < 60_000
        await asyncio.to_thread(
            post, running, 1, agent="kid", parent_agent="lead", tool="grep", event="tool_invocation"
        )
        batch = await next_message(opened)
        assert (batch["type"], batch["seq0"], batch["n"]) == ("batch", 1, 1)
        assert batch["new"] == {
            "agents": [["kid", 1], ["lead", -1]],
            "kinds": ["tool_invocation"],
            "labels": ["grep"],
        }
        assert batch["text"] == ["message 1"]
        assert batch["flag"] == [1]
        await asyncio.to_thread(post, running, 2, agent="kid")
        assert "agents" not in (await next_message(opened)).get("new", {})


async def test_history_comes_first_and_is_marked(running: Running) -> None:
    await asyncio.to_thread(post, running, *range(1, 8))
    await asyncio.to_thread(level, running, 7)
    async with socket(running, "?history=3") as opened:
        assert (await next_message(opened))["seq"] == 7
        batch = await next_message(opened)
        assert (batch["seq0"], batch["n"], batch["history"]) == (5, 3, True)


async def test_a_viewer_resumes_where_it_was(running: Running) -> None:
    async with socket(running) as opened:
        epoch = (await next_message(opened))["epoch"]
        await asyncio.to_thread(post, running, 1, 2)
        assert await seqs_until(opened, 2) == [1, 2]
    await asyncio.to_thread(post, running, 3, 4)
    await asyncio.to_thread(level, running, 4)
    async with socket(running, f"?epoch={epoch}&since=2") as opened:
        await next_message(opened)
        assert await seqs_until(opened, 4) == [3, 4]


async def test_a_viewer_resumes_over_a_restart_of_the_hub(
    serving: Callable[[], Running],
) -> None:
    running = await asyncio.to_thread(serving)
    async with socket(running) as opened:
        epoch = (await next_message(opened))["epoch"]
        await asyncio.to_thread(post, running, 1, 2)
        assert await seqs_until(opened, 2) == [1, 2]
        await asyncio.to_thread(post, running, 3)
        await asyncio.to_thread(running.stop)
        with pytest.raises(ConnectionClosed) as caught:
            await seqs_until(opened, 99)
        assert caught.value.rcvd is not None
        assert caught.value.rcvd.code == 1001
    running = await asyncio.to_thread(serving)
    await asyncio.to_thread(post, running, 4)
    async with socket(running, f"?epoch={epoch}&since=2") as opened:
        assert (await next_message(opened))["epoch"] == epoch
        assert await seqs_until(opened, 4) == [3, 4]


async def test_a_resume_from_too_long_ago_is_told_its_gap(
    settings: Any, serving: Callable[[], Running]
) -> None:
    settings.live_events = 5
    running = await asyncio.to_thread(serving)
    async with socket(running) as opened:
        epoch = (await next_message(opened))["epoch"]
    await asyncio.to_thread(post, running, *range(1, 21))
    await asyncio.to_thread(level, running, 20)
    async with socket(running, f"?epoch={epoch}&since=3") as opened:
        await next_message(opened)
        assert await next_message(opened) == {"type": "gap", "from": 4, "to": 16}
        assert await seqs_until(opened, 20) == [16, 17, 18, 19, 20]
    missed = await asyncio.to_thread(running.get, "/api/events/@4")
    assert missed["id"] == "id-4"


async def test_a_viewer_that_does_not_read_harms_nobody_and_is_told_what_it_missed(
    serving: Callable[[], Running], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It comes back before it is let go, which here takes an hour: the time this takes does not count."""
    from laneway.hub import viewer

    monkeypatch.setattr(viewer, "CLIENT_QUEUE_BYTES", 50_000)
    settings.send_timeout = 3600.0
    running = await asyncio.to_thread(serving)
    count = 2_000  # in bytes more than the kernel's buffers take for a socket that nobody reads
    step = 200  # fits the small queue of the quick one, which is awaited
    plain = socket(
        running, "?format=json", max_queue=1, sock=small_socket(running), ping_interval=None
    )
    async with plain as slow, socket(running, ping_interval=None) as quick:
        for start in range(1, count + 1, step):
            numbers = range(start, start + step)
            batch = [event(n, content="x" * 10_000) for n in numbers]
            await asyncio.to_thread(running.post, *batch)
            assert await seqs_until(quick, numbers[-1]) == list(numbers)
        shown: list[int] = []
        missed: list[int] = []

        async def read_until(last: int) -> None:
            while max([*shown[-1:], *missed[-1:], 0]) < last:
                message = await next_message(slow)
                if message.get("type") == "gap":
                    missed.extend(range(message["from"], message["to"]))
                else:
                    shown.append(message["seq"])

        await read_until(count)
        assert missed
        await asyncio.to_thread(post, running, count + 1)
        await read_until(count + 1)
        assert shown[-1] == count + 1
        assert sorted(shown + missed) == list(range(1, count + 2))


def small_socket(running: Running) -> Socket:
    """Connected, and with little room for what is not read."""
    made = Socket()
    made.setsockopt(SOL_SOCKET, SO_RCVBUF, 4096)
    host, _, port = running.url.removeprefix("http://").rpartition(":")
    made.connect((host, int(port)))
    return made


async def test_a_plain_client_gets_one_whole_event_a_message(running: Running) -> None:
    await asyncio.to_thread(post, running, 1, 2, 3)
    await asyncio.to_thread(level, running, 3)
    async with socket(running, "?format=json&history=2") as opened:
        await asyncio.to_thread(post, running, 4, custom="kept")
        messages = [await next_message(opened) for _ in range(3)]
    assert [m["seq"] for m in messages] == [2, 3, 4]
    assert messages[2] == {**event(4, custom="kept"), "seq": 4}


async def test_a_plain_client_that_filters_gets_what_history_would_find(running: Running) -> None:
    await asyncio.to_thread(post, running, 1, 2, 3, custom="old")
    await asyncio.to_thread(level, running, 3)
    query = "?format=json&history=2&q=attr.custom:old%20OR%20attr.custom:kept"
    async with socket(running, query) as opened:
        await asyncio.to_thread(post, running, 4, custom="other")
        await asyncio.to_thread(post, running, 5, custom="kept")
        messages = [await next_message(opened) for _ in range(3)]
    assert [m["seq"] for m in messages] == [2, 3, 5]


async def test_history_and_live_numbers_of_a_query_meet_without_hole(running: Running) -> None:
    await asyncio.to_thread(post, running, 1, 2, agent="coder")
    await asyncio.to_thread(post, running, 3, agent="planner")
    await asyncio.to_thread(level, running, 3)
    query = "agent:coder -level:error"
    async with socket(running, f"?format=seqs&q={quote_plus(query)}") as opened:
        hello = await next_message(opened)
        await asyncio.to_thread(post, running, 4, agent="planner")
        await asyncio.to_thread(post, running, 5, agent="coder")
        found: list[int] = []
        until = hello["seq"] + 1
        while until < 6:
            message = await next_message(opened)
            if message["type"] == "hits":
                assert message["from"] == until
                until = message["to"]
                found += message["seqs"]
    past = await asyncio.to_thread(running.get, "/api/seqs", q=query, to=hello["seq"] + 1)
    assert (past["seqs"], found) == ([2, 1], [5])


async def test_a_plain_client_of_an_empty_log_is_connected_at_once(running: Running) -> None:
    async with asyncio.timeout(DEADLINE_S), socket(running, "?format=json") as opened:
        await asyncio.to_thread(post, running, 1)
        assert (await next_message(opened))["id"] == "id-1"


async def test_every_viewer_hears_a_beat(
    serving: Callable[[], Running], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(live_module, "BEAT_S", 0.05)
    running = await asyncio.to_thread(serving)
    async with socket(running) as opened:
        await next_message(opened)
        beat = await next_message(opened, is_beat=True)
    assert (beat["type"], beat["seq"], beat["lag_bytes"]) == ("beat", 0, 0)


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Authorization": ""}, 401),
        ({"Authorization": "Bearer wrong"}, 401),
        ({"Origin": "http://evil.example"}, 403),
        ({"Origin": "null"}, 403),
        ({"Sec-Fetch-Site": "cross-site"}, 403),
    ],
)
async def test_the_upgrade_is_checked_like_every_request(
    running: Running, headers: dict[str, str], status: int
) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with socket(running, additional_headers={**running.headers, **headers}):
            pass
    assert caught.value.response.status_code == status
    assert orjson.loads(caught.value.response.body)["code"] == "forbidden"


async def test_a_foreign_host_gets_no_socket(running: Running) -> None:
    port = running.url.rpartition(":")[2]
    with pytest.raises(InvalidStatus) as caught:
        async with connect(
            f"ws://evil.example:{port}/logs/ws",
            host="127.0.0.1",
            port=int(port),
            additional_headers=running.headers,
        ):
            pass
    assert caught.value.response.status_code == 403


@pytest.mark.parametrize(
    "query",
    [
        "?since=x",
        "?history=-1",
        "?format=xml",
        "?sinse=1",
        "?q=agent:a",
        "?format=json&q=agnet:a",
        "?format=seqs&q=agnet:a",
        "?format=seqs&history=5",
    ],
)
async def test_a_wrong_parameter_is_told_before_the_upgrade(running: Running, query: str) -> None:
    with pytest.raises(InvalidStatus) as caught:
        async with socket(running, query):
            pass
    assert caught.value.response.status_code == 400
    assert orjson.loads(caught.value.response.body)["code"] == "bad_query"


async def test_a_viewer_that_leaves_makes_room(running: Running) -> None:
    async with socket(running) as opened:
        await next_message(opened)
        assert (await asyncio.to_thread(running.get, "/health"))["viewers"] == 1
    await asyncio.to_thread(
        eventually, lambda: httpx.get(f"{running.url}/health").json()["viewers"] == 0
    )


async def test_viewers_past_the_limit_are_answered_503(
    running: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    from laneway.hub import audience

    assert CLIENTS == audience.CLIENTS
    monkeypatch.setattr(audience, "CLIENTS", 1)
    async with socket(running) as opened:
        await next_message(opened)
        with pytest.raises(InvalidStatus) as caught:
            async with socket(running):
                pass
        assert caught.value.response.status_code == 503
        answer = await asyncio.to_thread(
            httpx.get, f"{running.url}/logs/sse", headers=running.headers
        )
        assert answer.status_code == 503


async def test_words_of_a_viewer_are_ignored(running: Running) -> None:
    async with socket(running) as opened:
        await next_message(opened)
        for words in ("hello", b"\x00\xff", "x" * 10_000):
            await opened.send(words)
        await asyncio.to_thread(post, running, 1)
        assert await seqs_until(opened, 1) == [1]


class Events:
    """Server-sent events, read one by one."""

    def __init__(self, answer: httpx.Response) -> None:
        self._lines = answer.aiter_lines()

    async def next(self) -> tuple[str, dict[str, Any]]:
        name, data = "", None
        async with asyncio.timeout(DEADLINE_S):
            async for line in self._lines:
                if line.startswith("id: "):
                    name = line[4:]
                elif line.startswith("data: "):
                    data = orjson.loads(line[6:])
                elif not line and data is not None and data.get("type") != "beat":
                    return name, data
        raise AssertionError("the stream ended")


@asynccontextmanager
async def event_stream(
    running: Running, query: str = "", **headers: str
) -> AsyncIterator[tuple[httpx.Response, Events]]:
    async with (
        httpx.AsyncClient(timeout=DEADLINE_S) as client,
        client.stream(
            "GET", f"{running.url}/logs/sse{query}", headers={**running.headers, **headers}
        ) as answer,
    ):
        yield answer, Events(answer)


async def test_the_same_stream_comes_as_server_sent_events(running: Running) -> None:
    async with event_stream(running) as (answer, events):
        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.headers["x-content-type-options"] == "nosniff"
        name, hello = await events.next()
        assert (name, hello["type"]) == ("", "hello")
        await asyncio.to_thread(post, running, 1)
        name, batch = await events.next()
        assert name == f"{hello['epoch']}:1"
        assert batch["seq0"] == 1


async def test_a_browser_resumes_its_event_stream(running: Running) -> None:
    await asyncio.to_thread(post, running, 1, 2, 3)
    await asyncio.to_thread(level, running, 3)
    async with event_stream(running) as (_, events):
        epoch = (await events.next())[1]["epoch"]
    async with event_stream(running, **{"Last-Event-ID": f"{epoch}:1"}) as (_, events):
        await events.next()
        _, batch = await events.next()
        assert (batch["seq0"], batch["n"]) == (2, 2)
    for strange in ("", "x", ":", f"{epoch}:x", "a:b:c", f"{epoch}:" + "9" * 40):
        async with event_stream(running, **{"Last-Event-ID": strange}) as (answer, events):
            assert answer.status_code == 200
            await events.next()
            assert (await events.next())[1]["seq0"] == 1


async def test_an_event_stream_asked_for_before_the_index_spoke_has_the_right_epoch() -> None:
    live = Live("", 100)
    sent: list[bytes] = []

    async def send(message: Any) -> None:
        sent.append(message.get("body", b""))

    async def receive() -> Any:
        raise AssertionError("nobody asked whether the receiver has left")

    channel = EventChannel(live, receive, send)
    live.fill("e1", [], 1)
    await channel.open()
    await channel.send(whole_event(b'{"a":1}', 1))
    assert sent[-1].startswith(b"id: e1:1\n")


async def test_an_event_stream_ends_with_the_hub(serving: Callable[[], Running]) -> None:
    running = await asyncio.to_thread(serving)
    async with event_stream(running) as (_, events):
        await events.next()
        await asyncio.to_thread(running.stop)
        with pytest.raises(AssertionError, match="the stream ended"):
            await events.next()


async def test_whole_events_come_as_server_sent_events_too(running: Running) -> None:
    await asyncio.to_thread(post, running, 1)
    await asyncio.to_thread(level, running, 1)
    async with event_stream(running, "?format=json") as (_, events):
        name, message = await events.next()
        assert message == {**event(1), "seq": 1}
        assert name.endswith(":1")


async def test_the_ingest_token_sees_no_stream(running: Running, settings: Any) -> None:
    token = load(f"{settings.home}/ingest.token")
    for path in ("/logs/sse", "/logs/ws"):
        answer = await asyncio.to_thread(httpx.get, f"{running.url}{path}", headers=bearer(token))
        assert answer.status_code == 403
