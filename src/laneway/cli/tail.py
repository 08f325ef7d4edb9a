"""``laneway tail``: the log as it grows, straight from its files, with or without a hub."""

import sys
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, NamedTuple

import typer

from laneway.base.errors import EventError, SettingError
from laneway.base.settings import resolve
from laneway.cli import option
from laneway.cli.backlog import Positions, end_positions, last_lines
from laneway.cli.escape import escape_json
from laneway.cli.line import Layout
from laneway.cli.match import Match, parse_grep, parse_levels
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.log.tail import Tail
from laneway.model.wire import decode_line

WAIT_S = 1.0
"""The tail looks by itself many times a second; this bounds how long Ctrl-C may take on Windows."""


class Seen(NamedTuple):
    """One line of the log: ``event`` is None where it is none, and ``reason`` says why."""

    ts_ns: int
    event: dict[str, Any] | None
    raw: bytes
    reason: str = ""


def command(
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", "-f", help="Go on with what comes.")
    ] = True,
    lines: Annotated[
        int, typer.Option("--lines", "-n", min=0, help="Begin with this many events.")
    ] = 50,
    agent: option.Agents = None,
    not_agent: option.NotAgents = None,
    event: option.Events = None,
    not_event: option.NotEvents = None,
    session: option.Sessions = None,
    tool: option.Tools = None,
    level: option.Levels = None,
    grep: option.Grep = None,
    as_json: option.Json = False,
    raw: Annotated[
        bool, typer.Option("--raw", help="The lines as they stand in the log; not to a terminal.")
    ] = False,
    full: option.Full = False,
    utc: option.Utc = False,
    log: option.Log = None,
) -> None:
    """Follow the log, live, one line an event; Ctrl-C ends it.

    It reads the log's files, so it needs no hub. What an event holds cannot play tricks on the
    terminal: control characters are shown as \\x1b, \\u202e and so on.
    """
    match = Match(
        agents=option.as_tuple(agent),
        not_agents=option.as_tuple(not_agent),
        events=option.as_tuple(event),
        not_events=option.as_tuple(not_event),
        sessions=option.as_tuple(session),
        tools=option.as_tuple(tool),
        levels=parse_levels(option.as_tuple(level)),
        grep=parse_grep(grep),
    )
    terminal = Terminal()
    if raw and terminal.is_tty:
        raise SettingError(
            "--raw: the lines may hold control characters, and this is a terminal",
            hint="pipe it into a file or a program, or use --json",
        )
    log_path = LogPath.parse(resolve({"log_path": log}).log_path)
    printer = Printer(
        Layout(terminal, is_utc=utc), form="raw" if raw else "json" if as_json else "", is_full=full
    )
    try:
        watch(log_path, match, printer, lines, follow)
    except KeyboardInterrupt:
        terminal.print(*([""] if terminal.is_tty else []))


def watch(log_path: LogPath, match: Match, printer: "Printer", count: int, follow: bool) -> None:
    positions = end_positions(log_path)
    printer.print(backlog(log_path, positions, match, count))
    if not follow:
        return
    if not positions:
        _say_waiting(log_path)
    tail = Tail(log_path, positions)
    try:
        for seen in iter_live(tail, match):
            printer.print(seen)
    finally:
        tail.close()


def backlog(log_path: LogPath, positions: Positions, match: Match, count: int) -> list[Seen]:
    """The last ``count`` events that match, oldest first."""
    if not count:
        return []

    def pick(line: bytes) -> Seen | None:
        seen = read_line(line)
        return seen if _is_wanted(seen, match) else None

    found = last_lines(log_path, positions, count, pick)
    found.reverse()  # equal times stay in the order of the file
    return in_order(found)[-count:]


def iter_live(tail: Tail, match: Match) -> Iterator[list[Seen]]:
    """What comes, in order of time within one look at the files."""
    while True:
        tail.wait(WAIT_S)
        chunks = tail.poll()
        fresh = [read_line(line) for chunk in chunks for _, line in chunk.lines]
        wanted = [seen for seen in fresh if _is_wanted(seen, match)]
        if wanted:
            yield in_order(wanted)


def in_order(found: list[Seen]) -> list[Seen]:
    """By time; a line that is no event, and so has none, stays behind the one before it."""
    last_ns = 0
    timed: list[tuple[int, Seen]] = []
    for seen in found:
        last_ns = seen.ts_ns if seen.event is not None else last_ns
        timed.append((last_ns, seen))
    return [seen for _, seen in sorted(timed, key=lambda pair: pair[0])]


def read_line(line: bytes) -> Seen:
    try:
        event, ts_ns = decode_line(line)
    except EventError as error:
        return Seen(0, None, line, str(error))
    return Seen(ts_ns, dict(event), line)


def _is_wanted(seen: Seen, match: Match) -> bool:
    """A line that is no event is shown to whoever asked for everything."""
    return match == Match() if seen.event is None else match.accepts(seen.event)


class Printer:
    """Writes events in one of three forms: ``""`` (lines for people), ``"json"``, ``"raw"``."""

    def __init__(self, layout: Layout, *, form: str, is_full: bool) -> None:
        self.layout = layout
        self.form = form
        self.is_full = is_full

    def print(self, seen: Iterable[Seen]) -> None:
        if self.form == "raw":
            sys.stdout.buffer.write(b"".join(item.raw + b"\n" for item in seen))
            sys.stdout.buffer.flush()
            return
        self.layout.terminal.write(line for item in seen for line in self._lines(item))

    def _lines(self, item: Seen) -> Iterator[str]:
        if self.form == "json":
            if item.event is not None:
                yield to_json(item.event)
        elif item.event is None:
            yield self.layout.broken_line(item.raw, item.reason)
        else:
            day = self.layout.day_line(item.ts_ns)
            if day:
                yield day
            yield self.layout.line(item.event, item.ts_ns)
            if self.is_full:
                yield from self.layout.full_lines(item.event)


def to_json(event: dict[str, Any]) -> str:
    """One line of JSON that is safe to look at."""
    import orjson

    return escape_json(orjson.dumps(event).decode())


def _say_waiting(log_path: LogPath) -> None:
    """An empty log is where everybody begins: say what is watched, and how to see something."""
    terminal = Terminal(sys.stderr)
    terminal.print(
        terminal.paint(
            f"{log_path.directory} holds no events yet; waiting. Try, elsewhere:", "dim"
        ),
        f'  laneway emit me hello "is this on?" --log {log_path.directory}',
    )
