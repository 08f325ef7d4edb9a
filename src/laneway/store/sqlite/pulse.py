"""`pulse` in one segment: whole minutes and hours from the roll-ups, ragged ends from the rows."""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from laneway.base.errors import QueryError

from .filter import Search, filter_rows
from .rollup import STEPS_NS
from .scan import plan_all
from .summary import Summary

MAX_STEP_NS = 2**61
"""73 years; the arithmetic below stays within 64 bits."""

MAX_BUCKETS = 100_000
"""More than any chart can show; a step of a nanosecond must not fill the memory."""

Counts = dict[int, list[int]]
"""Start of the bucket → events and errors."""


def check_step(step_ns: int) -> None:
    if not 0 < step_ns <= MAX_STEP_NS:
        raise QueryError(f"step: {step_ns} ns is not from 1 ns to 73 years")


def check_size(counts: Counts) -> None:
    if len(counts) > MAX_BUCKETS:
        raise QueryError(
            f"step: it makes more than {MAX_BUCKETS} buckets",
            hint="take a longer step or a narrower range",
        )


def count_in(
    connection: sqlite3.Connection, search: Search, summary: Summary, step_ns: int, counts: Counts
) -> None:
    """Add the segment's events to ``counts``."""
    steps = _usable_steps(search, step_ns)
    for cell_ns, start_ns, end_ns in _iter_pieces(*_reach(search, summary, steps), steps):
        if cell_ns:
            rows = _count_cells(connection, search, cell_ns, start_ns, end_ns, step_ns)
        else:
            piece = replace(search, since_ns=start_ns, until_ns=end_ns - 1)
            rows = _count_rows(connection, piece, step_ns)
        for index, events, errors in rows:
            cell = counts.setdefault(index * step_ns, [0, 0])
            cell[0] += events
            cell[1] += errors


def _usable_steps(search: Search, step_ns: int) -> list[int]:
    """The roll-ups that can answer, coarsest first. They know agent, event and errors, and a cell
    must not straddle two buckets."""
    query = search.query
    others = (
        query.sessions, query.tools, query.levels, query.traces, query.spans, query.pods,
        query.ids, query.seqs,
    )  # fmt: skip
    return [] if any(others) else [step for step in reversed(STEPS_NS) if step_ns % step == 0]


def _reach(search: Search, summary: Summary, steps: Sequence[int]) -> tuple[int, int]:
    """``[start_ns, end_ns)`` to count in: the window; where it is open, up to whole cells."""
    cell_ns = steps[0] if steps else 1
    first_ns = summary.first_ns // cell_ns * cell_ns
    end_ns = (summary.last_ns // cell_ns + 1) * cell_ns
    return max(search.since_ns, first_ns), min(search.until_ns + 1, end_ns)


def _iter_pieces(
    start_ns: int, end_ns: int, steps: Sequence[int]
) -> Iterator[tuple[int, int, int]]:
    """``[start_ns, end_ns)`` as ``(cell size, start, end)``; the cell size is 0 for rows."""
    if start_ns >= end_ns:
        return
    if not steps:
        yield 0, start_ns, end_ns
        return
    inner_ns = -(-start_ns // steps[0]) * steps[0]
    outer_ns = end_ns // steps[0] * steps[0]
    if inner_ns >= outer_ns:
        yield from _iter_pieces(start_ns, end_ns, steps[1:])
        return
    yield from _iter_pieces(start_ns, inner_ns, steps[1:])
    yield steps[0], inner_ns, outer_ns
    yield from _iter_pieces(outer_ns, end_ns, steps[1:])


def _count_cells(
    connection: sqlite3.Connection,
    search: Search,
    cell_ns: int,
    start_ns: int,
    end_ns: int,
    step_ns: int,
) -> Iterable[tuple[int, int, int]]:
    wanted = search.query.has_error
    made = filter_rows(connection, replace(search, query=replace(search.query, has_error=None)))
    if made.impossible:
        return []
    made.add("e.step = ? AND e.start >= ? AND e.start < ?",
             STEPS_NS.index(cell_ns), start_ns // cell_ns, end_ns // cell_ns)  # fmt: skip
    events = {None: "event_count", True: "error_count", False: "event_count - error_count"}[wanted]
    errors = "0" if wanted is False else "error_count"
    bucket = _floor_division("e.start", step_ns // cell_ns)
    sql = (
        f"SELECT {bucket}, sum({events}), sum({errors}) FROM rollup e WHERE {made.where()}"  # noqa: S608 - no value is in it
        " GROUP BY 1"
    )
    return [row for row in connection.execute(sql, made.values) if row[1]]


def _count_rows(
    connection: sqlite3.Connection, search: Search, step_ns: int
) -> Iterable[tuple[int, int, int]]:
    made = filter_rows(connection, search)
    if made.impossible:
        return
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    columns = f"{_floor_division('e.ts_ns', step_ns)}, count(*), sum(e.has_error)"
    for read in plan_all(connection, search, made):
        yield from connection.execute(*read.query(columns, "GROUP BY 1"))


def _floor_division(column: str, divisor: int) -> str:
    """SQLite divides towards zero; before 1970 that would be the wrong bucket."""
    return f"({column} / {divisor} - ({column} % {divisor} < 0))"
