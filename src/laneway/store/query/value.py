"""Numbers, levels and times as they stand in a query."""

import math
import re
from datetime import UTC, datetime, tzinfo
from decimal import Decimal

from laneway.base.clock import NS_PER_S, format_ns
from laneway.base.ids import is_hex
from laneway.model.field import HEX_FIELDS
from laneway.model.moment import parse_timestamp_ns
from laneway.model.vocabulary import LEVEL_ALIASES, LEVEL_RANK
from laneway.store.query.expr import Ago, At

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.ASCII)
_CLOCK = re.compile(r"\d{1,2}:\d{2}(?::\d{2}(?:\.\d+)?)?", re.ASCII)
_LENGTH = re.compile(r"(\d{1,18}(?:\.\d{1,9})?) ?(ns|us|ms|s|m|h|d|w)", re.ASCII)
_NANOS = re.compile(r"(.+\.\d{6})(\d{3})Z", re.ASCII)

UNIT_NS = {
    "w": 7 * 86_400 * NS_PER_S, "d": 86_400 * NS_PER_S, "h": 3_600 * NS_PER_S, "m": 60 * NS_PER_S,
    "s": NS_PER_S, "ms": 1_000_000, "us": 1_000, "ns": 1,
}  # fmt: skip

NUMBER_CHARS = 40
"""More digits than any number that an event can hold."""

LIMIT_NS = 2**63
"""Times that the index cannot hold stand for its first and last."""


def try_number(text: str) -> int | float | None:
    """None for what is no number, and for one that is not finite."""
    if len(text) > NUMBER_CHARS or not _NUMBER.fullmatch(text):
        return None
    number = int(text) if text.lstrip("+-").isdigit() else float(text)
    return number if math.isfinite(number) else None


def try_amount(key: str, text: str) -> int | float | None:
    """A number; for ``duration_ms`` a unit may follow."""
    number = try_number(text)
    if number is not None or key != "duration_ms":
        return number
    length_ns = try_length_ns(text)
    return None if length_ns is None else length_ns / UNIT_NS["ms"]


def try_length_ns(text: str) -> int | None:
    """``15m`` or ``1.5h`` in nanoseconds."""
    found = _LENGTH.fullmatch(text)
    return int(Decimal(found[1]) * UNIT_NS[found[2]]) if found else None


def try_level(text: str) -> str | None:
    name = text.strip().lower()
    name = LEVEL_ALIASES.get(name, name)
    return name if name in LEVEL_RANK else None


def try_moment(text: str, zone: tzinfo, now_ns: int) -> At | Ago | None:
    """ISO 8601, a time of today, a Unix time, or how long ago. ``zone`` holds where none is named."""
    text = text.strip()
    length_ns = try_length_ns(text.lower())
    if length_ns is not None:
        return Ago(_bounded(length_ns))
    try:
        found = _NANOS.fullmatch(text)
        if found:
            return At(parse_timestamp_ns(f"{found[1]}Z") + int(found[2]))
        return At(_bounded(parse_timestamp_ns(_with_zone(text, zone, now_ns))))
    except (ValueError, OverflowError, OSError):
        return None


def write_moment(moment: At | Ago) -> str:
    """As `try_moment` reads it, to the nanosecond."""
    if isinstance(moment, Ago):
        unit = next(unit for unit, size_ns in UNIT_NS.items() if moment.ns % size_ns == 0)
        return f"{moment.ns // UNIT_NS[unit]}{unit}"
    nanos = moment.ns % 1_000
    text = format_ns(moment.ns)
    return f"{text[:-1]}{nanos:03d}Z" if nanos else text


def to_id(key: str, text: str) -> str:
    """Ids of W3C length in lower case, as the log keeps them."""
    small = text.lower()
    return small if key in HEX_FIELDS and is_hex(small, HEX_FIELDS[key]) else text


def _with_zone(text: str, zone: tzinfo, now_ns: int) -> str:
    if _CLOCK.fullmatch(text):
        today = datetime.fromtimestamp(now_ns // NS_PER_S, zone)
        text = f"{today:%Y-%m-%d}T{text.rjust(len(text) + (text[1] == ':'), '0')}"
    if zone is UTC or text.isdigit():
        return text
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return text if moment.tzinfo else moment.replace(tzinfo=zone).isoformat()


def _bounded(ns: int) -> int:
    return max(-LIMIT_NS, min(ns, LIMIT_NS - 1))
