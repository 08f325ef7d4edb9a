"""One event as the columns of a row."""

from typing import Any

from laneway.store.query.match import MAX_AMOUNT, NUSD, clamp_ns

__all__ = ["MAX_AMOUNT", "MIN_INT", "NUSD", "clamp_ns", "cost_nusd_of", "tokens_of"]

MIN_INT = -(2**63)


def tokens_of(value: Any) -> int | None:
    return None if value is None else min(int(value), MAX_AMOUNT)


def cost_nusd_of(value: Any) -> int | None:
    return None if value is None else min(round(value * NUSD), MAX_AMOUNT)
