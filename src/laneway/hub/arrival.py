"""What the builder made, taken into the index: whole segments that the follower need not read."""

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from laneway.base.errors import StoreError
from laneway.hub.backend import Backend
from laneway.hub.intake import BadLine
from laneway.hub.metric import Metric
from laneway.log.text import Damage
from laneway.store.api import SegmentState
from laneway.store.sqlite.store import SqliteStore

if TYPE_CHECKING:
    from collections import deque

    from laneway.hub.builder import Builder, Outcome

log = logging.getLogger("laneway.hub")


class Arrivals:
    """For the follower's thread, but for `lag_bytes`. Without a builder nothing ever comes."""

    def __init__(
        self,
        builder: "Builder | None",
        store: Backend,
        metric: Metric,
        quarantine: "deque[BadLine]",
        on_damage: Callable[[Damage], None],
    ) -> None:
        """``metric``, ``quarantine`` and ``on_damage`` hear what was met on the way."""
        self._builder = builder
        self._store = store
        self._metric = metric
        self._quarantine = quarantine
        self._on_damage = on_damage
        self._has_new = False

    def begin(self, wake: Callable[[], None]) -> bool:
        """Have built what has no index and no longer grows; whether there is any. ``wake`` is called, from
        any thread, when there is something to `take`."""
        if self._builder is None or not isinstance(self._store, SqliteStore):
            return False
        self._builder.on_done = wake
        return self._builder.begin(self._store)

    def take(self, on_taken: Callable[[SegmentState], None]) -> bool:
        """Whether the builder is done with any segment: it is in the index now, or the follower's to read."""
        done = self._builder.take_done() if self._builder else []
        for segment, outcome in done:
            assert self._builder
            try:
                if outcome and self._take_in(segment, outcome, on_taken):
                    self._has_new = True
            except StoreError as error:
                log.warning("%s", error.message)
            finally:
                self._builder.settle(segment)
        return bool(done)

    def take_complete(self) -> bool:
        """Whether all has come, and some of it went into the index: said once."""
        if not self._has_new or self.is_awaited:
            return False
        self._has_new = False
        return True

    @property
    def is_awaited(self) -> bool:
        return self._builder is not None and self._builder.is_at_work

    def lag_bytes(self) -> int:
        """Bytes of the log that are being indexed."""
        return self._builder.lag_bytes() if self._builder else 0

    def close(self) -> None:
        if self._builder:
            self._builder.close()

    def _take_in(
        self, segment: str, outcome: "Outcome", on_taken: Callable[[SegmentState], None]
    ) -> bool:
        assert isinstance(self._store, SqliteStore)
        if not outcome.is_current() or not self._store.take_in(segment, outcome.built):
            return False
        self._metric.add_read(outcome.metric)
        self._quarantine.extend(outcome.bad_lines)
        for damage in outcome.damages:
            self._on_damage(damage)
        on_taken(next(state for state in self._store.segments() if state.segment == segment))
        return True
