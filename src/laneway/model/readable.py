"""Any Python value as a JSON value that a person can read.

Nothing here trusts a value: its ``__repr__``, properties and iteration may
raise, recurse, or change what is being read. Types are known by the modules
that are loaded already, so that reading a ``Decimal`` imports nothing.
"""

import sys
from collections.abc import Callable, Iterable

from laneway.base.limits import DEPTH, LINE_BYTES

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

NODES = 20_000
"""Values read from one event: what a line of `LINE_BYTES` can hold if each takes 13 bytes."""

OVERLAP_CHARS = 16 * 1024
"""Kept past `LINE_BYTES` when a giant text is cut early, so that no secret which begins in the part
that stays is split before it is looked for; the longest rule (a PEM key) matches less."""

TEXT_CHARS = LINE_BYTES + OVERLAP_CHARS
REPR_CHARS = 1_000
KEY_CHARS = 256
BLOB_BYTES = 4_096
"""Binary data kept as base64; more is a file, and belongs into one."""
ARRAY_ITEMS = 1_000


def read_event(event: object, nodes: int = NODES, text_chars: int = TEXT_CHARS) -> "dict[str, Any]":
    """``event`` as JSON values; longer texts are cut. What is no mapping becomes the ``content``."""
    reader = _Reader(nodes, text_chars)
    tree = reader.read_top(event) if issubclass(type(event), dict) else reader.read(event, 1)
    if type(tree) is not dict:
        tree = {"content": tree}
    if reader.has_cut:
        tree["truncated"] = True
    return tree


def read(value: object) -> "Any":
    """``value`` as JSON values."""
    return _Reader(NODES).read(value, 1)


def clean_text(text: str) -> str:
    """``text`` that UTF-8 can write: surrogate pairs are joined, lone ones become U+FFFD."""
    if text.isascii():
        return str(text)
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
    return str(text)


class _Reader:
    """One pass over one value: what it may still read, and which containers are open above it."""

    __slots__ = ("has_cut", "left", "open", "text_chars")

    def __init__(self, nodes: int, text_chars: int = TEXT_CHARS) -> None:
        self.left = nodes
        self.text_chars = max(text_chars, TEXT_CHARS)
        self.has_cut = False
        self.open: set[int] = set()

    def read_top(self, event: "Any") -> "dict[str, Any]":
        """Scalars before containers, so that a giant ``input`` never costs the ``session_id``."""
        items = _copy_items(event)
        tree: dict[str, Any] = {}
        self.open.add(id(event))
        for key, _ in items[: self.left]:
            tree[_free_key(self.read_key(key), tree)] = None
        pairs = list(zip(tree, items, strict=False))
        for scalars in (True, False):
            for name, (_, value) in pairs:
                if issubclass(type(value), _SCALARS) is scalars:
                    tree[name] = self.read(value, 2)
        self.has_cut |= len(items) > len(tree)
        return tree

    def read(self, value: object, depth: int) -> "Any":
        try:
            return self._read(value, depth)
        except Exception:  # noqa: BLE001 - the value's own code failed; the event goes on
            return f"<{type_name(value)}: unreadable>"

    def _read(self, value: "Any", depth: int) -> "Any":
        kind = type(value)
        self.left -= 1
        if value is None or kind is bool:
            return value
        if issubclass(kind, str) and not _is_a(value, "enum", "Enum"):
            return self.read_text(str.__str__(value))
        if kind is int:
            return _read_int(value)
        if kind is float:
            return value if value - value == 0.0 else _name_of(value)
        convert = _converter(value)
        if convert is _read_bytes:
            return self.read_text(_decode(value, self.text_chars))
        if convert is not None:
            return self._follow(value, convert(value), depth)
        return self.read_text(safe_repr(value))

    def read_text(self, text: str) -> str:
        if len(text) <= self.text_chars:
            return clean_text(text)
        from laneway.model.cut import shorten

        self.has_cut = True
        return shorten(text, TEXT_CHARS)

    def _follow(self, source: object, value: "Any", depth: int) -> "Any":
        """What a converter gave: a container is read further, any other value as it is."""
        if issubclass(type(value), _SCALARS):
            return self.read(value, depth)
        if id(source) in self.open:
            return "[cycle]"
        if depth > DEPTH:
            return f"[deeper than {DEPTH} levels]"
        self.open.add(id(source))
        try:
            if isinstance(value, _Pairs):
                return self._read_pairs(value.items, depth)
            if isinstance(value, _Items):
                return self._read_items(value.items, depth)
            return self.read(value, depth)
        finally:
            self.open.discard(id(source))

    def _read_pairs(self, items: "list[tuple[Any, Any]]", depth: int) -> "dict[str, Any]":
        result: dict[str, Any] = {}
        for done, (key, value) in enumerate(items):
            if self.left <= 0:
                result[_free_key("…", result)] = f"[{len(items) - done} more]"
                self.has_cut = True
                break
            result[_free_key(self.read_key(key), result)] = self.read(value, depth + 1)
        return result

    def _read_items(self, items: "list[Any]", depth: int) -> "list[Any]":
        result = []
        for done, value in enumerate(items):
            if self.left <= 0:
                result.append(f"[{len(items) - done} more]")
                self.has_cut = True
                break
            result.append(self.read(value, depth + 1))
        return result

    def read_key(self, key: object) -> str:
        if issubclass(type(key), tuple):
            text = safe_repr(key)
        else:
            value = self.read(key, DEPTH)
            text = value if isinstance(value, str) else _JSON_WORDS.get(repr(value), repr(value))
        if len(text) <= KEY_CHARS:
            return text
        self.has_cut = True
        return f"{text[: KEY_CHARS - 1]}…"


_SCALARS = (str, int, float, type(None))
_JSON_WORDS = {"None": "null", "True": "true", "False": "false"}


class _Pairs:
    __slots__ = ("items",)

    def __init__(self, items: "list[tuple[Any, Any]]") -> None:
        self.items = items


class _Items:
    __slots__ = ("items",)

    def __init__(self, items: "Iterable[Any]", limit: int = NODES) -> None:
        from itertools import islice

        self.items = list(islice(items, limit))


def _copy_items(mapping: "Any") -> "list[tuple[Any, Any]]":
    """The items, also of a mapping that another thread or its own code changes meanwhile."""
    for _ in range(3):
        try:
            return list(mapping.items())
        except RuntimeError:  # it changed size
            continue
    return list(dict.items(mapping)) if issubclass(type(mapping), dict) else []


def _free_key(key: str, taken: "dict[str, Any]") -> str:
    """``1`` and ``"1"`` are two keys in Python; the second becomes ``1'``."""
    while key in taken:
        key += "'"
    return key


def _read_int(value: int) -> int | str:
    if -(2**63) <= value < 2**64:
        return value
    bits = value.bit_length()
    return f"<int of {bits} bits>" if bits > 8 * KEY_CHARS else str(value)


def _name_of(value: float) -> str:
    return "NaN" if value != value else "Infinity" if value > 0 else "-Infinity"


def safe_repr(value: object) -> str:
    try:
        text = repr(value)
    except Exception:  # noqa: BLE001 - a foreign __repr__
        return f"<{type_name(value)}: unreadable>"
    return text if len(text) <= REPR_CHARS else f"{text[:REPR_CHARS]}…"


def type_name(value: object) -> str:
    return type.__dict__["__name__"].__get__(type(value))  # type: ignore[no-any-return]


def _module(value: object) -> str:
    name = type.__dict__["__module__"].__get__(type(value))
    return name.partition(".")[0] if isinstance(name, str) else ""


def _is_a(value: object, module: str, name: str) -> bool:
    """Whether ``value`` is of a class that only a loaded module can have made."""
    cls = getattr(sys.modules.get(module), name, None)
    return cls is not None and issubclass(type(value), cls)


def _converter(value: "Any") -> "Callable[[Any], Any] | None":
    """How to read ``value``, or None where its ``repr`` must do."""
    kind = type(value)
    for base, convert in _BY_TYPE:
        if issubclass(kind, base):
            return convert
    for module, name, convert in _BY_NAME:
        if _is_a(value, module, name):
            return convert
    if _module(value) == "numpy":
        return _read_numpy
    for attribute, convert in _BY_ATTRIBUTE:
        if hasattr(kind, attribute):
            return convert
    return None


def _read_mapping(value: "Any") -> _Pairs:
    return _Pairs(_copy_items(value))


def _read_tuple(value: "Any") -> "_Items | _Pairs":
    fields = getattr(type(value), "_fields", None)
    if isinstance(fields, tuple) and len(fields) == len(value):
        return _Pairs(list(zip(fields, value, strict=True)))
    return _Items(tuple.__iter__(value))


def _read_set(value: "Any") -> _Items:
    """Sorted where its members can be, so that equal sets give equal lines."""
    try:
        return _Items(sorted(value))
    except TypeError:
        return _Items(value)


def _read_bytes(value: "Any") -> str:
    return _decode(value, TEXT_CHARS)


def _decode(value: "Any", limit: int) -> str:
    data = bytes(value) if len(value) <= limit else bytes(value[:limit])
    gone = len(value) - len(data)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        from binascii import b2a_base64

        gone = len(value) - min(len(value), BLOB_BYTES)
        text = f"base64:{b2a_base64(data[:BLOB_BYTES], newline=False).decode()}"
    return f"{text} [{gone} more bytes]" if gone else text


def _read_memoryview(value: "Any") -> str:
    return _read_bytes(value.cast("B") if value.contiguous else value.tobytes())


def _read_exception(value: "Any") -> _Pairs:
    from traceback import format_exception

    pairs = [("type", type_name(value)), ("message", _text_of(value))]
    try:
        stack = "".join(format_exception(type(value), value, value.__traceback__, limit=50))
    except Exception:  # noqa: BLE001 - a foreign __str__ or __cause__
        stack = ""
    return _Pairs([*pairs, ("stack", stack)] if stack else [*pairs])


def _text_of(value: object) -> str:
    try:
        return str(value)
    except Exception:  # noqa: BLE001 - a foreign __str__
        return f"<{type_name(value)}: unreadable>"


def _read_dataclass(value: "Any") -> _Pairs:
    names = [name for name in type(value).__dataclass_fields__ if not name.startswith("_")]
    return _Pairs(_read_attributes(value, names))


def _read_attrs(value: "Any") -> _Pairs:
    return _Pairs(_read_attributes(value, [field.name for field in type(value).__attrs_attrs__]))


def _read_attributes(value: object, names: "Iterable[str]") -> "list[tuple[Any, Any]]":
    pairs = []
    for name in names:
        try:
            pairs.append((name, getattr(value, name)))
        except Exception:  # noqa: BLE001 - a property that raises costs its own field only
            pairs.append((name, "<unreadable>"))
    return pairs


def _read_numpy(value: "Any") -> "Any":
    size = getattr(value, "size", 1)
    if not hasattr(value, "tolist"):
        return safe_repr(value)
    if size <= ARRAY_ITEMS:
        return value.tolist()
    head = value.ravel()[:ARRAY_ITEMS].tolist()
    shape = [int(side) for side in value.shape]
    return {"dtype": str(value.dtype), "shape": shape, "head": head}


_BY_TYPE: "tuple[tuple[type, Callable[[Any], Any]], ...]" = (
    (dict, _read_mapping),
    (list, lambda value: _Items(list.__iter__(value))),
    (tuple, _read_tuple),
    (bool, bool),
    (BaseException, _read_exception),
    (set, _read_set),
    (frozenset, _read_set),
    (bytes, _read_bytes),
    (bytearray, _read_bytes),
    (memoryview, _read_memoryview),
    (range, _Items),
    (type({}.keys()), _Items),
    (type({}.values()), _Items),
    (type({}.items()), _Items),
)

_BY_NAME: "tuple[tuple[str, str, Callable[[Any], Any]], ...]" = (
    ("enum", "Enum", lambda value: value.value),
    ("datetime", "date", lambda value: value.isoformat()),
    ("datetime", "time", lambda value: value.isoformat()),
    ("datetime", "timedelta", str),
    ("decimal", "Decimal", str),
    ("fractions", "Fraction", str),
    ("uuid", "UUID", str),
    ("pathlib", "PurePath", str),
    ("ipaddress", "_IPAddressBase", str),
    ("collections", "deque", _Items),
    ("collections.abc", "Mapping", _read_mapping),
)

_BY_ATTRIBUTE: "tuple[tuple[str, Callable[[Any], Any]], ...]" = (
    ("model_dump", lambda value: value.model_dump()),
    ("__pydantic_model__", _read_dataclass),
    ("__dataclass_fields__", _read_dataclass),
    ("__attrs_attrs__", _read_attrs),
    ("__fields__", lambda value: value.dict()),
    ("__fspath__", lambda value: value.__fspath__()),
)
