"""Counts kept ready: over time by agent and event, by tool and by level; by session; by shape; tokens.

A *grain* is one resolution of the table `rollup`: the length of its cells, and the fields it
keeps apart; the other fields are 0 in its rows. A question is answered from the coarsest
grains that know its fields, and from rows at the ragged ends (`laneway.store.sqlite.cell`).
A *shape* is one combination of all the named fields that the segment has seen, with its count.
"""

import sqlite3
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING, NamedTuple

from laneway.base.clock import NS_PER_S

if TYPE_CHECKING:
    from .batch import Columns

TENTH_NS = 10 * NS_PER_S
MINUTE_NS = 60 * NS_PER_S
QUARTER_NS = 15 * MINUTE_NS
HOUR_NS = 60 * MINUTE_NS
DAY_NS = 24 * HOUR_NS

NO_SESSION = 0
NONE = 0
"""Stands for a field that an event does not have, where a column may not be NULL."""

MAX_INT = 2**63 - 1
"""SQLite's largest."""


class Grain(NamedTuple):
    """``fields`` are kept apart in cells of ``step_ns``."""

    step_ns: int
    fields: frozenset[str]


COARSER = (MINUTE_NS, QUARTER_NS, DAY_NS)
_BOTH, _TOOL, _LEVEL = frozenset({"agent", "event"}), frozenset({"tool"}), frozenset({"level"})
WRITTEN = (
    Grain(TENTH_NS, frozenset()),
    *(Grain(step_ns, _BOTH) for step_ns in COARSER),
    *(Grain(step_ns, _TOOL) for step_ns in COARSER),
    *(Grain(step_ns, _LEVEL) for step_ns in COARSER),
)
DERIVED = tuple(
    Grain(step_ns, frozenset({field})) for field in ("agent", "event") for step_ns in COARSER
)
"""Only in compact segments, where they cost the writing nothing: a chart by agent adds up a sixth of
the cells there."""

GRAINS = WRITTEN + DERIVED
"""``rollup.grain`` is the place in this list, ``rollup.start`` counts such steps since 1970.

The steps follow from what a chart asks for (about 300 buckets) and from 40 agents with 9 types of
events: at 50 events/s a minute holds 200 cells, a quarter of an hour 340, and so does a day. An
hour between them would save an hourly chart 15 ms, and cost 1 % of the writing."""

FIRST_BOTH, FIRST_TOOL, FIRST_LEVEL = 1, 4, 7

SHAPE_FIELDS = ("agent", "event", "tool", "level", "model", "provider", "pod", "host")

SHAPE_CACHE = 50_000
"""Shapes remembered by a writer. One that was forgotten gets a second row, and sums are the same."""

Code = int | None
Shape = tuple[int, int, Code, Code, Code, Code, Code, Code, int]
"""Codes in the order of `SHAPE_FIELDS`, and whether it is an error."""

Key = tuple[int, int, int, int]
"""Agent, event, tool, level."""

Cells = dict[int, dict[Key, list[int]]]
"""By start and key: events and errors."""

_ADD_ROLLUP = """
INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    event_count = event_count + excluded.event_count,
    error_count = error_count + excluded.error_count
"""
_ADD_USAGE = """
INSERT INTO usage VALUES (?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    event_count = event_count + excluded.event_count,
    error_count = error_count + excluded.error_count,
    input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    cost_nusd = cost_nusd + excluded.cost_nusd
"""
_ADD_TALLY = """
INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    event_count = event_count + excluded.event_count,
    error_count = error_count + excluded.error_count,
    first_ns = min(first_ns, excluded.first_ns),
    last_ns = max(last_ns, excluded.last_ns),
    input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    cost_nusd = cost_nusd + excluded.cost_nusd,
    last_seq = iif(excluded.last_ns >= last_ns, excluded.last_seq, last_seq),
    last_event = iif(excluded.last_ns >= last_ns, excluded.last_event, last_event),
    last_failed = iif(excluded.last_ns >= last_ns, excluded.last_failed, last_failed),
    title_seq = iif(excluded.title_ns < coalesce(title_ns, 9e18), excluded.title_seq, title_seq),
    title_ns = iif(excluded.title_ns < coalesce(title_ns, 9e18), excluded.title_ns, title_ns)
"""
# Of two events at one time the later seq is the last, and what comes has the later seq.


def derive(connection: sqlite3.Connection) -> None:
    """Add the `DERIVED` cells, from those that are there."""
    drop_derived(connection)
    for place, grain in enumerate(DERIVED, len(WRITTEN)):
        (field,) = grain.fields
        keys = "agent, 0" if field == "agent" else "0, event"
        connection.execute(
            f"INSERT INTO rollup SELECT ?, start, {keys}, 0, 0, sum(event_count), sum(error_count)"  # noqa: S608 - constants only
            f" FROM rollup WHERE grain = ? GROUP BY start, {field}",
            (place, FIRST_BOTH + COARSER.index(grain.step_ns)),
        )


def drop_derived(connection: sqlite3.Connection) -> None:
    """Before anything is added."""
    if has_derived(connection):
        connection.execute("DELETE FROM rollup WHERE grain >= ?", (len(WRITTEN),))


def has_derived(connection: sqlite3.Connection) -> bool:
    found = connection.execute("SELECT 1 FROM rollup WHERE grain >= ?", (len(WRITTEN),))
    return found.fetchone() is not None


class Tally:
    """What one batch adds to the totals of one agent in one session."""

    __slots__ = (
        "cost_nusd", "error_count", "event_count", "first_ns", "input_tokens", "last_event",
        "last_failed", "last_ns", "last_seq", "output_tokens", "title_ns", "title_seq",
    )  # fmt: skip

    def __init__(self, first_ns: int, last_ns: int, last_seq: int) -> None:
        self.event_count = self.error_count = 0
        self.first_ns, self.last_ns, self.last_seq = first_ns, last_ns, last_seq
        self.input_tokens = self.output_tokens = self.cost_nusd = 0
        self.last_event = self.last_failed = 0
        self.title_ns: int | None = None
        self.title_seq: int | None = None

    def row(self) -> tuple[int | None, ...]:
        return (
            self.event_count, self.error_count, self.first_ns, self.last_ns,
            min(self.input_tokens, MAX_INT), min(self.output_tokens, MAX_INT),
            min(self.cost_nusd, MAX_INT), self.last_seq, self.last_event, self.last_failed,
            self.title_ns, self.title_seq,
        )  # fmt: skip


class Totals:
    """What one batch adds; collected in memory, then written with one upsert per cell."""

    def __init__(self, columns: "Columns") -> None:
        shapes = [kind.shape for kind in columns.kinds]
        self._failed = [place for place, shape in enumerate(shapes) if shape[-1]]
        self._tenths = Counter([ts_ns // TENTH_NS for ts_ns in columns.times])
        self._failed_tenths = Counter(columns.times[place] // TENTH_NS for place in self._failed)
        minutes = [ts_ns // MINUTE_NS for ts_ns in columns.times]
        self._minutes = Counter(zip(minutes, shapes, strict=True))
        self._usage: dict[tuple[int, int, int], list[int]] = {}
        self._tally = self._tallied(columns, shapes)
        self._count_usage(columns, shapes)

    def _tallied(self, columns: "Columns", shapes: Sequence[Shape]) -> dict[tuple[int, int], Tally]:
        keys = list(zip(columns.sessions, [shape[0] for shape in shapes], strict=True))
        order: Sequence[int] = range(len(keys))
        at = columns.times.__getitem__
        if columns.times != sorted(columns.times):
            order = sorted(order, key=at)  # of two at one time the later seq stays the last
        grouped: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
        for place in order:
            grouped[keys[place]].append(place)
        tally = {}
        for key, places in grouped.items():
            last = places[-1]
            row = tally[key] = Tally(at(places[0]), at(last), columns.seqs[last])
            row.event_count = len(places)
            row.last_event, row.last_failed = shapes[last][1], shapes[last][-1]
        for place in self._failed:
            tally[keys[place]].error_count += 1
        for place, kind in enumerate(columns.kinds):
            if kind.is_title:
                row = tally[keys[place]]
                if row.title_ns is None or at(place) < row.title_ns:
                    row.title_ns, row.title_seq = at(place), columns.seqs[place]
        return tally

    def _count_usage(self, columns: "Columns", shapes: Sequence[Shape]) -> None:
        for place, usage in enumerate(columns.usages):
            if usage == _NO_USAGE:
                continue
            shape = shapes[place]
            amounts = [amount or 0 for amount in usage]
            row = self._tally[columns.sessions[place], shape[0]]
            row.input_tokens += amounts[0]
            row.output_tokens += amounts[1]
            row.cost_nusd += amounts[2]
            hour = columns.times[place] // HOUR_NS
            sums = self._usage.setdefault((hour, shape[0], shape[4] or NONE), [0] * 5)
            for i, amount in enumerate((1, shape[-1], *amounts)):
                sums[i] += amount

    def write(self, connection: sqlite3.Connection) -> None:
        connection.executemany(_ADD_ROLLUP, self._rollup_rows())
        connection.executemany(_ADD_TALLY, ((*key, *t.row()) for key, t in self._tally.items()))
        connection.executemany(
            _ADD_USAGE,
            ((*key, *(min(amount, MAX_INT) for amount in row)) for key, row in self._usage.items()),
        )

    def iter_shapes(self) -> Iterator[tuple[Shape, int]]:
        """Each shape with its count; one that came in several minutes comes as often."""
        for (_, shape), count in self._minutes.items():
            yield shape, count

    def _rollup_rows(self) -> Iterable[tuple[int, ...]]:
        for start, events in self._tenths.items():
            yield 0, start, 0, 0, 0, 0, events, self._failed_tenths[start]
        for first_grain, minutes in self._fold_minutes():
            for place, step_ns in enumerate(COARSER):
                for start, cells in _coarsen(minutes, step_ns // MINUTE_NS).items():
                    grain = first_grain + place
                    for (agent, event, tool, level), (events, errors) in cells.items():
                        yield grain, start, agent, event, tool, level, events, errors

    def _fold_minutes(self) -> list[tuple[int, Cells]]:
        both: Cells = {}
        tools: Cells = {}
        levels: Cells = {}
        for (minute, shape), count in self._minutes.items():
            agent, event, tool, level, *_, has_error = shape
            errors = count if has_error else 0
            _add(both.setdefault(minute, {}), (agent, event, 0, 0), count, errors)
            if tool is not None:
                _add(tools.setdefault(minute, {}), (0, 0, tool, 0), count, errors)
            if level is not None:
                _add(levels.setdefault(minute, {}), (0, 0, 0, level), count, errors)
        return [(FIRST_BOTH, both), (FIRST_TOOL, tools), (FIRST_LEVEL, levels)]


_NO_USAGE = (None, None, None)


class ShapeBook:
    """The codes of shapes, for a writer."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._codes: dict[Shape, int] = {}
        self._last_code = 0
        names = ", ".join(SHAPE_FIELDS)
        rows = connection.execute(f"SELECT code, {names}, has_error FROM shape ORDER BY code")  # noqa: S608 - constants only
        for code, *shape in rows:
            self._codes[tuple(shape)] = self._last_code = code

    def write(self, counted: Iterable[tuple[Shape, int]]) -> None:
        known: list[tuple[int, int]] = []
        new: list[tuple[int | None, ...]] = []
        for shape, count in counted:
            code = self._codes.get(shape)
            if code is None:
                code = self._last_code = self._last_code + 1
                self._codes[shape] = code
                new.append((code, *shape, 0))
            known.append((count, code))
        self._connection.executemany(f"INSERT INTO shape VALUES ({', '.join('?' * 11)})", new)  # noqa: S608 - marks only
        self._connection.executemany(
            "UPDATE shape SET event_count = event_count + ? WHERE code = ?", known
        )
        if len(self._codes) > SHAPE_CACHE:
            self._codes.clear()


def _add(cells: dict[Key, list[int]], key: Key, events: int, errors: int) -> None:
    cell = cells.get(key)
    if cell is None:
        cells[key] = [events, errors]
    else:
        cell[0] += events
        cell[1] += errors


def _coarsen(minutes: Cells, size: int) -> Cells:
    """Cells of ``size`` minutes. A batch mostly lies within one: then nothing is added up."""
    if size == 1:
        return minutes
    if len(minutes) == 1:
        ((minute, cells),) = minutes.items()
        return {minute // size: cells}
    coarse: Cells = {}
    for minute, cells in minutes.items():
        sums = coarse.setdefault(minute // size, {})
        for key, (events, errors) in cells.items():
            _add(sums, key, events, errors)
    return coarse
