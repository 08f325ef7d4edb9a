"""``laneway query``: past events, from the running hub or straight from the index."""

import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING, Annotated, Any

import typer

from laneway.base.errors import QueryError
from laneway.base.settings import Settings, resolve
from laneway.base.words import number_of
from laneway.cli import NOTHING, option
from laneway.cli.line import Layout, to_json
from laneway.cli.match import parse_levels, write_words
from laneway.cli.pager import paged
from laneway.cli.side import put_back_from, side_reader
from laneway.cli.terminal import Terminal
from laneway.cli.when import to_utc
from laneway.model.moment import parse_timestamp_ns

if TYPE_CHECKING:
    from laneway.reader.source import Source


def command(
    words: option.Words = None,
    agent: option.Agents = None,
    not_agent: option.NotAgents = None,
    event: option.Events = None,
    not_event: option.NotEvents = None,
    session: option.Sessions = None,
    tool: option.Tools = None,
    level: option.Levels = None,
    trace: option.Traces = None,
    span: option.Spans = None,
    pod: option.Pods = None,
    error: option.Error = None,
    since: option.Since = "",
    until: option.Until = "",
    event_id: option.EventId = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, help="At most this many.")
    ] = 50,
    order: Annotated[
        str,
        typer.Option(
            "--order",
            metavar="newest|oldest",
            help="Which come first.",
            autocompletion=option.complete(("newest", "oldest")),
        ),
    ] = "newest",
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON array.")] = False,
    as_lines: Annotated[bool, typer.Option("--jsonl", help="As one JSON object a line.")] = False,
    as_table: Annotated[
        bool, typer.Option("--table", help="As lines for people (default).")
    ] = False,
    explains: Annotated[
        bool, typer.Option("--explain", help="Tell how it would run, and do not run it.")
    ] = False,
    full: option.Full = False,
    utc: option.Utc = False,
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """Find past events, newest first: laneway query 'agent:coder level>=error since:1d' (docs/query.md).

    It asks the running hub; without one, or with --log, it reads the index itself and brings it up
    to date first. Exits with 1 if nothing was found.

    Times are local: --since 14:05, --since "2026-11-23 08:00", --since 15m (so long ago).
    """
    if as_json + as_lines + as_table > 1:
        raise QueryError("--json, --jsonl and --table: choose one")
    settings = resolve({"log_path": log, "host": host, "port": port})
    pairs = [
        *fields(agent, not_agent, event, not_event, session, tool, level, trace, span, pod, error),
        *filters(words, since, until, is_utc=utc),
        ("order", order),
    ]
    with closing(choose_source(settings)) as source, paged() as terminal:
        layout = Layout(terminal, is_utc=utc)
        if explains:
            print_plan(source.explain(pairs[:-1]), terminal)
            return
        found = source.iter_one(event_id) if event_id else source.iter_events(pairs, limit)
        if full:
            found = map(partial(put_back_from, side_reader(settings)), found)
        if as_json:
            count = print_array(found, terminal)
        elif as_lines:
            count = print_lines(map(to_json, found), terminal)
        else:
            count = print_lines(to_lines(found, layout, is_full=full or bool(event_id)), terminal)
    if not count:
        gone = "retention may have removed it, or it is not indexed yet"
        say_nothing("nothing found", gone if event_id else hint_for(pairs[:-1]))
        raise typer.Exit(NOTHING)


def choose_source(settings: Settings) -> "Source":
    """The hub of this log or the index itself, with a bar on stderr where that takes long."""
    from laneway.cli.progress import progress
    from laneway.reader.source import open_source

    errors = Terminal(sys.stderr)
    with progress("indexing") as show:
        return open_source(settings, show, errors.print)


def print_plan(plan: dict[str, Any], terminal: Terminal) -> None:
    cost = {"index": "the index", "words": "the index, by words", "scan": "the log itself"}
    terminal.print(
        f"query     {plan['query'] or '*'}",
        f"cost      {plan['cost']}: answered from {cost[plan['cost']]}",
        f"reach     {plan['segments']} of {number_of(plan['total_segments'], 'segment')}, "
        f"{number_of(plan['events'], 'event')}, {number_of(plan['bytes'], 'byte')}",
        *(f"{'steps' if i == 0 else '':<10}{step}" for i, step in enumerate(plan["steps"])),
    )


def print_array(found: Iterable[dict[str, Any]], terminal: Terminal) -> int:
    """Valid JSON at any count, written as it comes."""
    count = 0
    for count, event in enumerate(found, 1):
        terminal.stream.write(("[\n " if count == 1 else ",\n ") + to_json(event))
    terminal.print("\n]" if count else "[]")
    return count


def print_lines(lines: Iterable[str], terminal: Terminal) -> int:
    count = 0
    for line in lines:
        count += 1
        terminal.stream.write(line + "\n")
    terminal.stream.flush()
    return count


def to_lines(found: Iterable[dict[str, Any]], layout: Layout, *, is_full: bool) -> Iterator[str]:
    found = list(found)
    layout.widen(found)
    for event in found:
        ts_ns = parse_timestamp_ns(event["timestamp"])
        day = layout.day_line(ts_ns)
        if day:
            yield day
        yield layout.line(event, ts_ns)
        if is_full:
            yield from layout.full_lines(event)


def say_nothing(message: str, hint: str) -> None:
    """To a person, not to a program: that sees the exit code."""
    if Terminal().is_tty:
        errors = Terminal(sys.stderr)
        errors.print(f"{message}; {errors.paint(hint, 'dim')}")


def hint_for(pairs: Iterable[tuple[str, str]]) -> str:
    """What to do where nothing was found by these filters."""
    if any(pairs):
        return "a longer time or fewer conditions may find more"
    return "the log is empty; `laneway emit me hello` records a first event"


def fields(
    agent: Iterable[str] | None,
    not_agent: Iterable[str] | None,
    event: Iterable[str] | None,
    not_event: Iterable[str] | None,
    session: Iterable[str] | None,
    tool: Iterable[str] | None,
    level: list[str] | None,
    trace: Iterable[str] | None,
    span: Iterable[str] | None,
    pod: Iterable[str] | None,
    error: bool | None,
) -> list[tuple[str, str]]:
    """The options that name fields, as a hub takes them."""
    return [
        *many("agent", agent),
        *many("-agent", not_agent),
        *many("event", event),
        *many("-event", not_event),
        *many("session", session),
        *many("tool", tool),
        *many("level", parse_levels(option.as_tuple(level))),
        *many("trace", trace),
        *many("span", span),
        *many("pod", pod),
        *one("error", "" if error is None else str(error).lower()),
    ]


def filters(
    words: Sequence[str] | None, since: str, until: str, *, is_utc: bool
) -> list[tuple[str, str]]:
    """A query and its times as a hub takes them."""
    return [
        *one("q", write_words(words, is_utc=is_utc)),
        *one("since", to_utc(since, is_utc=is_utc)),
        *one("until", to_utc(until, is_utc=is_utc)),
    ]


def many(name: str, values: Iterable[str] | None) -> list[tuple[str, str]]:
    return [(name, value) for value in values or ()]


def one(name: str, value: str) -> list[tuple[str, str]]:
    return [(name, value)] if value else []
