"""Options that several commands share, each declared once."""

from collections.abc import Callable, Collection, Iterable
from typing import Annotated

import typer

from laneway.base.errors import SettingError, quote
from laneway.base.settings import BY_NAME
from laneway.model.vocabulary import LEVELS

Log = Annotated[
    str | None,
    typer.Option("--log", metavar="PATH", help=BY_NAME["log_path"].help, rich_help_panel="Where"),
]


def _where(metavar: str, help: str) -> object:
    return typer.Option(metavar=metavar, help=help, rich_help_panel="Where")


BindHost = Annotated[str | None, _where("ADDRESS", BY_NAME["host"].help)]
BindPort = Annotated[str | None, _where("PORT", BY_NAME["port"].help)]
Host = Annotated[str | None, _where("ADDRESS", "Ask the hub at this address.")]
Port = Annotated[str | None, _where("PORT", "Ask the hub on this port.")]

Complete = Callable[[str], list[str]]


def complete(values: Iterable[str]) -> Complete:
    """What the shell offers for an option of few values."""
    offered = tuple(values)
    return lambda incomplete: [value for value in offered if value.startswith(incomplete)]


def _filter(*names: str, metavar: str, help: str, autocompletion: Complete | None = None) -> object:
    return typer.Option(
        *names, metavar=metavar, help=help, rich_help_panel="Filters", autocompletion=autocompletion
    )


Agents = Annotated[
    list[str] | None, _filter("--agent", "-a", metavar="NAME", help="Of this agent; repeatable.")
]
NotAgents = Annotated[
    list[str] | None, _filter("--not-agent", metavar="NAME", help="Not of this agent; repeatable.")
]
Events = Annotated[
    list[str] | None, _filter("--event", "-e", metavar="TYPE", help="Of this type; repeatable.")
]
NotEvents = Annotated[
    list[str] | None, _filter("--not-event", metavar="TYPE", help="Not of this type; repeatable.")
]
Sessions = Annotated[
    list[str] | None, _filter("--session", "-s", metavar="ID", help="Of this session; repeatable.")
]
Tools = Annotated[
    list[str] | None, _filter("--tool", "-t", metavar="NAME", help="Of this tool; repeatable.")
]
Levels = Annotated[
    list[str] | None,
    _filter(
        "--level",
        "-l",
        metavar="LEVEL",
        help="error is that level, warning+ is that or worse.",
        autocompletion=complete(shown for level in LEVELS for shown in (level, f"{level}+")),
    ),
]
Traces = Annotated[
    list[str] | None, _filter("--trace", metavar="ID", help="Of this trace; repeatable.")
]
Spans = Annotated[
    list[str] | None, _filter("--span", metavar="ID", help="Of this span; repeatable.")
]
Pods = Annotated[
    list[str] | None, _filter("--pod", metavar="NAME", help="Of this pod; repeatable.")
]
Error = Annotated[
    bool | None,
    _filter("--error/--no-error", metavar="", help="Only what failed, or what did not."),
]
Since = Annotated[
    str, _filter("--since", metavar="TIME", help="From then on: 15m, 14:05, 2026-11-23, ISO, Unix.")
]
Until = Annotated[str, _filter("--until", metavar="TIME", help="Before then, in the same forms.")]
EventId = Annotated[
    str, _filter("--id", metavar="ID", help="This one event, in full; @17 is number 17.")
]
Words = Annotated[
    list[str] | None,
    typer.Argument(
        metavar="QUERY",
        help='The query language: words, "phrases", begin*, agent:a, level>=warning, since:1h, OR …',
        show_default=False,
    ),
]
Grep = Annotated[
    str | None,
    _filter(
        "--grep",
        "-g",
        metavar="REGEX",
        help="Whose text matches; small letters match capitals, too.",
    ),
]
Utc = Annotated[bool, typer.Option("--utc", help="Times in UTC and not in local time.")]
Full = Annotated[bool, typer.Option("--full", help="Payloads in full, also those in side files.")]
Json = Annotated[bool, typer.Option("--json", help="One JSON object a line.")]


def require_choice(name: str, text: str, words: Collection[str]) -> None:
    """Raises SettingError for what is none of ``words``."""
    if text not in words:
        from difflib import get_close_matches

        near = get_close_matches(text, words, n=1)
        hint = f"did you mean {near[0]}?" if near else ""
        raise SettingError(f"{name}: {quote(text)} is not one of {', '.join(words)}", hint=hint)


def as_tuple(values: list[str] | None) -> tuple[str, ...]:
    return tuple(values or ())
