"""The fields that a query can name: how they are written, where they stand, what may be asked of them."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import Enum


class Kind(Enum):
    NAME = "name"
    """Text, compared as a whole."""
    ID = "id"
    """An id: compared as a whole; W3C ids in any case of letters."""
    LEVEL = "level"
    NUMBER = "number"
    PAYLOAD = "payload"
    """Any JSON: its words are looked for; below it, values by path."""
    EXTRA = "extra"
    """A field that Laneway does not know, by path."""


@dataclass(frozen=True, slots=True)
class Field:
    """``key`` is the event's own name for it; ``path`` leads on into a payload or an extra field."""

    key: str
    path: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the table: ``name`` as the language's own spelling, ``others`` are read too."""

    name: str
    key: str
    kind: Kind
    text: str
    others: tuple[str, ...] = ()


EXTRA_KEY = ""
"""``Field.key`` of extra fields: their path begins at the event itself."""

ENTRIES = (
    Entry("agent", "agent", Kind.NAME, "who emitted the event: its lane"),
    Entry("event", "event", Kind.NAME, "type of the event"),
    Entry("session", "session_id", Kind.NAME, "conversation", ("session_id",)),
    Entry("tool", "tool", Kind.NAME, "tool that was called"),
    Entry("level", "level", Kind.LEVEL, "severity; without one, `error` for a failure and `info` else"),
    Entry("trace", "trace_id", Kind.ID, "trace id", ("trace_id",)),
    Entry("span", "span_id", Kind.ID, "span id", ("span_id",)),
    Entry("parent", "parent_agent", Kind.NAME, "agent that spawned this one", ("parent_agent",)),
    Entry("parent_span", "parent_span_id", Kind.ID, "span around this one", ("parent_span_id",)),
    Entry("id", "id", Kind.ID, "the event's own id"),
    Entry("seq", "seq", Kind.NUMBER, "its number in the index"),
    Entry("pod", "pod", Kind.NAME, "stack that it ran in"),
    Entry("host", "host", Kind.NAME, "machine"),
    Entry("pid", "pid", Kind.NUMBER, "process"),
    Entry("role", "role", Kind.NAME, "role in the conversation"),
    Entry("model", "model", Kind.NAME, "language model"),
    Entry("provider", "provider", Kind.NAME, "who serves the model"),
    Entry("duration_ms", "duration_ms", Kind.NUMBER, "milliseconds, or `1.5s`, `2m`", ("duration",)),
    Entry("input_tokens", "input_tokens", Kind.NUMBER, "tokens in"),
    Entry("output_tokens", "output_tokens", Kind.NUMBER, "tokens out"),
    Entry("cache_read_tokens", "cache_read_tokens", Kind.NUMBER, "tokens read from the cache"),
    Entry("cache_write_tokens", "cache_write_tokens", Kind.NUMBER, "tokens written to the cache"),
    Entry("cost_usd", "cost_usd", Kind.NUMBER, "dollars", ("cost",)),
    Entry("content", "content", Kind.PAYLOAD, "main text"),
    Entry("input", "input", Kind.PAYLOAD, "arguments of a tool"),
    Entry("output", "output", Kind.PAYLOAD, "what a tool gave back"),
    Entry("error", "error", Kind.PAYLOAD, "type, message and stack of an error"),
    Entry("attr", EXTRA_KEY, Kind.EXTRA, "any other field: `attr.NAME`, nested by dots"),
)  # fmt: skip

BY_KEY = {entry.key: entry for entry in ENTRIES}
BY_NAME = {name: entry for entry in ENTRIES for name in (entry.name, *entry.others)}

AGENT, EVENT, SESSION, TOOL = Field("agent"), Field("event"), Field("session_id"), Field("tool")
LEVEL, TRACE, SPAN, POD = Field("level"), Field("trace_id"), Field("span_id"), Field("pod")
ID, SEQ, ERROR, DURATION = Field("id"), Field("seq"), Field("error"), Field("duration_ms")

OTHER_WORDS = ("since", "until", "has", "is")
"""Read like fields, and none."""


def kind_of(field: Field) -> Kind:
    """Below a payload stand values like those of extra fields."""
    kind = BY_KEY[field.key].kind
    return Kind.EXTRA if kind is Kind.PAYLOAD and field.path else kind


def has_path(entry: Entry) -> bool:
    return entry.kind in (Kind.PAYLOAD, Kind.EXTRA)


def near_names(name: str) -> list[str]:
    """Known words that ``name`` may have been meant for, the likeliest first."""
    return get_close_matches(name.lower(), [*BY_NAME, *OTHER_WORDS], n=2, cutoff=0.6)
