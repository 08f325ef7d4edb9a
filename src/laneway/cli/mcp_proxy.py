"""A reverse proxy before an MCP server over streamable HTTP: every byte passes on, and is recorded."""

import json
import socket
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator
from itertools import filterfalse
from typing import Any
from urllib.parse import urlsplit

import anyio
import httpx2
import uvicorn
from starlette.types import Receive, Scope, Send

from laneway.base.errors import SettingError, quote
from laneway.base.limits import MIB
from laneway.cli.mcp_tap import asks, note
from laneway.sources.mcp import Tap
from laneway.web.server import bind

HOP_BY_HOP = frozenset(
    b"connection keep-alive proxy-authenticate proxy-authorization".split()
    + b"te trailer transfer-encoding upgrade".split()
)
"""Headers of one connection, which end with it (RFC 9110, 7.6.1)."""

OURS = frozenset({b"host", b"content-length", b"accept-encoding"})
"""Of a request, made anew: what comes back is to be read as it is."""

REQUEST_BYTES = 64 * MIB
COPY_BYTES = 16 * MIB
"""Of one message of an answer; a longer one passes unread."""

SESSIONS = 1_000
CONNECT_S = 10.0
SESSION_HEADER = b"mcp-session-id"


class Proxy:
    """An ASGI application for one server. ``hosts`` are the values of Host that it answers to: a page that
    had a name of its own point here would get past the server's own check, for that sees another Host."""

    def __init__(self, url: str, agent: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise SettingError(f"{quote(url)} is not an http:// or https:// address")
        self.path = parts.path or "/"
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._agent = agent or parts.hostname
        self._taps: OrderedDict[bytes, Tap] = OrderedDict()
        self._lock = threading.Lock()
        self._client = httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=CONNECT_S), follow_redirects=False
        )
        self.hosts: frozenset[bytes] = frozenset()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        headers = dict(scope["headers"])
        if headers.get(b"host", b"").lower() not in self.hosts:
            await refuse(send, 403, "this proxy does not answer to that name")
            return
        body = await read(receive)
        if body is None:
            await refuse(send, 413, f"the request has more than {REQUEST_BYTES} bytes")
            return
        tap = self._taps.get(headers.get(SESSION_HEADER, b"")) or Tap(self._agent)
        note(tap, self._lock, from_client=True)(body)
        async with anyio.create_task_group() as tasks:

            async def watch() -> None:
                while (await receive())["type"] != "http.disconnect":
                    pass
                tasks.cancel_scope.cancel()  # the client is gone: the server hears it, too

            tasks.start_soon(watch)
            await self._exchange(scope, body, tap, send)
            tasks.cancel_scope.cancel()

    async def _exchange(self, scope: Scope, body: bytes, tap: Tap, send: Send) -> None:
        query = scope.get("query_string", b"").decode("latin-1")
        path = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        request = self._client.build_request(
            scope["method"],
            f"{self._origin}{path}{'?' if query else ''}{query}",
            headers=[
                *passed(scope["headers"], HOP_BY_HOP | OURS),
                (b"accept-encoding", b"identity"),
            ],
            content=body,
        )
        try:
            answer = await self._client.send(request, stream=True)
        except httpx2.HTTPError as error:
            seen = f"{self._origin} does not answer ({type(error).__name__})"
            self._fail(tap, body, 502, seen)
            await refuse(send, 502, seen)
            return
        try:
            await self._pass_on(answer, tap, body, send)
        finally:
            with anyio.CancelScope(shield=True):
                await answer.aclose()

    async def _pass_on(self, answer: "httpx2.Response", tap: Tap, body: bytes, send: Send) -> None:
        raw = [(name.lower(), value) for name, value in answer.headers.raw]
        if session := dict(raw).get(SESSION_HEADER):
            self._taps.setdefault(session, tap)
            if len(self._taps) > SESSIONS:
                self._taps.popitem(last=False)
        head = passed(raw, HOP_BY_HOP)
        await send({"type": "http.response.start", "status": answer.status_code, "headers": head})
        seen = note(tap, self._lock, from_client=False)
        is_stream = answer.headers.get("content-type", "").startswith("text/event-stream")
        reader = Events() if is_stream else Whole()
        async for part in chunks(answer):
            messages = reader.take(part)
            for message in filter(asks, messages):  # its answer may be here before us
                seen(message)
            await send({"type": "http.response.body", "body": part, "more_body": True})
            for message in filterfalse(asks, messages):
                seen(message)
        for message in reader.end():
            seen(message)
        if answer.status_code >= 400:
            self._fail(tap, body, answer.status_code, answer.reason_phrase)
        await send({"type": "http.response.body", "body": b""})

    def _fail(self, tap: Tap, body: bytes, status: int, message: str) -> None:
        """Requests that HTTP refused have no answer of their own; one that was answered is not told twice."""
        try:
            given = json.loads(body)
        except ValueError:
            return
        for item in given if isinstance(given, list) else [given]:
            if isinstance(item, dict) and "id" in item and "method" in item:
                error = {"code": status, "message": message}
                answer = {"jsonrpc": "2.0", "id": item["id"], "error": error}
                note(tap, self._lock, from_client=False)(json.dumps(answer).encode())


class Whole:
    """The one JSON text of an answer."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._size = 0

    def take(self, part: bytes) -> list[bytes]:
        self._size += len(part)
        if self._size <= COPY_BYTES:
            self._parts.append(part)
        return []

    def end(self) -> list[bytes]:
        return [b"".join(self._parts)] if self._parts and self._size <= COPY_BYTES else []


class Events:
    """The ``data`` of server-sent events, however the parts were cut."""

    def __init__(self) -> None:
        self._rest = b""
        self._data: list[bytes] = []

    def take(self, part: bytes) -> list[bytes]:
        *lines, self._rest = (self._rest + part).replace(b"\r\n", b"\n").split(b"\n")
        if len(self._rest) > COPY_BYTES:
            self._rest = b""
        return [message for line in lines if (message := self._line(line))]

    def end(self) -> list[bytes]:
        return self.take(b"\n\n")

    def _line(self, line: bytes) -> bytes:
        """The message that an empty line completes."""
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            message = b"\n".join(self._data)
            self._data.clear()
            return message
        return b""


async def chunks(answer: "httpx2.Response") -> AsyncIterator[bytes]:
    """As they come; a connection that breaks ends them, as it would without us."""
    try:
        async for part in answer.aiter_raw():
            yield part
    except httpx2.HTTPError:
        return


def passed(headers: Any, without: frozenset[bytes]) -> list[tuple[bytes, bytes]]:
    return [(name, value) for name, value in headers if name.lower() not in without]


async def read(receive: Receive) -> bytes | None:
    parts, size = [], 0
    while True:
        message = await receive()
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > REQUEST_BYTES:
            return None
        if not message.get("more_body", False):
            return b"".join(parts)


async def refuse(send: Send, status: int, message: str) -> None:
    body = message.encode()
    head = [(b"content-type", b"text/plain"), (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": body})


def listen(port: int) -> tuple[socket.socket, int]:
    """A socket of this machine alone. Raises HubError where the port is taken."""
    listener = bind("127.0.0.1", port)
    listener.listen()  # who reads the address may call at once, before the server takes calls
    return listener, listener.getsockname()[1]


def serve(proxy: Proxy, listener: socket.socket, port: int) -> None:
    """Until it is stopped."""
    proxy.hosts = frozenset(f"{name}:{port}".encode() for name in ("127.0.0.1", "localhost"))
    config = uvicorn.Config(
        proxy,
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(sockets=[listener])
