"""Events as CSV (RFC 4180): a fixed set of columns, so that two exports fit together.

What is no text or number stands as JSON; fields without a column stand together in ``more``.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import orjson

COLUMNS = (
    "timestamp", "agent", "event", "level", "content", "session_id", "tool", "model", "provider", "input",
    "output", "duration_ms", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens",
    "cost_usd", "error", "role", "parent_agent", "trace_id", "span_id", "parent_span_id", "pod", "host",
    "pid", "id", "seq",
)  # fmt: skip
MORE = "more"

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""A spreadsheet runs a text that begins so, and the texts of events come from anywhere
(OWASP, CSV Injection)."""


def encode(events: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """A heading, then a row for each event; CRLF ends a row, UTF-8 without a byte order mark."""
    yield to_row([*COLUMNS, MORE])
    for event in events:
        rest = {name: value for name, value in event.items() if name not in _KNOWN}
        yield to_row([*map(event.get, COLUMNS), rest or None])


_KNOWN = frozenset(COLUMNS)


def to_row(values: Iterable[object]) -> bytes:
    """One line of a CSV file, CRLF included."""
    buffer = io.StringIO(newline="")
    csv.writer(buffer).writerow(map(_cell, values))
    return buffer.getvalue().encode("utf-8", "replace")


def _cell(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return _harmless(value)
    if isinstance(value, (dict, list)):
        return orjson.dumps(value).decode()
    return str(value)


def _harmless(text: str) -> str:
    """``'`` before what a spreadsheet would run; an item of a list (``- milk``) and a number stay."""
    if not text.startswith(FORMULA):
        return text
    if text[:1] in "+-" and (text[1:2] in ("", " ", "-") or _is_number(text)):
        return text
    return f"'{text}"


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
