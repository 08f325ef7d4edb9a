"""The known fields of an event: what each holds, and the making of it from what a sender gave.

What a field cannot hold goes under a name of its own where nobody waits for an answer: ``duration_ms: -1``
becomes ``given_duration_ms: -1``. A sender who does is told of it instead; see `EventError`.

Imports little: `log_event` looks at fields, too.
"""

from laneway.base.errors import Problem, quote
from laneway.base.ids import is_hex
from laneway.base.limits import NAME_CHARS
from laneway.model.vocabulary import LEVEL_ALIASES, LEVEL_RANK, LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Fix = Callable[[dict[str, Any], str, list[Problem]], object]

NAME_FIELDS = ("session_id", "parent_agent", "tool", "role", "model", "provider", "pod", "host")
COUNT_FIELDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "pid")
AMOUNT_FIELDS = ("duration_ms", "cost_usd")
HEX_FIELDS = {"trace_id": 32, "span_id": 16, "parent_span_id": 16}
REQUIRED_FIELDS = ("agent", "event")

AMOUNT_END = 1e15
"""Numbers stay below it: 30,000 years of milliseconds, and exact in every JSON reader (2**53 is 9e15)."""

GIVEN = "given_"

_PLAIN = frozenset({str, int, float, bool})
"""Types that are JSON as they stand."""

_NAME, _HEX, _COUNT, _AMOUNT, _LEVEL, _ERROR = range(6)
_KINDS = {
    **dict.fromkeys((*REQUIRED_FIELDS, *NAME_FIELDS, "id"), _NAME),
    **dict.fromkeys(HEX_FIELDS, _HEX),
    **dict.fromkeys(COUNT_FIELDS, _COUNT),
    **dict.fromkeys(AMOUNT_FIELDS, _AMOUNT),
    "level": _LEVEL,
    "error": _ERROR,
}


def find_odd_fields(event: "dict[str, Any]") -> list[str]:
    """Known fields that are not in normal form. The hub's hot path: one look at each field."""
    odd = []
    for field, value in event.items():
        kind = _KINDS.get(field)
        if kind is None:
            continue
        seen = type(value)
        if (
            kind is _NAME
        ):  # the bounds hold back what is empty, begins with a space, or not with ASCII
            normal = seen is str and "!" <= value < "\x7f" and len(value) <= NAME_CHARS
        elif kind is _COUNT:
            normal = seen is int and 0 <= value < AMOUNT_END
        elif kind is _HEX:
            normal = (
                seen is str
                and "!" <= value < "\x7f"
                and len(value) <= 32
                and value == value.lower()
            )
        elif kind is _AMOUNT:
            normal = (seen is float or seen is int) and 0 <= value < AMOUNT_END
        elif kind is _LEVEL:
            normal = seen is str and value in LEVEL_RANK
        else:
            normal = seen is dict
        if not normal:
            odd.append(field)
    return odd


def take(event: "dict[str, Any]", odd: list[str]) -> list[Problem]:
    """Bring the ``odd`` fields, which `find_odd_fields` told, into their form in ``event``; what cannot."""
    problems: list[Problem] = []
    for field in odd:
        _FIXES[_KINDS[field]](event, field, problems)
    return problems


def set_aside(fields: dict[str, object]) -> tuple[dict[str, object], list[str]]:
    """The fields of a call with what cannot be taken under other names, and which those are. Each is judged
    as the JSON that it becomes: a ``Decimal`` is a number. ``fields`` is not changed; it is what comes back
    if all of it can be taken."""
    odd = find_odd_fields(fields)
    problems = (
        take({**fields, **{field: _read(fields[field]) for field in odd}}, odd) if odd else []
    )
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
        name = GIVEN + field
        while name in event:
            name = GIVEN + name
        event[name] = value
    return event


def _is_time(value: object) -> bool:
    from laneway.model.moment import parse_timestamp_ns  # few events have one given

    value = _read(value)
    if value is None:  # as one that is not given
        return True
    try:
        parse_timestamp_ns(value)
    except ValueError:
        return False
    return True


def _read(value: object) -> object:
    if value is None or type(value) in _PLAIN:
        return value
    from laneway.model.readable import read  # few calls have such a field

    return read(value)


def _is_blank(value: object) -> bool:
    return isinstance(value, str) and not value.strip()


def is_known_field(field: str) -> bool:
    """Whether its value has a form of its own that `find_odd_fields` knows: a name, an id, a number, …"""
    return field in _KINDS


def try_number(text: str) -> float | int | None:
    try:
        return int(text) if text.strip().lstrip("-").isdecimal() else float(text)
    except ValueError:
        return None


def _take_name(event: "dict[str, Any]", field: str, problems: list[Problem]) -> None:
    value = event[field]
    if value is None:
        if field in REQUIRED_FIELDS:
            problems.append(Problem(field, "is missing; a non-empty text is wanted"))
        else:
            del event[field]
        return
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        value = event[field] = str(value)
    if not isinstance(value, str) or not value.strip():
        problems.append(Problem(field, f"{quote(value)} is not a non-empty text"))
    elif len(value) > NAME_CHARS:
        problems.append(Problem(field, f"{len(value)} characters, at most {NAME_CHARS} are kept"))


def _take_hex(event: "dict[str, Any]", field: str, problems: list[Problem]) -> None:
    """W3C ids are lower-cased; other spellings (a UUID, a short id) are kept as opaque text."""
    _take_name(event, field, problems)
    value = event.get(field)
    if isinstance(value, str) and is_hex(value.lower(), HEX_FIELDS[field]):
        event[field] = value.lower()


def _take_count(event: "dict[str, Any]", field: str, problems: list[Problem]) -> None:
    _take_number(event, field, problems, "a whole number from 0 up", whole=True)


def _take_amount(event: "dict[str, Any]", field: str, problems: list[Problem]) -> None:
    _take_number(event, field, problems, "a number from 0 up", whole=False)


def _take_number(
    event: "dict[str, Any]", field: str, problems: list[Problem], wanted: str, *, whole: bool
) -> None:
    value = event[field]
    if value is None:
        del event[field]
        return
    if isinstance(value, str):
        value = try_number(value)
    fits = (
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < AMOUNT_END
    )
    if not fits or (whole and value != int(value)):
        problems.append(Problem(field, f"{quote(event[field])} is not {wanted}"))
    else:
        event[field] = int(value) if whole else value


def _take_level(event: "dict[str, Any]", field: str, problems: list[Problem]) -> None:
    value = event[field]
    if value is None:
        del event[field]
        return
    name = str(value).strip().lower()
    name = LEVEL_ALIASES.get(name, name)
    if name not in LEVEL_RANK:
        problems.append(Problem(field, f"{quote(value)} is not one of {', '.join(LEVELS)}"))
    event[field] = name


def _take_error(event: "dict[str, Any]", field: str, problems: list[Problem]) -> None:
    """Any error value is kept; a bare text becomes its message."""
    value = event[field]
    if value is None:
        del event[field]
    elif not isinstance(value, dict):
        event[field] = {"message": value if isinstance(value, str) else str(value)}


_FIXES: "dict[int, Fix]" = {
    _NAME: _take_name,
    _HEX: _take_hex,
    _COUNT: _take_count,
    _AMOUNT: _take_amount,
    _LEVEL: _take_level,
    _ERROR: _take_error,
}
