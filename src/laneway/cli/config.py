"""``laneway config``: every setting, its value, and where the value came from."""

import json
import re
import textwrap
from typing import Annotated

import typer

from laneway.base.settings import (
    BY_NAME,
    SETTINGS,
    Setting,
    Settings,
    parse_duration_s,
    parse_positive_duration_s,
    parse_size_bytes,
    resolve,
    unknown_setting,
)
from laneway.cli.escape import escape
from laneway.cli.terminal import Terminal

MASK = "********"
NAME_CELLS = max(len(row.name) for row in SETTINGS) + 2
SIZES = {"GiB": 2**30, "MiB": 2**20, "KiB": 2**10}
LINK, SHOWN = re.compile(r"\[[^]]+\]\(([^)]+)\)"), r"docs/\1"
"""A link in Markdown, which the documents make of a setting's meaning, and what a terminal shows of it."""
DURATIONS_S = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def command(
    name: Annotated[
        str | None, typer.Argument(metavar="NAME", help="Show this setting's value alone.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
) -> None:
    """Show every setting with its value, its origin and its meaning; secrets are masked.

    A flag or argument wins over the environment, the environment over config.toml in Laneway's
    home, and that over the default.
    """
    settings = resolve()
    if name is not None and name not in BY_NAME:
        raise unknown_setting(name)
    if as_json:
        chosen = [BY_NAME[name]] if name else list(SETTINGS)
        print(json.dumps({row.name: _as_json(row, settings) for row in chosen}, indent=2))
    elif name is not None:
        print(show_value(BY_NAME[name], settings))
    else:
        terminal = Terminal()
        terminal.write(line for row in SETTINGS for line in _paragraph(row, settings, terminal))


def show_value(row: Setting, settings: Settings) -> str:
    """As it would be written in the environment; empty where nothing is set."""
    value = getattr(settings, row.name)
    if row.secret:
        return MASK if value else ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, tuple):
        return escape(" ".join(map(str, value)))
    if row.parse is parse_size_bytes:
        return _in_units(value, SIZES)
    if row.parse in (parse_duration_s, parse_positive_duration_s):
        return _in_units(value, DURATIONS_S)
    return "" if value is None else escape(str(value))


def _in_units(value: float, units: dict[str, int]) -> str:
    """``256MiB``: in the largest unit that needs no fraction."""
    fitting = (unit for unit, size in units.items() if value and value % size == 0)
    unit = next(fitting, "")
    return f"{value / units.get(unit, 1):g}{unit}"


def _as_json(row: Setting, settings: Settings) -> dict[str, object]:
    value = getattr(settings, row.name)
    return {
        "value": (MASK if value else "") if row.secret else value,
        "origin": settings.origin[row.name],
        "default": row.default,
        "environment": list(row.envs),
        "help": row.help,
    }


def _paragraph(row: Setting, settings: Settings, terminal: Terminal) -> list[str]:
    origin = settings.origin[row.name]
    value = show_value(row, settings)
    shown = terminal.paint(value, "cyan") if value else terminal.paint("(empty)", "dim")
    source = "" if origin == "default" else terminal.paint(f"  from {origin}", "green")
    room = min(terminal.width, 100) - NAME_CELLS
    text = f"{LINK.sub(SHOWN, row.help)}  {' '.join(row.envs)}"
    body = textwrap.wrap(text, room, break_long_words=False, break_on_hyphens=False)
    return [
        f"{terminal.paint(f'{row.name:<{NAME_CELLS}}', 'bold')}{shown}{source}",
        *(" " * NAME_CELLS + terminal.paint(line, "dim") for line in body),
    ]
