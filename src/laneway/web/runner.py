"""The event loop and uvicorn, with our signals and our order of ending."""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from laneway.base.limits import CLIENTS, KIB
from laneway.hub.hub import Hub
from laneway.web.app import App, create_app
from laneway.web.auth import Access

CONNECTIONS = 512 + CLIENTS
"""Agents keep one connection each; past this the hub answers 503 and they come back."""

KEEP_ALIVE_S = 30
"""A shipper sends every few seconds while there is something."""

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

    def __init__(self, app: App) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http=HttpToolsProtocol,
                ws=WebSocketsSansIOProtocol,
                lifespan="off",
                log_config=None,
                log_level="warning",
                access_log=False,  # a query may hold what somebody searched for
                proxy_headers=False,  # nobody may claim another address
                server_header=False,
                date_header=False,
                ws_per_message_deflate=False,  # costs more than loopback saves
                ws_max_size=64 * KIB,  # viewers have nothing to say
                limit_concurrency=CONNECTIONS,
                timeout_keep_alive=KEEP_ALIVE_S,
                timeout_graceful_shutdown=GRACE_S,
                backlog=BACKLOG,
            )
        )
        self._app = app
        self.on_started: Callable[[], None] = lambda: None

    def stop(self) -> None:
        self.should_exit = True

    async def run_with_beat(self, listener: socket.socket) -> None:
        beat = asyncio.create_task(self._app.streams.beat())
        try:
            await self.serve(sockets=[listener])
        finally:
            beat.cancel()

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
