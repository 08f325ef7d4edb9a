"""Spans, records and points as both wire forms bring them: plain values, ids in hex, times in ns."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

from laneway.base.errors import quote
from laneway.base.ids import is_hex

Signal = Literal["traces", "logs", "metrics"]
"""What one request brings, as the last word of its address names it."""

ERROR = 2
"""``StatusCode`` of a span that failed."""

VALUE_DEPTH = 24
"""Deeper values become text; an event may be nested 64 levels deep, and JSON in texts comes on top."""


class RecordError(ValueError):
    """One span or log record cannot be taken; the others of its request are not affected."""


@dataclass(slots=True)
class Moment:
    """A span's event."""

    name: str
    ts_ns: int
    attributes: dict[str, Any]


@dataclass(slots=True)
class Origin:
    """Resource and scope, shared by all that came with them."""

    resource: dict[str, Any]
    scope: dict[str, Any]

    @property
    def service(self) -> str:
        return str(self.resource.get("service.name") or "unknown_service")


@dataclass(slots=True)
class Span:
    origin: Origin
    trace_id: str
    span_id: str
    parent_id: str
    name: str
    start_ns: int
    end_ns: int
    attributes: dict[str, Any]
    moments: list[Moment] = field(default_factory=list)
    links: list[dict[str, str]] = field(default_factory=list)
    is_failed: bool = False
    status_message: str = ""


@dataclass(slots=True)
class LogRecord:
    origin: Origin
    trace_id: str
    span_id: str
    name: str
    ts_ns: int
    severity: int
    body: Any
    attributes: dict[str, Any]


@dataclass(slots=True)
class Point:
    """What a metric came to at one time, for one set of attributes."""

    origin: Origin
    name: str
    unit: str
    kind: str
    """``counter`` (a sum that only grows), ``sum``, ``gauge``, ``histogram`` or ``summary``."""
    temporality: str
    """``delta``, ``cumulative`` (since ``start_ns``), or nothing for a gauge."""
    start_ns: int
    ts_ns: int
    value: float | int | str
    """The sum of what a histogram or summary saw."""
    attributes: dict[str, Any]
    measures: dict[str, float | int | str] = field(default_factory=dict)
    """Of a histogram or summary: ``count``, and ``min`` and ``max`` where they were told."""


TEMPORALITIES = ("", "delta", "cumulative")
"""By ``AggregationTemporality``."""

NO_VALUE_FLAG = 1
"""A point with it says that its series has ended, and has no value."""


@dataclass(slots=True)
class Batch:
    """What one request brought. ``rejections`` has a reason for each that could not be read."""

    spans: list[Span] = field(default_factory=list)
    logs: list[LogRecord] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)
    rejections: list[str] = field(default_factory=list)


def check_id(text: str, digits: int, name: str) -> str:
    """``text`` in lower case.

    Raises:
        RecordError: it is no id of so many hex digits, or all zero.
    """
    found = text.lower()
    if not is_hex(found, digits):
        raise RecordError(f"{name}: {quote(text)} is not {digits} hex digits")
    return found


def try_id(text: str, digits: int) -> str:
    """The same where an id may be missing: then, and where it is none, ``""``."""
    found = text.lower()
    return found if is_hex(found, digits) else ""


def plain_number(value: float) -> float | str:
    """JSON has no NaN and no infinity."""
    return value if math.isfinite(value) else str(value)


def to_tree(item: Span | LogRecord) -> dict[str, Any]:
    """As JSON can carry it; `from_tree` reads it."""
    kind = "span" if isinstance(item, Span) else "log"
    return {"kind": kind, **asdict(item)}


def from_tree(tree: Mapping[str, Any]) -> Span | LogRecord:
    """What `to_tree` wrote.

    Raises:
        TypeError, KeyError, AttributeError: it was not `to_tree`.
    """
    given = {**tree, "origin": Origin(**tree["origin"])}
    if given.pop("kind") == "log":
        return LogRecord(**given)
    given["moments"] = [Moment(**moment) for moment in given["moments"]]
    return Span(**given)
