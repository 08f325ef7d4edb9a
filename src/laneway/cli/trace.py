"""``laneway trace``: one trace as a waterfall."""

import re
from contextlib import closing
from typing import TYPE_CHECKING, Annotated, Any

import typer

from laneway.base.errors import QueryError, quote
from laneway.base.settings import resolve
from laneway.cli import NOTHING, option
from laneway.cli.pager import paged
from laneway.cli.query import choose_source, say_nothing
from laneway.store.query.expr import (
    Equal,
    Expr,
    Glob,
    Has,
    Value,
    all_of,
    any_of,
    is_one_of,
    negate,
)
from laneway.store.query.field import ID, SPAN, TRACE
from laneway.store.query.write import write

if TYPE_CHECKING:
    from laneway.reader.source import Source

NAMED = 5
"""Traces that are named where an abbreviated id may mean several."""

ABBREVIATED = re.compile(r"[0-9A-Za-z][\w.-]{3,}")
"""Shorter beginnings are not looked for: they mean everything."""

W3C = re.compile(r"[0-9A-Fa-f]{32}")
"""Stored in small letters."""


def command(
    name: Annotated[
        str,
        typer.Argument(
            metavar="ID",
            help="Of a trace, of a span, or of an event in it; the beginning will do; @17 is number 17.",
        ),
    ],
    events: Annotated[
        bool, typer.Option("--events", help="Also a line for each event within a span.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    utc: option.Utc = False,
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """Show a trace as a waterfall: its spans as a tree, each with a bar on one scale of time.

    A bar in red failed, a dashed one is open; ◆ is an event within a span, ✗ a failure. It asks the
    running hub; without one it reads the index itself. Exits with 1 if there is no such trace.
    """
    from laneway.cli.line import to_json
    from laneway.cli.table import paint
    from laneway.cli.waterfall import waterfall

    settings = resolve({"log_path": log, "host": host, "port": port})
    with closing(choose_source(settings)) as source:
        found = find_trace(source, name.strip().removesuffix("…"))
    with paged() as terminal:
        if found is None:
            say_nothing(
                "there is no such trace", "`laneway query has:trace` finds events of traces"
            )
            raise typer.Exit(NOTHING)
        if as_json:
            terminal.print(to_json(found))
            return
        picture = waterfall(found, terminal, is_utc=utc, lists_events=events)
        terminal.write(paint(terminal, line) for line in picture)


def find_trace(source: "Source", name: str) -> dict[str, Any] | None:
    """The trace that has this id, or a span or event with it; else with an id that begins so.

    Raises:
        QueryError: it may mean several, or an event that belongs to no trace.
    """
    if name.startswith("@"):
        return _trace_of(source, list(source.iter_one(name)), name)
    found = source.trace(name.lower() if W3C.fullmatch(name) else name)
    if found is not None:
        return found
    exact = any_of(is_one_of(field, (name,)) for field in (SPAN, ID))
    found = _trace_of(source, _events(source, exact), name)
    if found is None and ABBREVIATED.fullmatch(name):
        return _trace_of_beginning(source, name)
    return found


def _trace_of_beginning(source: "Source", name: str) -> dict[str, Any] | None:
    """The log itself is read for this, newest first, and only as far as the time of a query goes."""
    begins = any_of(Value(field, (Glob(f"{name}*"),)) for field in (TRACE, SPAN, ID))
    traces: list[str] = []
    while len(traces) < NAMED:
        others = [negate(Value(TRACE, tuple(map(Equal, traces))))] if traces else []
        where = all_of([begins, Has(TRACE), *others])
        events, is_complete, _ = source.page([("q", write(where))], 1)
        if not events and not is_complete and not traces:
            raise QueryError(
                f"{quote(name)}: no trace begins so, as far back as there was time to look",
                hint="a whole id is found at once",
            )
        if not events:
            break
        traces.append(events[0]["trace_id"])
    if len(traces) > 1:
        raise QueryError(
            f"{quote(name)} may mean several traces", hint=f"newest: {', '.join(traces)}"
        )
    return source.trace(traces[0]) if traces else None


def _trace_of(source: "Source", events: list[dict[str, Any]], name: str) -> dict[str, Any] | None:
    if not events:
        return None
    trace_id = events[0].get("trace_id")
    if not trace_id:
        raise QueryError(
            f"the event {quote(name)} belongs to no trace",
            hint=f"`laneway query --id {name}` shows it",
        )
    return source.trace(trace_id)


def _events(source: "Source", where: Expr) -> list[dict[str, Any]]:
    return list(source.iter_events([("q", write(where))], 1))
