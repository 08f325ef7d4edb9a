"""What a known field holds that it cannot hold, under a name of its own: ``duration_ms: -1`` becomes
``given_duration_ms: -1``. A sender that waits for an answer is told of it instead; see `EventError`.

Imports little, as `laneway.model.field` does.
"""

from laneway.base.errors import Problem
from laneway.base.limits import NAME_CHARS
from laneway.model.field import REQUIRED_FIELDS, find_odd_fields, take

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "given_"

_JSON_TYPES = frozenset({str, int, float, bool, list, dict})
"""Values of other types are judged once they are JSON: a ``Decimal`` becomes a number that fits."""


def set_aside(fields: dict[str, object]) -> tuple[dict[str, object], list[str]]:
    """The fields of a call with what cannot be taken under other names, and which those are.
    ``fields`` is not changed; it is what comes back if all of it can be taken."""
    odd = [field for field in find_odd_fields(fields) if type(fields[field]) in _JSON_TYPES]
    problems = take(dict(fields), odd) if odd else []
    if "timestamp" in fields and not _is_time(fields["timestamp"]):
        problems.append(Problem("timestamp", "is no time"))
    fitting = put_aside(fields, problems) if problems else fields
    return fitting, [one.field for one in problems if not _is_blank(fields[one.field])]


def put_aside(raw: "dict[str, Any]", problems: list[Problem]) -> "dict[str, Any]":
    """``raw`` with the fields of ``problems`` under other names. A name that is blank is left out; of one
    that is too long and that no event is without, the beginning stays."""
    event = dict(raw)
    for problem in problems:
        field = problem.field if problem.field in event else "event_type"
        if field not in event:
            continue  # one that is missing
        value = event.pop(field)
        if _is_blank(value):
            continue
        if problem.field in REQUIRED_FIELDS and isinstance(value, str):
            event[field] = value[:NAME_CHARS]
        name = PREFIX + field
        while name in event:
            name = PREFIX + name
        event[name] = value
    return event


def _is_time(value: object) -> bool:
    from laneway.model.moment import (  # few events have one given
        parse_timestamp_ns,
        try_own_timestamp,
    )

    if type(value) not in _JSON_TYPES or (type(value) is str and try_own_timestamp(value)):
        return True
    try:
        parse_timestamp_ns(value)
    except ValueError:
        return False
    return True


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
