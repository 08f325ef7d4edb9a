"""Totals: the top values of fields, how long things took, and what they cost."""

from typing import Any, get_args

from laneway.base.clock import format_ns
from laneway.base.errors import QueryError, quote
from laneway.store.api import FIELDS, Cell, Field, Query, Split
from laneway.web import filter as query_filter
from laneway.web.openapi import Parameter
from laneway.web.question import Desk, Items, Question, scanned

FACET_FIELDS = 12
"""Fields in one request."""

FACET_VALUES = {
    "limit": Parameter(
        "Values of each field, 1 to 1000.",
        20,
        {"type": "integer", "minimum": 1, "maximum": 1000, "default": 200},
    )
}
FACETS_BY = {
    "by": Parameter(
        f"Fields, separated by commas: {', '.join(FIELDS)}, or `attr.NAME` for any other.",
        "agent,tool,attr.customer",
    )
}
DEFAULT_FACETS = "agent,event,level,tool,model"

DURATIONS_BY = {
    "by": Parameter(
        "One or two of the fields of an event, separated by a comma.", "tool", {"type": "string"}
    )
}
USAGE_BY = {
    "by": Parameter("None, one or two of the fields, separated by a comma.", "model,agent"),
    "step": Parameter("Also by time, in steps of this length, counted in UTC.", "1d"),
}


def ask_facets(items: Items) -> Question:
    query, paths = parse_facets(items)
    return Question(
        query, lambda desk: {"facets": [tell_facet(desk, query, path) for path in paths]}
    )


def ask_durations(items: Items) -> Question:
    query, one = _parse(items, FACET_VALUES, DURATIONS_BY)
    by = _fields(one.get("by", "") or "tool")
    return Question(query, lambda desk: _durations(desk, query, by))


def ask_usage(items: Items) -> Question:
    query, one = _parse(items, FACET_VALUES, USAGE_BY)
    step_ns = query_filter.parse_step_ns(one["step"]) if one.get("step") else 0
    by = _fields(one.get("by", ""))
    return Question(query, lambda desk: _usage(desk, query, by, step_ns))


def parse_facets(items: Items) -> tuple[Query, list[Field | list[str]]]:
    query, one = _parse(items, FACET_VALUES, FACETS_BY)
    names = _names(one.get("by", "") or DEFAULT_FACETS, FACET_FIELDS)
    return query, [_facet_path(name) for name in names]


def _parse(items: Items, *more: query_filter.Table) -> tuple[Query, dict[str, str]]:
    given = query_filter.parse(items, *more)
    return query_filter.to_query(given), given.one


def _names(text: str, most: int) -> list[str]:
    names = list(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    if len(names) > most:
        raise QueryError(f"by: {len(names)} fields, at most {most} are taken")
    return names


def _fields(text: str) -> tuple[Field, ...]:
    return tuple(_field(name) for name in _names(text, 2))


def _field(name: str) -> Field:
    for field in FIELDS:
        if field == name:
            return field
    raise QueryError(f"by: {quote(name)} is not one of {', '.join(get_args(Field))}")


def _facet_path(name: str) -> Field | list[str]:
    """A field of the index, or the way to a value in the event."""
    head, _, rest = name.partition(".")
    return rest.split(".") if head == "attr" and rest else _field(name)


def tell_facet(desk: Desk, query: Query, path: Field | list[str]) -> dict[str, Any]:
    if isinstance(path, list):
        found = desk.inquiry.facet(query, path)
        values = [list(value) for value in found.values]
        return _tell_values(f"attr.{'.'.join(path)}", values, *found[1:])
    table = desk.store.aggregate(query, Split((path,)))
    values = [[cell.keys[0], cell.event_count, cell.error_count] for cell in table.cells]
    told = _tell_values(
        path, values, table.key_count, table.event_count, table.error_count, table.accuracy
    )
    return {**told, **scanned(table.scan)}


def _tell_values(
    field: str, values: list[Any], value_count: int, events: int, errors: int, accuracy: str
) -> dict[str, Any]:
    return {
        "field": field,
        "accuracy": accuracy,
        "distinct": value_count,
        "events": events,
        "errors": errors,
        "values": [
            {"value": value, "events": count, "errors": failed} for value, count, failed in values
        ],
    }


def _durations(desk: Desk, query: Query, by: tuple[Field, ...]) -> dict[str, Any]:
    table = desk.store.aggregate(query, Split(by, of="duration"))
    told = [_tell_duration(cell, by) for cell in table.cells]
    return {"accuracy": table.accuracy, "durations": told, **scanned(table.scan)}


def _tell_duration(cell: Cell, by: tuple[Field, ...]) -> dict[str, Any]:
    assert cell.durations is not None
    figures = cell.durations._asdict()
    del figures["event_count"]
    return {
        **dict(zip(by, cell.keys, strict=True)),
        "events": cell.event_count,
        "errors": cell.error_count,
        **figures,
    }


def _usage(desk: Desk, query: Query, by: tuple[Field, ...], step_ns: int) -> dict[str, Any]:
    table = desk.store.aggregate(query, Split(by, step_ns, "usage"))
    told = [
        {
            **({"start": format_ns(cell.start_ns)} if step_ns else {}),
            **dict(zip(by, cell.keys, strict=True)),
            "events": cell.event_count,
            "errors": cell.error_count,
            "input_tokens": cell.input_tokens,
            "output_tokens": cell.output_tokens,
            "cost_usd": cell.cost_usd,
        }
        for cell in table.cells
    ]
    return {"accuracy": table.accuracy, "usage": told, **scanned(table.scan)}
