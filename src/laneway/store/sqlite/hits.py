"""The best hits so far of one page, over all segments."""

from collections.abc import Iterable
from operator import itemgetter

from laneway.store.api import Cursor, Page, Pointer, Scan

NOTHING_MORE = Scan(False, 0, 0, 0, 0, 0)
"""Of a page that the time cut; how far it went in all is told by who asked for it."""


class Hits:
    """Keeps one more than the page holds: it tells whether something follows."""

    def __init__(self, limit: int, *, newest_first: bool) -> None:
        self._newest_first = newest_first
        self._limit = limit
        self._best: list[Pointer] = []

    @property
    def wanted(self) -> int:
        """How many of one segment can matter at most."""
        return self._limit + 1

    @property
    def missing(self) -> int:
        """How many the page lacks; what is found may come before what is there, and push it out."""
        return self.wanted - len(self._best)

    def may_take(self, first_ns: int, last_ns: int) -> bool:
        """Whether an event of a time in ``[first_ns, last_ns]`` could still come in."""
        if len(self._best) < self.wanted:
            return True
        worst_ns = self._best[-1].ts_ns
        return last_ns >= worst_ns if self._newest_first else first_ns <= worst_ns

    def take(self, found: Iterable[Pointer]) -> None:
        self._best.extend(found)
        self._best.sort(key=_order, reverse=self._newest_first)
        del self._best[self.wanted :]

    def page_before(self, min_ns: int, max_ns: int) -> Page:
        """Up to where nothing was looked at: times of ``[min_ns, max_ns]`` are still to come."""
        if self._newest_first:
            hits, place = [hit for hit in self._best if hit.ts_ns > max_ns], Cursor(max_ns + 1, 0)
        else:
            hits, place = [hit for hit in self._best if hit.ts_ns < min_ns], Cursor(min_ns, 0)
        if len(hits) > self._limit:
            return self.page()
        return Page(hits, place, NOTHING_MORE)

    def page(self) -> Page:
        hits = self._best[: self._limit]
        more = len(self._best) > self._limit
        return Page(hits, Cursor(hits[-1].ts_ns, hits[-1].seq) if more else None)


_order = itemgetter(Pointer._fields.index("ts_ns"), Pointer._fields.index("seq"))
