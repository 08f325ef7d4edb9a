"""``laneway run -- COMMAND…``: a command as it always runs; output, exit code and duration are recorded."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter_ns
from typing import Annotated, Any

import typer

from laneway.base.errors import LanewayError
from laneway.base.ids import new_span_id, new_trace_id
from laneway.cli.mcp_tap import passing_signals
from laneway.sdk.api import flush, log_event

CHUNK_BYTES = 64 * 1024
LINE_BYTES = 64 * 1024
"""A longer line is several events: a progress bar may never end its line."""

ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
"""Colours and cursor movements: for the terminal, not for the record."""

NOT_FOUND = 127
"""What shells answer for a command that is not there."""

Say = Callable[..., object]


def command(
    words: Annotated[list[str], typer.Argument(metavar="-- COMMAND", help="What to run.")],
    agent: Annotated[
        str, typer.Option("--agent", metavar="NAME", help="The lane; else the command's name.")
    ] = "",
    session: Annotated[
        str, typer.Option("--session", metavar="ID", help="The session it belongs to.")
    ] = "",
    no_output: Annotated[bool, typer.Option("--no-output", help="Record no output lines.")] = False,
) -> None:
    """Run a command, and record its start, its output line by line, its exit code and its duration.

    It keeps its terminal, its input, its signals and its exit code; what it prints passes on at once.
    """
    name = agent or Path(words[0]).name
    trace_id, span_id = new_trace_id(), new_span_id()
    shared: dict[str, Any] = {"trace_id": trace_id, **({"session_id": session} if session else {})}
    log_event(
        name,
        "process_start",
        " ".join(words),
        span_id=span_id,
        name=words[0],
        cwd=str(Path.cwd()),
        **shared,
    )
    begun_ns = perf_counter_ns()
    env = {"LANEWAY_AGENT": name, **os.environ, "TRACEPARENT": f"00-{trace_id}-{span_id}-01"}

    def say(stream: str, line: str) -> None:
        if not no_output and line.strip():
            log_event(name, "log", line, parent_span_id=span_id, stream=stream, **shared)

    try:
        run = in_terminal if sys.stdout.isatty() and os.name == "posix" else in_pipes
        code = run(words, env, say)
    except OSError as error:
        message = f"{words[0]}: {error.strerror}"
        log_event(name, "process_end", message, span_id=span_id, exit_code=NOT_FOUND, level="error",
                  error={"type": type(error).__name__, "message": message}, **shared)  # fmt: skip
        failure = LanewayError(message)
        flush(2)
        raise failure from error
    failed = (
        {"level": "error", "error": {"type": "exit_code", "message": f"exit code {code}"}}
        if code
        else {}
    )
    log_event(name, "process_end", f"exit code {code}", span_id=span_id, name=words[0], exit_code=code,
              duration_ms=round((perf_counter_ns() - begun_ns) / 1e6, 3), **failed, **shared)  # fmt: skip
    flush(2)
    raise typer.Exit(code)


def in_pipes(words: list[str], env: dict[str, str], say: Say) -> int:
    """Output and errors each through a pipe of its own."""
    process = subprocess.Popen(words, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)  # noqa: S603
    assert process.stdout
    assert process.stderr
    pumps = [
        threading.Thread(target=copy, args=(source.fileno(), target, Lines(say, stream)))
        for source, target, stream in ((process.stdout, 1, "stdout"), (process.stderr, 2, "stderr"))
    ]
    with passing_signals(process):
        for pump in pumps:
            pump.start()
        for pump in pumps:
            pump.join()
        code = process.wait()
    process.stdout.close()
    process.stderr.close()
    return code if code >= 0 else 128 - code


def in_terminal(words: list[str], env: dict[str, str], say: Say) -> int:
    """The command has a terminal of its own, of the size of ours, and what is typed goes to it raw."""
    import fcntl
    import pty
    import signal
    import termios

    def resize(*_: object) -> None:
        size = fcntl.ioctl(1, termios.TIOCGWINSZ, b"\0" * 8)
        fcntl.ioctl(master, termios.TIOCSWINSZ, size)

    master, slave = pty.openpty()
    resize()
    process = subprocess.Popen(  # noqa: S603
        words, env=env, stdin=slave, stdout=slave, stderr=slave, preexec_fn=_take_terminal
    )
    os.close(slave)
    before = signal.signal(signal.SIGWINCH, resize)
    lines = Lines(say, "terminal")
    try:
        with passing_signals(process), raw_input():
            threading.Thread(target=copy, args=(0, master, None), daemon=True).start()
            copy(master, 1, lines)
            code = process.wait()
    finally:
        signal.signal(signal.SIGWINCH, before)
        os.close(master)
    return code if code >= 0 else 128 - code


def _take_terminal() -> None:
    """In the child: its terminal is the one that it got, so that Ctrl-C typed there is a signal to it."""
    import fcntl
    import termios

    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


@contextmanager
def raw_input() -> Any:
    """Our own terminal hands over every key as it is."""
    import termios
    import tty

    if not sys.stdin.isatty():
        yield
        return
    before = termios.tcgetattr(0)
    tty.setraw(0)
    try:
        yield
    finally:
        termios.tcsetattr(0, termios.TCSADRAIN, before)


class Lines:
    """Bytes as they come, put together into lines."""

    def __init__(self, say: Say, stream: str) -> None:
        self._say = say
        self._stream = stream
        self._rest = b""

    def add(self, data: bytes) -> None:
        *lines, self._rest = (self._rest + data).split(b"\n")
        for line in lines:
            self._tell(line)
        while len(self._rest) > LINE_BYTES:
            self._tell(self._rest[:LINE_BYTES])
            self._rest = self._rest[LINE_BYTES:]

    def end(self) -> None:
        if self._rest:
            self._tell(self._rest)

    def _tell(self, line: bytes) -> None:
        text = ESCAPES.sub("", line.decode("utf-8", "replace")).rstrip("\r")
        self._say(self._stream, text.rpartition("\r")[2])  # a bar that was drawn over and over


def copy(source: int, target: int, lines: Lines | None) -> None:
    """Pass bytes on until there are no more, whether or not anybody reads them."""
    while True:
        try:
            data = os.read(source, CHUNK_BYTES)
        except OSError:  # a terminal whose last user has gone
            data = b""
        if not data:
            break
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(target, view) :]
        except OSError:  # nobody reads it any more; it is recorded all the same
            pass
        if lines is not None:
            lines.add(data)
    if lines is not None:
        lines.end()
