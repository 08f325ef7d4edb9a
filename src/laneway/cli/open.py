"""``laneway open``: a new one-time link to the dashboard of the running hub."""

import os
import sys
import webbrowser
from typing import Annotated

import typer

from laneway.base.errors import HubError
from laneway.base.settings import resolve
from laneway.cli import option
from laneway.cli.terminal import Terminal
from laneway.reader.client import Client


def command(
    browser: Annotated[
        bool, typer.Option("--browser", "-b", help="Open it in the browser, too.")
    ] = False,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """Print a new one-time link to the dashboard of the running hub."""
    client = Client.of_log(resolve({"host": host, "port": port}))
    client.health()
    url = new_link(client)
    terminal = Terminal()
    terminal.print(terminal.link(url))
    if browser and not open_browser(url):
        raise HubError("no browser could be opened", hint="open the link above by hand")


def new_link(client: Client) -> str:
    """A link whose code works once; it is ours to build where the hub does not know its address."""
    answer = client.post("/auth/code")
    return str(answer.get("url") or f"{client.url}/logs#code={answer['code']}")


def open_browser(url: str) -> bool:
    """Whether a browser took it. Without a desktop the only browser would be one in this terminal."""
    has_desktop = sys.platform in ("darwin", "win32") or not {
        "DISPLAY",
        "WAYLAND_DISPLAY",
    }.isdisjoint(os.environ)
    return has_desktop and webbrowser.open(url)
