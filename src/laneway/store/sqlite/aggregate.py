"""`aggregate`: cells of all segments, put together by name."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from operator import add
from typing import NamedTuple

from laneway.base.errors import QueryError
from laneway.model.vocabulary import LEVELS
from laneway.store.api import FIELDS, Accuracy, Cell, Field, Split, Table
from laneway.store.sketch import Sketch, Spread

from .cell import Codes, iter_durations, iter_sums, read_sketches
from .row import NUSD
from .search import Search
from .summary import Summary

MAX_STEP_NS = 2**61
"""73 years; the arithmetic stays within 64 bits."""

MAX_CELLS = 100_000
"""More than any chart can show; a step of a nanosecond must not fill the memory."""

MAX_FIELDS = 2

Keys = tuple[str | None, ...]


def check_split(split: Split) -> None:
    """
    Raises:
        QueryError: it cannot be counted so.
    """
    if split.step_ns and not 0 < split.step_ns <= MAX_STEP_NS:
        raise QueryError(f"step: {split.step_ns} ns is not from 1 ns to 73 years")
    if len(split.by) > MAX_FIELDS or len(set(split.by)) < len(split.by):
        raise QueryError(f"by: at most {MAX_FIELDS} different fields")
    for field in split.by:
        if field not in FIELDS:
            raise QueryError(f"by: {field} is not one of {', '.join(FIELDS)}")
    if split.of == "duration" and split.step_ns:
        raise QueryError("step: durations are not told by time")


class Group:
    """What is known of one set of keys."""

    __slots__ = ("error_count", "event_count", "spread", "steps")

    def __init__(self) -> None:
        self.event_count: float = 0
        self.error_count: float = 0
        self.steps: dict[int, Sequence[float]] = {}
        self.spread: Spread | None = None


class Part(NamedTuple):
    """What one segment adds. Nobody changes it: it may be kept."""

    sums: list[tuple[Keys, int, Sequence[float]]]
    """Keys, step, and the amounts of a `laneway.store.sqlite.cell.Sum`."""
    sketches: list[tuple[Keys, Sketch]]
    values: list[tuple[Keys, list[float]]]

    def row_count(self) -> int:
        """In rows of about 200 bytes."""
        sketched = sum(1 + len(sketch.counts) // SKETCH_COUNTS for _, sketch in self.sketches)
        listed = sum(len(values) // SKETCH_COUNTS for _, values in self.values)
        return len(self.sums) + sketched + listed


SKETCH_COUNTS = 20
"""Numbers that take about 200 bytes in a list."""


def read_part(
    connection: sqlite3.Connection, search: Search, summary: Summary, split: Split
) -> Part:
    """The segment's share of the table."""
    if split.of == "duration":
        return _read_durations(connection, search, summary, split)
    rows = list(iter_sums(connection, search, summary, split))
    named = _naming(connection, split.by, {row.codes for row in rows})
    return Part(
        [(named[row.codes], row.step, row.amounts) for row in rows if any(row.amounts)], [], []
    )


def _read_durations(
    connection: sqlite3.Connection, search: Search, summary: Summary, split: Split
) -> Part:
    sketches = read_sketches(connection, search, summary, split)
    if sketches is not None:
        merged: dict[Codes, Sketch] = {}
        failed: defaultdict[Codes, int] = defaultdict(int)
        for codes, errors, sketch in sketches:
            merged.setdefault(codes, Sketch()).merge(sketch)
            failed[codes] += errors
        named = _naming(connection, split.by, merged)
        return Part(
            [(named[codes], 0, (sketch.count, failed[codes])) for codes, sketch in merged.items()],
            [(named[codes], sketch) for codes, sketch in merged.items()],
            [],
        )
    values: defaultdict[Codes, list[float]] = defaultdict(list)
    failed = defaultdict(int)
    for codes, has_error, value_ms in iter_durations(connection, search, split):
        values[codes].append(value_ms)
        failed[codes] += has_error
    named = _naming(connection, split.by, values)
    return Part(
        [(named[codes], 0, (len(some), failed[codes])) for codes, some in values.items()],
        [],
        [(named[codes], some) for codes, some in values.items()],
    )


class Aggregate:
    """Takes one segment's part after the other."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self._groups: defaultdict[Keys, Group] = defaultdict(Group)
        self._cell_count = 0

    def add(self, part: Part) -> None:
        """
        Raises:
            QueryError: there are too many cells.
        """
        groups = self._groups
        for keys, step, amounts in part.sums:  # ten thousand of them in a chart by agent
            group = groups[keys]
            group.event_count += amounts[0]
            group.error_count += amounts[1]
            known = group.steps.get(step)
            if known is None:
                self._cell_count += 1
                group.steps[step] = amounts
            else:
                group.steps[step] = tuple(map(add, known, amounts))
        for keys, sketch in part.sketches:
            self._spread(keys).merge(sketch)
        for keys, values in part.values:
            self._spread(keys).add(values)
        if self._cell_count > MAX_CELLS:
            raise QueryError(
                f"step: it makes more than {MAX_CELLS} buckets",
                hint="take a longer step or a narrower range",
            )

    def table(self, limit: int, accuracy: Accuracy) -> Table:
        order = sorted(self._groups.items(), key=lambda item: (-item[1].event_count, item[0]))
        found = [
            (step, -amounts[0], keys, amounts, group)
            for keys, group in order[:limit]
            for step, amounts in group.steps.items()
        ]
        found.sort()  # no two have the same step and keys
        step_ns = self._split.step_ns
        is_work = self._split.of == "work"
        cells = [
            _work_cell(keys, step * step_ns, amounts)
            if is_work
            else _cell(keys, step * step_ns, amounts, group.spread)
            if group.spread or len(amounts) > 2
            else Cell(keys, step * step_ns, int(amounts[0]), int(amounts[1]))
            for step, _, keys, amounts, group in found
        ]
        spreads = [group.spread for _, group in order if group.spread]
        if accuracy == "exact" and not all(spread.is_exact for spread in spreads):
            accuracy = "estimated"
        return Table(
            cells,
            len(order),
            int(sum(group.event_count for _, group in order)),
            int(sum(group.error_count for _, group in order)),
            accuracy,
        )

    def _spread(self, keys: Keys) -> Spread:
        group = self._groups[keys]
        if group.spread is None:
            group.spread = Spread()
        return group.spread


def _cell(keys: Keys, start_ns: int, amounts: Sequence[float], spread: Spread | None) -> Cell:
    events, errors, *usage = amounts
    tokens_in, tokens_out, cost_nusd = usage or (0, 0, 0)
    durations = spread.durations() if spread else None
    return Cell(
        keys, start_ns, int(events), int(errors), int(tokens_in), int(tokens_out),
        cost_nusd / NUSD, durations,
    )  # fmt: skip


def _work_cell(keys: Keys, start_ns: int, amounts: Sequence[float]) -> Cell:
    events, errors, took_us, begun = map(int, amounts)
    return Cell(keys, start_ns, events, errors, took_us=took_us, begun_count=begun)


def _naming(
    connection: sqlite3.Connection, by: tuple[Field, ...], codes: Iterable[Codes]
) -> dict[Codes, Keys]:
    """What the segment's codes stand for."""
    distinct = {*codes}
    wanted = {code for some in distinct for code in some if code is not None}
    rows = connection.execute(
        "SELECT code, value FROM name WHERE code IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(wanted)),),
    )
    names: dict[int, str] = dict(rows.fetchall())

    def name(field: Field, code: int | None) -> str | None:
        if code is None:
            return None
        return LEVELS[code] if field == "level" else names[code]

    return {some: tuple(map(name, by, some)) for some in distinct}
