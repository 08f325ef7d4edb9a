"""Sessions: which were active last, and how each of them stands."""

import heapq
import json
import sqlite3
from collections.abc import Iterable
from typing import NamedTuple

from laneway.store.api import Course

from . import schema
from .scan import plan_all
from .search import Search
from .summary import Summary
from .total import read_codes, tally_knows
from .where import filter_conditions, filter_rows

_LATEST = """
SELECT n.value, last_ns FROM ({source}) JOIN name n ON n.code = session
ORDER BY last_ns DESC, n.value LIMIT ?
"""


class Seen(NamedTuple):
    """One agent's part of a session in one segment."""

    session: str
    first_ns: int
    last_ns: int
    last_seq: int
    last_event: str
    last_failed: int
    title_ns: int | None
    title_seq: int | None


class Latest:
    """The sessions with the latest matching events, over all segments."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._last_ns: dict[str, int] = {}

    def may_take(self, last_ns: int) -> bool:
        """Whether a session whose last event is not after ``last_ns`` could still come in."""
        if len(self._last_ns) < self._limit:
            return True
        return last_ns >= heapq.nlargest(self._limit, self._last_ns.values())[-1]

    def take(self, found: Iterable[tuple[str, int]]) -> None:
        for name, last_ns in found:
            self._last_ns[name] = max(last_ns, self._last_ns.get(name, last_ns))

    def names(self) -> list[str]:
        order = sorted(self._last_ns.items(), key=lambda item: (-item[1], item[0]))
        return [name for name, _ in order[: self._limit]]


def read_latest(
    connection: sqlite3.Connection, search: Search, summary: Summary, limit: int
) -> list[tuple[str, int]]:
    """The segment's sessions with the time of their last matching event, the latest first."""
    if tally_knows(search, summary):
        made = filter_conditions(connection, search)
        made.add("e.session != 0")
        source = (
            f"SELECT e.session AS session, max(e.last_ns) AS last_ns FROM tally e"  # noqa: S608 - no value is in it
            f" WHERE {made.where()} GROUP BY e.session"
        )
        values = made.values
    else:
        made = filter_rows(connection, search)
        made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
        made.add("e.session IS NOT NULL")
        reads = [] if made.impossible else plan_all(connection, search, made)
        if not reads:
            return []
        columns = "e.session AS session, max(e.ts_ns) AS last_ns"
        source, values = reads[0].query(columns, "GROUP BY e.session")
    if made.impossible:
        return []
    return connection.execute(_LATEST.format(source=source), [*values, limit]).fetchall()


def read_courses(connection: sqlite3.Connection, names: list[str]) -> list[Seen]:
    codes = read_codes(connection, schema.SESSION, names)
    if not codes:
        return []
    rows = connection.execute(
        "SELECT s.value, t.first_ns, t.last_ns, t.last_seq, e.value, t.last_failed, t.title_ns,"
        " t.title_seq FROM json_each(?) j CROSS JOIN tally t ON t.session = j.value"
        " JOIN name s ON s.code = t.session JOIN name e ON e.code = t.last_event",
        (json.dumps(codes),),
    )
    return [Seen(*row) for row in rows]


class Courses:
    """Puts the parts of each session together."""

    def __init__(self) -> None:
        self._parts: dict[str, list[Seen]] = {}

    def take(self, parts: Iterable[Seen]) -> None:
        for part in parts:
            self._parts.setdefault(part.session, []).append(part)

    @property
    def found(self) -> dict[str, Course]:
        return {name: _course(parts) for name, parts in self._parts.items()}


def _course(parts: list[Seen]) -> Course:
    last = max(parts, key=lambda part: (part.last_ns, part.last_seq))
    titles = [
        (part.title_ns, part.title_seq)
        for part in parts
        if part.title_ns is not None and part.title_seq is not None
    ]
    return Course(
        min(part.first_ns for part in parts),
        last.last_ns,
        last.last_event,
        bool(last.last_failed),
        min(titles, default=(0, 0))[1],
    )
