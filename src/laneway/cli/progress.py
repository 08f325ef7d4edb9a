"""How far a long wait has come, as one line on stderr."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from time import monotonic

from laneway.cli.amount import show_bytes
from laneway.cli.terminal import Terminal

PATIENCE_S = 0.4
"""A wait that is shorter needs no progress bar."""


@contextmanager
def progress(label: str) -> Iterator[Callable[[int], None]]:
    """Call what it gives with the bytes left to do; nothing is shown of what is done at once."""
    bar = Bar(Terminal(sys.stderr), label)
    try:
        yield bar.show
    finally:
        bar.finish()


class Bar:
    """One line on stderr, drawn over; a plain sentence where that is no terminal."""

    def __init__(self, terminal: Terminal, label: str) -> None:
        self._terminal = terminal
        self._label = label
        self._begun_s = monotonic()
        self._total = 0
        self._is_shown = False

    def show(self, left_bytes: int) -> None:
        self._total = max(self._total, left_bytes)
        if monotonic() - self._begun_s < PATIENCE_S or not self._total:
            return
        if not self._terminal.is_tty:
            if not self._is_shown:
                self._terminal.print(f"{self._label} {show_bytes(self._total)} of the log first …")
            self._is_shown = True
            return
        self._is_shown = True
        self._terminal.stream.write(f"\r\x1b[K{self._line(1 - left_bytes / self._total)}")
        self._terminal.stream.flush()

    def finish(self) -> None:
        if self._is_shown and self._terminal.is_tty:
            self._terminal.stream.write("\r\x1b[K")
            self._terminal.stream.flush()

    def _line(self, share: float) -> str:
        cells = max(10, min(40, self._terminal.width - 40))
        filled = round(share * cells)
        rail = self._terminal.paint("━" * filled, "cyan")
        rail += self._terminal.paint("━" * (cells - filled), "dim")
        return f"{self._label} {rail} {share:4.0%} of {show_bytes(self._total)}"
