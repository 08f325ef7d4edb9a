"""What recording a chat request costs it: our middleware beside the founding document's.

All run in one process, in turns, around one FastAPI application that is called without a network. What a
request costs without any of them is taken off.
"""

import asyncio
import json
import os
import tempfile
import threading
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter_ns
from typing import Any

from fastapi import FastAPI, Request
from fastapi.responses import StreamingResponse

from bench.table import machine, middle, show, sized

ROUNDS, CALLS = sized((8, 60), (1, 5))
BODY = json.dumps({"message": "What is the tide at noon? " * 8, "session_id": "s1"}).encode()
REPLY = "High water is at 11:52, four metres above chart datum. " * 12
PIECES = [f"data: {json.dumps({'delta': word + ' '})}\n\n".encode() for word in REPLY.split()]


def make_app() -> FastAPI:
    app = FastAPI()

    @app.post("/chat")
    async def chat(request: Request) -> dict[str, Any]:
        body = await request.json()
        return {"reply": REPLY, "asked": body["message"]}

    @app.post("/stream")
    async def stream(request: Request) -> StreamingResponse:
        await request.json()

        async def pieces() -> AsyncIterator[bytes]:
            for piece in PIECES:
                yield piece

        return StreamingResponse(pieces(), media_type="text/event-stream")

    return app


def with_laneway(folder: str) -> FastAPI:
    import laneway
    from laneway.integrations.asgi import LanewayMiddleware

    laneway.configure(log_path=f"{folder}/laneway", home=f"{folder}/home")
    app = make_app()
    app.add_middleware(LanewayMiddleware, routes=["/chat", "/stream"])
    return app


def with_naive(folder: str) -> FastAPI:
    """The founding document's middleware and its utility, to the letter but for the iterator, which Starlette
    wants asynchronous today."""
    lock = threading.Lock()

    def log_event(agent: str, event_type: str, content: str | None = None) -> None:
        timestamp = datetime.now(UTC).replace(tzinfo=None).isoformat() + "Z"
        event = {"timestamp": timestamp, "agent": agent, "event": event_type, "content": content}
        with lock, open(f"{folder}/naive.jsonl", "a") as file:
            file.write(json.dumps(event) + "\n")

    app = make_app()

    @app.middleware("http")
    async def log_requests(request: Request, call_next: Callable[..., Any]) -> Any:
        body = await request.json() if request.method == "POST" else None
        user_msg = body.get("message") if body else None
        log_event("MainAgent", "user_message", content=user_msg or "(empty)")
        response = await call_next(request)
        resp_body = b"".join([chunk async for chunk in response.body_iterator])
        log_event("MainAgent", "agent_response", content=resp_body.decode("utf-8")[:500])

        async def again() -> AsyncIterator[bytes]:
            yield resp_body

        response.body_iterator = again()
        return response

    return app


async def call(app: Any, path: str) -> tuple[int, int]:
    """Nanoseconds until the first byte of the answer, and until its end."""
    first_ns = 0
    sent = False
    begun_ns = perf_counter_ns()
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "server": ("t", 80),
        "client": ("t", 1),
        "headers": [(b"content-type", b"application/json"), (b"host", b"t")],
    }

    async def receive() -> dict[str, Any]:
        nonlocal sent
        if sent:
            await asyncio.sleep(3600)
        sent = True
        return {"type": "http.request", "body": BODY, "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        nonlocal first_ns
        if message["type"] == "http.response.body" and not first_ns:
            first_ns = perf_counter_ns() - begun_ns

    await app(scope, receive, send)
    return first_ns, perf_counter_ns() - begun_ns


async def measure(apps: dict[str, Any], path: str) -> dict[str, tuple[float, float]]:
    """Microseconds to the first byte and to the end, by application: the middle of the rounds."""
    found: dict[str, list[tuple[float, float]]] = {name: [] for name in apps}
    for turn in range(ROUNDS + 1):
        for name, app in apps.items():
            times = [await call(app, path) for _ in range(CALLS)]
            if turn:  # the first one warms up
                first, end = zip(*times, strict=True)
                found[name].append((middle([*first]) / 1e3, middle([*end]) / 1e3))
    return {
        name: (middle([a for a, _ in rounds]), middle([b for _, b in rounds]))
        for name, rounds in found.items()
    }


def written(folder: str, name: str) -> int:
    paths = Path(folder).glob("laneway/*-0*.jsonl" if name == "laneway" else "naive.jsonl")
    return sum(path.stat().st_size for path in paths)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        naive = with_naive(folder)
        apps = {"none": make_app(), "laneway": with_laneway(folder), "founding document": naive}
        rows = [row for path in ("/chat", "/stream") for row in measure_rows(folder, apps, path)]
        load = f"load {os.getloadavg()[0]:.1f}"
        show(f"What a middleware adds to a request ({machine()}, {load})", rows)


def measure_rows(folder: str, apps: dict[str, Any], path: str) -> list[dict[str, object]]:
    before = {name: written(folder, name) for name in apps}
    found = asyncio.run(measure(apps, path))
    bare_first, bare_end = found["none"]
    rows: list[dict[str, object]] = []
    for name, (first, end) in found.items():
        is_bare = name == "none"
        size = (written(folder, name) - before[name]) / (CALLS * (ROUNDS + 1))
        rows.append(
            {
                "request": path,
                "middleware": name,
                "first byte µs": first if is_bare else first - bare_first,
                "whole µs": end if is_bare else end - bare_end,
                "log bytes": 0 if is_bare else round(size),
            }
        )
    return rows


if __name__ == "__main__":
    main()
