"""One hub behind one socket, from its start to a clean end."""

import errno
import os
import socket
import stat
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import import_module
from typing import NamedTuple

from laneway.base.errors import HubError, SettingError, quote
from laneway.base.settings import Settings
from laneway.hub.hub import Hub
from laneway.hub.scrubbing import tell_interrupted
from laneway.log.segment import LogPath
from laneway.web.auth import Access, is_wildcard


class Ready(NamedTuple):
    """A hub that accepts connections."""

    url: str
    link: str
    """The page with a one-time code, good for ten minutes."""
    warnings: tuple[str, ...]
    """What the person who started it should see in bold."""
    stop: Callable[[], None]
    """Ends `serve`; from any thread."""
    grpc_address: str = ""
    """Where OTLP over gRPC is taken; empty where it is not."""
    lag_bytes: int = 0
    """Of the log, not indexed yet when it began to listen."""


def ignore_ready(ready: Ready) -> None:
    """The default for ``on_ready``."""


def serve(settings: Settings, *, on_ready: Callable[[Ready], None] = ignore_ready) -> None:
    """Run a hub until SIGINT, SIGTERM or `Ready.stop`; then finish what was begun, and return.

    Raises:
        HubError: an address is taken, or another hub has this log.
        SettingError: a part is not installed, a token cannot be read or made; the hub would be open
            to all without `bind_all`, or its home is.
        StoreError: the index cannot be opened.
    """
    check_exposure(settings)
    listener = bind(settings.host, settings.port)
    try:
        port = listener.getsockname()[1]
        access = Access.of(settings, port)
        with _opened(settings) as hub:
            from laneway.web.runner import make_server, run

            url = f"http://{_shown_host(settings.host)}:{port}"
            hub.lock.tell(url)
            server = make_server(hub, access)
            link = f"{settings.public_url or url}/logs#code={access.door.new_code()}"

            lag_bytes = hub.lag_bytes()

            def tell_ready() -> None:
                told = warnings(settings)
                on_ready(Ready(url, link, told, server.stop, server.grpc_address, lag_bytes))

            server.on_started = tell_ready
            run(server, listener)
    finally:
        listener.close()


@contextmanager
def _opened(settings: Settings) -> Iterator[Hub]:
    """A hub. While its indexer starts, this thread loads the web server, which takes as long."""
    with ThreadPoolExecutor(1) as pool:
        opening = pool.submit(Hub, settings)
        try:
            import_module("laneway.web.runner")
        except BaseException:
            opening.result().close()
            raise
        hub = opening.result()
    try:
        yield hub
    finally:
        hub.close()


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
        raise HubError(f"{host}:{port}: {error.strerror}", hint=_bind_hint(error)) from error
    return listener


def _bind_hint(error: OSError) -> str:
    if error.errno == errno.EADDRNOTAVAIL:
        return "`host` is an address of this machine; leave it out to be reached from here alone"
    if error.errno == errno.EACCES:
        return "ports below 1024 belong to the system: `laneway up --port 8001`"
    return "stop what runs there, or choose another port: `laneway up --port 0`"


def check_exposure(settings: Settings) -> None:
    """Refuse what opens the hub to others by mistake.

    Raises:
        SettingError: a wildcard address without `bind_all`, or a home in which anybody may write.
    """
    if is_wildcard(settings.host) and not settings.bind_all:
        raise SettingError(
            f"host {quote(settings.host)} lets every machine that reaches this one in",
            hint="if that is meant, as in a container: --bind-all or LANEWAY_BIND_ALL=1; "
            "else leave host out",
        )
    if mode_of(settings.home) & stat.S_IWOTH:
        raise SettingError(
            f"{settings.home}: every user of this machine may put tokens there",
            hint=f"chmod 700 '{settings.home}'",
        )


def mode_of(path: str) -> int:
    """Permission bits; none where there is no such file, or where bits say nothing."""
    try:
        return stat.S_IMODE(os.stat(path).st_mode) if os.name == "posix" else 0
    except OSError:
        return 0


def warnings(settings: Settings) -> tuple[str, ...]:
    """One line for each setting that lets others in, and for old secrets that are known to be left."""
    found = []
    if is_wildcard(settings.host):
        found.append(
            f"bound to {settings.host or '0.0.0.0'}: every machine that reaches this one can knock; "  # noqa: S104
            "tokens travel unencrypted"
        )
    if settings.bus and _has_plain_bus(settings):
        found.append("events travel to the bus unencrypted: use tls:// addresses, or bus_tls_ca")
    if settings.open_ingest:
        found.append("open ingest: whoever reaches this address may write events, without a token")
    if mode_of(settings.home) & stat.S_IWGRP:
        found.append(f"{settings.home}: every member of its group may put tokens there")
    directory = LogPath.parse(settings.log_path).directory
    if interrupted := tell_interrupted(directory):
        found.append(f"{interrupted}; run `laneway scrub` again")
    if mode_of(directory) & stat.S_IWOTH:
        found.append(f"{directory}: every user of this machine may write and remove the log")
    shut = not mode_of(settings.home) & stat.S_IRWXO  # then the files' own bits let nobody in
    for name in () if shut else ("ingest.token", "access.token", "tokens.json", "sessions.json"):
        if mode_of(f"{settings.home}/{name}") & stat.S_IRWXO:
            found.append(f"{settings.home}/{name}: every user of this machine can read it")
    return tuple(found)


def _has_plain_bus(settings: Settings) -> bool:
    from laneway.sdk.bus.address import is_exposed  # most hubs have no bus

    return is_exposed(settings)


def _shown_host(host: str) -> str:
    if is_wildcard(host):
        return "127.0.0.1"
    return f"[{host}]" if ":" in host else host
