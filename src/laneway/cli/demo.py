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

SOURCE = "https://github.com/laneway/laneway"
EXAMPLE = "examples/assistant/demo.py"
EXAMPLE_PARTS = ("openai", "httpx")


def command(
    port: Annotated[
        str | None, typer.Option(metavar="PORT", help="The dashboard's; else 8001 or a free one.")
    ] = None,
    rate: Annotated[
        float, typer.Option(min=0.01, help="Requests to the assistant a second.")
    ] = 0.6,
    seconds: Annotated[
        float | None, typer.Option(min=0.0, help="Stop after so long; else with Ctrl-C.")
    ] = None,
) -> None:
    """Start an example assistant of several agents with users who keep it busy, and watch it.

    It has a hub and, unless LANEWAY_HOME or LOG_PATH is set, a log of its own in .demo in this
    folder. It calls no model outside this machine.
    """
    root = find_checkout()
    _need_parts()
    arguments = ["--rate", str(rate)]
    arguments += ["--port", str(resolve({"port": port}).port)] if port is not None else []
    arguments += ["--seconds", str(seconds)] if seconds is not None else []
    sys.path.insert(0, str(root))
    sys.argv = ["laneway demo", *arguments]
    import_module("examples.assistant.demo").main()


def find_checkout() -> Path:
    """The repository that this package runs from. The current folder is not trusted: it is code.

    Raises:
        LanewayError: Laneway was installed from a wheel, which has no examples.
    """
    root = Path(laneway.__file__).resolve().parents[2]
    if (root / EXAMPLE).is_file():
        return root
    raise LanewayError(
        "the demo is part of the repository, and this Laneway was installed without it",
        hint=f"git clone {SOURCE} && cd laneway && make demo",
    )


def _need_parts() -> None:
    missing = [part for part in EXAMPLE_PARTS if find_spec(part) is None]
    if missing:
        raise LanewayError(
            f"the demo needs {' and '.join(missing)}", hint='pip install "laneway[hub,example]"'
        )
