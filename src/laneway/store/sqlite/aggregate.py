"""`aggregate`: cells of all segments, put together by name."""

import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from laneway.base.errors import QueryError
from laneway.model.vocabulary import LEVELS
from laneway.store.api import FIELDS, Accuracy, Cell, Field, Split, Table
from laneway.store.sketch import Spread

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
        self.event_count = self.error_count = 0
        self.steps: dict[int, list[float]] = {}
        self.spread: Spread | None = None


class Aggregate:
    """Takes one segment after the other."""

    def __init__(self, split: Split) -> None:
        self._split = split
        self._groups: defaultdict[Keys, Group] = defaultdict(Group)
        self._cell_count = 0

    def take(self, connection: sqlite3.Connection, search: Search, summary: Summary) -> None:
        """Add a segment; all of it or, where it raises, nothing."""
        if self._split.of == "duration":
            self._take_durations(connection, search, summary)
        else:
            self._take_sums(connection, search, summary)

    def table(self, limit: int, accuracy: Accuracy) -> Table:
        order = sorted(self._groups.items(), key=lambda item: (-item[1].event_count, item[0]))
        cells = [
            self._cell(keys, group, step, amounts)
            for keys, group in order[:limit]
            for step, amounts in group.steps.items()
        ]
        cells.sort(key=lambda cell: (cell.start_ns, -cell.event_count, cell.keys))
        spreads = [group.spread for _, group in order if group.spread]
        if accuracy == "exact" and not all(spread.is_exact for spread in spreads):
            accuracy = "estimated"
        return Table(
            cells,
            len(order),
            sum(group.event_count for _, group in order),
            sum(group.error_count for _, group in order),
            accuracy,
        )

    def _cell(self, keys: Keys, group: Group, step: int, amounts: list[float]) -> Cell:
        events, errors, *usage = amounts
        tokens_in, tokens_out, cost_nusd = usage or (0, 0, 0)
        return Cell(
            keys,
            step * self._split.step_ns,
            int(events),
            int(errors),
            int(tokens_in),
            int(tokens_out),
            cost_nusd / NUSD,
            group.spread.durations() if group.spread else None,
        )

    def _take_sums(self, connection: sqlite3.Connection, search: Search, summary: Summary) -> None:
        sums = list(iter_sums(connection, search, summary, self._split))
        names = read_names(connection, self._split.by, (one.codes for one in sums))
        for one in sums:
            if one.amounts[0]:
                self._add(names.keys(one.codes), one.step, one.amounts)
        if self._cell_count > MAX_CELLS:
            raise QueryError(
                f"step: it makes more than {MAX_CELLS} buckets",
                hint="take a longer step or a narrower range",
            )

    def _take_durations(
        self, connection: sqlite3.Connection, search: Search, summary: Summary
    ) -> None:
        sketches = read_sketches(connection, search, summary, self._split)
        if sketches is not None:
            names = read_names(connection, self._split.by, (codes for codes, *_ in sketches))
            for codes, errors, sketch in sketches:
                group = self._add(names.keys(codes), 0, (sketch.count, errors))
                group.spread = group.spread or Spread()
                group.spread.merge(sketch)
            return
        values: defaultdict[Codes, list[float]] = defaultdict(list)
        failed: defaultdict[Codes, int] = defaultdict(int)
        for codes, has_error, value_ms in iter_durations(connection, search, self._split):
            values[codes].append(value_ms)
            failed[codes] += has_error
        names = read_names(connection, self._split.by, values)
        for codes, some in values.items():
            group = self._add(names.keys(codes), 0, (len(some), failed[codes]))
            group.spread = group.spread or Spread()
            group.spread.add(some)

    def _add(self, keys: Keys, step: int, amounts: tuple[float, ...]) -> Group:
        group = self._groups[keys]
        group.event_count += int(amounts[0])
        group.error_count += int(amounts[1])
        cell = group.steps.get(step)
        if cell is None:
            self._cell_count += 1
            group.steps[step] = list(amounts)
        else:
            for place, amount in enumerate(amounts):
                cell[place] += amount
        return group


class Names:
    """What a segment's codes stand for."""

    def __init__(self, by: tuple[Field, ...], names: dict[int, str]) -> None:
        self._by = by
        self._names = names

    def keys(self, codes: Codes) -> Keys:
        return tuple(map(self._name, self._by, codes))

    def _name(self, field: Field, code: int | None) -> str | None:
        if code is None:
            return None
        return LEVELS[code] if field == "level" else self._names[code]


def read_names(
    connection: sqlite3.Connection, by: tuple[Field, ...], codes: Iterable[Codes]
) -> Names:
    wanted = {code for some in codes for code in some if code is not None}
    rows = connection.execute(
        "SELECT code, value FROM name WHERE code IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(wanted)),),
    )
    return Names(by, dict(rows.fetchall()))
