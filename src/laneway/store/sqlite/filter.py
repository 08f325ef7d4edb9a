"""A `Query` against one segment's dictionary: conditions on rows, terms on blocks."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from laneway.base.errors import QueryError
from laneway.model.vocabulary import LEVEL_RANK
from laneway.store.api import Cursor, Query

from . import schema
from .ident import Packed, clean, pack_hex, pack_id, term_of
from .rollup import MAX_INT
from .row import MIN_INT, clamp_ns
from .segment import ERROR_TERM, LEVEL_TERM, find_known
from .summary import Summary
from .text import match_of

MAX_VALUES = 10_000
"""Values in all filters together: SQLite takes 32,766 parameters in one statement."""


@dataclass(frozen=True, slots=True)
class Search:
    """A query, checked and packed once for all segments.

    The window is closed, ``[since_ns, until_ns]``, and every number in it fits into SQLite.
    """

    query: Query
    match: str
    ids: tuple[Packed, ...]
    traces: tuple[Packed, ...]
    spans: tuple[Packed, ...]
    since_ns: int
    until_ns: int
    after: Cursor | None

    @property
    def picks(self) -> bool:
        """Whether single events are named, by id or seq."""
        return bool(self.query.ids or self.query.seqs)

    @property
    def fields(self) -> frozenset[str] | None:
        """Columns that the filters name, errors and the window aside; None where rows have to be
        looked at one by one."""
        query = self.query
        if self.picks or self.match or self.traces or self.spans:
            return None
        named = {
            "agent": query.agents or query.not_agents, "event": query.events or query.not_events,
            "session": query.sessions, "tool": query.tools, "level": query.levels,
            "pod": query.pods,
        }  # fmt: skip
        return frozenset(field for field, values in named.items() if values)

    @property
    def is_plain(self) -> bool:
        """Whether nothing is filtered but time."""
        return self.fields == frozenset() and self.query.has_error is None

    def may_match(self, summary: Summary) -> bool:
        """Whether the segment can hold a hit, as far as can be told without opening it."""
        query = self.query
        return (
            summary.event_count > 0
            and summary.last_ns >= self.since_ns
            and summary.first_ns <= self.until_ns
            and (not self.ids or any(map(summary.may_hold, self.ids)))
            and (
                not query.seqs
                or any(summary.first_seq <= s <= summary.last_seq for s in query.seqs)
            )
        )

    def covers(self, summary: Summary) -> bool:
        """Whether all the segment's events lie in the window."""
        return self.since_ns <= summary.first_ns and summary.last_ns <= self.until_ns


def prepare(query: Query) -> Search:
    """
    Raises:
        QueryError: the text cannot be searched for, or there are too many values.
    """
    _check_values(query)
    return Search(
        query,
        match_of(query.text),
        tuple(map(pack_id, query.ids)),
        tuple(map(pack_hex, query.traces)),
        tuple(map(pack_hex, query.spans)),
        MIN_INT if query.since_ns is None else clamp_ns(query.since_ns),
        MAX_INT
        if query.until_ns is None or query.until_ns > MAX_INT
        else clamp_ns(query.until_ns - 1),
        query.after and Cursor(clamp_ns(query.after.ts_ns), clamp_ns(query.after.seq)),
    )


def _check_values(query: Query) -> None:
    filters = (
        query.agents, query.not_agents, query.events, query.not_events, query.sessions, query.tools,
        query.levels, query.traces, query.spans, query.pods, query.ids, query.seqs,
    )  # fmt: skip
    count = sum(map(len, filters))
    if count > MAX_VALUES:
        raise QueryError(f"{count} values in the filters, at most {MAX_VALUES} can be looked for")


@dataclass(slots=True)
class Filter:
    """``conditions`` are for a row ``e``; a block must hold one of each group of ``terms``."""

    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    terms: list[Sequence[int]] = field(default_factory=list)
    impossible: bool = False

    def require(self, column: str, values: Sequence[object], terms: Sequence[int] = ()) -> None:
        self.impossible = self.impossible or not values
        self.conditions.append(f"e.{column} IN ({_marks(values)})")
        self.values += values
        if terms:
            self.terms.append(terms)

    def exclude(self, column: str, values: Sequence[object]) -> None:
        if values:
            self.conditions.append(f"e.{column} NOT IN ({_marks(values)})")
            self.values += values

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values += values

    def where(self) -> str:
        return " AND ".join(self.conditions) or "1"


def filter_names(connection: sqlite3.Connection, query: Query) -> Filter:
    """The filters by agent and session: those that `tally` can answer as well."""
    made = Filter()
    _require_names(connection, made, schema.AGENT, "agent", query.agents)
    _require_names(connection, made, schema.SESSION, "session", query.sessions)
    made.exclude("agent", _codes(connection, schema.AGENT, query.not_agents))
    return made


def filter_rows(connection: sqlite3.Connection, search: Search) -> Filter:
    """Every filter but the text, the window and the cursor."""
    query = search.query
    made = filter_names(connection, query)
    _require_names(connection, made, schema.EVENT, "event", query.events)
    _require_names(connection, made, schema.TOOL, "tool", query.tools)
    _require_names(connection, made, schema.POD, "pod", query.pods)
    made.exclude("event", _codes(connection, schema.EVENT, query.not_events))
    if query.levels:
        ranks = [LEVEL_RANK[level] for level in query.levels if level in LEVEL_RANK]
        made.require("level", ranks, [LEVEL_TERM + rank for rank in ranks])
    if query.has_error is not None:
        made.require("has_error", [int(query.has_error)], [ERROR_TERM] if query.has_error else [])
    for column, packed in (("trace", search.traces), ("span", search.spans)):
        if packed:
            made.require(column, packed, [term_of(one) for one in packed])
    return made


def pick_seqs(connection: sqlite3.Connection, search: Search) -> list[int]:
    """The seqs named by ``ids`` and ``seqs``, as far as this segment holds the ids."""
    wanted = {seq for seq in search.query.seqs if 0 < seq <= MAX_INT}
    if not search.ids:
        return list(wanted)
    known = find_known(connection, search.ids)
    rows = connection.execute(f"SELECT seq FROM ident WHERE id IN ({_marks(known)})", [*known])  # noqa: S608 - marks only
    found = {seq for (seq,) in rows}
    return list(found & wanted if search.query.seqs else found)


def _require_names(
    connection: sqlite3.Connection, made: Filter, kind: int, column: str, names: Sequence[str]
) -> None:
    if names:
        codes = _codes(connection, kind, names)
        made.require(column, codes, codes)


def _codes(connection: sqlite3.Connection, kind: int, names: Sequence[str]) -> list[int]:
    if not names:
        return []
    rows = connection.execute(
        f"SELECT code FROM name WHERE kind = ? AND value IN ({_marks(names)})",  # noqa: S608 - marks only
        (kind, *map(clean, names)),
    )
    return [code for (code,) in rows]


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
