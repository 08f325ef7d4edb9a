"""The server: one socket, one event loop, one hub, from the first byte to a clean end."""

import asyncio
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import uvicorn

from laneway.base.errors import HubError
from laneway.base.limits import CLIENTS, KIB
from laneway.base.settings import Settings
from laneway.hub.hub import Hub
from laneway.web.app import App, create_app
from laneway.web.auth import WILDCARDS, Access

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


class Ready(NamedTuple):
    """A hub that accepts connections."""

    url: str
    link: str
    """The page with a one-time code, good for ten minutes."""
    warnings: tuple[str, ...]
    """What the person who started it should see in bold."""
    stop: Callable[[], None]
    """Ends `serve`; from any thread."""


def ignore_ready(ready: Ready) -> None:
    """The default for ``on_ready``."""


def serve(settings: Settings, *, on_ready: Callable[[Ready], None] = ignore_ready) -> None:
    """Run a hub until SIGINT, SIGTERM or `Ready.stop`; then finish what was begun, and return.

    Raises:
        HubError: the address is taken, or another hub has this log.
        SettingError: a token cannot be read or made.
        StoreError: the index cannot be opened.
    """
    listener = bind(settings.host, settings.port)
    try:
        port = listener.getsockname()[1]
        access = Access.of(settings, port)
        hub = Hub(settings)
        try:
            url = f"http://{_shown_host(settings.host)}:{port}"
            hub.lock.tell(url)
            server = _Server(create_app(hub, access))
            link = f"{url}/logs#code={access.new_code()}"
            ready = Ready(url, link, warnings(settings), server.stop)
            server.on_started = lambda: on_ready(ready)
            _run(server, listener)
        finally:
            hub.close()
    finally:
        listener.close()


def bind(host: str, port: int) -> socket.socket:
    """A socket bound to the address; port 0 takes a free one.

    Raises:
        HubError: the address is taken or is none of this machine's.
    """
    try:
        found = socket.getaddrinfo(host or "0.0.0.0", port, type=socket.SOCK_STREAM)  # noqa: S104
        family, kind, protocol, _, address = found[0]
        listener = socket.socket(family, kind, protocol)
    except OSError as error:
        raise HubError(f"{host}: {error.strerror}", hint="`host` is a name or address") from error
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
    except OSError as error:
        listener.close()
        hint = "stop what runs there, or choose another port: `laneway up --port 0`"
        raise HubError(f"{host}:{port}: {error.strerror}", hint=hint) from error
    return listener


def warnings(settings: Settings) -> tuple[str, ...]:
    """One line for each setting that lets others in."""
    found = []
    if settings.host in WILDCARDS:
        found.append(
            f"bound to {settings.host or '0.0.0.0'}: every machine that reaches this one can knock; "  # noqa: S104
            "tokens travel unencrypted"
        )
    if settings.open_ingest:
        found.append("open ingest: whoever reaches this address may write events, without a token")
    return tuple(found)


def _shown_host(host: str) -> str:
    if host in WILDCARDS:
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host


def _run(server: "_Server", listener: socket.socket) -> None:
    before_s = sys.getswitchinterval()
    sys.setswitchinterval(SWITCH_S)
    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(server.run_with_beat(listener))
    finally:
        sys.setswitchinterval(before_s)


def _new_loop() -> asyncio.AbstractEventLoop:
    try:
        import uvloop
    except ImportError:  # Windows, PyPy
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()


class _Server(uvicorn.Server):
    """uvicorn with our signals and our order of ending."""

    def __init__(self, app: App) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                http="httptools",
                ws="websockets-sansio",
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
