"""``laneway up``: the hub in the foreground, and a start-up text that says what to do next.

What the hub does not need before it listens is imported where it is used.
"""

import shlex
import textwrap
import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Annotated

import typer

from laneway import __version__
from laneway.base.errors import HubError
from laneway.base.limits import MIB
from laneway.base.settings import BY_NAME, Settings, resolve
from laneway.base.words import number_of
from laneway.cli import option
from laneway.cli.amount import show_bytes, some_of
from laneway.cli.terminal import Terminal
from laneway.log.listing import find_unreadable, iter_sizes
from laneway.log.segment import LogPath
from laneway.log.series import list_segments

if TYPE_CHECKING:
    from laneway.web.server import Ready

TOLD_BYTES = 4 * MIB
"""Less than this is indexed before anybody has read the line."""


def command(
    host: option.BindHost = None,
    port: option.BindPort = None,
    log: option.Log = None,
    index: Annotated[
        str | None, typer.Option("--index", metavar="PATH", help=BY_NAME["index_path"].help)
    ] = None,
    retention_age: Annotated[
        str | None,
        typer.Option("--retention-age", metavar="TIME", help=BY_NAME["retention_age"].help),
    ] = None,
    retention_bytes: Annotated[
        str | None,
        typer.Option("--retention-bytes", metavar="SIZE", help=BY_NAME["retention_bytes"].help),
    ] = None,
    allowed_host: Annotated[
        list[str] | None,
        typer.Option(
            "--allowed-host",
            metavar="NAME[:PORT]",
            help="Another name by which the hub may be called, such as logger:8000; repeatable.",
            rich_help_panel="Access",
        ),
    ] = None,
    grpc_port: Annotated[
        str | None,
        typer.Option("--grpc-port", metavar="PORT", help=BY_NAME["grpc_port"].help),
    ] = None,
    bind_all: Annotated[
        bool | None,
        typer.Option("--bind-all", help=BY_NAME["bind_all"].help, rich_help_panel="Access"),
    ] = None,
    open_ingest: Annotated[
        bool | None,
        typer.Option("--open-ingest", help=BY_NAME["open_ingest"].help, rich_help_panel="Access"),
    ] = None,
    bus: Annotated[
        list[str] | None,
        typer.Option(
            "--bus",
            metavar="URL",
            help="Share events with other hubs over a NATS server, nats://HOST:PORT; repeatable.",
            rich_help_panel="Many hosts",
        ),
    ] = None,
    store: Annotated[
        str | None,
        typer.Option(
            "--store",
            metavar="URL",
            help="Keep the index in ClickHouse, clickhouse://USER@HOST:8123/DATABASE.",
            rich_help_panel="Many hosts",
        ),
    ] = None,
    bus_flow: Annotated[
        str | None,
        typer.Option(
            "--bus-flow",
            metavar="both|out|in",
            help=BY_NAME["bus_flow"].help,
            rich_help_panel="Many hosts",
        ),
    ] = None,
    browser: Annotated[
        bool, typer.Option("--open/--no-open", help="Open the dashboard in the browser.")
    ] = False,
) -> None:
    """Start the hub of one log and stay in the foreground; Ctrl-C stops it, and loses nothing.

    It serves the dashboard, search and ingest. Agents that write the log directly are seen with
    or without it.
    """
    from laneway.web.server import serve

    settings = resolve(
        {
            "host": host,
            "port": port,
            "log_path": log,
            "index_path": index,
            "store": store,
            "retention_age": retention_age,
            "retention_bytes": retention_bytes,
            "allowed_hosts": allowed_host or None,
            "grpc_port": grpc_port,
            "bind_all": bind_all,
            "open_ingest": open_ingest,
            "bus": ",".join(bus) if bus else None,
            "bus_flow": bus_flow,
        }
    )
    terminal = Terminal()
    from laneway.hub.output import configure_output

    configure_output("%(levelname)s: %(message)s")

    def greet(ready: "Ready") -> None:
        terminal.write(greeting(ready, settings, terminal))
        if browser:
            from laneway.cli.open import open_browser

            threading.Thread(target=open_browser, args=(ready.link,), daemon=True).start()

    try:
        serve(settings, on_ready=greet)
    except HubError as error:
        raise explain(error, settings) from error
    terminal.print(
        ("\n" if terminal.is_tty else "") + "Stopped; everything received is in the log."
    )


def greeting(ready: "Ready", settings: Settings, terminal: Terminal) -> Iterator[str]:
    """What the hub is, where it is, and the first thing to do."""
    log_path = LogPath.parse(settings.log_path)
    yield terminal.paint(f"Laneway {__version__}", "bold")
    yield ""
    yield f"  Dashboard  {terminal.link(ready.link)}"
    yield "             " + terminal.paint(
        f"lets in one browser, once; more: {_open_command(ready, settings)}", "dim"
    )
    if ready.grpc_address:
        yield f"  OTLP/gRPC  {ready.grpc_address}"
    held = _tell_held(log_path)
    yield f"  Log        {log_path.directory}" + terminal.paint(held and f"  {held}", "dim")
    if ready.lag_bytes >= TOLD_BYTES:
        yield "             " + terminal.paint(
            f"{show_bytes(ready.lag_bytes)} of it not indexed yet: more is found as that goes on",
            "dim",
        )
    yield ""
    for warning in (*ready.warnings, *_tell_unreadable(log_path)):
        yield from _loudly(warning, terminal)
        yield ""
    yield from () if held else _lessons(ready, settings, terminal)
    yield terminal.paint("  Ctrl-C stops it.", "dim")


def _tell_unreadable(log_path: LogPath) -> Iterator[str]:
    names = find_unreadable(log_path.directory)
    if names:
        yield (
            f"nothing is shown of what this user may not read: {some_of(names)};"
            " `laneway doctor` tells more"
        )


def _loudly(warning: str, terminal: Terminal) -> Iterator[str]:
    head = terminal.paint("WARNING", "alarm")
    for line in textwrap.wrap(warning, max(40, min(terminal.width, 100) - 14)):
        yield f"  {head}  {terminal.paint(line, 'warn')}"
        head = " " * len("WARNING")


def _lessons(ready: "Ready", settings: Settings, terminal: Terminal) -> Iterator[str]:
    """Three ways to send a first event, each ready to be pasted."""
    is_elsewhere = settings.origin["log_path"] == "argument"
    place = f"LOG_PATH={shlex.quote(settings.log_path)} " if is_elsewhere else ""
    file = shlex.quote(settings.token_file or f"{settings.home}/ingest.token")
    token = "$LANEWAY_TOKEN" if settings.token else f"$(cat {file})"
    header = "" if settings.open_ingest else f'-H "Authorization: Bearer {token}" '
    event = """'{"agent": "me", "event": "hello"}'"""
    call = """'import laneway; laneway.log_event("me", "hello")'"""
    yield "  The log is empty. Send it something, from another terminal:"
    yield ""
    for label, line in (
        ("shell", f'{place}laneway emit me hello "is this on?"'),
        ("Python", f"{place}python -c {call}"),
        ("HTTP", f"curl {settings.public_url or ready.url}/log {header}-d {event}"),
    ):
        yield f"    {terminal.paint(f'{label:<8}', 'dim')}{terminal.paint(line, 'green')}"
    yield ""


def explain(error: HubError, settings: Settings) -> HubError:
    """Whose the port is, where that is the trouble."""
    if "in use" not in error.message:
        return error
    from laneway.reader.client import Client

    client = Client(settings)
    if client.try_health():
        return HubError(
            f"a Laneway hub runs at {client.url} already",
            hint=f"`laneway open --port {settings.port}` prints a link to its page; "
            "for another log: `laneway up --log PATH --port 0`",
        )
    return HubError(
        f"port {settings.port} is taken by another program",
        hint=f"`laneway up --port {settings.port + 1}`, or --port 0 for any free one",
    )


def _open_command(ready: "Ready", settings: Settings) -> str:
    """`open` finds the hub by its log; a log that was named here only, it does not know."""
    is_known = settings.origin["log_path"] != "argument"
    return "laneway open" + ("" if is_known else f" --port {ready.url.rpartition(':')[2]}")


def _tell_held(log_path: LogPath) -> str:
    """What the log's directory holds; empty where nobody has written anything yet."""
    own = list_segments(log_path)
    names = {file.name for file in own}
    others = [size for name, size in iter_sizes(log_path.directory) if size and name not in names]
    own_bytes = sum(file.size for file in own)
    parts = []
    if own_bytes:
        parts.append(f"{number_of(len(own), 'segment')}, {show_bytes(own_bytes)}")
    if others:
        parts.append(f"{number_of(len(others), 'other file')}, {show_bytes(sum(others))}")
    return "; ".join(parts)
