"""What a known field holds that it cannot hold, under a name of its own: ``duration_ms: -1`` becomes
``given_duration_ms: -1``. A sender that waits for an answer is told of it instead; see `EventError`.
"""

from __future__ import annotations

from laneway.base.errors import EventError, Problem
from laneway.base.limits import NAME_CHARS
from laneway.model.event import (
    REQUIRED_FIELDS,
    Event,
    find_odd_fields,
    find_problems,
    normalise,
    parse_timestamp_ns,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

PREFIX = "given_"

_JSON_TYPES = frozenset({str, int, float, bool, list, dict})
"""Values of other types are judged once they are JSON: a ``Decimal`` becomes a number that fits."""


def normalise_leniently(raw: object, *, received_ns: int = 0) -> tuple[Event, int]:
    """`normalise`, with what cannot be taken set aside.

    Raises:
        EventError: ``agent`` or ``event`` is missing or is no name, or ``raw`` is no object.
    """
    try:
        return normalise(raw, received_ns=received_ns)
    except EventError as error:
        if not isinstance(raw, dict):
            raise
        try:
            return normalise(_with_aside(raw, error.problems), received_ns=received_ns)
        except EventError:
            raise error from None


def set_aside(fields: dict[str, object]) -> tuple[dict[str, object], list[str]]:
    """The fields of a call with what cannot be taken under other names, and which those are.
    ``fields`` is not changed; it is what comes back if all of it can be taken."""
    odd = [field for field in find_odd_fields(fields) if type(fields[field]) in _JSON_TYPES]
    problems = find_problems(fields, odd)
    if type(fields.get("timestamp")) in _JSON_TYPES:
        try:
            parse_timestamp_ns(fields["timestamp"])
        except ValueError as error:
            problems.append(Problem("timestamp", str(error)))
    fitting = _with_aside(fields, problems) if problems else fields
    return fitting, [one.field for one in problems if not _is_blank(fields[one.field])]


def _with_aside(raw: dict[str, Any], problems: list[Problem]) -> dict[str, Any]:
    event = dict(raw)
    for problem in problems:
        field = problem.field if problem.field in event else "event_type"
        if field not in event:
            continue  # one that is missing
        value = event.pop(field)
        if _is_blank(value):
            continue  # a name that is not known, which is no fault
        if problem.field in REQUIRED_FIELDS and isinstance(value, str):
            event[field] = value[:NAME_CHARS]
        name = PREFIX + field
        while name in event:
            name = PREFIX + name
        event[name] = value
    return event


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()
