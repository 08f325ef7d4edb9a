"""What is asked of the index: a page of events, totals by agent, session or time, how a search will run."""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Literal

from laneway.base.errors import StoreError
from laneway.store.api import (
    Accuracy,
    Group,
    Groups,
    Page,
    Plan,
    Query,
    QueryTimeout,
    ReadEvent,
    Split,
    Table,
)

from .aggregate import Aggregate, Part, check_split, read_part
from .catalog import Catalog
from .ended import find_ended
from .explain import explain
from .find import find_in
from .hits import Hits
from .ident import pack_hex
from .pool import TimeBox
from .raw import RawText, ReadText, iter_windows, try_raw
from .scan import reach_of
from .search import Search, prepare
from .session import Courses, Latest, read_courses, read_latest
from .sift import Sift, Sure
from .slow import Slowest, find_slow, read_maxima
from .summary import Summary, merge_parents
from .total import Totals, read_cells

EXACT: Accuracy = "exact"
AT_LEAST: Accuracy = "at_least"


class Searcher:
    """Thread-safe. ``read_event`` and ``read_text``: see `SqliteStore`."""

    def __init__(
        self,
        catalog: Catalog,
        query_limit_s: float,
        read_event: ReadEvent | None,
        read_text: ReadText | None,
    ) -> None:
        self._catalog = catalog
        self._query_limit_s = query_limit_s
        self._read_event = read_event
        self._read_text = read_text

    def find(self, query: Query) -> Page:
        search, box = prepare(query), self._time_box()
        if query.slowest_first:
            return self._find_slow(search, box)
        if search.matcher is None:
            return self._find(search, box, query.limit)
        return self._sift(search).page(box)

    def _find(self, search: Search, box: TimeBox, limit: int) -> Page:
        """One page of candidates; hits, where the index can tell."""
        hits = Hits(limit, newest_first=search.query.newest_first)
        raw = self._try_raw(search)
        if raw:
            return self._find_raw(search, box, hits, raw)
        self._collect(search, box, hits)
        return hits.page()

    def _find_raw(self, search: Search, box: TimeBox, hits: Hits, raw: RawText) -> Page:
        """Where the time is not enough, a page up to the place that was reached, with a scan."""
        newest_first, segments = search.query.newest_first, self._matching(search)
        since_ns, until_ns = reach_of(search)
        has_begun = False
        for low, high in iter_windows(segments, since_ns, until_ns, newest_first=newest_first):
            if not hits.may_take(low, high):
                break
            part = replace(search, since_ns=low, until_ns=high)
            try:
                if has_begun and box.is_over():
                    raise box.error()
                self._collect(part, box, hits, raw)
            except QueryTimeout:
                if not has_begun:
                    raise
                return hits.page_before(low, high)
            has_begun = True
        return hits.page()

    def _collect(
        self, search: Search, box: TimeBox, hits: Hits, raw: RawText | None = None
    ) -> None:
        since_ns, until_ns = reach_of(search)
        for summary in self._matching(search):
            if summary.last_ns < since_ns or summary.first_ns > until_ns:
                continue  # the pages before this one had it
            if not hits.may_take(summary.first_ns, summary.last_ns):
                break
            work = partial(find_in, segment=summary.segment, search=search, hits=hits, raw=raw)
            self._catalog.read(summary, box, work)

    def _try_raw(self, search: Search) -> RawText | None:
        piece = next((one.text for one in search.literals if one.is_in_line), None)
        return try_raw(piece, self._read_text) if piece else None

    def _find_slow(self, search: Search, box: TimeBox) -> Page:
        sure, slowest = self._sure(search, box), Slowest(search.query.limit)
        for summary, narrowed in sure.parts:
            if narrowed.is_plain and narrowed.covers(summary):
                maxima = partial(read_maxima, limit=search.query.limit)
                slowest.note(self._catalog.read(summary, sure.box, maxima) or [])
        for summary, narrowed in sure.parts:
            work = partial(find_slow, segment=summary.segment, search=narrowed, slowest=slowest)
            self._catalog.read(summary, sure.box, work)
        return slowest.page()._replace(scan=sure.scan)

    def groups(self, by: Literal["agent", "session"], query: Query) -> Groups:
        sure = self._sure(prepare(query), self._time_box())
        if by == "session":
            return Groups(self._sessions(sure, query.limit), sure.scan)
        totals = self._totals(by, sure)
        parents = merge_parents(summary.parents for summary in self._catalog.all())
        return Groups(totals.agents(parents, query.limit), sure.scan)

    def _totals(
        self, by: Literal["agent", "session"], sure: Sure, sessions: list[str] | None = None
    ) -> Totals:
        totals = Totals(by)
        for summary, search in sure.parts:
            work = partial(read_cells, by=by, search=search, summary=summary, sessions=sessions)
            asked = ("groups", by, None if sessions is None else tuple(sessions))
            cells = self._catalog.answer(
                summary, search, asked, sure.box, work, lambda found: len(found)
            )
            totals.add(cells or ())
        return totals

    def _sessions(self, sure: Sure, limit: int) -> list[Group]:
        """First which ones, from the newest segments; then their totals, from all that match; then
        how they stand, from all."""
        latest = Latest(limit)
        for summary, search in sure.parts:
            if not latest.may_take(summary.last_ns):
                break
            work = partial(read_latest, search=search, summary=summary, limit=limit)
            latest.take(self._catalog.read(summary, sure.box, work) or ())
        names = latest.names()
        if not names:
            return []
        totals, courses = self._totals("session", sure, names), Courses()
        for summary in self._catalog.all():
            course = partial(read_courses, names=names)
            courses.take(self._catalog.read(summary, sure.box, course) or ())
        return totals.sessions(courses.found)

    def aggregate(self, query: Query, split: Split) -> Table:
        check_split(split)
        patience_s = self._query_limit_s if split.patience_s is None else split.patience_s
        aggregate, accuracy, scan = Aggregate(split), EXACT, None
        try:
            sure = self._sure(prepare(query), TimeBox(min(patience_s, self._query_limit_s)))
            scan = sure.scan
            if scan and not scan.is_complete:
                accuracy = AT_LEAST
            for summary, search in sure.parts:
                work = partial(read_part, search=search, summary=summary, split=split)
                asked = ("aggregate", split.by, split.step_ns, split.of)
                part = self._catalog.answer(summary, search, asked, sure.box, work, Part.row_count)
                if part is not None:
                    aggregate.add(part)
        except QueryTimeout:
            accuracy = AT_LEAST
        return aggregate.table(query.limit, accuracy)._replace(scan=scan)

    def explain(self, query: Query) -> Plan:
        search = prepare(query)
        return explain(search, self._matching(search), len(self._catalog.all()))

    def _sure(self, search: Search, box: TimeBox) -> Sure:
        """What totals are counted over, the newest segment first: all rows, or, where the index
        cannot tell, those that the log confirmed. For the second half they get time of their own."""
        newest_first = replace(search.query, newest_first=True)
        search = replace(search, query=newest_first, after=None)
        segments = self._matching(search)
        if search.matcher is None:
            return Sure(box, [(summary, search) for summary in segments], None)
        seqs, scan = self._sift(search).all(box)
        parts = [
            (summary, search.only(seqs[summary.segment]))
            for summary in segments
            if summary.segment in seqs
        ]
        return Sure(self._time_box(), parts, scan)

    def _sift(self, search: Search) -> Sift:
        if self._read_event is None:
            raise StoreError("this query needs the log, and the index was opened without it")
        segments = self._matching(search)
        return Sift(search, self._find, segments, self._read_event, self.find_ended)

    def find_ended(self, spans: Sequence[str]) -> set[str]:
        """Those of ``spans`` that an event anywhere in the log ends."""
        packed = {pack_hex(span): span for span in spans}
        ended: set[str] = set()
        for summary in self._catalog.all():
            left = [one for one, span in packed.items() if span not in ended]
            if left:
                work = partial(find_ended, spans=left)
                found = self._catalog.read(summary, TimeBox(math.inf), work) or ()
                ended.update(packed[one] for one in found)
        return ended

    def count_lines(self, segment: str, start: int, end: int) -> int:
        """Events of whose line, newline included, a part stands in ``[start, end)``; -1 if unknown."""
        sql = "SELECT count(*) FROM event WHERE offset < ? AND offset + length >= ?"
        summary = self._catalog.get(segment)
        if summary is None:
            return -1
        try:
            work = lambda connection: connection.execute(sql, (end, start)).fetchone()  # noqa: E731
            found = self._catalog.read(summary, TimeBox(math.inf), work)
        except StoreError:
            return -1
        return int(found[0]) if found else -1

    def _matching(self, search: Search) -> list[Summary]:
        """The segments that can hold a hit, in the order in which a page meets them."""
        found = [summary for summary in self._catalog.all() if search.may_match(summary)]
        if search.query.newest_first:
            return sorted(found, key=lambda summary: -summary.last_ns)
        return sorted(found, key=lambda summary: summary.first_ns)

    def _time_box(self) -> TimeBox:
        return TimeBox(self._query_limit_s)
