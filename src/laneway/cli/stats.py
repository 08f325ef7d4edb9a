"""``laneway stats``: how much, how often wrong, how long, and what it cost."""

from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from typing import Annotated, Any

import typer

from laneway.base.clock import NS_PER_MS
from laneway.base.settings import resolve
from laneway.cli import NOTHING, option
from laneway.cli.amount import count_of, show_cost, show_count, show_duration
from laneway.cli.chart import Axis, fit_axis, sparkline
from laneway.cli.escape import escape
from laneway.cli.line import Part, crop, to_json
from laneway.cli.pager import paged
from laneway.cli.query import choose_source, filters, hint_for, say_nothing
from laneway.cli.table import Column, Line, beside, flow, lay_out, paint, width_of
from laneway.cli.terminal import Terminal
from laneway.cli.when import moment_of
from laneway.reader.tally import SUMS, gather
from laneway.store.api import FIELDS

ROWS = 10

LABEL_CELLS = 8
CHART_CELLS = 120
TREND_CELLS = (8, 40)
"""A sparkline of a row, at least and at most."""

SIDE_BY_SIDE = 160
"""From this width on, two tables stand side by side."""

VALUE = Column("", least=12, most=32)
NUMBERS = {
    "events": Column("EVENTS", is_right=True),
    "errors": Column("ERR", is_right=True),
    "p50_ms": Column("P50", is_right=True, worth=6),
    "p95_ms": Column("P95", is_right=True, worth=7),
    "p99_ms": Column("P99", is_right=True, worth=5),
    "input_tokens": Column("TOK IN", is_right=True, worth=4),
    "output_tokens": Column("TOK OUT", is_right=True, worth=4),
    "cost_usd": Column("COST", is_right=True, worth=8),
}

USUAL = {
    "agent": ("events", "errors", "input_tokens", "output_tokens", "cost_usd"),
    "event": ("events", "errors", "p50_ms", "p95_ms", "p99_ms"),
    "tool": ("events", "errors", "p50_ms", "p95_ms", "p99_ms"),
    "model": tuple(NUMBERS),
}
"""Columns of the tables that nobody asked for by name; ``--by`` shows all that is there."""


def command(
    words: option.Words = None,
    by: Annotated[
        list[str] | None,
        typer.Option(
            "--by",
            metavar="FIELD",
            help=f"A table by this field: {', '.join(FIELDS)}, or attr.NAME; repeatable. "
            f"Without it: {', '.join(USUAL)}.",
            autocompletion=option.complete((*FIELDS, "attr.")),
        ),
    ] = None,
    since: option.Since = "",
    until: option.Until = "",
    limit: Annotated[
        int, typer.Option("--limit", "-n", metavar="N", min=1, max=1000, help="Rows of each table.")
    ] = ROWS,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    utc: option.Utc = False,
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """Count events, errors, durations, tokens and costs: laneway stats 'agent:coder since:1d' --by tool

    It asks the running hub; without one it reads the index itself. Exits with 1 if nothing was found.
    Percentiles are within 1 %.
    """
    settings = resolve({"log_path": log, "host": host, "port": port})
    pairs = filters(words, since, until, is_utc=utc)
    with closing(choose_source(settings)) as source:
        found = gather(source, pairs, tuple(dict.fromkeys(by or USUAL)), limit)
    with paged() as terminal:
        if as_json:
            terminal.print(to_json(found))
        elif found["events"]:
            lines = _lines(found, terminal, is_utc=utc, is_usual=not by)
            terminal.write(paint(terminal, line) for line in lines)
    if not found["events"]:
        say_nothing("nothing to count", hint_for(pairs))
        raise typer.Exit(NOTHING)


def _lines(
    found: dict[str, Any], terminal: Terminal, *, is_utc: bool, is_usual: bool
) -> Iterator[Line]:
    width = terminal.width
    yield from flow(list(_totals(found)), width)
    if found["accuracy"] == "at_least":
        yield [("at least: the time was over before all was counted; narrow the query", "yellow")]
    yield []
    yield from _chart(found, width, is_utc)
    is_wide = width >= SIDE_BY_SIDE
    room = (width - 4) // 2 if is_wide else width
    tables = [
        table
        for field, part in found["by"].items()
        if (table := _table(field, part, found, room, terminal, is_usual))
    ]
    while tables:
        table = tables.pop(0)
        yield []
        yield from (beside(table, tables.pop(0), room) if is_wide and tables else table)


def _totals(found: dict[str, Any]) -> Iterator[Line]:
    events, errors = found["events"], found["errors"]
    yield [(f"{events:,}", "bold"), (f" event{'s' * (events != 1)}", "")]
    share = f"{errors / events:.1%}" if errors * 1_000 >= events else "<0.1%"
    yield [(f"{errors:,} failed ({share})", "red") if errors else ("none failed", "dim")]
    yield [(count_of(found["agents"], "agent"), "")]
    yield [(count_of(found["sessions"], "session"), "")]
    if found["input_tokens"] or found["output_tokens"]:
        told = (show_count(found[name]) if found[name] else "0" for name in SUMS[:2])
        yield [(f"{'→'.join(told)} tokens", "")]
    if found["cost_usd"]:
        yield [(show_cost(found["cost_usd"]), "")]


def _chart(found: dict[str, Any], width: int, is_utc: bool) -> Iterator[Line]:
    """Events and errors over time, and the scale beneath."""
    cells = min(width - LABEL_CELLS - 2, CHART_CELLS)
    axis = fit_axis(found["buckets"], found["step_ms"], cells)
    counts, errors = axis.sums(found["buckets"], 1), axis.sums(found["buckets"], 2)
    yield [("events".ljust(LABEL_CELLS), "dim"), (sparkline(counts), "cyan")]
    if any(errors):
        yield [("failed".ljust(LABEL_CELLS), "dim"), (sparkline(errors), "red")]
    scale = _scale(axis, cells, is_utc)
    step = f"a bar is {show_duration(axis.step_ms)}, the highest {count_of(max(counts), 'event')}"
    yield [(" " * LABEL_CELLS + scale, "dim")]
    yield [(crop(" " * LABEL_CELLS + step, width), "dim")]


def _scale(axis: Axis, cells: int, is_utc: bool) -> str:
    """When the chart begins and ends: the date where that is not the same day as today."""
    begin, end = (moment_of(ms * NS_PER_MS, is_utc=is_utc) for ms in (axis.start_ms, axis.end_ms))
    today = datetime.now(UTC if is_utc else None).date()
    clock = "%H:%M:%S" if axis.step_ms < 60_000 else "%H:%M"
    day = "%Y-%m-%d " if begin.date() != today else ""
    first = f"{begin:{day}{clock}}"
    last = f"{end:{day if end.date() != begin.date() else ''}{clock}}"
    if axis.steps >= len(first) + len(last) + 3:
        return first + last.rjust(axis.steps - len(first))
    return f"{first} – {last}"[:cells]


def _table(
    field: str,
    part: dict[str, Any],
    found: dict[str, Any],
    width: int,
    terminal: Terminal,
    is_usual: bool,
) -> list[Line]:
    """Columns for what the rows have, and what room is left for how it went over time."""
    values = part["values"]
    if not values:
        return [] if is_usual else [[(f"no event has {escape(field)}", "dim")]]
    names = [
        name
        for name in (USUAL[field] if is_usual else NUMBERS)
        if name in ("events", "errors") or any(value.get(name) for value in values)
    ]
    title = field.removeprefix("attr.") if field.startswith("attr.") else field
    columns = [VALUE._replace(title=escape(title).upper()), *(NUMBERS[name] for name in names)]
    rows = [[_value(field, value, terminal), *(_cell(n, value) for n in names)] for value in values]
    room = min(width - width_of(columns, rows) - 2, TREND_CELLS[1])
    if room >= TREND_CELLS[0] and any("buckets" in value for value in values):
        columns.append(Column("OVER TIME", most=room, worth=1))
        axis = fit_axis(found["buckets"], found["step_ms"], room)
        rows = [[*row, _trend(value, axis)] for row, value in zip(rows, values, strict=True)]
    lines = lay_out(columns, rows, width)
    more = part["distinct"] - len(values)
    return [*lines, [(f"… and {more:,} more; --limit shows them", "dim")]] if more > 0 else lines


def _value(field: str, value: dict[str, Any], terminal: Terminal) -> Part:
    text = escape(str(value["value"]))
    return text, terminal.agent_style(text) if field == "agent" else "bold"


def _cell(name: str, value: dict[str, Any]) -> Part:
    amount = value.get(name)
    if name == "errors":
        return show_count(amount or 0), "red" if amount else "dim"
    if amount is None:
        return "-", "dim"
    if name.endswith("_ms"):
        return show_duration(amount), ""
    return (show_cost(amount) if name == "cost_usd" else show_count(amount)), ""


def _trend(value: dict[str, Any], axis: Axis) -> Part:
    buckets = value.get("buckets", [])
    return sparkline(axis.sums(buckets, 1)) if buckets else "", "cyan"
