"""Times as senders write them, in nanoseconds since 1970."""

from datetime import UTC, datetime

from laneway.base.clock import NS_PER_S, format_ns
from laneway.model.field import try_number

_EARLIEST_NS = -62_135_596_800 * NS_PER_S  # year 1
_LATEST_NS = (
    253_402_300_800 * NS_PER_S - 1
)  # year 9999, the last that ISO 8601 writes with four digits


_SECONDS = 4_096
"""Seconds remembered with their text: batches arrive in order, and late ones from few places."""

_second_ns: dict[str, int] = {}


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
        value = try_number(value)
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
