"""``laneway connect``: have a coding agent tell Laneway what it does, by its own settings; or no more."""

import difflib
import os
import shlex
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from laneway.base.errors import LanewayError, SettingError
from laneway.base.settings import Settings, resolve
from laneway.cli import NOTHING, option, quick_hook
from laneway.cli.connecting.target import Target, edit_json, targets
from laneway.cli.terminal import Terminal
from laneway.log.segment import LogPath
from laneway.model.redact import Redactor
from laneway.sources.claude.settings import HOOKS, UNASKED, with_hooks, without_hooks

CLAUDE_CODE = "claude-code"
AGENTS = (CLAUDE_CODE, "codex", "gemini-cli", "opencode")


def command(
    what: Annotated[str, typer.Argument(metavar="AGENT", help=f"One of {', '.join(AGENTS)}.")],
    project: Annotated[
        bool, typer.Option("--project", help="This directory's settings, not the user's.")
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="This settings file.", show_default=False),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Take it out again.")] = False,
    every: Annotated[
        bool,
        typer.Option(
            "--all",
            help="Claude Code: also hooks on every few words, and those that it asks.",
        ),
    ] = False,
    yes: Annotated[
        bool, typer.Option("--yes", "-y", help="Change the file without asking.")
    ] = False,
) -> None:
    """Record what a coding agent does, by its own settings: hooks, telemetry, or a plugin.

    The change is shown before it is made; what is there of others is left alone.
    """
    option.require_choice("AGENT", what, AGENTS)
    target = find_target(what, resolve(), every=every)
    if project and target.project is None:
        raise SettingError(
            f"{what} reads no such settings in a project", hint="leave out --project"
        )
    path = file or (target.project if project else None) or Path.home() / target.user
    before = read(path)
    after = (target.remove if remove else target.write)(before, path)
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
    out.print(f"{path}: {'Laneway is out of it' if remove else target.then}")


def find_target(what: str, settings: Settings, *, every: bool) -> Target:
    if what != CLAUDE_CODE:
        return targets(settings)[what]
    hooks = HOOKS if every else tuple(hook for hook in HOOKS if hook not in UNASKED)

    def put_in(tree: dict[str, Any], _: Path) -> dict[str, Any]:
        return with_hooks(tree, hook_command(), hooks)

    path = Path(".claude/settings.json")
    then = "written; new sessions of Claude Code are recorded"
    return Target(
        path, path, edit_json(put_in), edit_json(lambda tree, _: without_hooks(tree)), then
    )


def hook_command() -> str:
    """What Claude Code runs: this Python, with no site and no environment of a project."""
    settings = resolve()
    log = LogPath.parse(settings.log_path).directory
    words = [sys.executable, "-I", "-S", quick_hook.__file__, "hook", "claude-code", log]
    return shlex.join([*words, os.path.abspath(settings.home)])


def read(path: Path) -> str:
    """The file's text; empty where there is none.

    Raises:
        SettingError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"{path} cannot be read: {error}") from None


def write(path: Path, text: str) -> None:
    """At once or not at all; a link stays a link, and no text is no file. A new one is its user's alone,
    for it may hold a token.

    Raises:
        LanewayError: it cannot be written.
    """
    target = path.resolve()
    try:
        if not text:
            target.unlink()
            return
        target.parent.mkdir(parents=True, exist_ok=True)
        new = target.with_name(f"{target.name}.laneway-new")
        mode = target.stat().st_mode & 0o777 if target.exists() else 0o600
        new.touch(mode=0o600)
        new.write_text(text, encoding="utf-8")
        new.chmod(mode)
        new.replace(target)
    except OSError as error:
        raise LanewayError(f"{path} cannot be written: {error.strerror}") from error


def diff(path: Path, before: str, after: str) -> list[str]:
    """What would change, without the secrets in it."""
    old, new = before.splitlines(), after.splitlines()
    lines = difflib.unified_diff(old, new, str(path), str(path), lineterm="", n=1)
    redactor = Redactor()
    return [redactor.redact_text(line) for line in lines]
