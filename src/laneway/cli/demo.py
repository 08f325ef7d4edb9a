"""``laneway demo``: the example assistant, its model, its users and a hub, all on this machine."""

import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Annotated

import typer

import laneway
from laneway.base.errors import LanewayError
from laneway.base.settings import resolve
from laneway.cli.borrow import borrow

SOURCE = "https://github.com/laneway/laneway"
EXAMPLE = "examples/assistant/demo.py"
EXAMPLE_PARTS = ("openai", "httpx", "fastapi")


def command(
    port: Annotated[
        str | None, typer.Option(metavar="PORT", help="The dashboard's; else 8001 or a free one.")
    ] = None,
    rate: Annotated[
        float, typer.Option(metavar="N", min=0.01, help="Requests to the assistant a second.")
    ] = 0.6,
    seconds: Annotated[
        float | None,
        typer.Option(metavar="SECONDS", min=0.0, help="Stop after so long; else with Ctrl-C."),
    ] = None,
) -> None:
    """Start an example assistant of several agents with users who keep it busy, and watch it.

    It has a hub and, unless LANEWAY_HOME or LOG_PATH is set, a log of its own in .demo in this
    folder. It calls no model outside this machine.
    """
    root = find_example()
    arguments = ["--rate", str(rate)]
    arguments += ["--port", str(resolve({"port": port}).port)] if port is not None else []
    arguments += ["--seconds", str(seconds)] if seconds is not None else []
    _need_parts(["demo", *arguments])
    sys.path.insert(0, str(root))
    sys.argv = ["laneway demo", *arguments]
    import_module("examples.assistant.demo").main()


def find_example() -> Path:
    """What to import ``examples.assistant`` from: the package's copy, or the repository that it runs from.

    The current folder is not trusted: it is code.

    Raises:
        LanewayError: neither is there.
    """
    package = Path(laneway.__file__).resolve().parent
    for root in (package / "_demo", package.parents[1]):
        if (root / EXAMPLE).is_file():
            return root
    raise LanewayError(
        "this Laneway was installed without the demo",
        hint=f"git clone {SOURCE} && cd laneway && make demo",
    )


def _need_parts(command: list[str]) -> None:
    missing = [part for part in EXAMPLE_PARTS if find_spec(part) is None]
    if missing:
        raise LanewayError(f"the demo needs {' and '.join(missing)}", hint=borrow(command))
