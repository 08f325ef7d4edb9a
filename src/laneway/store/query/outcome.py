"""Whether an event tells of a failure, and how grave it is."""

from collections.abc import Mapping
from typing import Any

from laneway.model.vocabulary import LEVEL_RANK

INFO_RANK, ERROR_RANK = LEVEL_RANK["info"], LEVEL_RANK["error"]


def has_failed(event: Mapping[str, Any]) -> bool:
    return (
        LEVEL_RANK.get(event.get("level", ""), 0) >= ERROR_RANK
        or event.get("event") == "error"
        or "error" in event
    )


def level_of(event: Mapping[str, Any]) -> str:
    """Its level; without one, ``error`` for a failure and ``info`` for the rest."""
    level = event.get("level")
    if level in LEVEL_RANK:
        return str(level)
    return "error" if has_failed(event) else "info"
