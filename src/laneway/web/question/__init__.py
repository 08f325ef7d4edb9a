"""What a reading route is asked and answers, apart from HTTP: a command asks the same without a hub."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from laneway.store.api import Query, Scan

if TYPE_CHECKING:
    from laneway.hub.engine import Engine
    from laneway.hub.hub import Hub
    from laneway.hub.view import View

Desk: TypeAlias = "Hub | Engine | View"
"""Whoever has an index to ask."""

Items = Sequence[tuple[str, str]]
"""The pairs of a query string."""


class Question(NamedTuple):
    """``answer`` blocks while it reads. ``query`` tells what that costs."""

    query: Query
    answer: Callable[[Desk], dict[str, Any]]


def scanned(scan: Scan | None) -> dict[str, Any]:
    """To be added to an answer: how far the log was read for it, where it was."""
    return {"scan": scan_facts(scan)} if scan else {}


def scan_facts(scan: Scan) -> dict[str, Any]:
    told = scan._asdict()
    return {"complete": told.pop("is_complete"), **told}
