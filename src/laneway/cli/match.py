"""The same filters as the index's, on events in hand: for a live tail, which asks no index."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from laneway.base.errors import QueryError, quote
from laneway.model.vocabulary import LEVEL_ALIASES, LEVEL_RANK, LEVELS

BOOKKEEPING = frozenset({"timestamp", "id", "host", "pid", "seq"})

DEPTH = 8
"""How deep into a payload `grep` looks."""


@dataclass(frozen=True, slots=True)
class Match:
    """All must hold; within one tuple, any of its values. An empty tuple filters nothing."""

    agents: tuple[str, ...] = ()
    not_agents: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    not_events: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    grep: "re.Pattern[str] | None" = None

    def accepts(self, event: dict[str, Any]) -> bool:
        return (
            _is_in(event.get("agent"), self.agents)
            and _is_in(event.get("event"), self.events)
            and _is_in(event.get("session_id"), self.sessions)
            and _is_in(event.get("tool"), self.tools)
            and (not self.levels or level_of(event) in self.levels)
            and event.get("agent") not in self.not_agents
            and event.get("event") not in self.not_events
            and (self.grep is None or any(map(self.grep.search, iter_event_text(event))))
        )


def _is_in(value: object, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def level_of(event: dict[str, Any]) -> str:
    """The event's level; without one, ``error`` for what went wrong and ``info`` for the rest."""
    level = event.get("level")
    if isinstance(level, str) and level:
        return level
    return "error" if event.get("error") or event.get("event") == "error" else "info"


def parse_levels(words: tuple[str, ...]) -> tuple[str, ...]:
    """``error`` is that level; ``warning+`` is that level and all worse ones.

    Raises:
        QueryError: no such level.
    """
    levels: list[str] = []
    for word in words:
        name = word.strip().lower().removesuffix("+")
        name = LEVEL_ALIASES.get(name, name)
        if name not in LEVEL_RANK:
            raise QueryError(f"level: {quote(word)} is not one of {', '.join(LEVELS)}")
        levels += LEVELS[LEVEL_RANK[name] :] if word.endswith("+") else [name]
    return tuple(dict.fromkeys(levels))


def parse_grep(pattern: str | None) -> "re.Pattern[str] | None":
    """A regular expression that ignores case as long as it has no capital letter itself.

    Raises:
        QueryError: it is not a regular expression.
    """
    if not pattern:
        return None
    try:
        return re.compile(pattern, re.IGNORECASE if pattern == pattern.lower() else 0)
    except re.error as error:
        raise QueryError(
            f"grep: {quote(pattern)} is not a regular expression: {error}",
            hint="put a backslash before a sign that is meant as it is",
        ) from None


def iter_event_text(event: dict[str, Any]) -> Iterator[str]:
    """Without the names of the event's own fields, which a search for ``agent`` would find in all
    of them, and without its bookkeeping, in whose digits everything is found sometimes."""
    for name, value in event.items():
        if name not in BOOKKEEPING:
            yield from iter_text(value)


def iter_text(value: object, depth: int = DEPTH) -> Iterator[str]:
    """Every text and number in ``value``, and the keys of objects in it."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict) and depth:
        for key, item in value.items():
            yield str(key)
            yield from iter_text(item, depth - 1)
    elif isinstance(value, list) and depth:
        for item in value:
            yield from iter_text(item, depth - 1)
    elif isinstance(value, (int, float)):
        yield str(value)
