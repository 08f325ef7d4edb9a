"""`groups`: totals from `tally` where that knows the answer, otherwise from the rows."""

import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from laneway.store.api import Group

from . import schema
from .filter import Search, filter_names, filter_rows
from .rollup import NO_SESSION
from .row import NUSD
from .scan import plan_all
from .summary import Summary

By = Literal["agent", "session"]

_KEYS: dict[By, tuple[str, str]] = {
    "agent": (f"{NO_SESSION}, e.agent", "GROUP BY e.agent"),
    "session": (f"coalesce(e.session, {NO_SESSION}), e.agent", "GROUP BY e.session, e.agent"),
}
"""What to select and group by: a session also wants to know its agents."""

_TALLY_SUMS = (
    "sum(e.event_count), sum(e.error_count), min(e.first_ns), max(e.last_ns),"
    " total(e.input_tokens), total(e.output_tokens), total(e.cost_nusd)"
)
_ROW_SUMS = (
    "count(*), sum(e.has_error), min(e.ts_ns), max(e.ts_ns),"
    " total(e.input_tokens), total(e.output_tokens), total(e.cost_nusd)"
)
# total() and not sum(): a sum of integers fails when it overflows, and events may be hostile.


class Cell(NamedTuple):
    """Totals of one agent within one session (None: outside of any)."""

    session: str | None
    agent: str
    event_count: int
    error_count: int
    first_ns: int
    last_ns: int
    input_tokens: float
    output_tokens: float
    cost_nusd: float


_FROM_TALLY = """
SELECT session, agent, event_count, error_count, first_ns, last_ns,
    input_tokens, output_tokens, cost_nusd
FROM tally e WHERE
"""
_ROW_COLUMNS = (
    f"coalesce(e.session, {NO_SESSION}), e.agent, count(*), sum(e.has_error),"
    " min(e.ts_ns), max(e.ts_ns), total(e.input_tokens), total(e.output_tokens), total(e.cost_nusd)"
)


def read_cells(
    connection: sqlite3.Connection, by: By, search: Search, summary: Summary
) -> list[Cell]:
    """The segment's matching events, by agent, or by session and agent."""
    read = _read_tally if _tally_knows(search, summary) else _read_rows
    found = read(connection, by, search)
    names = _read_names(connection, (code for row in found for code in row[:2]))
    return [Cell(names.get(row[0]), names[row[1]], *row[2:]) for row in found]


def _tally_knows(search: Search, summary: Summary) -> bool:
    query = search.query
    others = (
        query.events, query.not_events, query.tools, query.levels, query.traces, query.spans,
        query.pods, query.ids, query.seqs, search.match,
    )  # fmt: skip
    return search.covers(summary) and query.has_error is None and not any(others)


def _read_tally(connection: sqlite3.Connection, by: By, search: Search) -> list[tuple[int, ...]]:
    made = filter_names(connection, search.query)
    if made.impossible:
        return []
    keys, rest = _KEYS[by]
    sql = f"SELECT {keys}, {_TALLY_SUMS} FROM tally e WHERE {made.where()} {rest}"  # noqa: S608 - no value is in it
    return connection.execute(sql, made.values).fetchall()


def _read_rows(connection: sqlite3.Connection, by: By, search: Search) -> list[tuple[int, ...]]:
    made = filter_rows(connection, search)
    if made.impossible:
        return []
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    keys, rest = _KEYS[by]
    found: list[tuple[int, ...]] = []
    for read in plan_all(connection, search, made):
        found += connection.execute(*read.query(f"{keys}, {_ROW_SUMS}", rest)).fetchall()
    return found


def _read_names(connection: sqlite3.Connection, codes: Iterable[int]) -> dict[int, str]:
    wanted = set(codes)
    rows = connection.execute(
        "SELECT code, value FROM name WHERE kind IN (?, ?)", (schema.AGENT, schema.SESSION)
    )
    return {code: value for code, value in rows if code in wanted}


@dataclass(slots=True)
class Total:
    """Sums of one group over all segments."""

    event_count: int = 0
    error_count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    input_tokens: float = 0.0
    output_tokens: float = 0.0
    cost_nusd: float = 0.0
    agents: dict[str, int] = field(default_factory=dict)
    """Agent → its first event."""

    def add(self, cell: Cell) -> None:
        is_first = not self.event_count
        self.first_ns = cell.first_ns if is_first else min(self.first_ns, cell.first_ns)
        self.last_ns = cell.last_ns if is_first else max(self.last_ns, cell.last_ns)
        self.event_count += cell.event_count
        self.error_count += cell.error_count
        self.input_tokens += cell.input_tokens
        self.output_tokens += cell.output_tokens
        self.cost_nusd += cell.cost_nusd
        self.agents[cell.agent] = min(cell.first_ns, self.agents.get(cell.agent, cell.first_ns))

    def group(self, name: str, parent: str, agents: tuple[str, ...]) -> Group:
        return Group(
            name, parent, self.event_count, self.error_count, self.first_ns, self.last_ns,
            int(self.input_tokens), int(self.output_tokens), self.cost_nusd / NUSD, agents,
        )  # fmt: skip

    def agents_by_appearance(self) -> tuple[str, ...]:
        return tuple(sorted(self.agents, key=lambda agent: (self.agents[agent], agent)))


class Totals:
    """Merges the cells of all segments into groups."""

    def __init__(self, by: By) -> None:
        self._by_session = by == "session"
        self._totals: dict[str, Total] = {}

    def add(self, cells: Iterable[Cell]) -> None:
        for cell in cells:
            name = cell.session if self._by_session else cell.agent
            if name is not None:
                self._totals.setdefault(name, Total()).add(cell)

    def groups(self, parents: dict[str, tuple[int, str]], limit: int) -> list[Group]:
        """The most recently active first."""
        order = sorted(self._totals.items(), key=lambda item: (-item[1].last_ns, item[0]))[:limit]
        if self._by_session:
            return [total.group(name, "", total.agents_by_appearance()) for name, total in order]
        return [total.group(name, parents.get(name, (0, ""))[1], ()) for name, total in order]
