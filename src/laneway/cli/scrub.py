"""``laneway scrub``: get secrets out of a log that is written already."""

import sys
from collections.abc import Iterator
from typing import Annotated

import orjson
import typer

from laneway.base.errors import LogError
from laneway.base.settings import Settings, resolve
from laneway.base.words import number_of
from laneway.cli import FAILED, option
from laneway.cli.escape import escape
from laneway.cli.terminal import Terminal
from laneway.hub.scrub import Found, Scrub
from laneway.log.segment import LogPath
from laneway.log.side import DIRECTORY


def command(
    log: option.Log = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be replaced; as redact --scan.")
    ] = False,
    foreign: Annotated[
        bool, typer.Option("--foreign", help="Files of other programs as well; stop those first.")
    ] = False,
    as_json: option.Json = False,
) -> None:
    """Rewrite what today's rules find in the segments of the log and their side files, with or without a hub.

    Each segment is the old one or the new one, however this ends; ids and order stay. Run it again
    after an interruption. The live segment is sealed first. It exits with 3 if something is left.
    """
    settings = resolve({"log_path": log})
    LogPath.parse(settings.log_path).require()
    if dry_run:
        report(settings, Terminal(), as_json=as_json)
        return
    left = scrub(settings, Terminal(), foreign=foreign, as_json=as_json)
    if left:
        raise typer.Exit(FAILED)


def report(settings: Settings, out: Terminal, *, as_json: bool) -> None:
    """Print what today's rules find in the log."""
    job = Scrub(settings)
    total = 0
    for found in (*(_try_inspect(job, name) for name in job.files()), job.inspect_side()):
        total += found.events
        if found.events or found.left:
            _print(found, out, "holds", as_json=as_json)
    if not as_json:
        end = "nothing to replace" if not total else "`laneway scrub` replaces it"
        out.print(f"{number_of(total, 'event')}: {end}")


def scrub(settings: Settings, out: Terminal, *, foreign: bool, as_json: bool) -> int:
    """Rewrite what has finds; how many files are left as they were."""
    job = Scrub(settings)
    if earlier := job.begin():
        print(f"{earlier}; this one goes over everything", file=sys.stderr)
    done = left = 0
    is_done = False
    try:
        for found in _iter_cleaned(job, foreign=foreign):
            if found.events or found.left:
                left += bool(found.left)
                done += not found.left
                _print(found, out, "rewritten", as_json=as_json)
        is_done = True
    except KeyboardInterrupt:
        print("interrupted: run it again for what is left; nothing is half done", file=sys.stderr)
        raise
    finally:
        job.close(is_done=is_done)
    if not as_json:
        rest = f", {left} left" if left else ""
        out.print(f"{done} rewritten{rest}" if done or left else "nothing to replace")
    return left


def _iter_cleaned(job: Scrub, *, foreign: bool) -> Iterator[Found]:
    names = job.files()
    for place, name in enumerate(names):
        job.note_left(names[place:])
        found = _try_inspect(job, name)
        yield job.clean(found, foreign=foreign) if found.events and not found.left else found
    job.note_left([])
    yield job.clean_side(job.inspect_side())


def _try_inspect(job: Scrub, name: str) -> Found:
    try:
        return job.inspect(name)
    except LogError as error:
        from collections import Counter

        return Found(name, 0, Counter(), [], error.message)


def _print(found: Found, out: Terminal, verb: str, *, as_json: bool) -> None:
    if as_json:
        sys.stdout.write(
            orjson.dumps({**found._asdict(), "rules": dict(found.rules)}).decode() + "\n"
        )
        return
    what = "files no line refers to" if found.segment == DIRECTORY else "events"
    rules = ", ".join(f"{rule} {count}" for rule, count in found.rules.most_common())
    state = out.paint("left", "warn") if found.left else verb
    out.print(
        f"{out.paint(escape(found.segment), 'bold')}  {state}  {found.events} {what}: {rules}"
    )
    if found.left:
        out.print(f"  {escape(found.left)}")
    if found.first_ids:
        out.print(out.paint(f"  first: {escape(' '.join(found.first_ids))}", "dim"))
