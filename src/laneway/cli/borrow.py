"""Runs a command again where its parts are: in an environment that uv or pipx makes for it.

``uvx --from . laneway demo`` installs the logging call alone, and so does ``pipx run``. Whoever asks
for the demo that way has asked for an installation; the rest of it is not worth an error.
"""

import json
import os
import shutil
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, distribution

from laneway import __version__

EXTRAS = "laneway[hub,example]"
RUNNERS = (("uv", ("tool", "run", "--from")), ("pipx", ("run", "--spec")))
"""Programs that run a command in an environment of its own, and how they are told what is in it."""

IS_BORROWED = "_LANEWAY_BORROWED"
"""Set for the command that runs in such an environment: what is missing there stays missing."""


def borrow(command: Sequence[str]) -> str:
    """Replace this process by ``laneway COMMAND`` with all parts; else what to do by hand."""
    what = requirement()
    for name, words in RUNNERS:
        program = os.environ.get("UV", "") if name == "uv" else ""
        program = program or shutil.which(name) or ""
        if program and IS_BORROWED not in os.environ:
            print(f"{name} installs {what} into an environment of its own", file=sys.stderr)
            sys.stderr.flush()
            words = (*words, what, "laneway", *command)
            os.execve(program, [program, *words], {**os.environ, IS_BORROWED: "1"})  # noqa: S606 - that is the point
    return f"pip install '{what}'"


def requirement() -> str:
    """This Laneway with all that the demo needs, from where it was installed (PEP 610)."""
    try:
        direct = distribution("laneway").read_text("direct_url.json")
    except PackageNotFoundError:
        direct = None
    return f"{EXTRAS} @ {json.loads(direct)['url']}" if direct else f"{EXTRAS}=={__version__}"
