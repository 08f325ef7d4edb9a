"""A piece of text that every event must hold for a condition to be true, where one can be told.

What the index cannot answer is read from the log; such a piece tells where it need not be.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from laneway.store.query.content import SILENT_FIELDS
from laneway.store.query.cost import is_indexed
from laneway.store.query.expr import Equal, Expr, Fragment, Glob, Regex, Test, Text, Value
from laneway.store.query.field import ID, Kind, kind_of
from laneway.store.query.pattern import pattern_pieces
from laneway.store.query.value import try_number

LEAST_CHARS = 3
"""Shorter pieces stand in most lines."""

WORDLESS = frozenset({"true", "false", "null"})
"""JSON's own: equal to a value that is no text."""

MADE = "redacted withheld redactor error too large message event"
"""Words that are in events and not in their lines: marks put in when a foreign line is read, and the
name under which a bare error is kept."""

_RUN = re.compile(r"[A-Za-z0-9]+")
_SIGN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{[^}]*\}|.", re.DOTALL)
_CLASSES = frozenset("dDwWsSbB")


class Literal(NamedTuple):
    """``text`` is of ASCII letters and digits, in lower case; any case of them counts."""

    text: str
    is_word: bool
    """It stands within a word of the indexed text."""

    @property
    def is_in_line(self) -> bool:
        """Whether it stands in the line as it was written: numbers have several forms, and marks of
        redaction, with their six digits of hex, may be newer than the line."""
        has_letter = any("a" <= sign <= "z" and sign != "e" for sign in self.text)
        is_short_hex = len(self.text) <= 6 and all(sign in "0123456789abcdef" for sign in self.text)
        return (
            has_letter and not is_short_hex and not any(self.text in word for word in MADE.split())
        )


def find_literal(conditions: Iterable[Expr]) -> Literal | None:
    """The best piece of those that ``conditions``, which must all hold, ask for; None for no piece."""
    found = [literal for part in conditions for literal in _iter_literals(part)]
    return max(found, key=lambda one: (one.is_word, len(one.text)), default=None)


def _iter_literals(part: Expr) -> Iterator[Literal]:
    match part:
        case Text(Fragment() | Regex() as test):
            yield from _of_test(test, is_word=True)
        case Value(field, (test,)) if field != ID and not is_indexed(part):
            kind = kind_of(field)
            if kind in (Kind.NAME, Kind.ID):
                yield from _of_test(test, is_word=False)
            elif kind is Kind.PAYLOAD or field.key or field.path[0] not in SILENT_FIELDS:
                yield from _of_test(test, is_word=True)


def _of_test(test: Test, *, is_word: bool) -> Iterator[Literal]:
    for run in _runs_of(test):
        if len(run) >= LEAST_CHARS:
            yield Literal(run.lower(), is_word)


def _runs_of(test: Test) -> list[str]:
    match test:
        case Fragment(text):
            return _RUN.findall(text)
        case Equal(text):
            has_forms = text in WORDLESS or try_number(text) is not None
            return [] if has_forms else _RUN.findall(text)
        case Glob(pattern):
            return _RUN.findall("".join(piece or " " for piece in pattern_pieces(pattern)))
        case Regex(pattern):
            return _runs_of_regex(pattern)
    return []


def _runs_of_regex(pattern: str) -> list[str]:
    """Of simple expressions only: without groups, alternatives and characters by number."""
    plain: list[str] = []
    for sign in _SIGN.findall(pattern):
        if sign in ("(", ")", "|"):
            return []
        if sign[0] == "\\" and sign[1:].isalnum() and sign[1:] not in _CLASSES:
            return []
        if sign in ("?", "*") or sign[0] == "{":  # what is before it may be missing
            plain[-1:] = [" "]
        elif len(sign) == 1 and sign != ".":
            plain.append(sign)
        else:
            plain.append(" ")
        if sign == "+":
            plain[-1] = " "
    return _RUN.findall("".join(plain))
