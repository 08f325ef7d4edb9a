"""Counts over time, as a whole or as a series for each value of a field."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from laneway.base.clock import NS_PER_MS, NS_PER_S, now_ns
from laneway.base.errors import QueryError, quote
from laneway.base.limits import PAGE_EVENTS
from laneway.model.vocabulary import is_end, is_start
from laneway.store.api import Cell, Field, Query, Split
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

Bucket = list[int]
"""Start in Unix milliseconds, and two counts."""


def ask_pulse(items: Items) -> Question:
    given = query_filter.parse(items, query_filter.STEP, BY)
    query = query_filter.to_query(given)
    by, step = _field(given.one.get("by", "")), given.one.get("step", "")
    text = given.one.get("series", "")
    series = query_filter.parse_count("series", text, SERIES, MOST_SERIES)
    return Question(query, lambda desk: _pulse(desk, query, step, by, series))


def _field(text: str) -> tuple[Field, ...]:
    if not text:
        return ()
    for field in SERIES_FIELDS:
        if field == text:
            return (field,)
    raise QueryError(f"by: {quote(text)} is not one of {', '.join(SERIES_FIELDS)}")


def _pulse(
    desk: Desk, query: Query, step: str, by: tuple[Field, ...], series: int
) -> dict[str, Any]:
    first_ns, last_ns = _window(desk, query)
    span_ns = max(last_ns - first_ns, 1)
    step_ns = query_filter.parse_step_ns(step) if step else fitting_step_s(span_ns) * NS_PER_S
    if span_ns // step_ns > MOST_BUCKETS:
        raise QueryError(
            f"step: {span_ns // step_ns} buckets of {step}, at most {MOST_BUCKETS} are given",
            hint="ask for a longer step, or a shorter time",
        )
    counted = _with_limit(query, PAGE_EVENTS if by else 1)
    table = desk.store.aggregate(counted, Split(by, step_ns))
    told: dict[str, Any] = {
        "step_ms": step_ns // NS_PER_MS,
        "accuracy": table.accuracy,
        "buckets": _buckets((c, c.event_count, c.error_count) for c in table.cells),
        **scanned(table.scan),
    }
    if by:
        told["series"] = _series(table.cells, series)
    if by == ("event",):
        told["work"] = _work(table.cells)
    return told


def _with_limit(query: Query, limit: int) -> Query:
    return replace(query, limit=limit, newest_first=True, after=None)


def _series(cells: list[Cell], most: int) -> list[dict[str, Any]]:
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
            "buckets": _buckets((c, c.event_count, c.error_count) for c in part),
        }
        for name, part in zip(
            [*order[:most], None], [*parts[: len(places)], parts[-1]], strict=True
        )
        if part
    ]


def _work(cells: list[Cell]) -> list[Bucket]:
    """What began and what ended, by step."""
    starts = ((c, c.event_count, 0) for c in cells if is_start(c.keys[0] or ""))
    ends = ((c, 0, c.event_count) for c in cells if is_end(c.keys[0] or ""))
    return _buckets([*starts, *ends])


def _buckets(counted: Iterable[tuple[Cell, int, int]]) -> list[Bucket]:
    """Sums by step, in order."""
    sums: dict[int, Bucket] = {}
    for cell, first, second in counted:
        bucket = sums.setdefault(cell.start_ns, [cell.start_ns // NS_PER_MS, 0, 0])
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
