"""The index of a log without a hub: the hub's own follower brings it to the end of the log."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from copy import copy
from time import monotonic

from laneway.base.errors import StoreError
from laneway.base.settings import Settings
from laneway.cli.amount import show_bytes
from laneway.cli.terminal import Terminal
from laneway.hub.engine import Engine, index_path
from laneway.hub.live import Live
from laneway.hub.lock import HubLock
from laneway.log.segment import LogPath

LOOK_S = 0.05
PATIENCE_S = 0.4
"""A wait that is shorter needs no progress bar."""

FAULT_S = 5.0
"""The follower tries again by itself; a fault that stays this long will not go away."""


class Index:
    """One log's index, ours alone until `close`. ``directory`` holds a temporary one instead.

    Retention is not applied: a question must not remove what it asks about.

    Raises:
        HubError: a hub serves this log.
        StoreError: the index cannot be opened.
    """

    def __init__(self, settings: Settings, directory: str = "") -> None:
        asked = copy(settings)
        asked.index_path = directory or settings.index_path
        asked.retention_age, asked.retention_bytes = 0.0, 0
        with ExitStack() as stack:
            if not directory:
                stack.callback(HubLock(LogPath.parse(settings.log_path).directory).release)
            nobody = Live("", capacity=1)
            engine = Engine(asked, nobody, nobody.metric, on_problem=_warn, keeps=False)
            stack.callback(engine.close)
            self.engine = engine
            self.store, self.archive, self.follower = engine.store, engine.archive, engine.follower
            self._stack = stack.pop_all()

    def catch_up(self) -> None:
        """Return when the end of the log is indexed.

        Raises:
            StoreError: the index does not get there.
        """
        with progress("indexing") as show:
            self._wait(show)

    def close(self) -> None:
        self._stack.close()

    def _wait(self, show: Callable[[int], None]) -> None:
        faulty_since_s = 0.0
        while not self.follower.wait_level(LOOK_S):
            show(self.follower.lag_bytes())
            if not self.follower.fault:
                faulty_since_s = 0.0
            elif not faulty_since_s:
                faulty_since_s = monotonic()
            elif monotonic() - faulty_since_s > FAULT_S:
                raise StoreError(
                    f"the index cannot follow the log: {self.follower.fault}",
                    hint="`laneway doctor` looks at the disk; `laneway reindex` builds it anew",
                )


def is_writable(settings: Settings) -> bool:
    """Whether the log's own index can be used: made or changed, and locked."""
    places = (LogPath.parse(settings.log_path).directory, index_path(settings))
    return all(os.access(_existing(place), os.W_OK) for place in places)


def _existing(path: str) -> str:
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path


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


def _warn(message: str) -> None:
    Terminal(sys.stderr).print(message)
