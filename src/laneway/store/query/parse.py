"""Text to expression. Written by hand: one pass from left to right, and errors that know their column.

    query  = and { "OR" and }
    and    = unary { [ "AND" ] unary }
    unary  = ( "NOT" | "-" ) unary | "(" query ")" | field | text

docs/query.md holds the whole grammar.
"""

import re
from datetime import UTC, tzinfo
from typing import NoReturn

from laneway.base.clock import now_ns
from laneway.base.errors import QueryError, quote
from laneway.model.vocabulary import LEVELS
from laneway.store.query.expr import (
    EVERYTHING,
    Compare,
    Equal,
    Expr,
    Fragment,
    Glob,
    Has,
    Open,
    Operator,
    Phrase,
    Regex,
    Since,
    Test,
    Text,
    Until,
    Value,
    all_of,
    any_of,
    negate,
)
from laneway.store.query.field import (
    BY_NAME,
    ENTRIES,
    ERROR,
    Entry,
    Field,
    Kind,
    has_path,
    kind_of,
    near_names,
)
from laneway.store.query.pattern import compile_regex
from laneway.store.query.scan import Bare, Scanner
from laneway.store.query.token import has_words
from laneway.store.query.value import to_id, try_amount, try_level, try_moment, try_number

QUERY_CHARS = 4_096
"""Longer ones are made by programs, which can ask twice."""

DEPTH = 32
"""Parentheses within parentheses; the parser and what comes after it walk the tree by recursion."""

TERMS = 256
"""Conditions in one query: each becomes a part of one SQL statement."""

WORDS = 64
"""Words and phrases among them: each costs a walk through its hits."""

PATH_PARTS = 16

_FIELD = re.compile(
    r"([A-Za-z_][A-Za-z0-9_-]*)"
    r'(?:\.(?:"(?:[^"\\]|\\.)*"|[^\s:=<>!().,"\\]+))*'
    r"(?=[:=<>]|!=)"
)
_OPERATOR = re.compile(r":(?:>=|<=|>|<|=|!=)?|>=|<=|!=|[=<>]")
_BOUNDS = re.compile(r"(.+?)\.\.(.+)", re.DOTALL)


def parse(text: str, *, zone: tzinfo = UTC, time_ns: int = 0) -> Expr:
    """``zone`` holds for times that name none; ``time_ns`` (now, if 0) for times of today.

    Raises:
        QueryError: with the column, what was seen there, and what was expected.
    """
    if len(text) > QUERY_CHARS:
        raise QueryError(f"q: {len(text)} characters, at most {QUERY_CHARS} are taken")
    return _Parser(text, zone, time_ns or now_ns()).parse()


class _Parser:
    def __init__(self, text: str, zone: tzinfo, time_ns: int) -> None:
        self._scan = Scanner(text)
        self._zone = zone
        self._time_ns = time_ns
        self._depth = 0
        self._terms = 0
        self._words = 0

    def parse(self) -> Expr:
        if self._scan.at_end():
            return EVERYTHING
        expr = self._any()
        if not self._scan.at_end():
            self._scan.fail("the end, or another condition", hint="the parenthesis opens nowhere")
        return expr

    def _any(self) -> Expr:
        parts = [self._all()]
        while self._scan.try_word("OR"):
            parts.append(self._all())
        return any_of(parts)

    def _all(self) -> Expr:
        parts = [self._unary()]
        while not self._scan.at_end() and self._scan.peek() != ")" and not self._scan.is_word("OR"):
            self._scan.try_word("AND")
            parts.append(self._unary())
        return all_of(parts)

    def _unary(self) -> Expr:
        is_negated = False
        while True:
            if self._scan.try_word("NOT") or self._scan.try_take("-"):
                is_negated = not is_negated
            else:
                break
        part = self._primary()
        return negate(part) if is_negated else part

    def _primary(self) -> Expr:
        scan = self._scan
        scan.skip_spaces()
        column = scan.place
        if scan.at_end() or scan.is_word("AND") or scan.is_word("OR") or scan.peek() == ")":
            scan.fail(
                "a condition", hint='quote "AND", "OR", "NOT" and parentheses to look for them'
            )
        if scan.try_take("("):
            return self._group(column)
        self._terms += 1
        if self._terms > TERMS:
            scan.fail_at(column, f"at most {TERMS} conditions", hint="")
        found = scan.match(_FIELD)
        return self._field(found, column) if found else self._text()

    def _group(self, column: int) -> Expr:
        self._depth += 1
        if self._depth > DEPTH:
            self._scan.fail_at(column, f"at most {DEPTH} parentheses within one another")
        inner = self._any()
        if not self._scan.try_take(")"):
            self._scan.fail('")"', hint=f"it closes the parenthesis at column {column + 1}")
        self._depth -= 1
        return inner

    # text

    def _text(self) -> Expr:
        column = self._scan.place
        test: Phrase | Fragment | Regex | None = self._special_test()
        if test is None:
            bare = self._scan.bare_or_quoted(stops='()"')
            if bare.text == "*" and bare.star_count:
                return EVERYTHING
            test = self._phrase(bare, column)
        self._end_of_term()
        return Text(test)

    def _phrase(self, bare: Bare, column: int) -> Phrase:
        if bare.star_count > bare.is_prefix:
            self._scan.fail_at(
                column,
                "a * at the end of a word only",
                hint='for other places: ~"fragment" or /regex/',
            )
        if not has_words(bare.text):
            self._scan.fail_at(
                column,
                "a letter or a digit to look for",
                hint=f"for signs alone: ~{quote(bare.text)}",
            )
        self._words += 1
        if self._words > WORDS:
            self._scan.fail_at(column, f"at most {WORDS} words")
        return Phrase(bare.text, bare.is_prefix)

    def _special_test(self) -> Fragment | Regex | None:
        """``~"fragment"`` or ``/regex/i``."""
        scan, column = self._scan, self._scan.place
        if scan.peek() == "~":
            scan.take()
            bare = scan.bare_or_quoted(stops='(),"', takes_wildcards=False)
            if not bare.text:
                scan.fail("the characters to look for", hint='such as ~"frag"')
            return Fragment(bare.text)
        if scan.peek() != "/":
            return None
        pattern, flags = scan.regex()
        if not set(flags) <= {"i"}:
            scan.fail_at(
                column,
                "no flag but i behind a /regular expression/",
                hint="to look for a path, quote it",
            )
        try:
            compile_regex(pattern, "i" in flags)
        except QueryError as error:
            raise QueryError(
                f"q, column {column + 1}: {error.message}", hint=error.hint, column=column + 1
            ) from None
        return Regex(pattern, "i" in flags)

    # fields

    def _field(self, found: re.Match[str], column: int) -> Expr:
        scan, name = self._scan, found[1]
        word = name.lower()
        entry = BY_NAME.get(word)
        if entry is None and word not in ("since", "until", "has", "is"):
            self._unknown(found[0], column)
        scan.skip(len(name))
        field = Field(entry.key, self._path(entry)) if entry else None
        operator = scan.match(_OPERATOR)
        if not operator:
            scan.fail("one of : = != > >= < <=")
        scan.skip(len(operator[0]))
        sign = operator[0].lstrip(":") or ":"
        if field is None:
            return self._special(word, sign, column)
        if sign == "!=":
            return negate(self._values(field, "="))
        if sign in (":", "="):
            return self._values(field, sign)
        return self._compare(field, sign)  # type: ignore[arg-type]

    def _path(self, entry: Entry) -> tuple[str, ...]:
        scan = self._scan
        parts: list[str] = []
        while has_path(entry) and scan.peek() == ".":
            scan.take()
            parts.append(scan.path_part())
        if len(parts) > PATH_PARTS:
            scan.fail(f"at most {PATH_PARTS} names in a path")
        if entry.kind is Kind.EXTRA:
            if not parts:
                scan.fail("a name", hint="attr.NAME:value")
            known = next((e for e in ENTRIES if e.key == parts[0]), None)
            if known or parts[0] == "timestamp":
                scan.fail(
                    "a field of your own", hint=f"write {known.name if known else 'since'}: instead"
                )
        return tuple(parts)

    def _special(self, word: str, sign: str, column: int) -> Expr:
        scan = self._scan
        if sign not in (":", "="):
            scan.fail_at(column, f'"{word}:"')
        if word in ("since", "until"):
            start = scan.place
            bare = scan.bare_or_quoted(stops='()"', takes_wildcards=False)
            moment = try_moment(bare.text, self._zone, self._time_ns)
            if moment is None:
                scan.fail_at(
                    start, "ISO 8601, a Unix time, or a length such as 15m", seen=bare.text
                )
            self._end_of_term()
            return Since(moment) if word == "since" else Until(moment)
        return self._has() if word == "has" else self._is()

    def _has(self) -> Expr:
        scan, start = self._scan, self._scan.place
        name = scan.name()
        entry = BY_NAME.get(name.lower())
        if entry is None:
            self._unknown(name, start)
        field = Field(entry.key, self._path(entry))
        self._end_of_term()
        return Has(field)

    def _is(self) -> Expr:
        start = self._scan.place
        word = self._scan.name().lower()
        self._end_of_term()
        if word == "error":
            return Has(ERROR)
        if word != "open":
            self._scan.fail_at(start, "open or error", seen=word)
        return Open()

    def _values(self, field: Field, sign: str) -> Expr:
        """What follows ``field:``: one value, several with commas, or several in parentheses."""
        scan = self._scan
        column = scan.place
        is_list = scan.peek() == "("
        parts: list[Expr] = []
        if is_list:
            scan.take()
        while True:
            if is_list:
                scan.skip_spaces()
            parts.append(self._value(field, sign))
            if is_list:
                scan.skip_spaces()
            if scan.peek() == ",":
                scan.take()
            else:
                break
        if is_list and not scan.try_take(")"):
            scan.fail('"," or ")"', hint=f"the list begins at column {column + 1}")
        self._end_of_term()
        if len(parts) > 1:
            self._terms += len(parts) - 1
        if self._terms > TERMS:
            scan.fail_at(column, f"at most {TERMS} conditions")
        return _joined(parts)

    def _value(self, field: Field, sign: str) -> Expr:
        scan, column, kind = self._scan, self._scan.place, kind_of(field)
        special = self._special_test() if kind not in (Kind.NUMBER, Kind.LEVEL) else None
        if special:
            return Value(field, (special,))
        bare = scan.bare_or_quoted(
            stops='(),"', takes_wildcards=kind not in (Kind.NUMBER, Kind.LEVEL)
        )
        if not bare.text and not bare.is_quoted:
            scan.fail(
                f"a value for {_name_of(field)}",
                hint="write the value right behind the sign; quote it if it has spaces",
            )
        if not bare.is_quoted and (bounds := _BOUNDS.fullmatch(bare.text)):
            low, high = (self._try_scalar(field, text) for text in bounds.groups())
            if low is not None and high is not None:
                return all_of([Compare(field, ">=", low), Compare(field, "<=", high)])
        if kind is Kind.NUMBER:
            return Compare(field, "=", self._scalar(field, bare.text, column))
        if kind is Kind.LEVEL:
            return Value(field, (Equal(str(self._scalar(field, bare.text, column))),))
        return Value(field, (self._test(field, bare, kind, column),))

    def _test(self, field: Field, bare: Bare, kind: Kind, column: int) -> Test:
        if kind is Kind.PAYLOAD:
            return self._phrase(bare, column)
        if bare.star_count or bare.mark_count:
            return Glob(bare.glob)
        return Equal(to_id(field.key, bare.text))

    def _compare(self, field: Field, operator: Operator) -> Expr:
        scan, column = self._scan, self._scan.place
        if kind_of(field) not in (Kind.NUMBER, Kind.LEVEL, Kind.EXTRA):
            scan.fail_at(
                column - len(operator),
                '":" or "="',
                hint=f"{_name_of(field)} is text and knows no {operator}",
            )
        bare = scan.bare_or_quoted(stops='(),"', takes_wildcards=False)
        value = self._scalar(field, bare.text, column)
        self._end_of_term()
        return Compare(field, operator, value)

    def _scalar(self, field: Field, text: str, column: int) -> int | float | str:
        value = self._try_scalar(field, text)
        if value is None:
            is_level = kind_of(field) is Kind.LEVEL
            self._scan.fail_at(
                column, f"one of {', '.join(LEVELS)}" if is_level else "a number", seen=text
            )
        return value

    def _try_scalar(self, field: Field, text: str) -> int | float | str | None:
        if kind_of(field) is Kind.LEVEL:
            return try_level(text)
        return try_amount(field.key, text) if kind_of(field) is Kind.NUMBER else try_number(text)

    def _end_of_term(self) -> None:
        """What follows a condition begins another one; nothing may cling to it."""
        scan = self._scan
        if (
            scan.place < scan.length
            and scan.peek() not in " \t\r\n\f\v)\u00a0"
            and not scan.peek().isspace()
        ):
            scan.fail("a space, or )", hint='quote a value or a word that holds such signs: "…"')

    def _unknown(self, name: str, column: int) -> NoReturn:
        near = near_names(name)
        hint = f"did you mean {' or '.join(near)}? " if near else ""
        self._scan.fail_at(
            column, "a field", seen=name,
            hint=f'{hint}a field of your own is attr.{name}; quote "…" to look for the text',
        )  # fmt: skip


def _joined(parts: list[Expr]) -> Expr:
    """Any of the parts; tests of one field become one condition."""
    values = [part for part in parts if isinstance(part, Value)]
    if len(values) == len(parts) and values:
        return Value(values[0].field, tuple(test for value in values for test in value.tests))
    return any_of(parts)


def _name_of(field: Field) -> str:
    return next(entry.name for entry in ENTRIES if entry.key == field.key)
