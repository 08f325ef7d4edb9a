"""One event as the columns of table ``event``."""

from collections.abc import Mapping
from typing import Any

from laneway.model.encode import encode
from laneway.model.vocabulary import is_end, is_start
from laneway.store.api import Record
from laneway.store.query.content import text_of, value_text
from laneway.store.query.match import MAX_AMOUNT, NUSD, clamp_ns, clean
from laneway.store.query.outcome import has_failed, level_of
from laneway.store.query.token import fold

DAY_NS = 86_400 * 10**9
FIRST_DAY, LAST_DAY = 10_957, 47_482
"""2000-01-01 and 2100-01-01. All times before share a day, and all times after: whoever sends senseless
times must not make a partition for each."""

NAMES = (
    "agent", "event", "session_id", "tool", "parent_agent", "pod", "host", "role", "model",
    "provider", "trace_id", "span_id", "parent_span_id", "id",
)  # fmt: skip
NUMBERS = (
    "pid", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
)  # fmt: skip
SUMMED = frozenset({"input_tokens", "output_tokens"})
COLUMNS = (
    "seq", "ts_ns", "day", "segment", "offset", "length", *NAMES, "level", "failed", "starts",
    "ends", *NUMBERS, "duration_ms", "cost_nusd", "fields", "text", "line",
)  # fmt: skip

_LARGEST = 2**62
"""Numbers beyond it, which no counter reaches, stand as this."""


def day_of(ts_ns: int) -> int:
    """Days since 1970, as the partitions count them. Never falls while ``ts_ns`` grows."""
    day = ts_ns // DAY_NS
    return 0 if day < FIRST_DAY else min(day, LAST_DAY + 1)


def make_row(record: Record, key: str, seq: int) -> list[Any]:
    """``key`` is what rows call their segment."""
    event: Mapping[str, Any] = record.event
    ts_ns = clamp_ns(record.ts_ns)
    return [
        seq,
        ts_ns,
        day_of(ts_ns),
        key,
        record.offset,
        record.length,
        *(_name(event.get(key)) for key in NAMES),
        level_of(event),
        int(has_failed(event)),
        int(is_start(event["event"])),
        int(is_end(event["event"])),
        *(_number(key, event.get(key)) for key in NUMBERS),
        _float(event.get("duration_ms")),
        _nusd(event.get("cost_usd")),
        [clean(key) for key, value in event.items() if value is not None],
        fold(text_of(record.event)),
        encode(event).decode(),
    ]


def _name(value: object) -> str | None:
    return None if value is None else clean(value_text(value))


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(key: str, value: Any) -> int | None:
    if not _is_number(value):
        return None
    most = MAX_AMOUNT if key in SUMMED else _LARGEST
    return max(-_LARGEST, min(int(value), most))


def _float(value: Any) -> float | None:
    return float(value) if _is_number(value) else None


def _nusd(value: Any) -> int | None:
    return min(round(value * NUSD), MAX_AMOUNT) if _is_number(value) else None
