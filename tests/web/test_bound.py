"""A token that is bound to a pod learns nothing of the others, whatever it asks.

The walk goes over every route of the OpenAPI document, on two hubs: one log holds the events of one pod, the
other also those of a second pod and of none, in the same sessions and traces, by agents of the same names.
Every answer must be the same, to the byte.
"""

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from laneway.base.settings import resolve
from laneway.hub.hub import Hub
from laneway.store.api import FIELDS
from laneway.web.app import create_app
from laneway.web.auth import Access
from laneway.web.keyring import Keyring

from .conftest import PORT, Running, bearer

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
OWN_EVENTS = 40
LONG = "The tide turns twice a day in the harbour. " * 12_000 + "{}"
STREAMS = {"/logs/sse", "/logs/ws"}
TIMES = {"since": "2026-11-23T00:00:00Z", "until": "2026-11-24T00:00:00Z"}


def made(n: int, pod: str | None, mark: str) -> dict[str, Any]:
    """An event with its pod's mark in every field that holds text; some fields are the same for all."""
    kinds = ["log", "tool_result", "error", "user_message", f"{mark}_type", "llm_response"]
    event: dict[str, Any] = {
        "timestamp": f"2026-11-23T18:{n % 60:02d}:{n % 59:02d}.{n:06d}Z",
        "id": f"{'abc'[len(mark) % 3]}{n:04d}",
        "agent": ["planner", f"{mark}-agent"][n % 2],
        "event": kinds[n % len(kinds)],
        "content": f"word {mark}word{n} of {mark}",
        "session_id": ["shared", f"{mark}-session"][n % 2],
        "trace_id": TRACE if n % 3 else f"{n:032x}",
        "span_id": f"{n // 2:016x}",
        "parent_span_id": f"{n // 4 + 500:016x}",
        "parent_agent": f"{mark}-parent",
        "tool": ["search", f"{mark}-tool"][n % 2],
        "model": f"{mark}-model",
        "provider": f"{mark}-provider",
        "host": f"{mark}-host",
        "level": ["info", "error"][n % 2],
        "duration_ms": 10.0 * n + len(mark),
        "input_tokens": n,
        "customer": f"{mark}-customer",
        "error": {"type": f"{mark}Error", "message": f"{mark} failed"} if n % 4 == 0 else None,
    }
    if pod is not None:
        event["pod"] = pod
    return {name: value for name, value in event.items() if value is not None}


OWN = [made(n, "red", "red") for n in range(OWN_EVENTS)]
OWN[7]["content"] = LONG.format("red")
FOREIGN = [
    *(made(n, "blue", "marine") for n in range(60)),
    *(made(n, "Red", "crimson") for n in range(0, 20, 3)),  # not this one: names are kept apart by case
    *(made(n, None, "nobodys") for n in range(0, 20, 3)),
    *(made(n, "red ", "redspace") for n in range(0, 20, 3)),
]  # fmt: skip
for n, event in enumerate(FOREIGN):
    event["id"] = f"f{n:04d}"
FOREIGN[7]["content"] = LONG.format("marine")
MARKS = (b"marine", b"crimson", b"nobodys", b"redspace")


class Side(NamedTuple):
    """One hub, and the bearer of a token for the pod red at its door."""

    hub: Hub
    client: httpx.AsyncClient
    digests: list[str]


def digests_of(hub: Hub, lines: list[bytes]) -> list[str]:
    files = [file for line in lines for file in json.loads(line).get("side_files", ())]
    return [file["sha256"] for file in files]


def open_side(directory: Path, events: list[dict[str, Any]]) -> Side:
    settings = resolve({"home": directory / "home", "log_path": directory / "log"}, env={})
    hub = Hub(settings, in_process=True)
    lines = hub.intake.take(events).lines
    for start in range(0, len(lines), 50):
        hub.append(lines[start : start + 50])
    token = Keyring(settings.home).add("tenant", ["read", "ingest"], pods=["red"])
    app = create_app(hub, Access.of(settings, PORT))
    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app),
        base_url=f"http://127.0.0.1:{PORT}",
        headers=bearer(token),
        timeout=180,
    )
    assert hub.follower.wait_level(180)
    while hub.store.last_seq < len(events):
        hub.follower.wait_level(0.05)
    return Side(hub, client, digests_of(hub, lines))


@pytest.fixture
def sides(tmp_path: Path) -> Iterator[tuple[Side, Side]]:
    alone = open_side(tmp_path / "alone", OWN)
    shared = open_side(tmp_path / "shared", [*OWN, *FOREIGN])
    yield alone, shared
    for side in (alone, shared):
        side.hub.close()


QUERIES = [
    "", "pod:blue", "-pod:red", "pod:(blue,red)", "pod:*", "NOT pod:red", "pod:blue OR pod:red", "word",
    "marineword1", "marine*", '"of marine"', "~marine", "/mar.ne/i", "has:error", "agent:marine-agent",
    "agent:planner", "attr.customer:marine-customer", "duration_ms>300", "level>=error", "session:shared",
]  # fmt: skip
VALUES = {
    "agent": ["planner", "marine-agent"], "-agent": ["planner"], "event": ["log", "marine_type"],
    "session": ["shared", "marine-session"], "tool": ["search", "marine-tool"], "pod": ["blue", "red", ""],
    "trace": [TRACE], "span": [f"{3:016x}"], "order": ["oldest", "newest"], "total": ["true"],
    "by": [*FIELDS, "attr.customer", "agent,event", "pod,host", "attr.content"], "step": ["1m", "1h"],
    "limit": ["1", "5", "1000"], "after": ["@3", "@50", "@90"], "from": ["30"], "to": ["70"],
    "scope": ["all", "agent", "session"], "before": ["50"], "error": ["true", "false"],
    "q": QUERIES,
}  # fmt: skip
PATHS = {
    "event_id": ["@1", "@8", "@41", "@60", "@90", "@9999", OWN[3]["id"], FOREIGN[3]["id"]],
    "trace_id": [TRACE, f"{3:032x}", f"{9:032x}", f"{45:032x}"],
    "session_id": ["shared", "red-session", "marine-session", "crimson-session"],
}


def iter_requests(document: dict[str, Any], digests: list[str]) -> Iterator[tuple[str, dict]]:
    for template, methods in document["paths"].items():
        operation = methods.get("get")
        if operation is None or template in STREAMS or template == "/health":
            continue
        names = [p["name"] for p in operation.get("parameters", ()) if p["in"] == "query"]
        for path in iter_paths(template, digests):
            times = TIMES if "since" in names else {}
            yield path, times
            for name in names:
                for value in VALUES.get(name, ()):
                    yield path, {**times, name: value}
            if "event" in names and "/side/" in path:
                for value in PATHS["event_id"]:
                    yield path, {"event": value}
            if "by" in names and "q" in names:
                for query in QUERIES:
                    yield path, {**times, "q": query, "by": "pod"}


def iter_paths(template: str, digests: list[str]) -> Iterator[str]:
    found = re.search(r"{(\w+)}", template)
    if not found:
        yield template
        return
    for value in PATHS.get(found[1], digests):
        yield template.replace(found[0], value)


async def test_answers_are_the_same_whether_or_not_there_are_other_pods(
    sides: tuple[Side, Side],
) -> None:
    alone, shared = sides
    document = (await alone.client.get("/api/openapi.json")).json()
    told = 0
    for path, parameters in iter_requests(document, shared.digests):
        expected, found = await asyncio.gather(
            *(side.client.get(path, params=parameters) for side in sides)
        )
        assert (found.status_code, found.content) == (expected.status_code, expected.content), (
            path,
            parameters,
        )
        told += found.status_code == 200
    assert told > 300  # answers, and not refusals


async def test_no_byte_of_another_pod_is_in_any_answer_without_bounds_of_time(
    sides: tuple[Side, Side],
) -> None:
    _, shared = sides
    document = (await shared.client.get("/api/openapi.json")).json()
    for path, parameters in iter_requests(document, shared.digests):
        given = {name: value for name, value in parameters.items() if name not in TIMES}
        if any(mark.decode() in f"{path}{given}" for mark in MARKS):
            continue  # an answer may say what was asked
        answer = await shared.client.get(path, params=given)
        assert not any(mark in answer.content for mark in MARKS), (path, given)


async def test_all_of_its_own_pod_is_seen(sides: tuple[Side, Side]) -> None:
    _, shared = sides
    page = (await shared.client.get("/api/events", params={"limit": 1000})).json()
    assert sorted(event["id"] for event in page["events"]) == sorted(e["id"] for e in OWN)
    export = (await shared.client.get("/api/export")).text.splitlines()
    assert len(export) == OWN_EVENTS
    own, foreign = shared.digests
    assert (await shared.client.get(f"/api/side/{own}", params={"event": "@8"})).text == OWN[7][
        "content"
    ]
    for event in ("@8", "@48", "", FOREIGN[7]["id"]):
        refused = await shared.client.get(f"/api/side/{foreign}", params={"event": event})
        assert refused.status_code == 404


async def test_what_tells_of_all_is_refused(sides: tuple[Side, Side]) -> None:
    _, shared = sides
    for path in ("/metrics", "/admin/tokens", "/api/alerts"):
        assert (await shared.client.get(path)).status_code == 403, path


async def test_its_browser_sees_no_more_than_it_does(sides: tuple[Side, Side]) -> None:
    _, shared = sides
    code = (await shared.client.post("/auth/code")).json()["code"]
    shared.client.headers.pop("authorization")
    assert (await shared.client.get("/api/agents")).status_code == 401
    await shared.client.post("/auth/exchange", json={"code": code})
    page = (await shared.client.get("/api/events", params={"limit": 1000})).json()
    assert len(page["events"]) == OWN_EVENTS
    assert (await shared.client.get("/metrics")).status_code == 403


async def test_a_route_that_does_not_say_how_it_is_bound_is_closed(
    sides: tuple[Side, Side],
) -> None:
    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.responses import PlainTextResponse, Response

    from laneway.web.desk import GRANT
    from laneway.web.keyring import Grant
    from laneway.web.route import Route

    def forgotten(request: Request) -> Response:
        return PlainTextResponse("everything")

    inner = Starlette(routes=[Route("/new", forgotten, None)])
    grant = Grant("tenant", frozenset({"read"}), pods=frozenset({"red"}))

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await inner({**scope, GRANT: grant}, receive, send)

    client = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=app, raise_app_exceptions=False), base_url="http://h"
    )
    assert "everything" not in (await client.get("/new")).text


def watch(running: Running, token: str, parameters: str) -> Any:
    address = running.url.replace("http", "ws") + f"/logs/ws?{parameters}"
    return connect(address, additional_headers=bearer(token), max_size=None)


def test_the_live_stream_brings_its_own_pod_only(running: Running) -> None:
    token = Keyring(running.settings.home).add("tenant", ["read"], pods=["red"])
    running.post(*OWN[:10], *FOREIGN[:10])
    while running.get("/health")["index"]["events"] < 20:
        pass
    with (
        watch(running, token, "format=json") as whole,
        watch(running, token, "format=json&q=model:red-model") as chosen,
        watch(running, token, "format=seqs") as numbers,
        httpx.stream(
            "GET", f"{running.url}/logs/sse?format=json", headers=bearer(token), timeout=180
        ) as sse,
    ):
        assert json.loads(numbers.recv(timeout=180))["type"] == "hello"
        running.post(*FOREIGN[10:30], *OWN[10:20], *FOREIGN[30:])
        for socket in (whole, chosen):
            seen: list[str] = []
            while len(seen) < 20:
                text = socket.recv(timeout=180)
                assert not any(mark.decode() in text for mark in MARKS)
                message = json.loads(text)
                seen += [message["id"]] if "id" in message else []
            assert set(seen) == {event["id"] for event in OWN[:20]}
        found: set[int] = set()
        while len(found) < 10:
            message = json.loads(numbers.recv(timeout=180))
            found |= set(message.get("seqs", ()))
        assert found == set(range(41, 51))
        lines = sse.iter_lines()
        read = 0
        while read < 20:
            line = next(lines)
            assert not any(mark.decode() in line for mark in MARKS)
            read += line.startswith("data:") and '"agent"' in line


class Shown:
    """What a viewer of columns has been shown, by the dictionaries that it was told."""

    def __init__(self) -> None:
        self.agents: list[str] = []
        self.kinds: list[str] = []
        self.events: dict[int, tuple[str, str, str]] = {}
        self.last = 0

    def take(self, text: str) -> None:
        assert not any(mark.decode() in text for mark in MARKS), text[:2000]
        told = json.loads(text)
        assert told["type"] in ("hello", "batch", "beat", "gap"), told
        new = told if told["type"] == "hello" else told.get("new", {})
        self.agents += [name for name, _ in new.get("agents", ())]
        self.kinds += new.get("kinds", ())
        for n, seq in enumerate(told.get("seq", ()) if told["type"] == "batch" else ()):
            agent, kind = self.agents[told["agent"][n]], self.kinds[told["kind"][n]]
            self.events[seq] = agent, kind, told["text"][n]
        self.last = max(self.last, told.get("to", 0) - 1)


def seen(events: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return sorted((event["agent"], event["event"]) for event in events)


def test_the_columns_of_the_dashboard_hold_its_own_pod_only(running: Running) -> None:
    token = Keyring(running.settings.home).add("tenant", ["read"], pods=["red"])
    running.post(*OWN[:10], *FOREIGN[:10])
    while running.get("/health")["index"]["events"] < 20:
        pass
    shown, late, sse = Shown(), Shown(), Shown()
    with (
        watch(running, token, "history=10000") as socket,
        httpx.stream(
            "GET", f"{running.url}/logs/sse", headers=bearer(token), timeout=180
        ) as stream,
    ):
        hello = socket.recv(timeout=180)
        assert json.loads(hello)["bound"] == {"agents": [], "pods": ["red"]}
        shown.take(hello)
        for start in range(10, 40, 5):
            running.post(*FOREIGN[start : start + 5])
            running.post(*OWN[start : start + 5], *FOREIGN[40 + start // 2 : 42 + start // 2])
        while len(shown.events) < OWN_EVENTS:
            shown.take(socket.recv(timeout=180))
        lines = stream.iter_lines()
        while len(sse.events) < OWN_EVENTS:
            line = next(lines)
            if line.startswith("data: "):
                sse.take(line.removeprefix("data: "))
        # Who comes now, and who comes again, is told the same by the index.
        place = f"&epoch={json.loads(hello)['epoch']}&since={shown.last - 30}"
        with watch(running, token, "") as other, watch(running, token, place) as again:
            while len(late.events) < OWN_EVENTS:
                late.take(other.recv(timeout=180))
            resumed = Shown()
            while resumed.last < shown.last:
                resumed.take(again.recv(timeout=180))
    assert sorted(event[:2] for event in shown.events.values()) == seen(OWN)
    assert sse.events == late.events == shown.events
    assert resumed.events == {
        seq: event for seq, event in shown.events.items() if seq > shown.last - 30
    }


def test_its_columns_take_no_query_and_unbound_viewers_get_theirs_as_ever(running: Running) -> None:
    token = Keyring(running.settings.home).add("tenant", ["read"], pods=["red"])
    with pytest.raises(InvalidStatus) as caught, watch(running, token, "q=marine"):
        pass
    assert caught.value.response.status_code == 400
    running.post(*OWN[:3], *FOREIGN[:3])
    while running.get("/health")["index"]["events"] < 6:
        pass
    with watch(
        running, Path(running.settings.home, "access.token").read_text().strip(), ""
    ) as socket:
        hello = json.loads(socket.recv(timeout=180))
        assert "bound" not in hello
        batch = json.loads(socket.recv(timeout=180))
        assert (batch["seq0"], batch["n"]) == (1, 6)
        assert not {"seq", "to"} & batch.keys()


async def test_a_token_bound_to_an_agent_and_a_pod_sees_what_is_of_both(tmp_path: Path) -> None:
    side = open_side(tmp_path / "shared", [*OWN, *FOREIGN])
    try:
        keyring = Keyring(side.hub.settings.home)
        token = keyring.add("one", ["read"], pods=["red"], agents=["planner"])
        found = await side.client.get("/api/events?limit=1000", headers=bearer(token))
    finally:
        side.hub.close()
    expected = {event["id"] for event in OWN if event["agent"] == "planner"}
    assert {event["id"] for event in found.json()["events"]} == expected
