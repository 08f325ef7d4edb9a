"""The index of a log without a hub: the hub's own follower brings it to the end of the log."""

import os
from collections.abc import Callable
from contextlib import ExitStack
from copy import copy
from time import monotonic

from laneway.base.errors import StoreError
from laneway.base.settings import Settings
from laneway.hub.engine import Engine, index_path
from laneway.hub.live import Live
from laneway.hub.lock import HubLock
from laneway.log.segment import LogPath

LOOK_S = 0.05
FAULT_S = 5.0
"""The follower tries again by itself; a fault that stays this long will not go away."""


class Index:
    """One log's index, ours alone until `close`. ``directory`` holds a temporary one instead.

    Retention is not applied: a question must not remove what it asks about.

    Raises:
        HubError: a hub serves this log.
        StoreError: the index cannot be opened.
    """

    def __init__(
        self, settings: Settings, directory: str, on_problem: Callable[[str], None]
    ) -> None:
        asked = copy(settings)
        asked.index_path = directory or settings.index_path
        asked.store = "" if directory else settings.store
        asked.retention_age, asked.retention_bytes = 0.0, 0
        with ExitStack() as stack:
            if not directory:
                stack.callback(HubLock(LogPath.parse(settings.log_path).directory).release)
            nobody = Live("", capacity=1)
            engine = Engine(asked, nobody, nobody.metric, on_problem=on_problem, keeps=False)
            stack.callback(engine.close)
            self.engine = engine
            self.store, self.archive, self.follower = engine.store, engine.archive, engine.follower
            self._stack = stack.pop_all()

    def catch_up(self, show: Callable[[int], None]) -> None:
        """Return when the end of the log is indexed; ``show`` is told the bytes that are left.

        Raises:
            StoreError: the index does not get there.
        """
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

    def close(self) -> None:
        self._stack.close()


def is_writable(settings: Settings) -> bool:
    """Whether the log's own index can be used: made or changed, and locked."""
    places = (LogPath.parse(settings.log_path).directory, index_path(settings))
    return all(os.access(_existing(place), os.W_OK) for place in places)


def _existing(path: str) -> str:
    while not os.path.isdir(path) and os.path.dirname(path) != path:
        path = os.path.dirname(path)
    return path
