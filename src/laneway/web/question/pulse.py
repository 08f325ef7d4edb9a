"""Counts over time, as a whole or as a series for each value of a field: of events, tokens, or work."""

from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Literal, get_args

from laneway.base.clock import NS_PER_MS, NS_PER_S, now_ns
from laneway.base.errors import QueryError, quote
from laneway.base.limits import PAGE_EVENTS
from laneway.model.vocabulary import is_end, is_start
from laneway.store.api import Cell, Field, Query, Split, Table
from laneway.store.query.expr import Compare, Open, all_of
from laneway.store.query.field import DURATION
from laneway.web import filter as query_filter
from laneway.web.openapi import Parameter
from laneway.web.question import Desk, Items, Question, scanned

BUCKETS = 300
"""Buckets of a pulse without a step: about one every four pixels of a wide page."""

MOST_BUCKETS = 10_000

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
DAY_S = 86_400

SERIES_FIELDS: tuple[Field, ...] = ("agent", "event", "level", "tool")
SERIES = 12
"""More than a person tells apart in one chart; the rest becomes one series without a name."""

MOST_SERIES = 500
"""As many lanes as a page has."""

BY = {
    "by": Parameter(
        "Also a series for each value of this field, those with the most events, and one for"
        " the rest. Events without a value are then left out.",
        "agent",
        {"enum": list(SERIES_FIELDS)},
    ),
    "series": Parameter(
        f"How many values have a series of their own, 1 to {MOST_SERIES}.",
        50,
        {"type": "integer", "minimum": 1, "maximum": MOST_SERIES, "default": SERIES},
    ),
}

Of = Literal["events", "tokens", "durations", "open"]

OF = {
    "of": Parameter(
        "What the two figures of a bucket are. `events`: events, and errors among them. `tokens`: tokens"
        " in and out. `durations`: events that tell how long they took, and how many milliseconds that is"
        " together. `open`: work that was open at any time of the step, and how much of it ended in it;"
        " known of work that ended and told a `duration_ms`, and of what began at most a day before the"
        " range and has no end.",
        "tokens",
        {"enum": list(get_args(Of)), "default": "events"},
    )
}

OPEN_AFTER_NS = 3_600 * NS_PER_S
"""Work that was open in a window may end after it: so long all of it is looked at, then what took as long."""

RUNNING_NS = DAY_S * NS_PER_S
"""So long before a window may that have begun which never ended: what is older was left behind, as a rule."""

Bucket = list[float]
"""Start in Unix milliseconds, and two figures."""

Figures = Iterable[tuple[int, float, float]]
"""Start of the step in nanoseconds, and two figures; the same step may come several times."""


def ask_pulse(items: Items) -> Question:
    given = query_filter.parse(items, query_filter.STEP, BY, OF)
    query = query_filter.to_query(given)
    by, step = _field(given.one.get("by", "")), given.one.get("step", "")
    of = _of(given.one.get("of", "") or "events")
    text = given.one.get("series", "")
    series = query_filter.parse_count("series", text, SERIES, MOST_SERIES)
    return Question(query, lambda desk: _pulse(desk, query, step, by, series, of))


def _of(text: str) -> Of:
    for of in get_args(Of):
        if of == text:
            return of  # type: ignore[no-any-return]
    raise QueryError(f"of: {quote(text)} is not one of {', '.join(get_args(Of))}")


def _field(text: str) -> tuple[Field, ...]:
    if not text:
        return ()
    for field in SERIES_FIELDS:
        if field == text:
            return (field,)
    raise QueryError(f"by: {quote(text)} is not one of {', '.join(SERIES_FIELDS)}")


def _pulse(
    desk: Desk, query: Query, step: str, by: tuple[Field, ...], series: int, of: Of
) -> dict[str, Any]:
    first_ns, last_ns = _window(desk, query)
    span_ns = max(last_ns - first_ns, 1)
    step_ns = query_filter.parse_step_ns(step) if step else fitting_step_s(span_ns) * NS_PER_S
    if span_ns // step_ns > MOST_BUCKETS:
        raise QueryError(
            f"step: {span_ns // step_ns} buckets of {step}, at most {MOST_BUCKETS} are given",
            hint="ask for a longer step, or a shorter time",
        )
    if of == "open":
        end_ns = last_ns + 1 if query.until_ns is None else min(query.until_ns, last_ns + 1)
        return _open(desk, query, by, series, step_ns, end_ns)
    counted = _with_limit(query, PAGE_EVENTS if by else 1)
    table = desk.store.aggregate(counted, Split(by, step_ns, SPLITS[of]))
    told = _told(table, step_ns, by, series, lambda cells: _figures(of, cells))
    if by == ("event",) and of == "events":
        told["work"] = _work(table.cells)
    return told


SPLITS: dict[Of, Literal["count", "usage", "work"]] = {
    "events": "count",
    "tokens": "usage",
    "durations": "work",
    "open": "work",
}


def _told(
    table: Table,
    step_ns: int,
    by: tuple[Field, ...],
    series: int,
    figures: Callable[[list[Cell]], Figures],
) -> dict[str, Any]:
    told: dict[str, Any] = {
        "step_ms": step_ns // NS_PER_MS,
        "accuracy": table.accuracy,
        "buckets": _buckets(figures(table.cells)),
        **scanned(table.scan),
    }
    if by:
        told["series"] = _series(table.cells, series, figures)
    return told


def _figures(of: Of, cells: list[Cell]) -> Figures:
    for cell in cells:
        if of == "tokens":
            yield cell.start_ns, cell.input_tokens, cell.output_tokens
        elif of == "events":
            yield cell.start_ns, cell.event_count, cell.error_count
        elif cell.event_count:
            yield cell.start_ns, cell.event_count, cell.took_us / 1000


def _open(
    desk: Desk, query: Query, by: tuple[Field, ...], series: int, step_ns: int, end_ns: int
) -> dict[str, Any]:
    """By what ended in the window or after it: that tells when it began, which may be before the
    first event of the log. And by what began and has no end."""
    until_ns = None if query.until_ns is None else query.until_ns + OPEN_AFTER_NS
    counted = _with_limit(replace(query, until_ns=until_ns), PAGE_EVENTS)
    split = Split((*by, "event") if by != ("event",) else by, step_ns, "work")
    table = desk.store.aggregate(counted, split)
    cells = table.cells
    if until_ns is not None:
        is_long = Compare(DURATION, ">", OPEN_AFTER_NS // NS_PER_MS)
        where = all_of([query.where, is_long])
        later = replace(counted, where=where, since_ns=until_ns, until_ns=None)
        cells = cells + desk.store.aggregate(later, split).cells
    ends = [cell for cell in cells if is_end(cell.keys[-1] or "")]
    ends += _running(desk, query, split)
    begun_ns = min((cell.start_ns for cell in ends if cell.begun_count), default=end_ns)
    since_ns = begun_ns if query.since_ns is None else max(query.since_ns, begun_ns)
    first_ns = max(since_ns, end_ns - MOST_BUCKETS * step_ns)
    steps = range(first_ns // step_ns * step_ns, end_ns, step_ns)
    told = table._replace(cells=ends)
    return _told(told, step_ns, by, series, lambda some: _levels(some, steps))


def _running(desk: Desk, query: Query, split: Split) -> list[Cell]:
    """Work without an end, as `Split` of ``work`` tells what has one."""
    since_ns = None if query.since_ns is None else query.since_ns - RUNNING_NS
    begun = replace(query, where=all_of([query.where, Open()]), since_ns=since_ns)
    table = desk.store.aggregate(_with_limit(begun, PAGE_EVENTS), replace(split, of="count"))
    return [
        Cell(cell.keys, cell.start_ns, 0, 0, begun_count=cell.event_count) for cell in table.cells
    ]


def _levels(cells: list[Cell], steps: range) -> Figures:
    """How much was open in each of ``steps``, where anything was."""
    begun: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    for cell in cells:
        begun[cell.start_ns] += cell.begun_count
        ended[cell.start_ns] += cell.event_count
    level = sum(count for start_ns, count in begun.items() if start_ns < steps.start)
    for start_ns in steps:
        level += begun[start_ns]
        if level:
            yield start_ns, level, ended[start_ns]
        level -= ended[start_ns]


def _with_limit(query: Query, limit: int) -> Query:
    return replace(query, limit=limit, newest_first=True, after=None)


def _series(
    cells: list[Cell], most: int, figures: Callable[[list[Cell]], Figures]
) -> list[dict[str, Any]]:
    """The most frequent first; the last one, without a name, is the rest."""
    sizes: Counter[str | None] = Counter()
    for cell in cells:
        sizes[cell.keys[0]] += cell.event_count
    order = sorted(sizes, key=lambda name: (-sizes[name], name or ""))
    places = {name: place for place, name in enumerate(order[:most])}
    parts: list[list[Cell]] = [[] for _ in range(most + 1)]
    for cell in cells:
        parts[places.get(cell.keys[0], most)].append(cell)
    return [
        {
            "name": name,
            "buckets": _buckets(figures(part)),
        }
        for name, part in zip(
            [*order[:most], None], [*parts[: len(places)], parts[-1]], strict=True
        )
        if part
    ]


def _work(cells: list[Cell]) -> list[Bucket]:
    """What began and what ended, by step."""
    starts = ((c.start_ns, c.event_count, 0) for c in cells if is_start(c.keys[0] or ""))
    ends = ((c.start_ns, 0, c.event_count) for c in cells if is_end(c.keys[0] or ""))
    return _buckets([*starts, *ends])


def _buckets(figures: Figures) -> list[Bucket]:
    """Sums by step, in order."""
    sums: dict[int, Bucket] = {}
    for start_ns, first, second in figures:
        bucket = sums.setdefault(start_ns, [start_ns // NS_PER_MS, 0, 0])
        bucket[1] += first
        bucket[2] += second
    return [sums[start_ns] for start_ns in sorted(sums)]


def _window(desk: Desk, query: Query) -> tuple[int, int]:
    """The time that the query spans, cut to what the index holds."""
    filled = [state for state in desk.store.segments() if state.event_count]
    first_ns = min((state.first_ns for state in filled), default=now_ns())
    last_ns = max((state.last_ns for state in filled), default=first_ns)
    since_ns = first_ns if query.since_ns is None else max(query.since_ns, first_ns)
    until_ns = last_ns if query.until_ns is None else min(query.until_ns, last_ns)
    return since_ns, max(until_ns, since_ns)


def fitting_step_s(span_ns: int) -> int:
    """The shortest round step that cuts ``span_ns`` into at most `BUCKETS`."""
    least_s = -(-span_ns // (NS_PER_S * (BUCKETS - 1)))  # one more bucket at the ragged ends
    fitting = (step_s for step_s in STEPS_S if step_s >= least_s)
    return next(fitting, -(-least_s // DAY_S) * DAY_S)
