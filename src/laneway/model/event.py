"""An event of schema 1 as a typed record, and the one way in: `normalise`.

An event is a plain dict at run time, so that unknown fields are kept as they
came; `Event` tells type checkers what the known ones hold.
"""

from typing import Any, NotRequired, TypedDict

from laneway.base.clock import format_ns, now_ns
from laneway.base.errors import EventError, Problem, quote
from laneway.base.ids import new_event_id
from laneway.model.field import REQUIRED_FIELDS, find_odd_fields, put_aside, take
from laneway.model.moment import parse_timestamp_ns, try_own_timestamp


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


_received = 0, ""
"""The time that was received last, and its text: all of a batch were received at one time."""


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
    if odd := find_odd_fields(event):
        event = dict(raw) if event is raw else event
        problems += take(event, odd)
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


def normalise_leniently(raw: object, *, received_ns: int = 0) -> tuple[Event, int]:
    """`normalise`, for a line that is written: what cannot be taken is put aside.

    Raises:
        EventError: ``agent`` or ``event`` is missing or is no name, or ``raw`` is no object.
    """
    try:
        return normalise(raw, received_ns=received_ns)
    except EventError as error:
        if not isinstance(raw, dict):
            raise
        try:
            return normalise(put_aside(raw, error.problems), received_ns=received_ns)
        except EventError:
            raise error from None


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
