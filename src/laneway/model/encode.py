"""An event as one JSON line. `encode` takes whatever an application hands over and never raises.

Most events need one call of orjson. What JSON does not know goes through
`readable`, what is too long through `cut`; both load when first needed.
"""

from laneway.base.limits import DEPTH, LINE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from laneway.model.cut import Shelf


def encode(event: "Mapping[str, Any]") -> bytes:
    """One line without newline: valid JSON of at most `LINE_BYTES`. Does not change ``event``."""
    line = try_encode_plain(event)
    return encode_hard(event) if line is None else line


def try_encode_plain(event: "Mapping[str, Any]") -> bytes | None:
    """The line by one call of orjson; None where the event needs `encode_hard`."""
    return try_encode_whole(event, LINE_BYTES)


def try_encode_whole(event: "Mapping[str, Any]", limit: int) -> bytes | None:
    """`try_encode_plain` for a line of at most ``limit`` bytes."""
    try:
        line = _dumps(event)
    except Exception:  # noqa: BLE001 - orjson's TypeError, or whatever a lazy value raises
        return None
    if len(line) > limit or line[:1] != b"{":
        return None
    text = line.decode("latin-1")  # one byte a character: searches three times as fast as bytes
    # orjson writes NaN and infinity as null, and nests to 254 levels, where a reader stops at `DEPTH`.
    if "null" in text and not _is_finite(event):
        return None
    if text.count("{") + text.count("[") > DEPTH and is_deeper(event, DEPTH):
        return None
    return line


def try_encode_flat(event: "Mapping[str, Any]") -> bytes | None:
    """The line of an event known to hold plain values only, none too deep; None where it is too long.

    Raises:
        TypeError: orjson does not take it after all: a lone surrogate, more than 64 bits.
    """
    line = _dumps(event)
    return line if len(line) <= LINE_BYTES and line[:1] == b"{" else None


def encode_hard(event: object) -> bytes:
    """The line of any value at all, made readable first and cut to fit."""
    try:
        from laneway.model.readable import read_event

        return encode_tree(read_event(event))
    except Exception as error:  # noqa: BLE001 - the promise of `encode`
        return _encode_remains(event, error)


def encode_tree(tree: "dict[str, Any]", shelf: "Shelf | None" = None) -> bytes:
    """The line of an event that holds JSON values only. Cuts ``tree`` in place if it is too long,
    and has ``shelf`` keep what is cut off."""
    line = _dumps(tree)
    if len(line) <= LINE_BYTES:
        return line
    from laneway.model.cut import fit

    return fit(tree, LINE_BYTES, shelf)


def is_deeper(value: object, depth: int) -> bool:
    """Whether containers are nested more than ``depth`` levels deep; ``value`` itself is the first."""
    level: list[Any] = [value]
    for _ in range(depth):
        level = [
            child
            for node in level
            for child in (node.values() if isinstance(node, dict) else node)
            if isinstance(child, (dict, list, tuple))
        ]
        if not level:
            return False
    return True


def _is_finite(value: object) -> bool:
    """False also for types whose fields only orjson knows; they may hide a NaN."""
    if isinstance(value, dict):
        return all(map(_is_finite, value.values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_finite, value))
    if isinstance(value, float):
        return value - value == 0.0
    return value is None or isinstance(value, (str, int))


def _encode_remains(event: object, error: Exception) -> bytes:
    """What can still be said of an event whose encoding failed by a fault of ours."""
    remains: dict[str, Any] = {}
    if type(event) is dict:
        for field in ("timestamp", "agent", "event", "id"):
            value = event.get(field)
            if type(value) is str:
                remains[field] = value[:256].encode("utf-8", "replace").decode()
    remains["content"] = f"[this event could not be encoded: {type(error).__name__}]"
    remains["truncated"] = True
    return _dumps(remains)


def _load_and_dump(value: object) -> bytes:
    """Stands in for orjson until the first event: it brings 51 modules."""
    global _dumps
    from orjson import dumps

    _dumps = dumps
    return dumps(value)


_dumps = _load_and_dump
