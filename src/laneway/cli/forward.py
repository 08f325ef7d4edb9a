"""``laneway forward``: the log as OpenTelemetry to any collector; once, or as it grows."""

import os
import sys
from contextlib import closing
from typing import Annotated

import typer

from laneway.base.errors import SettingError
from laneway.base.settings import resolve
from laneway.base.words import number_of
from laneway.cli import option
from laneway.cli.terminal import Terminal

SIGNALS = ("traces", "logs")
PROTOCOLS = ("http/protobuf", "http/json")
HEADERS_VARIABLE = "OTEL_EXPORTER_OTLP_HEADERS"

PATIENCE_S = 60.0
"""A run that ends tries one batch for so long; one that follows never gives up."""


def command(
    url: Annotated[
        str, typer.Argument(metavar="URL", help="The collector, such as http://127.0.0.1:4318.")
    ],
    words: option.Words = None,
    follow: Annotated[
        bool, typer.Option("--follow", "-f", help="Go on with what comes, until it is stopped.")
    ] = False,
    new: Annotated[
        bool,
        typer.Option("--new", help="The first time, begin with what comes, not with the past."),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Forget how far it was sent, and send all.")
    ] = False,
    header: Annotated[
        list[str] | None,
        typer.Option(
            "--header",
            metavar="NAME=VALUE",
            help=f"Sent with every request; repeatable. Secrets are better in {HEADERS_VARIABLE}.",
        ),
    ] = None,
    protocol: Annotated[
        str,
        typer.Option(
            "--protocol",
            metavar="|".join(PROTOCOLS),
            help="The form of the requests.",
            autocompletion=option.complete(PROTOCOLS),
        ),
    ] = PROTOCOLS[0],
    only: Annotated[
        str,
        typer.Option(
            "--only",
            metavar="|".join(SIGNALS),
            help="Send spans alone, or records alone.",
            autocompletion=option.complete(SIGNALS),
        ),
    ] = "",
    log: option.Log = None,
) -> None:
    """Send events as OpenTelemetry's spans and log records to a collector or any other backend.

    A start and its end are one span, which goes when it has ended; all else is a log record. It reads the
    log's files, so it needs no hub, and remembers how far it came: the next run goes on there.
    """
    from laneway.cli.forwarding.checkpoint import Checkpoint
    from laneway.cli.forwarding.collector import Collector, parse_headers
    from laneway.cli.forwarding.forwarder import Forwarder
    from laneway.cli.match import parse_words
    from laneway.log.segment import LogPath
    from laneway.store.query.write import write

    option.require_choice("--protocol", protocol, PROTOCOLS)
    if only:
        option.require_choice("--only", only, SIGNALS)
    headers = parse_headers(os.environ.get(HEADERS_VARIABLE, ""))
    for given in header or ():
        name, equals, value = given.partition("=")
        if not equals or not name.strip():
            raise SettingError(f"--header: {name} has no value", hint="--header NAME=VALUE")
        headers[name.strip()] = value.strip()
    settings = resolve({"log_path": log})
    if not follow:  # what follows may wait for a log
        LogPath.parse(settings.log_path).require()
    where = parse_words(words)
    errors = Terminal(sys.stderr)
    patience_s = float("inf") if follow else PATIENCE_S
    collector = Collector(
        url,
        headers,
        binary=protocol == PROTOCOLS[0],
        patience_s=patience_s,
        say=errors.print,
    )
    checkpoint = Checkpoint.of(settings, collector.url, write(where), only)
    if not again:
        checkpoint.read()
    signals = (only,) if only else SIGNALS
    with closing(
        Forwarder(
            settings,
            collector,
            checkpoint,
            where,
            signals=signals,
            only_new=new,
            say=errors.print,
        )
    ) as forwarder:
        try:
            forwarder.run(follow=follow)
        except KeyboardInterrupt:
            pass
        tally = forwarder.tally
        sent = f"{number_of(tally.spans, 'span')} and {number_of(tally.records, 'record')}"
        errors.print(f"{sent} to {collector.url}")
        if tally.rejected:
            errors.print(f"{tally.rejected:,} of them not taken")
        for count, said in (
            (forwarder.open_count, "still open; to be sent once ended"),
            (tally.unended, "given up, without an end"),
        ):
            if count:
                errors.print(f"{number_of(count, 'span')} {said}")
        if tally.lost_bytes:
            errors.print(f"{number_of(tally.lost_bytes, 'byte')} of removed files, never read")
