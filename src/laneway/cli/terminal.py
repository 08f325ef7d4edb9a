"""The terminal that answers go to: whether it takes colour, how wide it is, styled text for it."""

import os
import shutil
import sys
from collections.abc import Iterable
from typing import TextIO

from laneway.cli.escape import escape, escape_json

STYLES = {
    "bold": "1",
    "dim": "2",
    "red": "31",
    "green": "32",
    "yellow": "33",
    "blue": "34",
    "magenta": "35",
    "cyan": "36",
    "alarm": "1;31",
    "warn": "1;33",
}

AGENT_STYLES_256 = (
    "38;5;39", "38;5;208", "38;5;170", "38;5;35", "38;5;141", "38;5;178", "38;5;37",
    "38;5;204", "38;5;69", "38;5;107", "38;5;173", "38;5;99", "38;5;31", "38;5;133",
)  # fmt: skip
"""Hues of middle lightness, so that they read on black and on white."""

AGENT_STYLES_16 = ("36", "35", "34", "32", "33", "96", "95", "94")

DEFAULT_WIDTH = 80


class Terminal:
    """One output stream. Text given to `paint` must be escaped already, or be our own."""

    def __init__(self, stream: TextIO | None = None) -> None:
        self.stream = sys.stdout if stream is None else stream
        self.is_tty = self.stream.isatty()
        self.has_colour = _wants_colour(self.is_tty)
        self.is_rich = "256color" in os.environ.get("TERM", "") or bool(os.environ.get("COLORTERM"))
        _never_fail_on_a_character(self.stream)

    @property
    def width(self) -> int:
        """Columns, asked anew each time: windows are resized."""
        return shutil.get_terminal_size((DEFAULT_WIDTH, 24)).columns

    def paint(self, text: str, *styles: str) -> str:
        """``text`` in named styles, or in a raw SGR code; as it is where colour is off."""
        if not self.has_colour or not styles or not text:
            return text
        return f"\x1b[{';'.join(STYLES.get(style, style) for style in styles)}m{text}\x1b[0m"

    def agent_style(self, name: str) -> str:
        """The same colour for the same name in every run, so that the eye learns it."""
        palette = AGENT_STYLES_256 if self.is_rich else AGENT_STYLES_16
        return palette[_stable_hash(name) % len(palette)]

    def link(self, url: str) -> str:
        return self.paint(escape(url), "bold", "cyan")

    def print(self, *lines: str) -> None:
        self.write(lines)

    def write_data(self, data: bytes, *, is_json: bool) -> None:
        """``data`` as it is for a pipe or a file; for a terminal with all spelled out that it would obey.

        JSON stays JSON of equal value; line breaks stay.
        """
        if not self.is_tty:
            self.stream.buffer.write(data)
            return
        spell = escape_json if is_json else escape
        lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
        self.stream.write("\n".join(map(spell, lines)))

    def write(self, lines: Iterable[str]) -> None:
        """Each of ``lines`` and a newline, at once."""
        self.stream.write("".join(f"{line}\n" for line in lines))
        self.stream.flush()


def _wants_colour(is_tty: bool) -> bool:
    """https://no-color.org and https://force-color.org: any non-empty value counts."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return is_tty and os.environ.get("TERM") != "dumb"


def _never_fail_on_a_character(stream: TextIO) -> None:
    """A Latin-1 locale or a lone surrogate must not end a `tail`."""
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="backslashreplace")


def _stable_hash(text: str) -> int:
    """FNV-1a: `hash` differs from run to run."""
    value = 0x811C9DC5
    for byte in text.encode("utf-8", "replace"):
        value = ((value ^ byte) * 0x01000193) & 0xFFFF_FFFF
    return value


def hide_stdout() -> None:
    """After a broken pipe: the interpreter's last flush then has somewhere to go."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
