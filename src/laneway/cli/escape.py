"""Text of unknown origin made safe for a terminal.

An event may hold anything: a web page's text with an OSC 52 that writes the clipboard, a file name
with a bidi override that turns ``exe.txt`` around, a carriage return that overwrites the line.
"""

from unicodedata import category

INVISIBLE_LETTERS = frozenset("\u115f\u1160\u3164\uffa0\u034f")
"""Hangul fillers and the grapheme joiner: drawn as nothing, yet letters or marks to Unicode."""

UNSAFE_CATEGORIES = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Controls (C0, DEL, C1), format characters (bidi controls, zero width, tags), lone surrogates, and
the two line breaks that are no control characters."""

_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def is_unsafe(char: str) -> bool:
    return category(char) in UNSAFE_CATEGORIES or char in INVISIBLE_LETTERS


def spell(char: str) -> str:
    """``\\x1b``, ``\\u202e``, ``\\U000e0001``: how Python writes it."""
    code = ord(char)
    if char in _SHORT:
        return _SHORT[char]
    return (
        f"\\x{code:02x}"
        if code < 0x100
        else _spell_json(char)
        if code < 0x10000
        else f"\\U{code:08x}"
    )


def _spell_json(char: str) -> str:
    """As JSON spells it: UTF-16 code units."""
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[i]:02x}{units[i + 1]:02x}" for i in range(0, len(units), 2))


class _Table(dict[int, str]):
    """A translation table that learns: a code point is looked up in Unicode's tables once."""

    def __init__(self, json: bool) -> None:
        super().__init__()
        self.spell = _spell_json if json else spell

    def __missing__(self, code: int) -> str:
        char = chr(code)
        shown = self[code] = self.spell(char) if is_unsafe(char) else char
        return shown


_PLAIN = _Table(json=False)
_JSON = _Table(json=True)


def escape(text: str) -> str:
    """``text`` with every character that a terminal would obey or hide spelled out."""
    if text.isascii() and text.isprintable():
        return text
    return text.translate(_PLAIN)


def escape_json(encoded: str) -> str:
    """A JSON text on one line, still valid and of equal value, that a terminal shows as it is."""
    if encoded.isascii() and encoded.isprintable():
        return encoded
    return encoded.translate(_JSON)
