"""Bytes to events and back: one line, one request body, one stable id.

On the way out the order is fixed: redact, then cut, so that no cut splits a
secret before it was looked for. On the way in nothing readable is lost: what
only Python's own JSON writes (NaN, lone surrogates) is taken and made readable.
"""

from laneway.base.errors import EventError, Problem, quote
from laneway.base.limits import DEPTH
from laneway.model.encode import (
    encode_hard,
    encode_tree,
    is_deeper,
    try_encode_flat,
    try_encode_plain,
    try_encode_whole,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import Any

    from laneway.model.cut import Shelf
    from laneway.model.redact import Redactor

_BOM = b"\xef\xbb\xbf"
_NDJSON_TYPES = ("ndjson", "jsonl", "json-seq", "json-lines", "jsonlines")


class ItemProblem(Problem):
    """What is wrong with item ``index`` (from 0) of a body."""

    __slots__ = ("index",)

    def __init__(self, index: int, field: str, message: str) -> None:
        super().__init__(field, message)
        self.index = index


def encode_redacted(
    event: "Mapping[str, Any]",
    redactor: "Redactor",
    made: "frozenset[str]" = frozenset(),
    shelf: "Shelf | None" = None,
) -> tuple[bytes, int]:
    """The line of ``event`` without secrets, and how many were replaced. Never raises.

    ``made``: fields whose values are our own, such as a timestamp just taken. ``shelf`` keeps,
    redacted, what is too long for the line.
    """
    try:
        if redactor.is_clean(event, made):
            line = try_encode_flat(event)
            if line is not None:
                return line, 0
    except Exception:  # noqa: BLE001, S110 - a lone surrogate, a strange number: the long way takes them
        pass
    line = try_encode_plain(event)
    if line is not None:
        return redactor.redact_line(event, line)
    try:
        if shelf is not None and shelf.limit_bytes:
            return _encode_long(event, redactor, shelf)
        from laneway.model.readable import read_event

        clean, count = redactor.redact_event(read_event(event))
        return encode_tree(clean), count
    except Exception:  # noqa: BLE001 - fail closed: nothing of the payload goes out
        return encode_hard({**_withheld(event, redactor), "truncated": True}), 1


def _withheld(event: "Mapping[str, Any]", redactor: "Redactor") -> "dict[str, Any]":
    try:
        return redactor.withhold(event)[0]
    except Exception as error:  # noqa: BLE001 - no mapping, or one whose items cannot be had
        return {"content": f"[withheld:{type(error).__name__}]"}


def _encode_long(
    event: "Mapping[str, Any]", redactor: "Redactor", shelf: "Shelf"
) -> tuple[bytes, int]:
    """The line of an event that needs a closer look, mostly because it is too long for one."""
    limit = shelf.limit_bytes
    line = try_encode_whole(event, limit)
    if line is not None:
        clean, count = redactor.redact_long(line, limit)
    else:
        from laneway.model.readable import read_event

        tree = read_event(event, text_chars=limit)
        clean, count = redactor.redact_event(tree, limit)
        if clean.get("truncated") and not event.get("truncated"):
            shelf.lose("side_too_large")
    return encode_tree(clean, shelf), count


def decode_line(line: bytes) -> "dict[str, Any]":
    """One line of a log as an object.

    Raises:
        EventError: it is no JSON object, or nested too deeply; the message says what was seen.
    """
    value = _decode(line)
    if not isinstance(value, dict):
        raise EventError([Problem("", f"{quote(value)} is not a JSON object")])
    if is_too_deep(value):
        raise EventError([Problem("", f"is nested more than {DEPTH} levels deep")])
    return value


def decode_body(body: bytes, content_type: str) -> "Iterator[object]":
    """The items of a ``POST /log`` body, in order: one object, an array, or NDJSON.

    An item that cannot be read comes as an `ItemProblem`; the others are not affected.
    """
    lines = try_split_body(body, content_type)
    body = body.removeprefix(_BOM).strip()
    if not body:
        return
    if lines is not None:
        for index, line in enumerate(lines):
            yield decode_item(index, line)
        return
    try:
        value = _decode(body)
    except EventError as error:
        if _has_object_lines(body):
            for index, line in enumerate(_split(body)):
                yield decode_item(index, line)
        else:
            yield ItemProblem(0, "", error.problems[0].message)
        return
    for index, item in enumerate(value if isinstance(value, list) else (value,)):
        yield _checked(index, item)


def _has_object_lines(body: bytes) -> bool:
    """Whether a body that is no JSON as a whole is NDJSON; a broken array or object is not."""
    lines = (line.strip() for line in body.splitlines())
    return b"\n" in body and any(line[:1] == b"{" and line[-1:] == b"}" for line in lines)


def try_split_body(body: bytes, content_type: str) -> "list[bytes] | None":
    """The lines of a body that is declared as NDJSON, for `decode_item`; None for any other."""
    if not any(name in content_type.lower() for name in _NDJSON_TYPES):
        return None
    return _split(body.removeprefix(_BOM))


def _split(body: bytes) -> "list[bytes]":
    return [line for line in body.split(b"\n") if line and not line.isspace()]


def decode_item(index: int, line: bytes) -> object:
    """What a line of NDJSON holds, or an `ItemProblem`."""
    try:
        item = _decode(line)
    except EventError as error:
        return ItemProblem(index, "", error.problems[0].message)
    is_fit = type(item) is dict and not may_be_deep(line)
    return item if is_fit else _checked(index, item)


def _checked(index: int, item: object) -> object:
    if not isinstance(item, dict):
        return ItemProblem(index, "", f"{quote(item)} is not a JSON object")
    if is_too_deep(item):
        return ItemProblem(index, "", f"is nested more than {DEPTH} levels deep")
    return item


def may_be_deep(data: bytes) -> bool:
    """Whether JSON has brackets enough to be nested too deeply; a count is cheaper than a walk."""
    return data.count(b"{") + data.count(b"[") > DEPTH


def is_too_deep(event: "dict[str, Any]") -> bool:
    for value in event.values():
        if type(value) in (dict, list):
            return is_deeper(event, DEPTH)
    return False


def _decode(data: bytes) -> object:
    try:
        return _loads(data)
    except ValueError as error:
        return _decode_lenient(data, error)


def _decode_lenient(data: bytes, error: ValueError) -> object:
    """What Python's ``json`` writes and RFC 8259 forbids: NaN, infinity, lone surrogates, a BOM.

    Raises:
        EventError: it cannot read it either.
    """
    import json

    from laneway.model.readable import read

    text = data.removeprefix(_BOM).decode("utf-8", "replace")
    try:
        return read(json.loads(text, parse_int=_parse_int))
    except (ValueError, RecursionError):
        seen = quote(text.strip())
        raise EventError([Problem("", f"{seen} is not JSON: {_reason(error)}")]) from None


def _reason(error: ValueError) -> str:
    return str(error).partition(": line")[0]


def _parse_int(digits: str) -> int | str:
    """Python refuses integers of more than 4,300 digits; they stay text."""
    return int(digits) if len(digits) <= 40 else digits


def stable_id(fingerprint: str, offset: int, line: bytes) -> str:
    """The id of a line that has none: the same for the same place and bytes, as a UUIDv8 (RFC 9562)."""
    from hashlib import blake2b

    source = b"%s\0%d\0%s" % (fingerprint.encode("utf-8", "replace"), offset, line)
    value = int.from_bytes(blake2b(source, digest_size=16).digest(), "big")
    value = value & ~(0xF << 76) | 0x8 << 76
    value = value & ~(0b11 << 62) | 0b10 << 62
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def _load_and_parse(data: bytes) -> object:
    """Stands in for orjson until the first line."""
    global _loads
    from orjson import loads

    _loads = loads
    return loads(data)


_loads = _load_and_parse
