"""``laneway export``: events of any query as a file that other programs open."""

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import closing
from typing import Annotated, Any, BinaryIO

import typer

from laneway.base.errors import LogError, SettingError
from laneway.base.settings import resolve
from laneway.base.words import number_of
from laneway.cli import NOTHING, option
from laneway.cli.query import choose_source, fields, filters
from laneway.cli.terminal import Terminal

FORMATS = ("jsonl", "csv", "parquet", "otlp", "perfetto")
EVERYTHING = 2**62

Events = Iterator[Mapping[str, Any]]


def command(
    words: option.Words = None,
    form: Annotated[
        str,
        typer.Option(
            "--format",
            "-F",
            metavar="FORMAT",
            help=f"What to write: {', '.join(FORMATS)}.",
            autocompletion=option.complete(FORMATS),
        ),
    ] = "jsonl",
    output: Annotated[
        str,
        typer.Option(
            "--output", "-o", metavar="FILE", help="Where to; `-` is the standard output."
        ),
    ] = "-",
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
    limit: Annotated[
        int,
        typer.Option(
            "--limit", "-n", metavar="N", min=1, help="At most this many.", show_default="all"
        ),
    ] = EVERYTHING,
    utc: option.Utc = False,
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """Write events, oldest first, as JSON lines, CSV, Parquet, OpenTelemetry (OTLP JSON) or a Perfetto trace.

    A file appears under its name when it is complete. Exits with 1 if there was nothing to write.
    """
    option.require_choice("--format", form, FORMATS)
    settings = resolve({"log_path": log, "host": host, "port": port})
    pairs = [
        *fields(agent, not_agent, event, not_event, session, tool, level, trace, span, pod, error),
        *filters(words, since, until, is_utc=utc),
        ("order", "oldest"),
    ]
    _check_output(form, output)
    with closing(choose_source(settings)) as source:
        count = _write(form, output, source.iter_events(pairs, limit))
    if output != "-":
        errors = Terminal(sys.stderr)
        errors.print(f"{number_of(count, 'event')} in {errors.paint(output, 'bold')}")
    if not count:
        raise typer.Exit(NOTHING)


def _check_output(form: str, output: str) -> None:
    """Before an hour's work, not after it."""
    if output == "-":
        if form == "parquet":
            raise SettingError(
                "--format parquet: it is no text", hint="name a file: --output events.parquet"
            )
        return
    folder = os.path.dirname(output) or "."
    if not os.path.isdir(folder) or not os.access(folder, os.W_OK):
        raise LogError(f"{output}: the folder does not exist, or cannot be written to")


def _write(form: str, output: str, events: Events) -> int:
    with Progress(beside_events=output == "-" and Terminal().is_tty) as progress:
        counted = progress.count(events)
        if output == "-":
            terminal = Terminal()
            for part in _encoder(form)(counted):
                terminal.write_data(part, is_json=form != "csv")
            terminal.stream.flush()
        else:
            _write_file(form, output, counted)
        return progress.count_so_far


def _write_file(form: str, path: str, events: Events) -> None:
    """Complete, or not at all."""
    draft = f"{path}.{os.getpid()}.part"
    try:
        if form == "parquet":
            from laneway.sinks import parquet

            parquet.write(events, draft)
        else:
            with open(draft, "wb") as file:
                _copy(_encoder(form)(events), file)
        os.replace(draft, path)
    except OSError as error:
        raise LogError(f"{path}: {error.strerror or error}") from error
    finally:
        if os.path.exists(draft):
            os.unlink(draft)


def _copy(parts: Iterable[bytes], file: BinaryIO) -> None:
    for part in parts:
        file.write(part)
    file.flush()


def _encoder(form: str) -> Callable[[Events], Iterator[bytes]]:
    if form == "csv":
        from laneway.sinks import csv

        return csv.encode
    if form == "otlp":
        from laneway.sinks import otlp

        return otlp.encode
    if form == "perfetto":
        from laneway.sinks import perfetto

        return perfetto.encode
    return _lines


def _lines(events: Events) -> Iterator[bytes]:
    from orjson import dumps

    for event in events:
        yield dumps(event) + b"\n"


class Progress:
    """Counts events on stderr, where that is a terminal: how many, up to which time, for how long.

    ``beside_events``: they come to the terminal themselves, and tell it.
    """

    def __init__(self, *, beside_events: bool) -> None:
        self.count_so_far = 0
        self._is_shown = not beside_events and Terminal(sys.stderr).is_tty
        self._bar: Any = None

    def __enter__(self) -> "Progress":
        if self._is_shown:
            from rich.console import Console
            from rich.progress import Progress as Bar
            from rich.progress import SpinnerColumn, TextColumn, TimeElapsedColumn

            self._bar = Bar(
                SpinnerColumn(), TextColumn("{task.fields[said]}"), TimeElapsedColumn(),
                console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False,
            )  # fmt: skip
            self._task = self._bar.add_task("", total=None, said="reading")
            self._bar.start()
        return self

    def __exit__(self, *exc: object) -> None:
        if self._bar is not None:
            self._bar.stop()

    def count(self, events: Iterable[Mapping[str, Any]]) -> Events:
        for event in events:
            self.count_so_far += 1
            if self._bar is not None and self.count_so_far % 1_000 == 0:
                said = f"{self.count_so_far:,} events, up to {event['timestamp'][:19]}"
                self._bar.update(self._task, said=said)
            yield event
