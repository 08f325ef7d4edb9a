"""`aggregate` in one segment: from roll-ups where they know the answer, from rows for the rest."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from laneway.store.api import LONGEST_WORK_MS, Field, Split
from laneway.store.sketch import Sketch, sketch_of

from .duration import iter_sketches
from .rollup import DAY_NS, GRAINS, HOUR_NS, SHAPE_FIELDS, WRITTEN, Grain, has_derived
from .scan import Read, plan_all, read_spans, source_of_spans
from .schema import AGENT, MODEL, TOOL
from .search import Search
from .span import Span
from .summary import Summary
from .where import Filter, filter_conditions, filter_rows

USAGE = Grain(HOUR_NS, frozenset({"agent", "model"}))
TALLY_FIELDS = frozenset({"agent", "session"})
SKETCH_KINDS = {"agent": AGENT, "tool": TOOL, "model": MODEL}

HAS_USAGE = "(e.input_tokens IS NOT NULL OR e.output_tokens IS NOT NULL OR e.cost_nusd IS NOT NULL)"

ONE_EVENT = 1 << 20
"""In a sum of events and errors; a block has no more than 256 of either."""

WORK_US = f"CAST(min(max(e.duration_ms, 0.0), {LONGEST_WORK_MS}) * 1000 AS INTEGER)"
"""As `laneway.store.api.work_us`."""

Codes = tuple[int | None, ...]


class Sum(NamedTuple):
    """Counts of one cell in one source. ``step`` counts steps since 1970."""

    codes: Codes
    step: int
    amounts: tuple[float, ...]
    """Events, errors; of usage also tokens in, tokens out, billionths of a dollar; of work
    microseconds, and how many began."""


class Source(NamedTuple):
    """A table ``e`` of ready sums, its cells, and what to sum."""

    table: str
    grain: Grain
    place: int
    """``grain`` in `GRAINS`, or -1."""
    start: str


def iter_sums(
    connection: sqlite3.Connection, search: Search, summary: Summary, split: Split
) -> Iterator[Sum]:
    """The segment's counts and usage; one cell may come several times."""
    if not split.step_ns and split.of == "count" and search.covers(summary):
        whole = _whole_table(search, split)
        if whole:
            yield from _sum_whole(connection, search, split, whole)
            return
    sources = _usable(search, split, GRAINS if has_derived(connection) else WRITTEN)
    for source, start_ns, end_ns in _iter_pieces(*_reach(search, summary, sources), sources):
        if source:
            yield from _sum_cells(connection, search, split, source, start_ns, end_ns)
        else:
            piece = replace(search, since_ns=start_ns, until_ns=end_ns - 1)
            yield from _sum_rows(connection, piece, split)


def read_sketches(
    connection: sqlite3.Connection, search: Search, summary: Summary, split: Split
) -> list[tuple[Codes, int, Sketch]] | None:
    """Codes, errors and sketch of each group, of a whole segment; None where only rows can tell.

    A segment that grows folds its rows, so that its answer is the same once it is compact."""
    if not _tells_by_shape(search, summary, split):
        return None
    if search.is_plain and len(split.by) <= 1 and set(split.by) <= SKETCH_KINDS.keys():
        kind = SKETCH_KINDS[split.by[0]] if split.by else AGENT
        found = iter_sketches(connection, kind)
        return [((code,) if split.by else (), errors, sketch) for code, errors, sketch in found]
    if has_derived(connection):
        return list(_iter_spreads(connection, search, split))
    return _fold(iter_durations(connection, search, split))


def _tells_by_shape(search: Search, summary: Summary, split: Split) -> bool:
    fields = search.fields
    return (
        fields is not None
        and search.covers(summary)
        and fields | set(split.by) <= set(SHAPE_FIELDS)
    )


def _iter_spreads(
    connection: sqlite3.Connection, search: Search, split: Split
) -> Iterator[tuple[Codes, int, Sketch]]:
    """One for each shape; a group has several."""
    made = filter_rows(connection, search)
    if made.impossible:
        return
    _require_values(made, split)
    columns = ", ".join(
        [*_columns(split.by), "e.has_error", "s.event_count", "s.sum_us", "s.max_ms", "s.buckets"]
    )
    sql = f"SELECT {columns} FROM shape e JOIN spread s ON s.shape = e.code WHERE {made.where()}"  # noqa: S608 - no value is in it
    for *codes, has_error, event_count, sum_us, max_ms, buckets in connection.execute(
        sql, made.values
    ):
        sketch = Sketch.unpack(event_count, sum_us, max_ms, buckets)
        yield tuple(codes), event_count * has_error, sketch


def _fold(durations: Iterable[tuple[Codes, int, float]]) -> list[tuple[Codes, int, Sketch]]:
    values: defaultdict[Codes, list[float]] = defaultdict(list)
    failed: defaultdict[Codes, int] = defaultdict(int)
    for codes, has_error, value_ms in durations:
        values[codes].append(value_ms)
        failed[codes] += has_error
    return [(codes, failed[codes], sketch_of(some)) for codes, some in values.items()]


def iter_durations(
    connection: sqlite3.Connection, search: Search, split: Split
) -> Iterator[tuple[Codes, int, float]]:
    """Codes, whether it failed, and the milliseconds of each event that has some."""
    made = filter_rows(connection, search)
    if made.impossible:
        return
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    made.add("e.duration_ms IS NOT NULL")
    _require_values(made, split)
    columns = ", ".join([*_columns(split.by), "e.has_error", "e.duration_ms"])
    for read in plan_all(connection, search, made):
        for *codes, has_error, value_ms in connection.execute(*read.query(columns)):
            yield tuple(codes), has_error, value_ms


def _require_values(made: Filter, split: Split, zeroed: str = "") -> None:
    """Without events that lack a field of the split. In column ``zeroed`` 0 stands for none."""
    for field in split.by:
        if field not in ("agent", "event"):
            made.add(f"e.{field} != 0" if field == zeroed else f"e.{field} IS NOT NULL")


def _columns(by: Sequence[Field]) -> list[str]:
    return [f"e.{field}" for field in by]


def _whole_table(search: Search, split: Split) -> str:
    """The table that holds the segment's answer without any times, or nothing."""
    fields = search.fields
    if fields is None:
        return ""
    needed = fields | set(split.by)
    if needed <= set(SHAPE_FIELDS):
        return "shape"
    return "tally" if needed <= TALLY_FIELDS else ""


def _sum_whole(
    connection: sqlite3.Connection, search: Search, split: Split, table: str
) -> Iterable[Sum]:
    made, events, errors = _split_errors(connection, search)
    if table == "shape":
        events = {None: "event_count", True: "event_count * has_error"}.get(
            search.wants_error, "event_count * (1 - has_error)"
        )
        errors = "0" if search.wants_error is False else "event_count * has_error"
    if made.impossible:
        return
    _require_values(made, split, "session" if table == "tally" else "")
    keys = _columns(split.by)
    yield from _select(connection, table, keys, "0", [events, errors], made)


def _usable(search: Search, split: Split, grains: Sequence[Grain]) -> list[Source]:
    """The roll-ups that can answer, coarsest first; a cell must not straddle two steps."""
    if search.fields is None or split.of in ("duration", "work"):
        return []
    needed = search.fields | set(split.by)
    if split.of == "usage":
        fits = needed <= USAGE.fields and search.wants_error is None
        sources = [Source("usage", USAGE, -1, "hour")] if fits else []
    else:
        sources = [
            Source("rollup", grain, place, "start")
            for place, grain in enumerate(grains)
            if needed <= grain.fields and _is_whole(grain, split)
        ]
        if not needed:  # six bare cells a minute are fewer than one for each agent and type
            sources = [s for s in sources if not s.grain.fields or s.grain.step_ns >= DAY_NS]
        sources.sort(key=lambda source: (-source.grain.step_ns, len(source.grain.fields)))
    return [source for source in sources if split.step_ns % source.grain.step_ns == 0]


def _is_whole(grain: Grain, split: Split) -> bool:
    """Cells of tools and levels hold only events that have one: enough for a split by it alone."""
    return grain.fields - {"agent", "event"} <= set(split.by)


def _reach(search: Search, summary: Summary, sources: Sequence[Source]) -> tuple[int, int]:
    """``[start_ns, end_ns)`` to count in: the window; where it holds the segment's end, up to whole
    cells."""
    cell_ns = sources[0].grain.step_ns if sources else 1
    start_ns, end_ns = search.since_ns, search.until_ns + 1
    if start_ns <= summary.first_ns:
        start_ns = summary.first_ns // cell_ns * cell_ns
    if end_ns > summary.last_ns:
        end_ns = (summary.last_ns // cell_ns + 1) * cell_ns
    return start_ns, end_ns


def _iter_pieces(
    start_ns: int, end_ns: int, sources: Sequence[Source]
) -> Iterator[tuple[Source | None, int, int]]:
    """``[start_ns, end_ns)`` in pieces, each with the source that answers it; None: the rows."""
    if start_ns >= end_ns:
        return
    if not sources:
        yield None, start_ns, end_ns
        return
    cell_ns = sources[0].grain.step_ns
    inner_ns = -(-start_ns // cell_ns) * cell_ns
    outer_ns = end_ns // cell_ns * cell_ns
    if inner_ns >= outer_ns:
        yield from _iter_pieces(start_ns, end_ns, sources[1:])
        return
    yield from _iter_pieces(start_ns, inner_ns, sources[1:])
    yield sources[0], inner_ns, outer_ns
    yield from _iter_pieces(outer_ns, end_ns, sources[1:])


def _sum_cells(
    connection: sqlite3.Connection,
    search: Search,
    split: Split,
    source: Source,
    start_ns: int,
    end_ns: int,
) -> Iterable[Sum]:
    made, events, errors = _split_errors(connection, search)
    if made.impossible:
        return
    cell_ns = source.grain.step_ns
    if source.place >= 0:
        made.add("e.grain = ?", source.place)
    made.add(
        f"e.{source.start} >= ? AND e.{source.start} < ?", start_ns // cell_ns, end_ns // cell_ns
    )
    step = floor_division(f"e.{source.start}", split.step_ns // cell_ns)
    amounts = [events, errors]
    if split.of == "usage":
        amounts += ["input_tokens", "output_tokens", "cost_nusd"]
    _require_values(made, split, "model" if split.of == "usage" else "")
    keys = _columns(split.by)
    yield from _select(connection, source.table, keys, step, amounts, made)


def _split_errors(connection: sqlite3.Connection, search: Search) -> tuple[Filter, str, str]:
    """The other filters, and what to sum for events and errors: roll-ups hold both counts."""
    wanted = search.wants_error
    made = filter_conditions(connection, search)
    events = {None: "event_count", True: "error_count", False: "event_count - error_count"}[wanted]
    return made, events, "0" if wanted is False else "error_count"


def _select(
    connection: sqlite3.Connection,
    table: str,
    keys: Sequence[str],
    step: str,
    amounts: Sequence[str],
    made: Filter,
) -> Iterator[Sum]:
    columns = ", ".join([*keys, step, *(f"total({amount})" for amount in amounts)])
    groups = ", ".join(str(i + 1) for i in range(len(keys) + 1))
    sql = f"SELECT {columns} FROM {table} e WHERE {made.where()} GROUP BY {groups}"  # noqa: S608 - no value is in it
    for row in connection.execute(sql, made.values):
        yield _to_sum(row, len(keys))


def _sum_rows(connection: sqlite3.Connection, search: Search, split: Split) -> Iterator[Sum]:
    made = filter_rows(connection, search)
    if made.impossible:
        return
    made.add("e.ts_ns BETWEEN ? AND ?", search.since_ns, search.until_ns)
    amounts = ["count(*)", "total(e.has_error)"]
    if split.of == "usage":
        made.add(HAS_USAGE)
        amounts += ["total(e.input_tokens)", "total(e.output_tokens)", "total(e.cost_nusd)"]
    if split.of == "work":
        made.add("e.duration_ms IS NOT NULL")
        amounts += [f"total({WORK_US})", "0"]
    _require_values(made, split)
    selected = [(floor_division("e.ts_ns", split.step_ns), amounts)]
    if split.of == "work":
        begun = floor_division(f"(e.ts_ns - {WORK_US} * 1000)", split.step_ns)
        selected.append((begun, ["0", "0", "0", "count(*)"]))
    keys = _columns(split.by)
    groups = ", ".join(str(i + 1) for i in range(len(keys) + 1))
    if split.of == "count" and split.step_ns and not keys and search.is_plain:
        spans = read_spans(connection, made, search.since_ns, search.until_ns, newest_first=False)
        if not spans:
            return
        growing = max(span.first_seq for span in spans)  # the others are as they were, for good
        yield from _sum_short_blocks(connection, search, split.step_ns, growing)
        long = [s for s in spans if s.first_seq == growing or not _is_short(s, split.step_ns)]
        reads = [Read(made, source_of_spans(long))]
    else:
        reads = plan_all(connection, search, made)
    for step, sums in selected:
        columns = ", ".join([*keys, step, *sums])
        for read in reads:
            for row in connection.execute(*read.query(columns, f"GROUP BY {groups}")):
                yield _to_sum(row, len(keys))


def _is_short(span: Span, step_ns: int) -> bool:
    """Whether a block reaches into two steps at most."""
    return span.min_ns >= 0 and span.max_ns // step_ns - span.min_ns // step_ns <= 1


def _sum_short_blocks(
    connection: sqlite3.Connection, search: Search, step_ns: int, below: int
) -> Iterator[Sum]:
    """Of `_is_short` blocks that begin before the seq ``below``: a block is one group, cut at one time.
    To sort rows by their steps takes twice the instructions. Events and errors of the first step are
    one sum."""
    first, last = f"b.min_ns / {step_ns}", f"b.max_ns / {step_ns}"
    early = f"(e.ts_ns < ({first} + 1) * {step_ns}) * ({ONE_EVENT} + e.has_error)"
    sql = (
        f"SELECT {first}, count(*), sum(e.has_error), sum({early})"  # noqa: S608 - no value is in it
        " FROM block b CROSS JOIN event e ON e.seq BETWEEN b.first_seq AND b.last_seq"
        " WHERE b.max_ns >= ?1 AND b.min_ns BETWEEN 0 AND ?2 AND e.ts_ns BETWEEN ?1 AND ?2"
        f" AND b.first_seq < ?3 AND {last} - {first} <= 1 GROUP BY b.first_seq"
    )
    window = (search.since_ns, search.until_ns, below)
    for step, events, errors, packed in connection.execute(sql, window):
        early_events, early_errors = divmod(packed, ONE_EVENT)
        yield Sum((), step, (early_events, early_errors))
        yield Sum((), step + 1, (events - early_events, errors - early_errors))


def _to_sum(row: Sequence[float], key_count: int) -> Sum:
    return Sum(tuple(row[:key_count]), int(row[key_count]), tuple(row[key_count + 1 :]))  # type: ignore[arg-type]


def floor_division(column: str, divisor: int) -> str:
    """SQLite divides towards zero; before 1970 that would be the wrong step. By 0: always 0."""
    if not divisor:
        return "0"
    return f"({column} / {divisor} - ({column} % {divisor} < 0))"
