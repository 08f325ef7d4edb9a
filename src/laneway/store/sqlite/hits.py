"""The best hits so far of one page, over all segments."""

from collections.abc import Iterable

from laneway.store.api import Cursor, Page, Pointer


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

    def page(self) -> Page:
        hits = self._best[: self._limit]
        more = len(self._best) > self._limit
        return Page(hits, Cursor(hits[-1].ts_ns, hits[-1].seq) if more else None)


def _order(hit: Pointer) -> tuple[int, int]:
    return hit.ts_ns, hit.seq
