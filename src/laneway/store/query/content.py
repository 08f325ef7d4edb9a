"""What of an event can be found by its words.

The fields follow one another with a line break and no gap, so a phrase may run from
the end of one into the next.
"""

from collections.abc import Callable, Iterable
from operator import itemgetter
from typing import Any

from laneway.base.limits import KIB
from laneway.model.event import Event
from laneway.store.query.token import spread

TEXT_CHARS = 64 * KIB
"""Text indexed per event: beyond it come file dumps, which would fill the index with noise."""

LEADING_FIELDS = ("agent", "event", "tool", "error", "content", "input", "output")
"""First in line for the bounded text, in this order."""

SILENT_FIELDS = frozenset({
    *LEADING_FIELDS, "timestamp", "id", "session_id", "trace_id", "span_id", "parent_span_id",
    "parent_agent", "role", "level", "duration_ms", "model", "provider", "input_tokens",
    "output_tokens", "cache_read_tokens", "cache_write_tokens", "cost_usd", "pod", "host", "pid",
})  # fmt: skip
"""Known fields: they have filters of their own, or their text is taken already."""

CUT = "\ue000cut"
"""A word, of private use, in the text of an event that is longer than `TEXT_CHARS`: its other words
may stand where the index does not know them."""

NO_LIMIT = 2**40

FORMS, FORM_FIELDS = 1_000, 64
"""Events of the same fields in the same order have one form. So many forms, of so many fields at most, are
remembered: a program has a dozen, a stream of invented names must not fill the memory."""

Form = tuple[str, ...]
Take = Callable[[Any], tuple[str, ...]]
"""The texts of an event that come first, in order; TypeError from whoever joins them if one is no text."""


def text_of(event: Event) -> str:
    """The searchable text: keys and values, in order, at most `TEXT_CHARS` characters."""
    form = tuple(event)
    take = _takes[form] if form in _takes else _new_take(form)
    if take is not None:
        try:
            text = "\n".join(take(event))
        except TypeError:  # an input, an output or an error is no text
            text = ""
        if 0 < len(text) < TEXT_CHARS - 1:  # as nearly all of them
            return text if text.isascii() else spread(text)
    parts, left = _collect(event, TEXT_CHARS)
    if left <= 0:
        parts.append(CUT)
    return spread("\n".join(parts))


_takes: dict[Form, Take | None] = {}


def _new_take(form: Form) -> Take | None:
    """None where the text of the form has more than its leading fields, or is one field's alone."""
    leading = [field for field in LEADING_FIELDS if field in form]
    take: Take | None = None
    if len(leading) > 1 and SILENT_FIELDS.issuperset(form):
        take = itemgetter(*leading)
    if len(form) <= FORM_FIELDS:
        if len(_takes) >= FORMS:
            _takes.clear()
        _takes[form] = take
    return take


def whole_text_of(event: Event) -> str:
    """All of it, as it stands: for fragments and regular expressions."""
    return "\n".join(_collect(event, NO_LIMIT)[0])


def value_text(value: object) -> str:
    """The text of one value: its keys and leaves, in order."""
    if type(value) is str:
        return value
    parts: list[str] = []
    _take(value, parts, NO_LIMIT)
    return "\n".join(parts)


def _collect(event: Event, left: int) -> tuple[list[str], int]:
    fields: dict[str, Any] = event  # type: ignore[assignment]
    parts: list[str] = []
    get = fields.get
    for field in LEADING_FIELDS:
        value = get(field)
        if value is None:
            continue
        if type(value) is str and len(value) < left:  # nearly all of them
            parts.append(value)
            left -= len(value) + 1
        elif left > 0:
            left = _take(value, parts, left)
    for field in [field for field in fields if field not in SILENT_FIELDS]:
        if left > 0:
            left = _take(fields[field], parts, _take(field, parts, left))
    return parts, left


def _take(value: object, parts: list[str], left: int) -> int:
    """Append the text of ``value``; returns how many characters may still follow."""
    if type(value) is str:
        parts.append(value if len(value) < left else value[: max(left, 0)])
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
