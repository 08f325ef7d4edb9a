"""``laneway top``: every agent at a glance, full screen, straight from the log's files."""

from typing import Annotated

import typer

from laneway.base.errors import SettingError
from laneway.base.settings import resolve
from laneway.cli import option
from laneway.cli.escape import escape
from laneway.cli.match import of_names
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.store.query.expr import all_of

BACKLOG = 20_000
"""Events read before the first picture: minutes of a busy fleet, in less than a second."""


def command(
    interval: Annotated[
        float,
        typer.Option(
            "--interval",
            "-d",
            metavar="SECONDS",
            min=0.1,
            max=60,
            help="Seconds between two pictures.",
        ),
    ] = 0.5,
    agent: option.Agents = None,
    not_agent: option.NotAgents = None,
    event: option.Events = None,
    not_event: option.NotEvents = None,
    session: option.Sessions = None,
    tool: option.Tools = None,
    level: option.Levels = None,
    utc: option.Utc = False,
    log: option.Log = None,
) -> None:
    """Watch the fleet: states, rates, open work, errors, last events; keys as in htop, `h` tells them.

    It reads the log's files, so it needs no hub. Counts are of the newest 20,000 events before
    the start, and of all that comes.
    """
    where = all_of(
        of_names(
            agent=agent,
            not_agent=not_agent,
            event=event,
            not_event=not_event,
            session=session,
            tool=tool,
            level=level,
        )
    )
    if not Terminal().is_tty:
        raise SettingError(
            "top: the output is no terminal",
            hint="`laneway tail` goes through pipes and into files",
        )
    from laneway.cli.amount import some_of
    from laneway.cli.backlog import find_unreadable_here
    from laneway.cli.fleet.screen import Top
    from laneway.cli.watch import Feed, Watch

    settings = resolve({"log_path": log})
    place = settings.log_path
    if unreadable := find_unreadable_here(LogPath.parse(place)):
        place += f" without {some_of(unreadable, 1)} (may not be read)"
    with Feed(Watch(settings, where), BACKLOG) as feed:
        Top(
            feed.take,
            escape(place),
            interval_s=interval,
            is_utc=utc,
            is_reading=feed.is_behind,
        ).run()
