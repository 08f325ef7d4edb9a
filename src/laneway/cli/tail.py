"""``laneway tail``: the log as it grows, straight from its files, with or without a hub."""

import sys
from typing import Annotated

import typer

from laneway.base.errors import QueryError, SettingError
from laneway.base.settings import resolve
from laneway.cli import option
from laneway.cli.line import Layout
from laneway.cli.match import of_names, parse_grep, parse_words
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.store.query.expr import Compare, Expr, Open, all_of, iter_leaves
from laneway.store.query.field import SEQ


def command(
    words: option.Words = None,
    follow: Annotated[
        bool, typer.Option("--follow/--no-follow", "-f", help="Go on with what comes.")
    ] = True,
    lines: Annotated[
        int, typer.Option("--lines", "-n", metavar="N", min=0, help="Begin with this many events.")
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

    Only what a QUERY finds: agent:coder level>=warning -event:log "a phrase" (docs/query.md).

    It reads the log's files, so it needs no hub. What an event holds cannot play tricks on the
    terminal: control characters are shown as \\x1b, \\u202e and so on.
    """
    where = all_of(
        [
            parse_words(words, is_utc=utc),
            *of_names(
                agent=agent,
                not_agent=not_agent,
                event=event,
                not_event=not_event,
                session=session,
                tool=tool,
                level=level,
            ),
            parse_grep(grep),
        ]
    )
    _check(where)
    terminal = Terminal()
    if raw and terminal.is_tty:
        raise SettingError(
            "--raw: the lines may hold control characters, and this is a terminal",
            hint="pipe it into a file or a program, or use --json",
        )
    from laneway.cli.backlog import say_unreadable
    from laneway.cli.watch import Printer, Watch

    settings = resolve({"log_path": log})
    say_unreadable(LogPath.parse(settings.log_path))
    form = "raw" if raw else "json" if as_json else ""
    printer = Printer(Layout(terminal, is_utc=utc), form=form, is_full=full)
    try:
        Watch(settings, where).run(printer, lines, follow=follow)
    except KeyboardInterrupt:
        terminal.print(*([""] if terminal.is_tty else []))


def _check(where: Expr) -> None:
    """What the log's files cannot tell is said."""
    for leaf in iter_leaves(where):
        if isinstance(leaf, Compare) and leaf.field == SEQ:
            raise QueryError(
                "seq: the index numbers events, and tail reads the log without it",
                hint="`laneway query` asks the index",
            )
        if isinstance(leaf, Open):
            print(
                "is:open: every beginning is open when it comes; `laneway query is:open` finds those that"
                " did not end",
                file=sys.stderr,
            )
