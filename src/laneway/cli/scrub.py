"""``laneway scrub``: get secrets out of a log that is written already."""

import sys
from typing import Annotated

import orjson
import typer

from laneway.base.errors import LogError
from laneway.base.settings import Settings, resolve
from laneway.cli import FAILED, option
from laneway.cli.escape import escape
from laneway.cli.terminal import Terminal
from laneway.hub.scrub import Found, Scrub


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
    """Rewrite the segments of the log in which today's rules find secrets, with or without a hub.

    Each segment is the old one or the new one, however this ends; ids and order stay. Run it again
    after an interruption. The live segment is sealed first. It exits with 3 if something is left.
    """
    settings = resolve({"log_path": log})
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
    for name in job.files():
        found = _try_inspect(job, name)
        total += found.events
        if found.events or found.left:
            _print(found, out, "holds", as_json=as_json)
    if not as_json:
        end = "nothing to replace" if not total else "`laneway scrub` replaces it"
        out.print(f"{total} events: {end}")


def scrub(settings: Settings, out: Terminal, *, foreign: bool, as_json: bool) -> int:
    """Rewrite what has finds; how many files are left as they were."""
    job = Scrub(settings)
    job.begin()
    done = left = 0
    try:
        for name in job.files():
            found = _try_inspect(job, name)
            if found.events and not found.left:
                found = job.clean(found, foreign=foreign)
            if found.events or found.left:
                left += bool(found.left)
                done += not found.left
                _print(found, out, "rewritten", as_json=as_json)
    except KeyboardInterrupt:
        print("interrupted: run it again for what is left; nothing is half done", file=sys.stderr)
        raise
    finally:
        job.close()
    if not as_json:
        rest = f", {left} left" if left else ""
        out.print(f"{done} segments rewritten{rest}" if done or left else "nothing to replace")
    return left


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
    rules = ", ".join(f"{rule} {count}" for rule, count in found.rules.most_common())
    state = out.paint("left", "warn") if found.left else verb
    out.print(
        f"{out.paint(escape(found.segment), 'bold')}  {state}  {found.events} events: {rules}"
    )
    if found.left:
        out.print(f"  {escape(found.left)}")
    if found.first_ids:
        out.print(out.paint(f"  first: {escape(' '.join(found.first_ids))}", "dim"))
