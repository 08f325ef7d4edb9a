"""What `emit` reads from standard input: one text, or events in any of three forms."""

import sys
from collections.abc import Iterator

from laneway.base.errors import quote
from laneway.base.limits import BODY_BYTES

SEEN_BYTES = 8_192
"""Of what is no JSON, looked through for secrets before it is cut and shown."""


def read_text() -> tuple[str, bool]:
    """All of it (without the last newline), and whether the end had to be left out."""
    data = sys.stdin.buffer.read(BODY_BYTES + 1)
    text = data[:BODY_BYTES].decode("utf-8", "replace")
    return text.removesuffix("\n").removesuffix("\r"), len(data) > BODY_BYTES


def iter_events() -> Iterator[object]:
    """Decoded values, a `ValueError` in the place of each that is no JSON.

    The first line decides: a whole object is NDJSON, and every line is handed out as it
    arrives; anything else is read to its end and taken as one object or array.
    """
    first = _next_line()
    if first is None:
        return
    value = decode(first)
    if isinstance(value, ValueError) and first.lstrip()[:1] in (b"{", b"["):
        value = decode(first + sys.stdin.buffer.read(BODY_BYTES))
    if isinstance(value, list):
        yield from value
        return
    yield value
    while (line := _next_line()) is not None:
        yield decode(line)


def decode(data: bytes) -> object:
    """The value, or (not raised) the reason why there is none."""
    import orjson

    try:
        return orjson.loads(data)
    except orjson.JSONDecodeError as error:
        from laneway.model.redact import Redactor

        text = Redactor().redact_text(data[:SEEN_BYTES].decode("utf-8", "replace"))
        seen = quote(text[:60])
        return ValueError(f"{seen} is not JSON: {error}")


def _next_line() -> bytes | None:
    """The next line that is not blank; None at the end."""
    while line := sys.stdin.buffer.readline(BODY_BYTES):
        if line.strip():
            return line
    return None
