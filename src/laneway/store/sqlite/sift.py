"""What the index cannot tell, decided by the log: candidates are read and matched, in the order of the page.

The time is boxed. What was found until then is an answer, and it says how far it goes.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import NamedTuple

from laneway.base.errors import StoreError
from laneway.model.event import Event
from laneway.store.api import Cursor, Page, Pointer, QueryTimeout, ReadEvent, Scan
from laneway.store.query.expr import Open, iter_leaves
from laneway.store.query.match import Subject

from .pool import TimeBox
from .search import Search
from .summary import Summary

FIRST_CANDIDATES = 256
MOST_CANDIDATES = 8_192
"""Of one look into the index; each takes twice as many as the one before."""

LOOKED_UP = 64
"""Candidates whose spans are looked up together where a query asks which are open."""

Find = Callable[[Search, TimeBox, int], Page]
FindEnded = Callable[[Sequence[str]], set[str]]
"""Those of some spans that an event anywhere in the log ends."""


class Sure(NamedTuple):
    """What totals may count: each segment with the search that finds no more than what is sure."""

    box: TimeBox
    parts: list[tuple[Summary, Search]]
    scan: Scan | None


class Sift:
    """One query's way through its candidates; for one call of `page` or `all`."""

    def __init__(
        self,
        search: Search,
        find: Find,
        segments: Sequence[Summary],
        read_event: ReadEvent,
        find_ended: FindEnded,
    ) -> None:
        if search.matcher is None:
            raise StoreError("the index alone answers this query")
        self._search = search
        self._matches = search.matcher
        self._find = find
        self._segments = segments
        self._read_event = read_event
        self._find_ended = find_ended
        self._asks_open = any(isinstance(leaf, Open) for leaf in iter_leaves(search.query.where))
        self._ended: set[str] = set()
        self._prints = {one.segment: one.fingerprint for one in segments}
        self._read_count = 0
        self._last: Pointer | None = None
        self._reached: Cursor | None = None
        self._is_complete = False

    def page(self, box: TimeBox) -> Page:
        limit = self._search.query.limit
        hits: list[Pointer] = []
        for hit in self._iter_hits(box):
            hits.append(hit)
            if len(hits) == limit:
                break
        following = None if self._is_complete else self._reached
        if len(hits) == limit:  # the time was enough
            return Page(hits, following, self._scan()._replace(is_complete=True))
        return Page(hits, following, self._scan())

    def all(self, box: TimeBox) -> tuple[dict[str, list[int]], Scan]:
        seqs: dict[str, list[int]] = {}
        for hit in self._iter_hits(box):
            seqs.setdefault(hit.segment, []).append(hit.seq)
        return seqs, self._scan()

    def _iter_hits(self, box: TimeBox) -> Iterator[Pointer]:
        """Ends with the candidates or the time; at least one candidate is looked at."""
        for candidate, event in self._iter_events(box):
            if self._reached and box.is_over():
                return
            self._last, self._reached = candidate, _place(candidate)
            self._read_count += 1
            if event and self._matches(
                Subject(event, candidate.ts_ns, candidate.seq, self._is_open)
            ):
                yield candidate
        self._is_complete = self._was_last

    def _iter_events(self, box: TimeBox) -> Iterator[tuple[Pointer, Event | None]]:
        """Each candidate as an event; where it matters, whether their spans end is known by then."""
        candidates = self._iter_candidates(box)
        if not self._asks_open:
            yield from ((one, self._read(one)) for one in candidates)
            return
        while some := [(one, self._read(one)) for one in islice(candidates, LOOKED_UP)]:
            spans = {event["span_id"] for _, event in some if event and "span_id" in event}
            self._ended = self._find_ended([*spans])
            yield from some

    def _read(self, candidate: Pointer) -> Event | None:
        return self._read_event(candidate, self._prints.get(candidate.segment, ""))

    def _iter_candidates(self, box: TimeBox) -> Iterator[Pointer]:
        self._was_last = False
        search, count = self._search, FIRST_CANDIDATES
        while not self._was_last:
            try:
                page = self._find(search, box, count)
            except QueryTimeout:
                if self._reached is None:
                    raise
                return
            self._was_last = page.next is None
            yield from page.hits
            if page.scan:  # cut
                self._last, self._reached = None, page.next
                return
            search = replace(search, after=page.next)
            count = min(count * 2, MOST_CANDIDATES)

    def _is_open(self, subject: Subject) -> bool:
        return subject.event["span_id"] not in self._ended

    def _scan(self) -> Scan:
        passed = [self._passed_bytes(one) for one in self._segments]
        whole = sum(
            1 for one, size in zip(self._segments, passed, strict=True) if size >= one.indexed_bytes
        )
        total = sum(one.indexed_bytes for one in self._segments)
        return Scan(
            self._is_complete, self._read_count, sum(passed), total, whole, len(self._segments)
        )

    def _passed_bytes(self, one: Summary) -> int:
        """Of this segment; by its place in the file where the way ends at an event in it, by time
        elsewhere."""
        if self._is_complete:
            return one.indexed_bytes
        last, reached = self._last, self._reached
        if reached is None:
            return 0
        newest_first = self._search.query.newest_first
        if last and last.segment == one.segment:
            size = one.indexed_bytes - last.offset if newest_first else last.offset + last.length
        else:
            gone_ns = one.last_ns - reached.ts_ns if newest_first else reached.ts_ns - one.first_ns
            size = one.indexed_bytes * gone_ns // (one.last_ns - one.first_ns + 1)
        return max(0, min(size, one.indexed_bytes))


def _place(pointer: Pointer) -> Cursor:
    return Cursor(pointer.ts_ns, pointer.seq)
