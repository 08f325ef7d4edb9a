"""An event of schema 1 as a typed record, and the one way in: `normalise`.

An event is a plain dict at run time, so that unknown fields are kept as they
came; `Event` tells type checkers what the known ones hold.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from laneway.base.clock import NS_PER_S, format_ns, now_ns
from laneway.base.errors import EventError, Problem, quote
from laneway.base.ids import is_hex, new_event_id
from laneway.base.limits import NAME_CHARS
from laneway.model.vocabulary import LEVEL_ALIASES, LEVEL_RANK, LEVELS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, NotRequired, TypedDict
else:  # a process of one event, such as a hook's, is spared what `typing` loads
    TypedDict = dict


class ErrorInfo(TypedDict):
    type: NotRequired[str]
    message: NotRequired[str]
    stack: NotRequired[str]


class Event(TypedDict):
    """Schema 1. Times are ISO 8601 in UTC with microseconds and ``Z``; ids are lower-case hex."""

    timestamp: str
    agent: str
    event: str
    content: NotRequired[Any]
    id: str
    session_id: NotRequired[str]
    trace_id: NotRequired[str]
    span_id: NotRequired[str]
    parent_span_id: NotRequired[str]
    parent_agent: NotRequired[str]
    tool: NotRequired[str]
    input: NotRequired[Any]
    output: NotRequired[Any]
    role: NotRequired[str]
    level: NotRequired[str]
    duration_ms: NotRequired[float]
    model: NotRequired[str]
    provider: NotRequired[str]
    input_tokens: NotRequired[int]
    output_tokens: NotRequired[int]
    cache_read_tokens: NotRequired[int]
    cache_write_tokens: NotRequired[int]
    cost_usd: NotRequired[float]
    error: NotRequired[ErrorInfo]
    pod: NotRequired[str]
    host: NotRequired[str]
    pid: NotRequired[int]


NAME_FIELDS = ("session_id", "parent_agent", "tool", "role", "model", "provider", "pod", "host")
COUNT_FIELDS = ("input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "pid")
AMOUNT_FIELDS = ("duration_ms", "cost_usd")
HEX_FIELDS = {"trace_id": 32, "span_id": 16, "parent_span_id": 16}
REQUIRED_FIELDS = ("agent", "event")

AMOUNT_END = 1e15
"""Numbers stay below it: 30,000 years of milliseconds, and exact in every JSON reader (2**53 is 9e15)."""

_NAME, _HEX, _COUNT, _AMOUNT, _LEVEL, _ERROR = range(6)
_KINDS = {
    **dict.fromkeys((*REQUIRED_FIELDS, *NAME_FIELDS, "id"), _NAME),
    **dict.fromkeys(HEX_FIELDS, _HEX),
    **dict.fromkeys(COUNT_FIELDS, _COUNT),
    **dict.fromkeys(AMOUNT_FIELDS, _AMOUNT),
    "level": _LEVEL,
    "error": _ERROR,
}

_EARLIEST_NS = -62_135_596_800 * NS_PER_S  # year 1
_LATEST_NS = (
    253_402_300_800 * NS_PER_S - 1
)  # year 9999, the last that ISO 8601 writes with four digits


def normalise(raw: object, *, received_ns: int = 0) -> tuple[Event, int]:
    """``raw`` in the form that the log keeps, and its time in ns. ``raw`` is not changed; it is
    what comes back if it has that form.

    A missing ``timestamp`` becomes ``received_ns`` (now, if 0), a missing ``id`` a
    new one. Names given as numbers become text; everything unknown is kept.

    Raises:
        EventError: with a `Problem` for every field that cannot be taken.
    """
    if not isinstance(raw, dict):
        raise EventError([Problem("", f"{quote(raw)} is not a JSON object")])
    event: dict[str, Any] = raw
    problems: list[Problem] = []
    if "event" not in event and "event_type" in event:
        event = {("event" if field == "event_type" else field): raw[field] for field in raw}
    for field in find_odd_fields(event):
        event = dict(raw) if event is raw else event
        _FIXES[_KINDS[field]](event, field, problems)
    for field in REQUIRED_FIELDS:
        if field not in event:
            problems.append(Problem(field, "is missing; a non-empty text is wanted"))
    text, ts_ns = _take_timestamp(event.get("timestamp"), received_ns, problems)
    if problems:
        raise EventError(problems)
    event_id = event.get("id")
    if (
        event_id
        and event is raw
        and text is raw.get("timestamp")
        and next(iter(raw)) == "timestamp"
    ):
        return raw, ts_ns  # type: ignore[return-value]
    event_id = event_id or new_event_id(ts_ns)
    head = {"timestamp": text, "agent": event["agent"], "event": event["event"], "id": event_id}
    return {**head, **event, **head}, ts_ns  # type: ignore[typeddict-item]


def find_odd_fields(event: dict[str, Any]) -> list[str]:
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


def find_problems(event: dict[str, Any], odd: list[str]) -> list[Problem]:
    """What cannot be taken of the ``odd`` fields, which `find_odd_fields` told. ``event`` is not changed."""
    problems: list[Problem] = []
    event = dict(event) if odd else event
    for field in odd:
        _FIXES[_KINDS[field]](event, field, problems)
    return problems


def is_known_field(field: str) -> bool:
    """Whether its value has a form of its own that `find_odd_fields` knows: a name, an id, a number, …"""
    return field in _KINDS


def _take_timestamp(value: object, received_ns: int, problems: list[Problem]) -> tuple[str, int]:
    global _received
    if value is None:
        ts_ns = received_ns or now_ns()
        known_ns, text = _received
        if ts_ns != known_ns:  # all of a batch were received at one time
            text = format_ns(ts_ns)
            _received = ts_ns, text
        return text, ts_ns
    if type(value) is str and len(value) == 27:
        own_ns = try_own_timestamp(value)
        if own_ns is not None:
            return value, own_ns
    try:
        ts_ns = parse_timestamp_ns(value)
        return format_ns(ts_ns), ts_ns
    except ValueError as error:
        problems.append(Problem("timestamp", f"{quote(value)} {error}"))
        return "", 0


_SECONDS = 4_096
"""Seconds remembered with their text: batches arrive in order, and late ones from few places."""

_second_ns: dict[str, int] = {}
_received = 0, ""


def try_own_timestamp(text: str) -> int | None:
    """The time of ``2026-11-23T18:22:33.000123Z``, the form of `format_ns`; None for any other text."""
    if len(text) != 27:
        return None
    micros = text[20:26]
    if text[19] != "." or text[26] != "Z" or not (micros.isdecimal() and micros.isascii()):
        return None
    second_ns = _second_ns.get(text[:19])
    if second_ns is None:
        second_ns = _parse_second_ns(text[:19])
        if second_ns is None:
            return None
        if len(_second_ns) >= _SECONDS:
            _second_ns.clear()
        _second_ns[text[:19]] = second_ns
    return second_ns + int(micros) * 1000


def _parse_second_ns(text: str) -> int | None:
    try:
        ts_ns = parse_timestamp_ns(text)
    except ValueError:
        return None
    return ts_ns if format_ns(ts_ns)[:19] == text else None


def parse_timestamp_ns(value: object) -> int:
    """ISO 8601 with any offset (none means UTC), or a Unix time in s, ms, µs or ns by its size.

    Raises:
        ValueError: neither; the message says what was seen.
    """
    if isinstance(value, str):
        moment = _try_iso(value)
        if moment is not None:
            seconds = int(moment.replace(microsecond=0).timestamp())
            return _in_range(seconds * NS_PER_S + moment.microsecond * 1000)
        value = _try_number(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise ValueError("is not ISO 8601 or a Unix time")
    size = abs(value)
    scale = NS_PER_S if size < 1e11 else 1_000_000 if size < 1e14 else 1_000 if size < 1e17 else 1
    return _in_range(value * scale)


def _in_range(ts_ns: float) -> int:
    if not _EARLIEST_NS <= ts_ns <= _LATEST_NS:
        raise ValueError("is not a time between the years 1 and 9999")
    return ts_ns if isinstance(ts_ns, int) else round(ts_ns)


def _try_iso(text: str) -> datetime | None:
    """``1712031510123`` is Unix time, though ``fromisoformat`` reads a moment of the year 1712 in it."""
    if text.isdecimal() and len(text) != 8:
        return None
    try:
        moment = datetime.fromisoformat(text.upper())  # RFC 3339 allows a small t and z
    except ValueError:
        return None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def _try_number(text: str) -> float | int | None:
    try:
        return int(text) if text.strip().lstrip("-").isdecimal() else float(text)
    except ValueError:
        return None


def _take_name(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
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


def _take_hex(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
    """W3C ids are lower-cased; other spellings (a UUID, a short id) are kept as opaque text."""
    _take_name(event, field, problems)
    value = event.get(field)
    if isinstance(value, str) and is_hex(value.lower(), HEX_FIELDS[field]):
        event[field] = value.lower()


def _take_count(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
    _take_number(event, field, problems, "a whole number from 0 up", whole=True)


def _take_amount(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
    _take_number(event, field, problems, "a number from 0 up", whole=False)


def _take_number(
    event: dict[str, Any], field: str, problems: list[Problem], wanted: str, *, whole: bool
) -> None:
    value = event[field]
    if value is None:
        del event[field]
        return
    if isinstance(value, str):
        value = _try_number(value)
    fits = (
        isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < AMOUNT_END
    )
    if not fits or (whole and value != int(value)):
        problems.append(Problem(field, f"{quote(event[field])} is not {wanted}"))
    else:
        event[field] = int(value) if whole else value


def _take_level(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
    value = event[field]
    if value is None:
        del event[field]
        return
    name = str(value).strip().lower()
    name = LEVEL_ALIASES.get(name, name)
    if name not in LEVEL_RANK:
        problems.append(Problem(field, f"{quote(value)} is not one of {', '.join(LEVELS)}"))
    event[field] = name


def _take_error(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
    """Any error value is kept; a bare text becomes its message."""
    value = event[field]
    if value is None:
        del event[field]
    elif not isinstance(value, dict):
        event[field] = {"message": value if isinstance(value, str) else str(value)}


_FIXES: dict[int, Callable[[dict[str, Any], str, list[Problem]], object]] = {
    _NAME: _take_name,
    _HEX: _take_hex,
    _COUNT: _take_count,
    _AMOUNT: _take_amount,
    _LEVEL: _take_level,
    _ERROR: _take_error,
}
