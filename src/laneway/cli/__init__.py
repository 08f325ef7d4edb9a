"""The ``laneway`` command: one module a command, imported when it is used.

`emit` and `hook` run inside other people's shells and hooks, so they are dispatched before
the framework is imported (typer alone costs ten times bare Python).
"""

import os
import sys
from collections.abc import Sequence

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NoReturn

FOUND, NOTHING, USAGE, FAILED = 0, 1, 2, 3
"""Exit codes of every command. 1 is also for a thing that is wrong, and 3 for what broke."""

HUB_HINT = 'this command needs the hub: pip install "laneway[hub]"'


def tell_missing(error: ModuleNotFoundError) -> str:
    """What to install for a module that is not there.

    Raises:
        ModuleNotFoundError: it is one of ours, which is no matter of installing.
    """
    if error.name is None or error.name.partition(".")[0] == "laneway":
        raise error
    if error.name == "orjson":
        from laneway.base.errors import ORJSON_HINT

        return ORJSON_HINT
    return HUB_HINT


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a usage error of the framework exits by itself."""
    args = list(sys.argv[1:] if argv is None else argv)
    if args[:1] == ["emit"]:
        from laneway.cli.emit import run as run_emit

        code = run_emit(args[1:])
        return code if argv is not None else _leave(code)
    if args[:1] == ["hook"]:
        from laneway.cli.hook import run as run_hook

        code = run_hook(args[2:] if args[1:2] == ["claude-code"] else args[1:])
        return code if argv is not None else _leave(code)
    if args in (["--version"], ["-V"]):
        from laneway import __version__

        print(f"laneway {__version__}")
        return FOUND
    try:
        from laneway.cli.app import run
    except ModuleNotFoundError as error:
        hint = tell_missing(error)
        if args[:1] == ["demo"]:
            from laneway.cli.borrow import borrow

            print(f"the demo needs more than the logging call: {borrow(args)}", file=sys.stderr)
        else:
            print(hint, file=sys.stderr)
        return FAILED
    return run(args)


def _leave(code: int) -> "NoReturn":
    """End at once: taking the interpreter apart costs a tenth of `emit`, and a shipper that still
    waits for the hub would hold up somebody's hook. What is recorded is on disk."""
    try:
        sys.stdout.flush()
    except OSError:  # nobody reads it any more
        pass
    os._exit(code)
