"""The middleware around a real FastAPI application behind a real server."""

import asyncio
import json
import socket
import threading
from collections.abc import AsyncIterator, Iterator

import httpx
import pytest
import uvicorn
from fastapi import FastAPI, Request, WebSocket
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.middleware.gzip import GZipMiddleware
from starlette.types import Receive, Scope, Send
from websockets.sync.client import connect

from laneway import current, log_event
from laneway.integrations.asgi import LanewayMiddleware, Route
from laneway.integrations.exchange import Exchange
from laneway.integrations.httpx import apass_trace, pass_trace
from tests.waiting import eventually

from ..sdk.conftest import Events

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"

may_go_on = threading.Event()
app = FastAPI()


@app.post("/chat")
async def chat(request: Request) -> JSONResponse:
    body = await request.json()
    log_event(None, "decision", "think")
    return JSONResponse({"reply": f"You said {body['message']}", "id": 7})


@app.post("/stream/{form}")
async def stream(form: str) -> StreamingResponse:
    async def pieces() -> AsyncIterator[bytes]:
        log_event(None, "decision", "stream")
        for number, word in enumerate(["Hel", "lo ", "you\n"]):
            data = json.dumps({"choices": [{"delta": {"content": word}}]})
            yield f"data: {data}\n\n".encode() if form == "sse" else f"{data}\n".encode()
            if number == 0:
                await asyncio.to_thread(may_go_on.wait, 20)
        if form == "sse":
            yield b"data: [DONE]\n\n"

    kind = "text/event-stream" if form == "sse" else "application/x-ndjson"
    return StreamingResponse(pieces(), media_type=kind)


@app.post("/bytes")
async def raw(request: Request) -> StreamingResponse:
    chunks = [chunk async for chunk in request.stream()]

    async def parts() -> AsyncIterator[bytes]:
        for chunk in chunks:
            yield chunk

    return StreamingResponse(parts(), media_type="application/octet-stream")


@app.post("/unread")
async def unread() -> dict[str, str]:
    return {"reply": "I did not look"}


@app.post("/broken")
async def broken() -> None:
    raise LookupError("no such model")


@app.post("/endless")
async def endless() -> StreamingResponse:
    async def forever() -> AsyncIterator[bytes]:
        while True:
            yield b"word "
            await asyncio.sleep(0.01)

    return StreamingResponse(forever(), media_type="text/plain")


@app.post("/other")
async def other() -> dict[str, str]:
    return {"reply": "unseen"}


@app.websocket("/ws")
async def talk(socket: WebSocket) -> None:
    await socket.accept()
    while True:
        said = await socket.receive_json()
        if said["message"] == "break":
            raise LookupError("broken talk")
        await socket.send_json({"reply": said["message"].upper()})


ROUTES = [
    "/chat",
    "/stream/*",
    "/bytes",
    "/unread",
    "/broken",
    "/endless",
    Route("/ws", agent="Talker"),
]


class Server(uvicorn.Server):
    def install_signal_handlers(self) -> None:
        """The test's process keeps its own."""


@pytest.fixture
def served() -> Iterator[dict[str, str]]:
    """Addresses of the application with the middleware and without it."""
    middleware = LanewayMiddleware(app, agent="MainAgent", routes=ROUTES)
    servers, urls = [], {}
    for name, target in (("with", middleware), ("without", app)):
        listener = socket.create_server(("127.0.0.1", 0))
        server = Server(
            uvicorn.Config(
                target, log_level="critical", timeout_graceful_shutdown=2, ws="websockets-sansio"
            )
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        servers.append((server, thread, listener))
        urls[name] = f"http://127.0.0.1:{listener.getsockname()[1]}"
        eventually(lambda server=server: server.started, "the server")
    yield urls
    may_go_on.set()
    for server, thread, listener in servers:
        server.should_exit = True
        thread.join(180)
        listener.close()


def await_events(events: Events, count: int) -> list[dict[str, object]]:
    """An answer is recorded when it has passed: the client may be faster."""
    eventually(lambda: len(events()) >= count, "the events")
    return events()


def test_message_and_reply_are_events_of_one_trace(served: dict[str, str], events: Events) -> None:
    headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
    answer = httpx.post(
        f"{served['with']}/chat", json={"message": "hi", "session_id": "s1"}, headers=headers
    )
    assert answer.json() == {"reply": "You said hi", "id": 7}
    asked, thought, replied = await_events(events, 3)
    assert (asked["event"], asked["agent"], asked["content"], asked["role"]) == (
        "user_message",
        "MainAgent",
        "hi",
        "user",
    )
    assert (replied["event"], replied["content"], replied["status"]) == (
        "agent_response",
        "You said hi",
        200,
    )
    assert replied["duration_ms"] > 0  # type: ignore[operator]
    assert {event["trace_id"] for event in (asked, thought, replied)} == {TRACE}
    assert {event["session_id"] for event in (asked, thought, replied)} == {"s1"}
    assert asked["parent_span_id"] == replied["parent_span_id"] == PARENT
    assert thought["parent_span_id"] == replied["span_id"], "what the application records is within"
    assert thought["agent"] == "MainAgent"


@pytest.mark.parametrize("form", ["sse", "ndjson"])
def test_the_first_byte_of_a_stream_waits_for_nothing(
    served: dict[str, str], events: Events, form: str
) -> None:
    may_go_on.clear()
    received = b""
    with httpx.stream(
        "POST", f"{served['with']}/stream/{form}", json={"message": "hi"}, timeout=180
    ) as answer:
        for chunk in answer.iter_raw():
            received += chunk
            may_go_on.set()  # the application waits until the first piece is here
    bare = httpx.post(f"{served['without']}/stream/{form}", json={"message": "hi"}, timeout=180)
    assert received == bare.content
    replied = [e for e in await_events(events, 4) if e["event"] == "agent_response"]
    assert [event["content"] for event in replied] == ["Hello you\n"]
    decided = [e for e in events() if e["event"] == "decision" and e["agent"] == "MainAgent"]
    assert decided[0]["trace_id"] == replied[0]["trace_id"]


def test_megabytes_pass_byte_for_byte_and_are_not_kept(
    served: dict[str, str], events: Events
) -> None:
    body = bytes(range(256)) * 20_000
    answer = httpx.post(f"{served['with']}/bytes", content=body, timeout=180)
    assert answer.content == body
    asked, replied = await_events(events, 2)
    assert (asked["content"], replied.get("content", "")) in (
        ("(empty)", ""),
        (asked["content"], ""),
    )
    assert replied["answer_bytes"] == len(body)
    assert len(str(asked["content"])) <= 500


def test_a_body_that_nobody_reads_is_not_read(served: dict[str, str], events: Events) -> None:
    answer = httpx.post(f"{served['with']}/unread", json={"message": "hi"})
    assert answer.json() == {"reply": "I did not look"}
    asked, replied = await_events(events, 2)
    assert asked["content"] == "(empty)"
    assert replied["content"] == "I did not look"


def test_an_error_is_recorded_and_passes_on(served: dict[str, str], events: Events) -> None:
    assert httpx.post(f"{served['with']}/broken", json={"message": "hi"}).status_code == 500
    replied = await_events(events, 2)[-1]
    assert (replied["level"], replied["status"]) == ("error", 500)
    assert replied["error"]["type"] == "LookupError"  # type: ignore[index]


def test_a_client_that_leaves_is_told(served: dict[str, str], events: Events) -> None:
    with httpx.stream("POST", f"{served['with']}/endless", json={"message": "hi"}) as answer:
        next(answer.iter_raw())
    eventually(lambda: len(events()) == 2, "the end of the request")
    replied = events()[-1]
    assert (replied["disconnected"], replied["level"]) == (True, "warning")
    assert str(replied["content"]).startswith("word")


def test_other_routes_are_left_alone(served: dict[str, str], events: Events) -> None:
    httpx.post(f"{served['with']}/other", json={"message": "hi"})
    httpx.get(f"{served['with']}/chat")
    assert events() == []


def test_a_websockets_messages_are_events(served: dict[str, str], events: Events) -> None:
    with connect(f"{served['with'].replace('http', 'ws')}/ws") as link:
        link.send('{"message": "hi", "session_id": "s2"}')
        assert json.loads(link.recv()) == {"reply": "HI"}
        link.send('{"message": "break"}')
        eventually(lambda: len(events()) == 4, "the error")
    heard, told, again, error = events()
    assert (heard["event"], heard["content"], heard["agent"], heard["session_id"]) == (
        "user_message",
        "hi",
        "Talker",
        "s2",
    )
    assert (told["event"], told["content"]) == ("agent_response", "HI")
    assert again["trace_id"] == told["trace_id"]
    assert error["error"]["type"] == "LookupError"  # type: ignore[index]


async def test_a_compressed_answer_is_read_and_passes_compressed(events: Events) -> None:
    inner = LanewayMiddleware(GZipMiddleware(app, minimum_size=1), routes="/chat")
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=inner), base_url="http://t"
    ) as client:
        answer = await client.post("/chat", json={"message": "hi"})
    assert answer.headers["content-encoding"] == "gzip"
    assert answer.json()["reply"] == "You said hi"
    assert events()[-1]["content"] == "You said hi"


async def test_a_fault_of_ours_harms_nobody(
    monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    import laneway

    laneway.configure(log_path=f"{tmp_path}/log")
    laneway.log_event("a", "log")
    monkeypatch.setattr(Exchange, "say", lambda *_, **__: 1 / 0)
    transport = httpx.ASGITransport(app=LanewayMiddleware(app, routes="/chat"))
    async with httpx.AsyncClient(transport=transport, base_url="http://t") as client:
        assert (await client.post("/chat", json={"message": "hi"})).json()["reply"] == "You said hi"
    assert laneway.stats()["faults"] == 2


async def test_routes_are_chosen_by_path_method_and_predicate(events: Events) -> None:
    async def answer(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b'{"a": [{"b": "deep"}]}'})

    routes = [
        Route(
            "/v1/*",
            methods=("GET",),
            reply="a.-1.b",
            when=lambda scope: scope["path"] != "/v1/no",
            chars=3,
        )
    ]
    middleware = LanewayMiddleware(answer, routes=routes)
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=middleware), base_url="http://t"
    ) as client:
        for method, path in (
            ("GET", "/v1/yes"),
            ("GET", "/v1/no"),
            ("POST", "/v1/yes"),
            ("GET", "/v2"),
        ):
            await client.request(method, path)
    assert [(event["path"], event["content"]) for event in events()] == [
        ("/v1/yes", "(em"),
        ("/v1/yes", "dee"),
    ]
    assert current().agent == "", "the context is as it was"


def test_httpx_passes_the_trace_on(events: Events) -> None:
    seen: list[str] = []

    def note(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("traceparent", ""))
        return httpx.Response(200)

    import laneway

    with httpx.Client(
        transport=httpx.MockTransport(note), event_hooks={"request": [pass_trace]}
    ) as client:
        client.get("http://t")
        with laneway.bind(trace_id=TRACE, span_id=PARENT):
            client.get("http://t")

    async def ask() -> str:
        transport = httpx.MockTransport(note)
        async with httpx.AsyncClient(
            transport=transport, event_hooks={"request": [apass_trace]}
        ) as client:
            with laneway.span("work") as work:
                await client.get("http://t")
                return work.span_id

    span_id = asyncio.run(ask())
    assert seen[:2] == ["", f"00-{TRACE}-{PARENT}-01"]
    assert span_id in seen[2]
