"""An expression as a condition of ClickHouse. Every value is a parameter, none stands in the statement.

Where the server cannot tell exactly, the condition lets all through that may match, and the caller asks
`laneway.store.query.match` of each.
"""

import re
from collections.abc import Sequence
from typing import Any, NamedTuple

from laneway.base.clock import now_ns
from laneway.base.errors import QueryError
from laneway.store.query.content import CUT
from laneway.store.query.expr import (
    And,
    At,
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
    Since,
    Test,
    Text,
    Until,
    Value,
    iter_leaves,
    push_negation,
    resolve,
)
from laneway.store.query.field import ERROR, LEVEL, SEQ, Field, Kind, kind_of
from laneway.store.query.literal import find_literals
from laneway.store.query.match import clamp_ns, clean, folded_phrase, related_levels
from laneway.store.query.pattern import compile_regex, pattern_pieces
from laneway.store.query.token import fold

from .row import NAMES, day_of
from .schema import Names

MAX_VALUES = 10_000
"""Values in all conditions together."""

MIN_INT, MAX_INT = -(2**63), 2**63 - 1

FOLDING = ["\u212a", "\u0130", "\u017f"]
"""Characters beyond ASCII that are an ASCII letter in another case: Kelvin's K, the dotted I, the long s."""

_CUT_WORD = fold(CUT).strip()
_PLAIN = re.compile(r"[A-Za-z0-9_]+", re.ASCII)


class Condition(NamedTuple):
    sql: str
    is_exact: bool = True


YES, NO = Condition("1"), Condition("0")
MAYBE = Condition("1", False)


class Binder:
    """Collects the parameters of one statement."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}

    def bind(self, value: Any, kind: str) -> str:
        name = f"p{len(self.values)}"
        self.values[name] = value
        return f"{{{name}:{kind}}}"

    def text(self, value: str) -> str:
        return self.bind(clean(value), "String")

    def texts(self, values: Sequence[str]) -> str:
        return self.bind([clean(value) for value in values], "Array(String)")

    def integer(self, value: int) -> str:
        return self.bind(value, "Int64")

    def number(self, value: float) -> str:
        if isinstance(value, int) and MIN_INT <= value <= MAX_INT:
            return self.integer(value)
        return self.bind(float(value), "Float64")


def plain(where: Expr) -> Expr:
    """``where`` with the moment of now, and `Not` around leaves only.

    Raises:
        QueryError: it holds too many values.
    """
    made = push_negation(resolve(where, now_ns()))
    count = sum(len(leaf.tests) if isinstance(leaf, Value) else 1 for leaf in iter_leaves(made))
    if count > MAX_VALUES:
        raise QueryError(f"{count} values in the filters, at most {MAX_VALUES} can be looked for")
    return made


def compile_where(where: Expr, binder: Binder, names: Names, visible: str) -> Condition:
    """``visible`` is the condition of rows that may be seen, for subqueries."""
    match where:
        case And(parts):
            made = [compile_where(part, binder, names, visible) for part in parts]
            return _join(made, " AND ")
        case Or(parts) if len(parts) > 1 and all(map(_is_seq, parts)):
            return _among_seqs(parts, binder)
        case Or(parts):
            return _join([compile_where(part, binder, names, visible) for part in parts], " OR ")
        case Not(part):
            inner = compile_where(part, binder, names, visible)
            return Condition(f"NOT ifNull({inner.sql}, 0)") if inner.is_exact else MAYBE
        case Open():
            return _open(names, visible)
    return _leaf(where, binder)


def _join(made: list[Condition], word: str) -> Condition:
    return Condition(
        "(" + word.join(one.sql for one in made) + ")", all(one.is_exact for one in made)
    )


def _is_seq(part: Expr) -> bool:
    return isinstance(part, Compare) and part.field == SEQ and part.operator == "="


def _among_seqs(parts: Sequence[Expr], binder: Binder) -> Condition:
    values = [part.value for part in parts if isinstance(part, Compare)]
    seqs = [int(v) for v in values if not isinstance(v, str) and v == int(v)]
    held = [seq for seq in seqs if MIN_INT <= seq <= MAX_INT]
    return Condition(f"seq IN {binder.bind(held, 'Array(Int64)')}") if held else NO


def _open(names: Names, visible: str) -> Condition:
    return Condition(
        "(starts = 1 AND span_id != '' AND span_id"  # noqa: S608 - no value is in it
        f" {names.everywhere}NOT IN (SELECT span_id FROM {names.event} WHERE {visible} AND ends = 1"
        " AND span_id IS NOT NULL))"
    )


def _leaf(leaf: Expr, binder: Binder) -> Condition:
    match leaf:
        case Everything():
            return YES
        case Text(Phrase() as test):
            return Condition(_phrase(test, binder))
        case Text():
            return _narrowed(leaf, binder)
        case Value(field, tests):
            return _value(leaf, field, tests, binder)
        case Compare(field, operator, value):
            return _compare(leaf, field, operator, value, binder)
        case Has(field):
            return _has(leaf, field, binder)
        case Since(At(ns)):
            return Condition(f"ts_ns >= {binder.integer(ns)}") if ns <= MAX_INT else NO
        case Until(At(ns)):
            return Condition(f"ts_ns < {binder.integer(ns)}") if ns <= MAX_INT else YES
    raise QueryError(f"a store on ClickHouse does not know {type(leaf).__name__}")


def _phrase(test: Phrase, binder: Binder) -> str:
    """Whole words by their index, then their order."""
    wanted = folded_phrase(test)
    words = wanted.split(" ")[: -1 if test.is_prefix else None]
    tokens = [f"hasToken(text, {binder.text(word)})" for word in dict.fromkeys(filter(None, words))]
    return "(" + " AND ".join([*tokens, f"position(text, {binder.text(wanted)}) > 0"]) + ")"


def _narrowed(leaf: Expr, binder: Binder) -> Condition:
    """Lines with the piece of text that each hit must hold, where there is one."""
    if isinstance(leaf, Value | Text):
        _check_regexes(leaf)
    literal = next((one for one in find_literals([leaf]) if one.is_in_line), None)
    if literal is None:
        return MAYBE
    return Condition(_contains("line", literal.text, binder), False)


def _contains(column: str, ascii_text: str, binder: Binder) -> str:
    there = f"positionCaseInsensitive({column}, {binder.text(ascii_text)}) > 0"
    return f"({there} OR multiSearchAny({column}, {binder.texts(FOLDING)}))"


def _check_regexes(leaf: Value | Text) -> None:
    """Said at once, and not when the first candidate is looked at."""
    tests = leaf.tests if isinstance(leaf, Value) else (leaf.test,)
    for test in tests:
        if not isinstance(test, Equal | Glob | Phrase | Fragment):
            compile_regex(test.pattern, test.ignores_case)


def _value(leaf: Value, field: Field, tests: Sequence[Test], binder: Binder) -> Condition:
    if field == LEVEL:
        levels = [test.text for test in tests if isinstance(test, Equal)]
        return Condition(f"level IN {binder.texts(levels)}")
    if kind_of(field) is Kind.EXTRA:
        return _below(leaf, field, binder)
    if kind_of(field) is Kind.PAYLOAD:
        return _payload(leaf, field, tests, binder)
    equals = [test.text for test in tests if isinstance(test, Equal)]
    made = [Condition(f"{field.key} IN {binder.texts(equals)}")] if equals else []
    made += [_name_test(field.key, test, binder) for test in tests if not isinstance(test, Equal)]
    if any(not one.is_exact for one in made):
        _check_regexes(leaf)
    return _join(made, " OR ") if len(made) > 1 else made[0]


def _name_test(column: str, test: Test, binder: Binder) -> Condition:
    if isinstance(test, Glob):
        return Condition(f"{column} LIKE {binder.text(_like(clean(test.pattern)))}")
    if isinstance(test, Fragment) and test.text.isascii():
        return Condition(_contains(column, test.text, binder), False)
    return Condition(f"{column} IS NOT NULL", False)


def _like(glob: str) -> str:
    return "".join(
        "%" if piece is None else "_" if piece == "" else f"\\{piece}" if piece in "\\%_" else piece
        for piece in pattern_pieces(glob)
    )


def _payload(leaf: Value, field: Field, tests: Sequence[Test], binder: Binder) -> Condition:
    has = f"has(fields, {binder.text(field.key)})"
    phrases = [test for test in tests if isinstance(test, Phrase)]
    if len(phrases) < len(tests):
        narrowed = _narrowed(leaf, binder)
        return Condition(f"({has} AND {narrowed.sql})", False)
    cut = f"hasToken(text, {binder.text(_CUT_WORD)})"
    words = " OR ".join([*(_phrase(test, binder) for test in phrases), cut])
    return Condition(f"({has} AND ({words}))", False)


def _below(leaf: Expr, field: Field, binder: Binder) -> Condition:
    """A value by its path: the names of the path stand in the line."""
    parts = [f"has(fields, {binder.text(field.key)})"] if field.key else []
    parts += [f"position(line, {binder.text(p)}) > 0" for p in field.path if _PLAIN.fullmatch(p)]
    parts.append(_narrowed(leaf, binder).sql)
    return Condition(f"({' AND '.join(parts)})", False)


def _compare(
    leaf: Compare, field: Field, operator: str, value: int | float | str, binder: Binder
) -> Condition:
    if field == LEVEL:
        return Condition(f"level IN {binder.texts(related_levels(operator, str(value)))}")
    if kind_of(field) is Kind.EXTRA or isinstance(value, str):
        return _below(leaf, field, binder)
    if field.key == "cost_usd":
        return Condition(f"cost_nusd / 1e9 {operator} {binder.bind(float(value), 'Float64')}")
    if field.key == "duration_ms":
        return Condition(f"duration_ms {operator} {binder.bind(float(value), 'Float64')}")
    return Condition(f"{field.key} {operator} {binder.number(value)}")


def _has(leaf: Has, field: Field, binder: Binder) -> Condition:
    if field == ERROR:
        return Condition("failed = 1")
    if field == SEQ:
        return YES
    if field.path and (field.key or len(field.path) > 1 or "?" in clean(field.path[0])):
        return _below(leaf, field, binder)
    name = field.key or field.path[0]
    if name in NAMES:
        return Condition(f"{name} IS NOT NULL")
    return Condition(f"has(fields, {binder.text(name)})")


def window(since_ns: int | None, until_ns: int | None, binder: Binder) -> list[str]:
    """Conditions of time, on the partition's day as well."""
    conditions = []
    if since_ns is not None:
        first = clamp_ns(since_ns)
        conditions.append(f"ts_ns >= {binder.integer(first)}")
        conditions.append(f"day >= toDate({binder.bind(day_of(first), 'UInt16')})")
    if until_ns is not None and until_ns <= MAX_INT:
        last = clamp_ns(until_ns - 1)
        conditions.append(f"ts_ns <= {binder.integer(last)}")
        conditions.append(f"day <= toDate({binder.bind(day_of(last), 'UInt16')})")
    return conditions
