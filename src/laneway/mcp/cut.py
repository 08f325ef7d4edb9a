"""Answers of bounded size that say what was cut, and how to get it."""

from collections.abc import Sequence
from typing import Any

import orjson

ANSWER_CHARS = 24_000
"""About 6,000 tokens: clients warn of answers above 10,000 and cut what is larger."""

TEXT_CHARS = 600
"""Of one text of an event in a list."""

ROOM_CHARS = 1_000
"""For what stands beside the list."""

Event = dict[str, Any]


def shorten(event: Event, text_chars: int = TEXT_CHARS) -> Event:
    """The event with long texts cut; each says how much is missing."""
    return {name: _shorten(value, text_chars) for name, value in event.items()}


def _shorten(value: Any, chars: int) -> Any:
    if isinstance(value, dict | list):
        text = dump(value)
        return value if len(text) <= chars else _cut(text, chars)
    return _cut(value, chars) if isinstance(value, str) and len(value) > chars else value


def _cut(text: str, chars: int) -> str:
    return f"{text[:chars]}… [{len(text) - chars:,} more characters: get_event]"


def fit(items: Sequence[Any], chars: int = ANSWER_CHARS - ROOM_CHARS) -> int:
    """How many of the first ``items`` have room together; at least one."""
    used = 0
    for count, item in enumerate(items):
        used += len(dump(item)) + 2
        if used > chars and count:
            return count
    return len(items)


def dump(value: Any) -> str:
    return orjson.dumps(value).decode()


def write(head: dict[str, Any], name: str, items: Sequence[Any]) -> str:
    """One JSON object with an item a line, which a reader can skim."""
    lines = ",\n".join(map(dump, items))
    beginning = dump(head)[:-1] + ("," if head else "")
    return f'{beginning}"{name}":[{lines}]}}'
