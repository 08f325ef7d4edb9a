"""`groups`: totals from `tally` where that knows the answer, otherwise from the rows."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from laneway.store.api import Course, Group

from . import schema
from .rollup import NO_SESSION
from .row import NUSD
from .scan import plan_all
from .search import Search
from .summary import Summary
from .where import Filter, filter_conditions, filter_rows

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


def read_cells(
    connection: sqlite3.Connection,
    by: By,
    search: Search,
    summary: Summary,
    sessions: Sequence[str] | None = None,
) -> list[Cell]:
    """The segment's matching events, by agent, or by session and agent; of ``sessions`` only."""
    codes = None if sessions is None else read_codes(connection, schema.SESSION, sessions)
    if codes == []:
        return []
    read = _read_tally if tally_knows(search, summary) else _read_rows
    found = read(connection, by, search, codes)
    names = _read_names(connection, (code for row in found for code in row[:2]))
    return [Cell(names.get(row[0]), names[row[1]], *row[2:]) for row in found]


def tally_knows(search: Search, summary: Summary) -> bool:
    """Whether `tally` holds the segment's answer."""
    fields = search.fields
    return (
        fields is not None
        and fields <= {"agent", "session"}
        and search.wants_error is None
        and search.covers(summary)
    )


def read_codes(connection: sqlite3.Connection, kind: int, names: Sequence[str]) -> list[int]:
    rows = connection.execute(
        "SELECT code FROM name WHERE kind = ? AND value IN (SELECT value FROM json_each(?))",
        (kind, json.dumps(names)),
    )
    return [code for (code,) in rows]


def _read_tally(
    connection: sqlite3.Connection, by: By, search: Search, sessions: list[int] | None
) -> list[tuple[int, ...]]:
    made = filter_conditions(connection, search)
    _narrow(made, sessions)
    if made.impossible:
        return []
    keys, rest = _KEYS[by]
    sql = f"SELECT {keys}, {_TALLY_SUMS} FROM tally e WHERE {made.where()} {rest}"  # noqa: S608 - no value is in it
    return connection.execute(sql, made.values).fetchall()


def _read_rows(
    connection: sqlite3.Connection, by: By, search: Search, sessions: list[int] | None
) -> list[tuple[int, ...]]:
    made = filter_rows(connection, search)
    _narrow(made, sessions)
    if made.impossible:
        return []
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    keys, rest = _KEYS[by]
    found: list[tuple[int, ...]] = []
    for read in plan_all(connection, search, made):
        found += connection.execute(*read.query(f"{keys}, {_ROW_SUMS}", rest)).fetchall()
    return found


def _narrow(made: Filter, sessions: list[int] | None) -> None:
    if sessions is not None:
        made.require_sessions(sessions)


def _read_names(connection: sqlite3.Connection, codes: Iterable[int]) -> dict[int, str]:
    rows = connection.execute(
        "SELECT code, value FROM name WHERE code IN (SELECT value FROM json_each(?))",
        (json.dumps([*set(codes)]),),
    )
    return dict(rows.fetchall())


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

    def group(
        self, name: str, parent: str, agents: tuple[str, ...], course: Course | None = None
    ) -> Group:
        return Group(
            name, parent, self.event_count, self.error_count, self.first_ns, self.last_ns,
            int(self.input_tokens), int(self.output_tokens), self.cost_nusd / NUSD, agents, course,
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

    def agents(self, parents: dict[str, tuple[int, str]], limit: int) -> list[Group]:
        """The most recently active first."""
        return [
            total.group(name, parents.get(name, (0, ""))[1], ())
            for name, total in self._in_order()[:limit]
        ]

    def sessions(self, courses: dict[str, Course]) -> list[Group]:
        """The most recently active first."""
        return [
            total.group(name, "", total.agents_by_appearance(), courses.get(name))
            for name, total in self._in_order()
        ]

    def _in_order(self) -> list[tuple[str, Total]]:
        return sorted(self._totals.items(), key=lambda item: (-item[1].last_ns, item[0]))
