"""A piece of text that every event must hold for a condition to be true, where one can be told.

What the index cannot answer is read from the log; such a piece tells where it need not be.
"""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from laneway.model.field import (
    AMOUNT_FIELDS,
    COUNT_FIELDS,
    GIVEN,
    HEX_FIELDS,
    NAME_FIELDS,
    REQUIRED_FIELDS,
)
from laneway.store.query.content import SILENT_FIELDS
from laneway.store.query.cost import is_indexed
from laneway.store.query.expr import Equal, Expr, Fragment, Glob, Regex, Test, Text, Value
from laneway.store.query.field import ID, Kind, kind_of
from laneway.store.query.pattern import pattern_pieces
from laneway.store.query.value import try_number

LEAST_CHARS = 3
"""Shorter pieces stand in most lines."""

MOST_CHARS = 200
"""Of a piece: more would tell little more."""

MOST_PIECES = 8
"""Looked for at once; more would cost more than they spare."""

WORDLESS = frozenset({"true", "false", "null"})
"""JSON's own: equal to a value that is no text."""

MADE = "redacted withheld redactor error too large message event"
"""Words that are in events and not in their lines: marks put in when a foreign line is read, and the name
under which a bare error is kept."""

MADE_TOGETHER = (
    f"{MADE} to keep cut bytes gone sha256 more deeper than levels true false none nan inf"
)
"""Also words of a line's own, but in a row, perhaps, made when it is read: what a line too long is told to
lack, and what Python writes of an error that is a list."""

RUN = re.compile(r"[A-Za-z0-9]+")
_STRETCH = re.compile(r"[ !#-&(->@-Z^-~]+")
"""ASCII that JSON writes as it stands. Without brackets, which are around every mark, quotes, which are
around every text in a list that was made one, and ``?``, which stands for half of a character."""

_FIELDS = (
    *REQUIRED_FIELDS, *NAME_FIELDS, *HEX_FIELDS, *COUNT_FIELDS, *AMOUNT_FIELDS, "timestamp", "id", "level"
)  # fmt: skip
_WITHIN_MARK = re.compile(r"[a-z0-9:-]+")
_HEX = re.compile(r"[0-9a-f]+")
_SIGN = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]|\{[^}]*\}|.", re.DOTALL)
_CLASSES = frozenset("dDwWsSbB")
_BREAK = "\0"
"""Stands for what a pattern leaves open."""


class Literal(NamedTuple):
    """``text`` is of ASCII signs, letters in lower case; any case of them counts."""

    text: str
    is_word: bool
    """It stands in the indexed text; its first and its last word may go on there."""

    @property
    def is_in_line(self) -> bool:
        """Whether it stands in the line as it was written: numbers have several forms, and marks of
        redaction, with their six digits of hex, may be newer than the line."""
        runs = RUN.findall(self.text)
        made = MADE if len(runs) == 1 else MADE_TOGETHER
        has_letter = any("a" <= sign <= "z" and sign != "e" for sign in self.text)
        if not has_letter or all(_may_be_of(made, run) for run in runs):
            return False
        if len(runs) > 1 and _WITHIN_MARK.fullmatch(self.text):
            return False
        return not _is_in_given(self.text)


def _may_be_of(made: str, run: str) -> bool:
    is_short_hex = len(run) <= 6 and _HEX.fullmatch(run) is not None
    return is_short_hex or run.isdecimal() or any(run in word for word in made.split())


def _is_in_given(text: str) -> bool:
    """Whether it may stand in the name under which a field is put aside whose value it cannot hold."""
    return any(text in GIVEN + GIVEN + field and text not in field for field in _FIELDS)


def find_literals(conditions: Iterable[Expr]) -> tuple[Literal, ...]:
    """The pieces that ``conditions``, which must all hold, ask for, the longest first."""
    found = dict.fromkeys(one for part in conditions for one in _iter_literals(part))
    return tuple(sorted(found, key=lambda one: -len(one.text))[:MOST_PIECES])


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
    """Each stretch, and the longest word of one that may not stand in a line as a whole."""
    for stretch in _STRETCH.findall(_plain_part(test)):
        piece = Literal(stretch[:MOST_CHARS].lower(), is_word)
        if len(stretch) >= LEAST_CHARS and RUN.search(stretch):
            yield piece
            word = max(RUN.findall(piece.text), key=len)
            if not piece.is_in_line and len(word) >= LEAST_CHARS:
                yield Literal(word, is_word)


def _plain_part(test: Test) -> str:
    """What it asks for letter by letter, with `_BREAK` for the rest."""
    match test:
        case Fragment(text):
            return text
        case Equal(text):
            has_forms = text in WORDLESS or try_number(text) is not None
            return "" if has_forms else text
        case Glob(pattern):
            return "".join(piece or _BREAK for piece in pattern_pieces(pattern))
        case Regex(pattern):
            return _plain_part_of_regex(pattern)
    return ""


def _plain_part_of_regex(pattern: str) -> str:
    """Of simple expressions only: without groups, alternatives and characters by number."""
    plain: list[str] = []
    for sign in _SIGN.findall(pattern):
        if sign in ("(", ")", "|"):
            return ""
        if sign[0] == "\\" and sign[1:].isalnum():
            if sign[1:] not in _CLASSES:
                return ""
            plain.append(_BREAK)
        elif sign in ("?", "*") or sign[0] == "{":  # what is before it may be missing
            plain[-1:] = [_BREAK]
        elif sign[0] == "\\" and len(sign) == 2:
            plain.append(sign[1])
        elif len(sign) == 1 and sign not in ".^$+":
            plain.append(sign)
        else:
            plain.append(_BREAK)
    return "".join(plain)
