"""One session from its beginning: what was said, wrapped, and the work between, a line an event."""

import textwrap
from collections.abc import Iterator
from typing import Any

from laneway.base.settings import Settings
from laneway.base.words import number_of
from laneway.cli.amount import count_of, show_cost, show_count, show_duration
from laneway.cli.escape import escape
from laneway.cli.line import Layout, Part, as_prose, crop, to_json
from laneway.cli.sessions import STATES, show_moment
from laneway.cli.side import put_back_from, side_reader
from laneway.cli.table import flow, paint
from laneway.cli.terminal import Terminal
from laneway.model.moment import parse_timestamp_ns

SAID = frozenset({"user_message", "agent_response"})
"""Types of events whose text is the conversation itself."""

SAID_LINES = 12
"""Of what somebody said; ``--full`` shows the rest."""

SAID_CELLS = 100
"""Longer lines are hard to read."""

INDENT = "          "


def print_session(
    session: dict[str, Any],
    events: list[dict[str, Any]],
    terminal: Terminal,
    *,
    form: str,
    settings: Settings,
    is_utc: bool,
) -> None:
    """``form``: ``json``, ``jsonl``, ``full``, or nothing for a person who wants an overview."""
    if form == "json":
        terminal.print(to_json({**session, "log": events}))
    elif form == "jsonl":
        terminal.write(map(to_json, events))
    else:
        if form:
            read = side_reader(settings)
            events = [put_back_from(read, event) for event in events]
        layout = Layout(terminal, is_utc=is_utc)
        terminal.write(_lines(session, events, layout, is_full=bool(form)))


def _lines(
    session: dict[str, Any], events: list[dict[str, Any]], layout: Layout, *, is_full: bool
) -> Iterator[str]:
    terminal = layout.terminal
    yield from (paint(terminal, line) for line in _head(session, terminal, layout.is_utc))
    left_out = session["events"] - len(events)
    if left_out > 0:
        yield terminal.paint(f"{INDENT}… {left_out:,} earlier events; --limit shows more", "dim")
    layout.widen(events)
    was_said, is_first = False, True
    for event in events:
        is_said = event["event"] in SAID and bool(event.get("content"))
        ts_ns = parse_timestamp_ns(event["timestamp"])
        day = layout.day_line(ts_ns)
        if (is_said or was_said) and not is_first:
            yield ""
        if day:
            yield day
        was_said, is_first = is_said, False
        if is_said:
            yield layout.line({name: event[name] for name in event if name != "content"}, ts_ns)
            yield from _said(event["content"], layout, is_full=is_full)
            continue
        yield layout.line(event, ts_ns)
        if is_full:
            yield from layout.full_lines(event)


def _head(session: dict[str, Any], terminal: Terminal, is_utc: bool) -> Iterator[list[Part]]:
    mark, style = STATES[session["state"]]
    name, title = escape(session["name"]), escape(session["title"])
    room = terminal.width - len(name) - len(session["state"]) - 6
    title = crop(title, max(room, 20)) if terminal.is_tty else title
    yield [
        (name, "bold"),
        ("  ", ""),
        (f"{mark} {session['state']}", style),
        ("  ", ""),
        (title, ""),
    ]
    tokens = session["input_tokens"] + session["output_tokens"]
    facts: list[Part] = [
        (
            f"{show_moment(session['first'], is_utc=is_utc)}, {show_duration(session['duration_ms'])}",
            "",
        ),
        (count_of(session["events"], "event"), ""),
        (count_of(session["errors"], "error"), "red" if session["errors"] else "dim"),
    ]
    if tokens:
        counts = show_count(session["input_tokens"]), show_count(session["output_tokens"])
        facts.append((f"{counts[0]}→{counts[1]} tokens", ""))
    if session["cost_usd"]:
        facts.append((show_cost(session["cost_usd"]), ""))
    width = terminal.width if terminal.is_tty else 0
    yield from flow([[fact] for fact in facts], width)
    agents = map(escape, session["agents"])
    yield from flow([[(agent, terminal.agent_style(agent))] for agent in agents], width, 2)
    yield []


def _said(content: object, layout: Layout, *, is_full: bool) -> Iterator[str]:
    """What was said, wrapped to the window."""
    terminal = layout.terminal
    cells = min(terminal.width, SAID_CELLS) - len(INDENT) - 2
    rail = INDENT + terminal.paint("│", "dim") + " "
    lines = [
        part
        for line in as_prose(content).rstrip("\n").split("\n")
        for part in textwrap.wrap(escape(line), max(cells, 20), break_on_hyphens=False) or [""]
    ]
    shown = lines if is_full else lines[:SAID_LINES]
    yield from (rail + line for line in shown)
    if len(lines) > len(shown):
        more = f"+{number_of(len(lines) - len(shown), 'line')}; --full shows all"
        yield rail + terminal.paint(more, "dim")
