"""The server's protocol without a socket: bytes in, bytes out, in the event loop of the test."""

import asyncio
from typing import Any, cast

import httptools
import httpx

from laneway.web.app import App
from laneway.web.connection import Connection
from laneway.web.runner import Server


class Pipe(asyncio.Transport):
    """What a connection writes is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = b""
        self.is_closed = False

    def write(self, data: Any) -> None:
        if not self.is_closed:
            self.sent += data

    def close(self) -> None:
        self.is_closed = True

    def abort(self) -> None:
        self.is_closed = True

    def is_closing(self) -> bool:
        return self.is_closed

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        return {"peername": ("127.0.0.1", 4000), "sockname": ("127.0.0.1", 8001)}.get(name, default)

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def get_write_buffer_size(self) -> int:
        return 0


class Link:
    """One connection to the application, by the running event loop."""

    def __init__(self, app: App, *, answers_plain: bool = True) -> None:
        server = Server(app, answers_plain=answers_plain)
        server.config.load()
        make = cast(type[Connection], server.config.http_protocol_class)
        self.pipe = Pipe()
        self.connection = make(config=server.config, server_state=server.server_state, app_state={})  # type: ignore[call-arg]
        self.connection.connection_made(self.pipe)

    async def exchange(self, *pieces: bytes) -> bytes:
        """Everything that is sent back to ``pieces`` of one request."""
        for piece in pieces:
            if not self.pipe.is_closed:
                self.connection.data_received(piece)
                await asyncio.sleep(0)
        while not self.pipe.is_closed and not self._is_idle():  # noqa: ASYNC110 - uvicorn tells nobody
            await asyncio.sleep(0.001)
        sent, self.pipe.sent = self.pipe.sent, b""
        return sent

    def end(self) -> None:
        self.connection.connection_lost(None)

    def _is_idle(self) -> bool:
        cycle = self.connection.cycle
        return cycle is not None and cycle.response_complete and not self.connection.pipeline


class Answer:
    """Reads one; `httptools` calls its methods."""

    def __init__(self, data: bytes) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        parser = httptools.HttpResponseParser(self)
        parser.feed_data(data)
        self.status = parser.get_status_code()

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name, value))

    def on_body(self, body: bytes) -> None:
        self.body += body


class ProtocolTransport(httpx.AsyncBaseTransport):
    """For `httpx`: each request by a connection of its own, head and body in one piece."""

    def __init__(self, app: App) -> None:
        self._app = app

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        link = Link(self._app)
        head = [b"%s %s HTTP/1.1" % (request.method.encode(), request.url.raw_path)]
        head += [b"%b: %b" % pair for pair in request.headers.raw]
        sent = await link.exchange(b"\r\n".join([*head, b"", b""]) + await request.aread())
        link.end()
        answer = Answer(sent)
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)
