"""``laneway mcp-tap -- SERVER…``: stand between an MCP client and its server, and record what they say."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Annotated

import orjson
import typer

from laneway.base.errors import EventError, LanewayError, SettingError, not_installed
from laneway.model.event import normalise
from laneway.sdk.api import flush, log_event
from laneway.sources.mcp import Tap


def command(
    server: Annotated[
        list[str] | None,
        typer.Argument(metavar="-- SERVER", help="The server's command (stdio)."),
    ] = None,
    url: Annotated[
        str, typer.Option("--url", metavar="URL", help="The server's address (streamable HTTP).")
    ] = "",
    port: Annotated[
        int,
        typer.Option(
            "--port",
            metavar="PORT",
            help="With --url: where the client finds us; 0 is any free one.",
        ),
    ] = 0,
    agent: Annotated[
        str,
        typer.Option(
            "--agent", metavar="NAME", help="The server's lane; else its command's or host's name."
        ),
    ] = "",
) -> None:
    """Record every call between an MCP client and its server, over stdio or HTTP.

    Put it before the server's command in the client's settings, or give the client the address that
    it prints. Everything passes on as it is; the server's stderr and exit code are its own.
    """
    if bool(server) == bool(url):
        raise SettingError(
            "either a server's command or its --url is wanted",
            hint="laneway mcp-tap -- SERVER…, or laneway mcp-tap --url http://127.0.0.1:3000/mcp",
        )
    if not server:
        tap_http(url, port, agent)
        return
    tap = Tap(agent or name_of(server))
    try:
        process = subprocess.Popen(server, stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # noqa: S603
    except OSError as error:
        raise LanewayError(f"{server[0]}: {error.strerror}") from error
    assert process.stdin
    assert process.stdout
    lock = threading.Lock()
    toward = threading.Thread(
        target=pump,
        args=(sys.stdin.buffer, process.stdin, note(tap, lock, from_client=True)),
        daemon=True,
    )
    with passing_signals(process):
        toward.start()
        pump(process.stdout, sys.stdout.buffer, note(tap, lock, from_client=False))
        code = process.wait()
    flush(2)
    sys.stdout.flush()
    os._exit(code if code >= 0 else 128 - code)  # a thread may wait for the client's next word


def tap_http(url: str, port: int, agent: str) -> None:
    """Raises SettingError where the extra for it is missing."""
    try:
        from laneway.cli.mcp_proxy import Proxy, listen, serve
    except ModuleNotFoundError as error:
        if error.name != "httpx2":
            raise
        raise not_installed("--url", "an HTTP client", "mcp") from None
    proxy = Proxy(url, agent)
    listener, bound = listen(port)
    print(f"http://127.0.0.1:{bound}{proxy.path} passes on to {url}", flush=True)
    serve(proxy, listener, bound)
    flush(2)


def name_of(server: list[str]) -> str:
    """The last word that names a program: ``npx -y @scope/server-files /tmp`` is ``server-files``."""
    words = [word for word in server if not word.startswith("-")]
    runners = ("npx", "uvx", "uv", "node", "python", "python3", "run", "bunx", "deno", "docker")
    named = next((word for word in words if Path(word).name not in runners), words[0])
    return Path(named).stem or named


def pump(source: IO[bytes], target: IO[bytes], seen: Callable[[bytes], None]) -> None:
    """Pass lines on until there are no more; then the other side hears that, too.

    A request is noted before it passes: its answer comes in by another thread, and may be the quicker.
    """
    try:
        for line in iter(source.readline, b""):
            may_ask = asks(line)
            if may_ask:
                seen(line)
            target.write(line)
            target.flush()
            if not may_ask:
                seen(line)
    except (BrokenPipeError, ValueError):
        pass
    finally:
        if target is not sys.stdout.buffer:
            try:
                target.close()
            except BrokenPipeError:
                pass


def asks(message: bytes) -> bool:
    """Whether it may be a request, or hold one."""
    return b'"method"' in message


def note(tap: Tap, lock: threading.Lock, *, from_client: bool) -> Callable[[bytes], None]:
    """What to do with a line that passes; it never raises."""

    def seen(line: bytes) -> None:
        try:
            message = orjson.loads(line)
            with lock:
                found = list(tap.events(message, from_client=from_client))
            for raw in found:
                event = dict(normalise({k: v for k, v in raw.items() if v is not None})[0])
                name, kind = str(event.pop("agent")), str(event.pop("event"))
                log_event(name, kind, event.pop("content", None), **event)
        except (ValueError, EventError):  # no JSON: it is the two's own affair
            return

    return seen


@contextmanager
def passing_signals(process: "subprocess.Popen[bytes]") -> Iterator[None]:
    """Signals to us are for the command; who ends it, ends us."""
    names = ("SIGTERM", "SIGHUP", "SIGINT", "SIGQUIT", "SIGUSR1", "SIGUSR2")
    kinds = [getattr(signal, name) for name in names if hasattr(signal, name)]

    def pass_on(kind: int, _: object) -> None:
        # what is typed at a terminal has reached the command already
        if not (kind in (signal.SIGINT, getattr(signal, "SIGQUIT", None)) and sys.stdin.isatty()):
            process.send_signal(kind)

    before = {kind: signal.signal(kind, pass_on) for kind in kinds}
    try:
        yield
    finally:
        for kind, handler in before.items():
            signal.signal(kind, handler)
