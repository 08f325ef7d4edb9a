"""Events as columns, for data frames: one type a column, payloads as JSON texts."""

from collections.abc import Iterable, Mapping
from typing import Any

import orjson

from laneway.sinks.csv import COLUMNS

INT64 = range(-(2**63), 2**63)

Columns = dict[str, list[Any]]


def to_columns(events: Iterable[Mapping[str, Any]]) -> Columns:
    """The columns that any event has, those of the schema first; None where an event has nothing."""
    rows = list(events)
    seen: dict[str, None] = {name: None for row in rows for name in row}
    names = [*(name for name in COLUMNS if name in seen), *(n for n in seen if n not in _KNOWN)]
    return {name: _unify([row.get(name) for row in rows]) for name in names}


_KNOWN = frozenset(COLUMNS)


def _unify(values: list[Any]) -> list[Any]:
    """Numbers, truths or texts if all are; else what is no text becomes its JSON."""
    kinds = {type(value) for value in values if value is not None}
    if kinds <= {int} and all(value in INT64 for value in values if value is not None):
        return values
    if kinds <= {bool} or kinds <= {str}:
        return values
    if kinds <= {int, float}:
        return [None if value is None else float(value) for value in values]
    return [value if value is None or isinstance(value, str) else _dump(value) for value in values]


def _dump(value: Any) -> str:
    return orjson.dumps(value).decode()
