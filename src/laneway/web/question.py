"""What a reading route is asked, apart from HTTP, so that the command line asks the same without a hub."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from laneway.hub.engine import Engine
from laneway.hub.hub import Hub
from laneway.hub.view import View
from laneway.store.api import Query

Items = Sequence[tuple[str, str]]
"""The pairs of a query string."""

Desk = Hub | Engine | View
"""Whoever has an index to ask."""


class Question(NamedTuple):
    """``answer`` blocks while it reads. ``query`` tells what that costs."""

    query: Query
    answer: Callable[[Desk], dict[str, Any]]
