"""The index as the holder of one token sees it: every question gets that token's condition beside its own.

What an answer is made of (pages, totals, sessions, traces, neighbours) is asked anew under the condition;
nothing is taken out of an answer that was made without it.
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Literal

import orjson

from laneway.hub.archive import Archive, EventPage, SeqPage
from laneway.hub.failure import Failure
from laneway.hub.frame import Frame
from laneway.hub.indexer import ArchiveProxy, InquiryProxy, StoreProxy
from laneway.hub.inquiry import Facet, Inquiry, Scope, Surroundings
from laneway.hub.ring import is_failure
from laneway.model.vocabulary import TITLE_EVENTS
from laneway.store.api import (
    Course,
    Group,
    Groups,
    Page,
    Plan,
    Query,
    Scan,
    SegmentState,
    Split,
    Store,
    Table,
)
from laneway.store.query.expr import EVERYTHING, Expr, all_of, is_one_of
from laneway.store.query.field import AGENT, EVENT, POD, SESSION

PARENT_EVENTS = 20
"""Of an agent, the newest: who its parent is stands in most of them, or in none."""


def where_bound(agents: Sequence[str], pods: Sequence[str]) -> Expr:
    """The events of these agents and pods; without names, of any."""
    parts = [is_one_of(AGENT, sorted(agents))] if agents else []
    return all_of([*parts, is_one_of(POD, sorted(pods))] if pods else parts)


class View:
    """Has what the reading routes ask of a hub. Thread-safe, and blocking."""

    def __init__(
        self,
        store: Store | StoreProxy,
        archive: Archive | ArchiveProxy,
        inquiry: Inquiry | InquiryProxy,
        where: Expr,
    ) -> None:
        """``where``: which events there are, as far as this view goes."""
        self.archive = BoundArchive(archive, where)
        self.store = BoundStore(store, self.archive, where)
        self.inquiry = BoundInquiry(inquiry, where)


class BoundArchive:
    """A `laneway.hub.archive.Archive`."""

    def __init__(self, archive: Archive | ArchiveProxy, where: Expr) -> None:
        self._archive = archive
        self._where = where

    def page(self, query: Query) -> EventPage:
        page = self._archive.page(_within(query, self._where))
        return page._replace(scan=_plain(page.scan))

    def seqs(self, query: Query, patience_s: float) -> SeqPage:
        page = self._archive.seqs(_within(query, self._where), patience_s)
        return page._replace(scan=_plain(page.scan))

    def one(self, query: Query) -> bytes | None:
        return self._archive.one(_within(query, self._where))

    def recent(self, until: int, count: int, where: Expr = EVERYTHING) -> list[Frame]:
        return self._archive.recent(until, count, all_of([where, self._where]))


class BoundStore:
    """The questions of a `laneway.store.api.Store`."""

    def __init__(self, store: Store | StoreProxy, archive: BoundArchive, where: Expr) -> None:
        self._store = store
        self._archive = archive
        self._where = where

    def segments(self) -> list[SegmentState]:
        """One that stands for all, with the times between which there is something to see."""
        ends = [self.find(Query(limit=1, newest_first=newest)).hits for newest in (False, True)]
        if not all(ends):
            return []
        (oldest,), (newest,) = ends
        return [SegmentState("", "", 0, 1, oldest.ts_ns, newest.ts_ns, newest.seq)]

    def find(self, query: Query) -> Page:
        page = self._store.find(_within(query, self._where))
        return page._replace(scan=_plain(page.scan))

    def groups(self, by: Literal["agent", "session"], query: Query) -> Groups:
        """An agent's parent and a session's course are told by what is visible of them alone."""
        found = self._store.groups(by, _within(query, self._where))
        complete = self._with_parent if by == "agent" else self._with_course
        return Groups([complete(group) for group in found.groups], _plain(found.scan))

    def _with_parent(self, group: Group) -> Group:
        newest = Query(is_one_of(AGENT, (group.name,)), limit=PARENT_EVENTS)
        events = map(orjson.loads, self._archive.page(newest).lines)
        named = (event.get("parent_agent") for event in events)
        return group._replace(parent=next((p for p in named if p and p != group.name), ""))

    def _with_course(self, group: Group) -> Group:
        own = Query(is_one_of(SESSION, (group.name,)), limit=1)
        oldest = self.find(replace(own, newest_first=False)).hits
        title = Query(
            all_of([own.where, is_one_of(EVENT, TITLE_EVENTS)]), limit=1, newest_first=False
        )
        titles = self.find(title).hits
        newest = self.find(own).hits
        line = self._archive.one(own)
        if not (oldest and newest and line):
            return group._replace(course=Course(group.first_ns, group.last_ns, "", False, 0))
        last = orjson.loads(line)
        return group._replace(
            course=Course(
                oldest[0].ts_ns,
                newest[0].ts_ns,
                last["event"],
                is_failure(last),
                titles[0].seq if titles else 0,
            )
        )

    def aggregate(self, query: Query, split: Split) -> Table:
        table = self._store.aggregate(_within(query, self._where), split)
        return table._replace(scan=_plain(table.scan))

    def explain(self, query: Query) -> Plan:
        """Without figures: how many segments know a name would tell whether others use it."""
        plan = self._store.explain(_within(query, self._where))
        return Plan(plan.steps[1:], plan.cost, 0, 0, 0, 0)


class BoundInquiry:
    """A `laneway.hub.inquiry.Inquiry`."""

    def __init__(self, inquiry: Inquiry | InquiryProxy, where: Expr) -> None:
        self._inquiry = inquiry
        self._where = where

    def trace(self, trace_id: str) -> dict[str, Any] | None:
        return self._inquiry.trace(trace_id, self._where)

    def around(self, query: Query, scope: Scope, before: int, after: int) -> Surroundings | None:
        return self._inquiry.around(query, scope, before, after, self._where)

    def facet(self, query: Query, path: Sequence[str]) -> Facet:
        return self._inquiry.facet(_within(query, self._where), path)

    def failures(self, query: Query) -> tuple[list[Failure], bool]:
        return self._inquiry.failures(_within(query, self._where))

    def texts(self, seqs: Sequence[int]) -> dict[int, str]:
        return self._inquiry.texts(seqs, self._where)


def _within(query: Query, where: Expr) -> Query:
    return replace(query, where=all_of([query.where, where]))


def _plain(scan: Scan | None) -> Scan | None:
    """Whether it is complete, without the sizes of what is not to be seen."""
    return scan and Scan(scan.is_complete, 0, 0, 0, 0, 0)
