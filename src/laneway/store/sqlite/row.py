"""One event as the columns of a row."""

from typing import Any

from laneway.model.event import Event
from laneway.model.vocabulary import LEVEL_RANK

from .rollup import MAX_INT

MIN_INT = -(2**63)

ERROR_RANK = LEVEL_RANK["error"]

NUSD = 1_000_000_000
"""Costs are kept in billionths of a dollar: whole numbers add up to the same sum in any order."""

MAX_AMOUNT = 10**14
"""Larger token counts, and costs above $100,000, are counted as this: nobody's sum may overflow."""


def clamp_ns(ts_ns: int) -> int:
    """``ts_ns`` as SQLite can hold it: outside the years 1677 to 2262 it stands at their ends."""
    return min(max(ts_ns, MIN_INT), MAX_INT)


def is_error(event: Event) -> bool:
    return (
        LEVEL_RANK.get(event.get("level", ""), 0) >= ERROR_RANK
        or event.get("event") == "error"
        or "error" in event
    )


def tokens_of(value: Any) -> int | None:
    return None if value is None else min(int(value), MAX_AMOUNT)


def cost_nusd_of(value: Any) -> int | None:
    return None if value is None else min(round(value * NUSD), MAX_AMOUNT)
