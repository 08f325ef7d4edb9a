"""The event loop and uvicorn, with our signals and our order of ending."""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial
from math import ceil
from typing import cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from laneway.base.limits import KIB
from laneway.hub.hub import Hub
from laneway.web.app import App, create_app
from laneway.web.auth import Access
from laneway.web.connection import Bounds, Connection, SocketConnection, Watch
from laneway.web.plain import PlainWay

GRACE_S = 3
"""Requests that run when the hub is told to stop have this long."""

VIEWER_GRACE_S = 1.0

BACKLOG = 1024

SWITCH_S = 0.0005
"""The event loop gives up the interpreter at every system call, and waits this long to get it back
from a busy indexer. With Python's 5 ms, ingest under load was three times slower."""


new_loop: Callable[[], asyncio.AbstractEventLoop] = asyncio.new_event_loop
try:
    import uvloop

    new_loop = uvloop.new_event_loop
except ImportError:  # Windows, PyPy
    pass


def make_server(hub: Hub, access: Access) -> "Server":
    return Server(create_app(hub, access))


def run(server: "Server", listener: socket.socket) -> None:
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with asyncio.Runner(loop_factory=new_loop) as runner:
            runner.run(server.run_with_beat(listener))
    finally:
        sys.setswitchinterval(before_s)


class Server(uvicorn.Server):
    """uvicorn with our signals and our order of ending."""

    def __init__(self, app: App, *, answers_plain: bool = True) -> None:
        """``answers_plain``: plain requests are answered in the protocol (`laneway.web.plain`)."""
        hub = app.hub
        bounds = Bounds(
            connections=hub.settings.connections,
            send_s=hub.settings.send_timeout,
            request_bytes=2 * hub.settings.body_bytes,
        )
        plain_way = PlainWay(app.access, app.ingest) if answers_plain else None
        self._watch = Watch(bounds, hub.metric.ended, lambda: hub.live.viewer_count)
        super().__init__(
            uvicorn.Config(
                app,
                http=cast(type[Connection], partial(Connection, self._watch, plain_way)),
                ws=cast(type[WebSocketsSansIOProtocol], partial(SocketConnection, self._watch)),
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,  # a query may hold what somebody searched for
                proxy_headers=False,  # nobody may claim another address
                server_header=False,
                date_header=False,
                ws_per_message_deflate=False,  # costs more than loopback saves
                ws_max_size=64 * KIB,  # viewers have nothing to say
                ws_ping_timeout=None,  # a slow viewer answers when it has read so far; the watch decides
                timeout_keep_alive=ceil(bounds.keep_alive_s) + 1,  # the watch comes first
                timeout_graceful_shutdown=GRACE_S,
                backlog=BACKLOG,
            )
        )
        self._app = app
        self.grpc_address = ""
        """Where OTLP over gRPC is taken, once it has started; empty where it is not."""
        self.on_started: Callable[[], None] = lambda: None

    def stop(self) -> None:
        self.should_exit = True

    async def run_with_beat(self, listener: socket.socket) -> None:
        """Raises HubError where the port for gRPC is taken."""
        async with self._with_grpc():
            await self._run_with_beat(listener)

    @asynccontextmanager
    async def _with_grpc(self) -> AsyncIterator[None]:
        settings = self._app.hub.settings
        if settings.grpc_port is None:
            yield
            return
        from laneway.web.otlp_grpc import GrpcServer  # of an extra, and 90 ms of imports

        server = GrpcServer(self._app, settings.host, settings.grpc_port)
        self.grpc_address = await server.start()
        try:
            yield
        finally:
            await server.stop()

    async def _run_with_beat(self, listener: socket.socket) -> None:
        aside = [asyncio.create_task(self._app.streams.beat())]
        aside.append(asyncio.create_task(self._watch.run()))
        aside.append(asyncio.create_task(self._app.otlp.run()))
        try:
            await self.serve(sockets=[listener])
        finally:
            for task in aside:
                task.cancel()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Unlike uvicorn's, the signal is not raised again: a hub told to stop has ended well."""
        if threading.current_thread() is not threading.main_thread():
            yield
            return
        kinds = (signal.SIGINT, signal.SIGTERM)
        before = {kind: signal.signal(kind, self.handle_exit) for kind in kinds}
        try:
            yield
        finally:
            for kind, handler in before.items():
                signal.signal(kind, handler)

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        if self.started:
            self.on_started()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """First the door, then the viewers (1001), then the requests that still run."""
        for server in self.servers:
            server.close()
        self._app.hub.live.close()
        await self._app.streams.drain(VIEWER_GRACE_S)
        await super().shutdown(sockets)
