"""Where the reading routes ask the index: in worker threads, a few at a time, never on the event loop."""

from collections.abc import Callable
from typing import TypeVar

from anyio import CapacityLimiter, to_thread

from laneway.store.api import Query
from laneway.store.query.cost import needs_log

READERS = 4
"""Queries at a time: more would only share the same two or four cores."""

SCANNERS = 2
"""Of those that read the log, which may take seconds: they wait for one another and for nobody else."""

T = TypeVar("T")


class Work:
    """One for all routes of an application."""

    def __init__(self) -> None:
        self._readers, self._scanners = CapacityLimiter(READERS), CapacityLimiter(SCANNERS)

    async def __call__(self, call: Callable[[], T], query: Query | None = None) -> T:
        """``query``: what is asked, where that may need the log."""
        limiter = self._scanners if query and needs_log(query.where) else self._readers
        return await to_thread.run_sync(call, limiter=limiter)

    async def scan(self, call: Callable[[], T]) -> T:
        """For what may take seconds whatever is asked."""
        return await to_thread.run_sync(call, limiter=self._scanners)
