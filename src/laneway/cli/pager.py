"""Long answers through ``$PAGER``, where somebody sits at a terminal."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOBase
from typing import TextIO, cast

from laneway.cli import FOUND
from laneway.cli.terminal import Terminal, hide_stdout

DEFAULT = "less"

LESS = "FRX"
"""For less: leave at once what fits the screen, show colours, leave the text on the screen at the end."""

LINES = 24


@contextmanager
def paged() -> Iterator[Terminal]:
    """The terminal for an answer: what exceeds the screen goes to the pager. In a pipe, stdout itself.

    Leaving the pager early ends the command, and well.
    """
    plain = Terminal()
    command = pager_command() if plain.is_tty else []
    if not command:
        yield plain
        return
    stream = _Paged(command)
    try:
        yield Terminal(cast(TextIO, stream))
        stream.end()
    except BrokenPipeError:  # seen enough
        stream.leave()
        raise SystemExit(FOUND) from None
    except BaseException:
        stream.end()
        raise


def pager_command() -> list[str]:
    """``$PAGER`` as it would be run; empty where it is empty, ``cat``, or not there."""
    try:
        command = shlex.split(os.environ.get("PAGER", DEFAULT))
    except ValueError:
        return []
    if not command or command[0] == "cat" or os.environ.get("TERM") == "dumb":
        return []
    if os.path.basename(command[0]) == "less":
        command.append("-R")  # whatever LESS says: colours are no riddles
    return command if shutil.which(command[0]) else []


class _Paged(TextIOBase):
    """Keeps what is written until it exceeds the screen; then, and from then on, the pager has it."""

    def __init__(self, command: list[str]) -> None:
        self._command = command
        self._kept: list[str] = []
        self._rows_left = shutil.get_terminal_size((80, LINES)).lines - 1
        self._pager: subprocess.Popen[str] | None = None

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        if self._pager is None:
            self._kept.append(text)
            self._rows_left -= text.count("\n")
            if self._rows_left >= 0:
                return len(text)
            self._start()
            text, self._kept = "".join(self._kept), []
        (self._pager.stdin if self._pager and self._pager.stdin else sys.stdout).write(text)
        return len(text)

    def flush(self) -> None:
        if self._pager and self._pager.stdin:
            self._pager.stdin.flush()

    def end(self) -> None:
        """Show what is left and wait until the reader has seen enough."""
        if self._pager is None:
            sys.stdout.write("".join(self._kept))
            sys.stdout.flush()
            self._kept = []
            return
        try:
            self._pager.stdin.close()  # type: ignore[union-attr]
        except BrokenPipeError:
            pass
        self._wait()

    def leave(self) -> None:
        if self._pager is None:
            hide_stdout()
            return
        with suppress(BrokenPipeError):
            self._pager.stdin.close()  # type: ignore[union-attr]
        self._wait()

    def _start(self) -> None:
        less = {"LESS": os.environ.get("LESS", LESS), "LV": os.environ.get("LV", "-c")}
        try:
            self._pager = subprocess.Popen(  # noqa: S603 - what the user named
                self._command,
                stdin=subprocess.PIPE,
                text=True,
                encoding="utf-8",
                errors="backslashreplace",
                env={**os.environ, **less},
            )
        except OSError:  # not to be run: as if there were none
            self._rows_left = sys.maxsize

    def _wait(self) -> None:
        """Ctrl-C is for the pager, which may search with it."""
        assert self._pager
        while True:
            try:
                self._pager.wait()
                return
            except KeyboardInterrupt:
                continue
