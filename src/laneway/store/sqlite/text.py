"""What of an event can be found by its words, and how a search text becomes an FTS5 expression.

The fields follow one another with a line break and no gap, so a phrase may run from
the end of one into the next. Scripts written without spaces are cut into single characters, in
the index and in the query alike: any piece of a Chinese sentence is then a phrase that is found.
"""

import re
from collections.abc import Iterable
from typing import Any

from laneway.base.errors import QueryError, quote
from laneway.base.limits import KIB
from laneway.model.event import Event

from .ident import clean

TEXT_CHARS = 64 * KIB
"""Text indexed per event: beyond it come file dumps, which would fill the index with noise."""

QUERY_CHARS = 4 * KIB
QUERY_WORDS = 64
"""More is no search that a person types; each word costs a walk through its hits."""

LEADING_FIELDS = ("agent", "event", "tool", "error", "content", "input", "output")
"""First in line for the bounded text, in this order."""

SILENT_FIELDS = frozenset({
    *LEADING_FIELDS, "timestamp", "id", "session_id", "trace_id", "span_id", "parent_span_id",
    "parent_agent", "role", "level", "duration_ms", "model", "provider", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd", "pod", "host", "pid",
})  # fmt: skip
"""Known fields: they have filters of their own, or their text is taken already."""

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
_PIECE = re.compile(r'"([^"]*)("?)(\*?)|([^\s"]+)')


def text_of(event: Event) -> str:
    """The searchable text: keys and values, in order, at most `TEXT_CHARS` characters."""
    fields: dict[str, Any] = event  # type: ignore[assignment]
    parts: list[str] = []
    left = TEXT_CHARS
    for field in LEADING_FIELDS:
        value = fields.get(field)
        if value is not None and left > 0:
            left = _take(value, parts, left)
    for field, value in fields.items():
        if field not in SILENT_FIELDS and left > 0:
            left = _take(value, parts, _take(field, parts, left))
    return _fold("\n".join(parts))


def _take(value: object, parts: list[str], left: int) -> int:
    """Append the text of ``value``; returns how many characters may still follow."""
    if type(value) is str:
        parts.append(value if len(value) < left else value[:left])
        return left - len(value) - 1
    waiting: list[object] = [value]
    while waiting and left > 0:
        node = waiting.pop()
        if isinstance(node, dict):
            waiting.extend(_pairs_reversed(node))
        elif isinstance(node, list):
            waiting.extend(reversed(node))
        elif node is not None and not isinstance(node, bool):
            leaf = str(node)[:left]
            parts.append(leaf)
            left -= len(leaf) + 1
    return left


def _pairs_reversed(node: dict[str, object]) -> Iterable[object]:
    for key, value in reversed(node.items()):
        yield value
        yield key


def _fold(text: str) -> str:
    return text if text.isascii() else _UNSPACED.sub(r" \g<0> ", clean(text))


def match_of(text: str) -> str:
    """``text`` as an FTS5 expression, or nothing for a blank text. Every token comes out quoted.

    Raises:
        QueryError: too long, or nothing in it can be searched for.
    """
    if not text.strip():
        return ""
    if len(text) > QUERY_CHARS:
        raise QueryError(f"q: {len(text)} characters, at most {QUERY_CHARS} can be searched for")
    phrases = [phrase for match in _PIECE.finditer(text) if (phrase := _phrase_of(match))]
    if not phrases:
        raise QueryError(f"q: {quote(text)} has no letter and no digit to search for")
    if len(phrases) > QUERY_WORDS:
        raise QueryError(f"q: {len(phrases)} words, at most {QUERY_WORDS} can be searched for")
    return " AND ".join(phrases)


def _phrase_of(match: re.Match[str]) -> str:
    quoted, _, star, word = match.groups()
    if word is not None:
        quoted, star = word.rstrip("*"), word[-1] == "*"
    body = " ".join(_fold(quoted.replace("\0", " ")).split())
    return f'"{body}"{"*" if star else ""}' if any(map(_is_token, body)) else ""


def _is_token(char: str) -> bool:
    """Letters, numbers and private use are what the tokenizer ``unicode61`` keeps."""
    return char.isalnum() or "\ue000" <= char <= "\uf8ff"
