"""An expression as text, in the one form that `parse` reads back to the same expression."""

import re

from laneway.store.query.expr import (
    And,
    Compare,
    Equal,
    Everything,
    Expr,
    Fragment,
    Glob,
    Has,
    Not,
    Open,
    Or,
    Phrase,
    Regex,
    Since,
    Test,
    Text,
    Until,
    Value,
)
from laneway.store.query.field import BY_KEY, Field
from laneway.store.query.pattern import pattern_pieces
from laneway.store.query.value import write_moment

_PLAIN_VALUE = re.compile(r"(?![-~/<>=+.])(?:[^\W]|[.@+/:~=<>#%&$!|;{}\[\]^-])+")
_PLAIN_WORD = re.compile(r"(?!(?:AND|OR|NOT)\Z)[^\W_][\w]*(?:[.-][\w]+)*")
_PLAIN_PART = re.compile(r"[\w$@-]+")
_CONTROL = {"\n": "\\n", "\t": "\\t", "\r": "\\r", '"': '\\"', "\\": "\\\\"}


def write(expr: Expr) -> str:
    """`Everything` is an empty text."""
    return "" if isinstance(expr, Everything) else _write(expr)


def _write(expr: Expr) -> str:
    match expr:
        case Or(parts):
            return " OR ".join(map(_write, parts))
        case And(parts):
            return " ".join(f"({_write(p)})" if isinstance(p, Or) else _write(p) for p in parts)
        case Not(part):
            inner = _write(part)
            return f"-({inner})" if isinstance(part, And | Or) else f"-{inner}"
        case Everything():
            return "*"
        case Text(test):
            return _write_test(test, is_word=True)
        case Value(field, (test,)):
            return f"{write_field(field)}:{_write_test(test)}"
        case Value(field, tests):
            return f"{write_field(field)}:({','.join(map(_write_test, tests))})"
        case Compare(field, "=", value):
            return f"{write_field(field)}={value}"
        case Compare(field, operator, value):
            return f"{write_field(field)}{operator}{value}"
        case Has(field):
            return f"has:{write_field(field)}"
        case Open():
            return "is:open"
        case Since(moment):
            return f"since:{write_moment(moment)}"
        case Until(moment):
            return f"until:{write_moment(moment)}"


def write_field(field: Field) -> str:
    name = BY_KEY[field.key].name
    return ".".join(
        [name, *(part if _PLAIN_PART.fullmatch(part) else quoted(part) for part in field.path)]
    )


def quoted(text: str) -> str:
    signs = (
        _CONTROL.get(char) or (char if char.isprintable() else f"\\u{{{ord(char):x}}}")
        for char in text
    )
    return f'"{"".join(signs)}"'


def _write_test(test: Test, *, is_word: bool = False) -> str:
    match test:
        case Equal(text):
            return text if _PLAIN_VALUE.fullmatch(text) and ".." not in text else quoted(text)
        case Phrase(text, is_prefix):
            is_plain = _PLAIN_WORD.fullmatch(text)
            return (text if is_plain else quoted(text)) + ("*" if is_prefix else "")
        case Fragment(text):
            return f"~{quoted(text)}"
        case Regex(pattern, ignores_case):
            return f"/{_write_regex(pattern)}/{'i' if ignores_case else ''}"
        case Glob(pattern):
            return _write_glob(pattern)


def _write_regex(pattern: str) -> str:
    """A backslash and what follows it stay together; a slash of its own gets one."""
    return re.sub(
        r"\\.|/", lambda found: "\\/" if found[0] == "/" else found[0], pattern, flags=re.S
    )


def _write_glob(pattern: str) -> str:
    signs = []
    for piece in pattern_pieces(pattern):
        if not piece:
            signs.append("*" if piece is None else "?")
        elif piece.isalnum() or piece == "_":
            signs.append(piece)
        elif piece.isprintable():
            signs.append(f"\\{piece}")
        else:
            signs.append(f"\\u{{{ord(piece):x}}}")
    return "".join(signs)
