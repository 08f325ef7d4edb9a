"""An event of schema 1 as a typed record, and the one way in: `normalise`.

An event is a plain dict at run time, so that unknown fields are kept as they
came; `Event` tells type checkers what the known ones hold.
"""

from datetime import UTC, datetime
from typing import Any, NotRequired, TypedDict

from laneway.base.clock import NS_PER_S, format_ns, now_ns
from laneway.base.errors import EventError, Problem, quote
from laneway.base.ids import is_hex, new_event_id
from laneway.base.limits import NAME_CHARS
from laneway.model.vocabulary import LEVEL_ALIASES, LEVEL_RANK, LEVELS


class ErrorInfo(TypedDict, total=False):
    type: str
    message: str
    stack: str


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

_EARLIEST_S = -62_135_596_800  # year 1
_LATEST_S = 253_402_300_799  # year 9999, the last that ISO 8601 writes with four digits


def parse_timestamp_ns(value: object) -> int:
    """ISO 8601 with any offset (none means UTC), or a Unix time in s, ms, µs or ns by its size.

    Raises:
        ValueError: neither; the message says what was seen.
    """
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            value = _try_number(value)
        else:
            moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
            whole = moment.replace(microsecond=0)
            return int(whole.timestamp()) * NS_PER_S + moment.microsecond * 1000
    if isinstance(value, bool) or not isinstance(value, (int, float)) or value != value:
        raise ValueError("is not ISO 8601 or a Unix time")
    size = abs(value)
    scale = NS_PER_S if size < 1e11 else 1_000_000 if size < 1e14 else 1_000 if size < 1e17 else 1
    if not _EARLIEST_S <= value * scale / NS_PER_S <= _LATEST_S:
        raise ValueError("is not a time between the years 1 and 9999")
    return int(value) * scale if isinstance(value, int) else round(value * scale)


def _try_number(text: str) -> float | int | None:
    try:
        return int(text) if text.strip().lstrip("-").isdigit() else float(text)
    except ValueError:
        return None


def normalise(raw: object, *, received_ns: int = 0) -> tuple[Event, int]:
    """``raw`` in the form that the log keeps, and its time in ns. ``raw`` is not changed.

    A missing ``timestamp`` becomes ``received_ns`` (now, if 0), a missing ``id`` a
    new one. Names given as numbers become text; everything unknown is kept.

    Raises:
        EventError: with a `Problem` for every field that cannot be taken.
    """
    if not isinstance(raw, dict):
        raise EventError([Problem("", f"{quote(raw)} is not a JSON object")])
    problems: list[Problem] = []
    event = dict(raw)
    if "event" not in event and "event_type" in event:
        event["event"] = event.pop("event_type")
    ts_ns = _take_timestamp(event, received_ns, problems)
    for field in ("agent", "event"):
        _take_required(event, field, problems)
    for field in NAME_FIELDS:
        if field in event:
            _take_name(event, field, problems)
    for field in HEX_FIELDS:
        if field in event:
            _take_hex(event, field, problems)
    for field in COUNT_FIELDS:
        if field in event:
            _take_number(event, field, problems, whole=True)
    for field in AMOUNT_FIELDS:
        if field in event:
            _take_number(event, field, problems, whole=False)
    if "level" in event:
        _take_level(event, problems)
    if "error" in event:
        _take_error(event)
    if "id" in event and event["id"] is not None:
        _take_name(event, "id", problems)
    if problems:
        raise EventError(problems)
    head = {
        "timestamp": format_ns(ts_ns),
        "agent": event.pop("agent"),
        "event": event.pop("event"),
        "id": event.pop("id", None) or new_event_id(ts_ns),
    }
    event.pop("timestamp", None)
    return {**head, **event}, ts_ns  # type: ignore[typeddict-item]


def _take_timestamp(event: dict[str, Any], received_ns: int, problems: list[Problem]) -> int:
    value = event.get("timestamp")
    if value is None:
        return received_ns or now_ns()
    try:
        return parse_timestamp_ns(value)
    except (ValueError, OverflowError) as error:
        reason = str(error) if isinstance(error, ValueError) else "is out of range"
        problems.append(Problem("timestamp", f"{quote(value)} {reason}"))
        return 0


def _take_required(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
    if event.get(field) is None:
        problems.append(Problem(field, "is missing; a non-empty text is wanted"))
    else:
        _take_name(event, field, problems)


def _take_name(event: dict[str, Any], field: str, problems: list[Problem]) -> None:
    value = event[field]
    if value is None:
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


def _take_number(
    event: dict[str, Any], field: str, problems: list[Problem], *, whole: bool
) -> None:
    value = event[field]
    if value is None:
        del event[field]
        return
    if isinstance(value, str):
        value = _try_number(value)
    fits = isinstance(value, (int, float)) and not isinstance(value, bool) and 0 <= value < 1e15
    if not fits or (whole and value != int(value)):
        wanted = "a whole number from 0 up" if whole else "a number from 0 up"
        problems.append(Problem(field, f"{quote(event[field])} is not {wanted}"))
        return
    event[field] = int(value) if whole else value


def _take_level(event: dict[str, Any], problems: list[Problem]) -> None:
    value = event["level"]
    if value is None:
        del event["level"]
        return
    name = str(value).strip().lower()
    name = LEVEL_ALIASES.get(name, name)
    if name not in LEVEL_RANK:
        problems.append(Problem("level", f"{quote(value)} is not one of {', '.join(LEVELS)}"))
    event["level"] = name


def _take_error(event: dict[str, Any]) -> None:
    """Any error value is kept; a bare text becomes its message."""
    value = event["error"]
    if value is None:
        del event["error"]
    elif not isinstance(value, dict):
        event["error"] = {"message": value if isinstance(value, str) else str(value)}
