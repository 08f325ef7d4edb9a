"""``laneway sql``: the log as a table, asked in SQL by DuckDB."""

import errno
import os
import sys
from collections.abc import Iterator
from typing import Annotated, Any

import typer

from laneway.base.errors import QueryError
from laneway.base.limits import BODY_BYTES
from laneway.base.settings import resolve
from laneway.cli import NOTHING, option
from laneway.cli.backlog import log_files, readable_files, say_unreadable
from laneway.cli.escape import escape, escape_json
from laneway.cli.pager import paged
from laneway.cli.table import Column, count_fitting, show
from laneway.cli.terminal import Terminal
from laneway.log.segment import PACKED, LogPath
from laneway.sinks.parquet import COLUMNS, load_duckdb

ROWS = 1_000
"""Of a table for people; `--jsonl` and `--csv` have no end."""

CELL_CELLS = 60
"""Of a column at most, on a terminal."""

UNCROPPED = 1 << 62

READING = ("SELECT", "EXPLAIN", "RELATION")
"""Statement types; `describe` and `show` are SELECT there. A COPY could write over the log."""

Row = tuple[Any, ...]


def command(
    statement: Annotated[
        str,
        typer.Argument(metavar="SELECT", help="One SQL statement; `-` reads it from the input."),
    ],
    as_lines: Annotated[bool, typer.Option("--jsonl", help="A JSON object for each row.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="As CSV.")] = False,
    log: option.Log = None,
) -> None:
    """Ask the log in SQL: table `events` has a column for each field, `lines` the whole events as JSON.

    It reads the log's files, compressed ones too, and needs `pip install "laneway[sql]"`. An event that
    was sent twice stands there twice; fields of your own are in `lines`: json->>'$.customer'.
    """
    if as_lines and as_csv:
        raise QueryError("--jsonl and --csv: choose one")
    text = sys.stdin.read() if statement == "-" else statement
    log_path = LogPath.parse(resolve({"log_path": log}).log_path)
    say_unreadable(log_path)
    with connect(log_path) as connection:
        names, rows = _run(connection, text)
        if as_csv:
            count = _print_csv(names, rows)
        else:
            write = _print_lines if as_lines else _print_table
            with paged() as terminal:
                count = write(names, rows, terminal)
    if not count:
        raise typer.Exit(NOTHING)


def connect(log_path: LogPath) -> Any:
    """A DuckDB connection with the views `events` and `lines`. It reaches the log's files and no others.

    Raises:
        LanewayError: DuckDB is not installed.
        LogError: there is no log that may be read.
    """
    duckdb = load_duckdb()
    paths = [_form_of(log_path.directory, name) for name in sorted(readable_files(log_path))]
    if not paths:
        shut = PermissionError(errno.EACCES, "none of its files may be read")
        raise log_path.explain(shut if log_files(log_path) else None)
    connection = duckdb.connect()
    how = {"format": "newline_delimited", "maximum_object_size": BODY_BYTES, "filename": True}
    options = ", ".join(f"{name} = {value!r}" for name, value in how.items())
    columns = {name: kind for name, kind in COLUMNS.items() if name not in ("seq", "more")}
    rows = f"read_json({paths}, {options}, columns = {columns}, ignore_errors = true)"
    objects = f"read_json_objects({paths}, {options}, ignore_errors = true)"
    segment = "parse_filename(filename) AS segment"
    connection.execute("SET autoinstall_known_extensions = false")  # nothing leaves the machine
    connection.execute("SET TimeZone = 'UTC'")
    connection.execute(f"CREATE VIEW events AS SELECT * EXCLUDE filename, {segment} FROM {rows}")  # noqa: S608
    connection.execute(f"CREATE VIEW lines AS SELECT json, {segment} FROM {objects}")  # noqa: S608
    connection.execute(f"SET allowed_paths = {paths}")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")
    return connection


def _form_of(directory: str, name: str) -> str:
    """The file that holds a segment: while it is being compressed there are two, and the plain one counts."""
    path = os.path.join(directory, name)
    return path if os.path.exists(path) else path + PACKED


def _run(connection: Any, text: str) -> tuple[list[str], Iterator[Row]]:
    """Column names, and rows as they come.

    Raises:
        QueryError: DuckDB does not take the statement.
    """
    duckdb = load_duckdb()
    try:
        statements = duckdb.extract_statements(text)
        if len(statements) != 1 or statements[0].type.name not in READING:
            raise QueryError("one statement that reads is wanted", hint="select, describe, explain")
        found = connection.execute(statements[0])
        names = [column[0] for column in found.description or ()]
    except duckdb.Error as error:
        raise _explain(error, "tables: events, lines; `describe events`") from None
    return names, _iter_rows(found, duckdb)


def _iter_rows(found: Any, duckdb: Any) -> Iterator[Row]:
    try:
        while batch := found.fetchmany(1_000):
            yield from batch
    except duckdb.Error as error:
        raise _explain(error) from None


def _explain(error: Exception, hint: str = "") -> QueryError:
    """DuckDB's own words in one line, and the place in the statement beneath, where it tells one."""
    message, _, place = str(error).partition("\n\n")
    if not place.startswith("LINE "):
        return QueryError(str(error), hint=hint)
    return QueryError(message, hint="\n".join([hint, *(f"  {line}" for line in place.split("\n"))]))


def _print_lines(names: list[str], rows: Iterator[Row], terminal: Terminal) -> int:
    from orjson import OPT_UTC_Z, dumps

    count = 0
    for row in rows:
        count += 1
        encoded = dumps(dict(zip(names, row, strict=True)), default=str, option=OPT_UTC_Z)
        terminal.stream.write(escape_json(encoded.decode()) + "\n")
    return count


def _print_csv(names: list[str], rows: Iterator[Row]) -> int:
    from laneway.sinks.csv import to_row

    count = 0
    sys.stdout.buffer.write(to_row(names))
    for row in rows:
        count += 1
        sys.stdout.buffer.write(to_row(row))
    sys.stdout.buffer.flush()
    return count


def _print_table(names: list[str], rows: Iterator[Row], terminal: Terminal) -> int:
    """Numbers at the right; on a terminal the first columns that have room in its window."""
    shown = [row for row, _ in zip(rows, range(ROWS), strict=False)]
    has_more = next(rows, None) is not None
    most = CELL_CELLS if terminal.is_tty else UNCROPPED
    columns = [
        Column(escape(name), is_right=_is_numeric(shown, place), least=8, most=most, worth=-place)
        for place, name in enumerate(names)
    ]
    cells = [[(_cell(value), "") for value in row] for row in shown]
    show(terminal, columns, cells)
    fitting = count_fitting(columns, cells, terminal.width if terminal.is_tty else 0)
    parts = [f"the first {ROWS:,} rows"] if has_more else []
    parts += [f"{fitting} of {len(names)} columns"] if fitting < len(names) else []
    if parts:
        told = " and ".join(parts)
        Terminal(sys.stderr).print(f"only {told} are shown; --jsonl and --csv write all")
    return len(shown)


def _is_numeric(rows: list[Row], place: int) -> bool:
    return bool(rows) and all(isinstance(row[place], (int, float, type(None))) for row in rows)


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.6g}"
    if hasattr(value, "isoformat"):
        return str(value.isoformat()).replace("+00:00", "Z")
    return escape(str(value))
