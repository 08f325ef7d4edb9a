"""``laneway connect claude-code``: put Laneway's hooks into Claude Code's settings, or take them out."""

import difflib
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer

from laneway.base.errors import LanewayError, SettingError, quote
from laneway.base.settings import resolve
from laneway.cli import NOTHING, quick_hook
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.sources.claude.settings import HOOKS, UNASKED, with_hooks, without_hooks


def command(
    what: Annotated[str, typer.Argument(metavar="claude-code", help="The agent to connect.")],
    project: Annotated[
        bool,
        typer.Option("--project", help="This directory's .claude/settings.json, not the user's."),
    ] = False,
    file: Annotated[
        Path | None, typer.Option("--file", help="This settings file.", show_default=False)
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take the hooks out again.")] = False,
    every: Annotated[
        bool,
        typer.Option(
            "--all", help="Also hooks on every few words, and those that Claude Code asks."
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Change the file without asking.")
    ] = False,
) -> None:
    """Record everything that Claude Code does, by its hooks.

    The change is shown before it is made. Hooks run beside Claude Code (async), take the time of starting
    Python where a hub runs, and never fail. Hooks of others are left alone.
    """
    if what != "claude-code":
        raise SettingError(
            f"there is no {quote(what)} to connect", hint="laneway connect claude-code"
        )
    path = file or (Path(".claude") if project else Path.home() / ".claude") / "settings.json"
    before = read(path)
    hooks = HOOKS if every else tuple(hook for hook in HOOKS if hook not in UNASKED)
    after = without_hooks(before) if remove else with_hooks(before, hook_command(), hooks)
    out = Terminal()
    if after == before:
        out.print(f"{path}: nothing to change")
        return
    for line in diff(path, before, after):
        colour = {"+": "good", "-": "alarm"}.get(line[:1], "")
        out.print(out.paint(line, colour) if colour else line)
    if not yes and not (sys.stdin.isatty() and typer.confirm("Change the file?")):
        out.print("nothing was changed; --yes changes the file")
        raise typer.Exit(NOTHING)
    write(path, after)
    out.print(
        f"{path}: {'hooks removed' if remove else 'written; new sessions of Claude Code are recorded'}"
    )


def hook_command() -> str:
    """What Claude Code runs: this Python, with no site and no environment of a project."""
    settings = resolve()
    log = LogPath.parse(settings.log_path).directory
    words = [sys.executable, "-I", "-S", quick_hook.__file__, "hook", "claude-code", log]
    return shlex.join([*words, os.path.abspath(settings.home)])


def read(path: Path) -> dict[str, Any]:
    """The settings; empty where there is no file.

    Raises:
        SettingError: it is no JSON object: we would lose what it holds.
    """
    try:
        tree = orjson.loads(path.read_bytes() or b"{}")
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise SettingError(
            f"{path} cannot be read: {error}", hint="mend it, then try again"
        ) from None
    if not isinstance(tree, dict):
        raise SettingError(f"{path} is not a JSON object", hint="mend it, then try again")
    return tree


def write(path: Path, tree: dict[str, Any]) -> None:
    """At once or not at all; a link stays a link.

    Raises:
        LanewayError: it cannot be written.
    """
    target = path.resolve()
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f"{target.name}.laneway-new")
        new.write_bytes(_text(tree).encode())
        if target.exists():
            new.chmod(target.stat().st_mode & 0o777)
        new.replace(target)
    except OSError as error:
        raise LanewayError(f"{path} cannot be written: {error.strerror}") from error


def diff(path: Path, before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    old, new = (_text(tree).splitlines() for tree in (before, after))
    return list(difflib.unified_diff(old, new, str(path), str(path), lineterm="", n=1))


def _text(tree: dict[str, Any]) -> str:
    return orjson.dumps(tree, option=orjson.OPT_INDENT_2).decode() + "\n"
