"""``laneway side``: a payload that was too long for its line, by the SHA-256 that the event names."""

import sys
from collections.abc import Callable
from typing import Annotated, Any

import typer

from laneway.base.errors import LanewayError, LogError
from laneway.base.settings import Settings, resolve
from laneway.cli import option
from laneway.cli.escape import escape
from laneway.cli.pager import paged
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.log.side import SideFiles
from laneway.model.cut import put_back
from laneway.reader.client import Client

Read = Callable[[str], bytes]


def command(
    sha256: Annotated[
        str, typer.Argument(metavar="SHA256", help="As an event's side_files has it.")
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", metavar="FILE", help="Write it there.")
    ] = "",
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """Print a payload that was too long for its event's line, whole and checked against its hash.

    It is read beside the log; the running hub is asked where it is not there. On a terminal,
    characters that could work on the terminal are spelled out; into a pipe or file goes what
    was recorded.
    """
    data = side_reader(resolve({"log_path": log, "host": host, "port": port}))(sha256)
    if output:
        try:
            with open(output, "wb") as file:
                file.write(data)
        except OSError as error:
            raise LogError(f"{output}: {error.strerror}") from error
        return
    if Terminal().is_tty:
        with paged() as terminal:
            terminal.write(map(escape, data.decode("utf-8", "replace").split("\n")))
        return
    sys.stdout.buffer.write(data)
    sys.stdout.flush()


def side_reader(settings: Settings) -> Read:
    """Gives payloads by their SHA-256: those beside the log, and those that its hub has.

    The function that it gives raises LogError where there is none, or a damaged one.
    """
    side = SideFiles(LogPath.parse(settings.log_path).directory)
    client = Client.of_log(settings)

    def read(digest: str) -> bytes:
        try:
            return side.read(digest)
        except LogError as missing:
            try:
                return client.get_bytes(f"/api/side/{digest}")
            except LanewayError as error:
                raise missing from error

    return read


def put_back_from(read: Read, event: dict[str, Any]) -> dict[str, Any]:
    """``event`` with its long payloads whole again; what cannot be read stays as it is."""
    put_back(event, read)
    return event
