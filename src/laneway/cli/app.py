"""The commands as one typer app, and the one place where an error becomes a line and a code."""

import os
import sys
from collections.abc import Callable, Sequence
from functools import wraps
from importlib import import_module
from keyword import iskeyword
from typing import Any

import typer
from typer.core import TyperArgument, TyperGroup

from laneway.base.errors import LanewayError, QueryError, SettingError
from laneway.cli import FAILED, FOUND, NOTHING, USAGE, emit, tell_missing
from laneway.cli.escape import escape
from laneway.cli.terminal import Terminal, hide_stdout

PANELS = {
    "Watch": {
        "up": "Start the hub: live dashboard, search, ingest.",
        "open": "Print a new one-time link to the dashboard of the running hub.",
        "tail": "Follow the log, live, with or without a hub.",
        "top": "Watch all agents at once, full screen.",
        "demo": "Watch an example assistant of several agents at work.",
    },
    "Record": {
        "emit": "Record one event, or many, from a shell or a hook.",
        "run": "Run a command, and record its output, exit code and duration.",
        "connect": "Have a coding agent record what it does.",
        "import": "Record what coding agents have kept on this machine.",
        "mcp-tap": "Record what an MCP client and its server say to each other.",
    },
    "Ask": {
        "query": "Find past events.",
        "stats": "Count events, errors, durations, tokens and costs.",
        "sessions": "List sessions, or read one from its beginning.",
        "trace": "Show a trace as a waterfall.",
        "alerts": "List the rules of alerts, or try one on the past.",
        "sql": "Ask the log in SQL.",
        "side": "Print a payload that was too long for its event's line.",
        "export": "Write events as CSV, Parquet, OpenTelemetry or a Perfetto trace.",
        "forward": "Send events on to any collector of OpenTelemetry.",
        "mcp": "Let an assistant ask the log, by the Model Context Protocol.",
    },
    "Look after": {
        "doctor": "Say what is wrong with this installation, and how to mend it.",
        "config": "Show every setting, its value, and where it came from.",
        "service": "Have the system start the hub and keep it running.",
        "token": "Say who may send and read: list, make, rotate and revoke tokens.",
        "compress": "Compress the sealed segments of the log now.",
        "redact": "Show what a text, or the log, would lose to redaction, and why.",
        "scrub": "Get secrets out of a log that is written already.",
        "reindex": "Rebuild the index from the log.",
        "version": "Show the versions of Laneway and of what it runs on.",
    },
}
"""What the help shows together. Name and summary of each; the module of the same name has ``command``."""

COMMANDS = {name: summary for members in PANELS.values() for name, summary in members.items()}

ASKING = ("tail", "query", "stats", "sessions", "export", "forward")
"""They take a query, which may begin with a hyphen."""

HELP_FLAGS = ["-h", "--help"]

COMPLETION = "_LANEWAY_COMPLETE"
"""The shell sets it when it asks what could come next."""

DESCRIPTION = "See what every AI agent on this machine does: one log, live lanes, search, no cloud."


def run(args: Sequence[str]) -> int:
    args = _take_everywhere(list(args))
    if args[:1] == ["emit"]:
        return emit.run(args[1:])
    if args[:1] and args[0] in ASKING:
        args = _shielded(args)
    try:
        build(_wanted(args))(args=args, prog_name="laneway")
    except SystemExit as stop:
        return _exit_code(stop)
    except LanewayError as error:
        return complain(error)
    except ModuleNotFoundError as error:
        print(tell_missing(error), file=sys.stderr)
        return FAILED
    except Exception as fault:
        if sys.flags.dev_mode:
            raise
        if isinstance(fault, OSError) and fault.filename:  # the machine's fault and not ours
            told = f"{fault.filename!s}: {fault.strerror}"
            return complain(LanewayError(told, hint="`laneway doctor` tells what is wrong"))
        return _own_up(fault)
    return FOUND


def build(names: Sequence[str]) -> TyperGroup:
    """The group of the commands ``names``; of all, where there are none: those can be listed and completed,
    and not be run, because nothing of them is imported."""
    app = typer.Typer(
        help=DESCRIPTION,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
        rich_markup_mode="rich",
        context_settings={"help_option_names": HELP_FLAGS, "max_content_width": 100},
    )
    app.callback()(_main)
    for name in names or COMMANDS:
        panel = next(panel for panel, members in PANELS.items() if name in members)
        app.command(
            name,
            short_help=COMMANDS[name],
            rich_help_panel=panel,
        )(_quiet(_command(name) if names else _outline))
    group: TyperGroup = typer.main.get_command(app)  # type: ignore[assignment]
    for part in (group, *group.commands.values()):
        _tidy(part)
    return group


def _tidy(command: Any) -> None:
    """Helps as the framework takes them: paragraphs in one line each, signs of its markup taken as they
    are, and no type behind a flag or an argument that is any text."""
    is_shown = COMPLETION not in os.environ
    help_option = command.get_help_option(typer.Context(command, help_option_names=HELP_FLAGS))
    for part in (command, *command.params, help_option):
        if is_shown and part.help:
            paragraphs = (" ".join(text.split()) for text in part.help.split("\n\n"))
            part.help = "\n\n".join(paragraphs).replace("[", r"\[")
        if getattr(part, "is_flag", False) and part.metavar is None:
            part.metavar = ""
        has_choice = getattr(getattr(part, "type_descriptor", None), "is_choice", False)
        if isinstance(part, TyperArgument) and not has_choice:
            setattr(part, "display_type_rich", _show_no_type)  # noqa: B010 - it may have another name


def _show_no_type(*_: object, **__: object) -> None:
    """In place of ``<str>``, which nobody types."""


def _command(name: str) -> Callable[..., None]:
    module = import_module(f"laneway.cli.{name.replace('-', '_')}{'_' if iskeyword(name) else ''}")
    command: Callable[..., None] = getattr(module, "command", _outline)  # `emit` has none
    return command


def _quiet(command: Callable[..., None]) -> Callable[..., None]:
    """``laneway tail | head`` ends well when head has enough; the framework would exit with 1."""

    @wraps(command)
    def run_command(*args: object, **options: object) -> None:
        try:
            command(*args, **options)
            sys.stdout.flush()
        except BrokenPipeError:
            hide_stdout()

    return run_command


def complain(error: LanewayError) -> int:
    """One line on stderr: what was seen, and what to do; a mistake in a query is pointed at beneath."""
    terminal = Terminal(sys.stderr)
    hint, _, picture = error.hint.partition("\n")
    told = f"{error.message} (hint: {hint})" if hint else error.message
    terminal.print(f"{terminal.paint('error:', 'alarm')} {escape(' '.join(told.split()))}")
    if picture:
        terminal.print(*map(escape, picture.split("\n")))
    return USAGE if isinstance(error, (SettingError, QueryError)) else FAILED


def _own_up(fault: Exception) -> int:
    """What nobody foresaw, without a page of traceback."""
    trace = fault.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_filename}:{trace.tb_lineno}" if trace else "?"
    message = f"this is a bug in Laneway: {type(fault).__name__}: {fault} ({place})"
    return complain(LanewayError(message, hint="`python -X dev -m laneway …` shows all of it"))


def _outline() -> None:
    """A command in the list of commands; it is never run from there."""


def _main(
    no_color: bool = typer.Option(False, "--no-color", help="No colours, wherever it stands."),
    no_pager: bool = typer.Option(False, "--no-pager", help="No pager, wherever it stands."),
    version: bool = typer.Option(False, "--version", "-V", help="Show the version."),
) -> None:
    # They are read before the framework is; they stand here to be listed and completed.
    if version:
        from laneway import __version__

        print(f"laneway {__version__}")
        raise typer.Exit


EVERYWHERE = {"--no-color": ("NO_COLOR", "1"), "--no-pager": ("PAGER", "")}
"""Flags that count anywhere before ``--``, as variables that everything below hears of."""


def _take_everywhere(args: list[str]) -> list[str]:
    """``args`` without the flags that count everywhere, which are put into force."""
    end = args.index("--") if "--" in args else len(args)
    for flag, (name, value) in EVERYWHERE.items():
        if flag in args[:end]:
            os.environ[name] = value
    return [arg for arg in args[:end] if arg not in EVERYWHERE] + args[end:]


def _shielded(args: list[str]) -> list[str]:
    if not any(arg[:1] == "-" and arg[1:2] != "-" and len(arg) > 2 for arg in args):
        return args
    from laneway.cli.match import shield_negations

    return shield_negations(args)


def _wanted(args: list[str]) -> list[str]:
    """The one command that is named; none for help, a misspelling, and to complete a command's name."""
    if COMPLETION in os.environ:
        typed = os.environ.get("COMP_WORDS") or os.environ.get("_TYPER_COMPLETE_ARGS", "")
        args = typed.split(maxsplit=2)[1:] if len(typed.split()) > 2 or typed[-1:].isspace() else []
    first = next((arg for arg in args if not arg.startswith("-")), "").strip()
    return [first] if first in COMMANDS else []


def _exit_code(stop: SystemExit) -> int:
    if isinstance(stop.code, str):
        print(stop.code, file=sys.stderr)
        return NOTHING
    return stop.code or FOUND
