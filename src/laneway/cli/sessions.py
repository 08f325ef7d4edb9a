"""``laneway sessions``: what every session is, and one of them as it went."""

import re
from contextlib import closing
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from laneway.base.errors import QueryError, quote
from laneway.base.limits import PAGE_EVENTS
from laneway.base.settings import resolve
from laneway.cli import NOTHING, option
from laneway.cli.amount import show_cost, show_count, show_duration
from laneway.cli.escape import escape
from laneway.cli.line import to_json
from laneway.cli.pager import paged
from laneway.cli.query import (
    choose_source,
    filters,
    hint_for,
    print_array,
    print_lines,
    say_nothing,
)
from laneway.cli.table import Column, Row, show
from laneway.cli.terminal import Terminal
from laneway.cli.when import moment_of
from laneway.model.moment import parse_timestamp_ns
from laneway.store.query.expr import Expr, Glob, Value, is_one_of
from laneway.store.query.field import SESSION
from laneway.store.query.write import write

if TYPE_CHECKING:
    from laneway.reader.source import Source

SESSIONS = 50
EVENTS = 1_000
"""Of one session, the newest: more than anybody reads in one go."""

NAMED = 5
"""Sessions that are named where the beginning of an id may mean several."""

NAME = re.compile(r"[\w.@-]+")
"""One word that may be an id; the rest is a query."""

STATES = {
    "working": ("●", "green"),
    "waiting": ("?", "bold yellow"),
    "failed": ("✗", "red"),
    "idle": ("·", "dim"),
    "ended": ("✓", "dim"),
}

COLUMNS = (
    Column("STATE"),
    Column("SESSION", least=10, most=36),
    Column("START", worth=7),
    Column("DURATION", is_right=True, worth=6),
    Column("EVENTS", is_right=True, worth=5),
    Column("ERR", is_right=True),
    Column("AGENTS", is_right=True, worth=3),
    Column("TOKENS", is_right=True, worth=4),
    Column("COST", is_right=True, worth=2),
    Column("TITLE", least=16),
)


def command(
    words: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="ID | QUERY",
            help="One session, by its id or the beginning of it; or those with such events.",
            show_default=False,
        ),
    ] = None,
    since: option.Since = "",
    until: option.Until = "",
    limit: Annotated[
        int | None,
        typer.Option(
            "--limit",
            "-n",
            metavar="N",
            min=1,
            help=f"At most this many: sessions ({SESSIONS}), or events of one ({EVENTS}).",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="As one JSON array; one session as an object.")
    ] = False,
    as_lines: Annotated[
        bool, typer.Option("--jsonl", help="As one JSON object a line: sessions, or events of one.")
    ] = False,
    full: option.Full = False,
    utc: option.Utc = False,
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """List the sessions that have such events, the most recently active first; or read one.

    laneway sessions 'agent:coder has:error since:1d'; laneway sessions 01a209c5 shows how that one went.

    Counts are of the events that match; state, duration and title are of the whole session.
    """
    if as_json and as_lines:
        raise QueryError("--json and --jsonl: choose one")
    settings = resolve({"log_path": log, "host": host, "port": port})
    with closing(choose_source(settings)) as source, paged() as terminal:
        session = _find_one(source, words or [])
        if session is not None:
            if since or until:
                raise QueryError(
                    "--since and --until are for the list of sessions",
                    hint=f"`laneway query --session {session['name']}` takes them",
                )
            from laneway.cli.transcript import print_session

            events = _events_of(source, session["name"], limit or EVENTS)
            form = "json" if as_json else "jsonl" if as_lines else "full" if full else ""
            print_session(session, events, terminal, form=form, settings=settings, is_utc=utc)
            return
        pairs = filters(words, since, until, is_utc=utc)
        count = min(limit or SESSIONS, PAGE_EVENTS)
        answer = source.ask("sessions", [*pairs, ("limit", str(count))])
        found = answer["sessions"]
        if as_json:
            print_array(found, terminal)
        elif as_lines:
            print_lines(map(to_json, found), terminal)
        elif found:
            _print_table(found, terminal, is_utc=utc)
            _say_rest(answer, count, terminal)
        if not found:
            say_nothing("no sessions found", _hint(source, pairs))
            raise typer.Exit(NOTHING)


def _hint(source: "Source", pairs: list[tuple[str, str]]) -> str:
    if pairs or not list(source.iter_events([], 1)):
        return hint_for(pairs)
    return "no event has a session_id; `laneway.bind(session_id=…)` gives them one"


def _find_one(source: "Source", words: list[str]) -> dict[str, Any] | None:
    """The session that a single word names, whole or by its beginning.

    Raises:
        QueryError: several begin so.
    """
    name = words[0].removesuffix("…") if len(words) == 1 else ""
    if not NAME.fullmatch(name):
        return None
    exact = _sessions(source, is_one_of(SESSION, (name,)), 1)
    if exact:
        return exact[0]
    found = _sessions(source, Value(SESSION, (Glob(f"{name}*"),)), NAMED)
    if len(found) > 1:
        raise QueryError(
            f"{quote(name)} may mean several sessions",
            hint=f"newest: {', '.join(session['name'] for session in found)}; "
            f"""`laneway sessions 'session:{name}*'` lists all""",
        )
    return found[0] if found else None


def _sessions(source: "Source", where: Expr, limit: int) -> list[dict[str, Any]]:
    pairs = [("q", write(where)), ("limit", str(limit))]
    found: list[dict[str, Any]] = source.ask("sessions", pairs)["sessions"]
    return found


def _events_of(source: "Source", name: str, limit: int) -> list[dict[str, Any]]:
    """The newest ones, in order of time."""
    return list(source.iter_events([("session", name)], limit))[::-1]


def _print_table(found: list[dict[str, Any]], terminal: Terminal, *, is_utc: bool) -> None:
    rows = [_row(session, is_utc, terminal.is_tty) for session in found]
    told = [place for place, column in enumerate(COLUMNS) if _is_told(column, rows, place)]
    columns = [COLUMNS[place] for place in told]
    rows = [[row[place] for place in told] for row in rows]
    show(terminal, columns, rows)


def _is_told(column: Column, rows: list[Row], place: int) -> bool:
    """Costs and tokens that nobody reported need no column."""
    return column.title not in ("TOKENS", "COST") or any(row[place][0] != "-" for row in rows)


def _row(session: dict[str, Any], is_utc: bool, is_short: bool) -> Row:
    mark, style = STATES[session["state"]]
    errors, agents = session["errors"], len(session["agents"])
    return [
        (f"{mark} {session['state']}", style),
        (escape(session["name"]), "bold"),
        (show_moment(session["first"], is_utc=is_utc, is_short=is_short), "dim"),
        (show_duration(session["duration_ms"]), ""),
        (show_count(session["events"]), ""),
        (show_count(errors), "red" if errors else "dim"),
        (show_count(agents), ""),
        (show_count(session["input_tokens"] + session["output_tokens"]), ""),
        (show_cost(session["cost_usd"]), ""),
        (escape(session["title"]), ""),
    ]


def _say_rest(answer: dict[str, Any], count: int, terminal: Terminal) -> None:
    if not terminal.is_tty:
        return
    if not answer.get("scan", {}).get("complete", True):
        terminal.print(
            terminal.paint("… and perhaps more: the time was over; narrow the query", "dim")
        )
    elif len(answer["sessions"]) == count:
        terminal.print(terminal.paint(f"… the newest {count}; --limit shows more", "dim"))


def show_moment(text: str, *, is_utc: bool, is_short: bool = False) -> str:
    """``2026-11-23 12:04:33``. Short: ``12:04:33`` of today, else ``11-23 12:04``, or the date alone
    where the year is another."""
    moment = moment_of(parse_timestamp_ns(text), is_utc=is_utc)
    today = datetime.now(UTC if is_utc else None)
    if not is_short:
        return f"{moment:%Y-%m-%d %H:%M:%S}"
    if moment.date() == today.date():
        return f"{moment:%H:%M:%S}"
    return f"{moment:%m-%d %H:%M}" if moment.year == today.year else f"{moment:%Y-%m-%d}"
