"""What a query says, as a tree of frozen nodes.

Build trees with `all_of`, `any_of` and `negate`: they keep the one canonical form
that `laneway.store.query.write` prints and `laneway.store.query.parse` reads back.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple

from laneway.store.query.field import SEQ, Field

Operator = Literal["=", ">", ">=", "<", "<="]


@dataclass(frozen=True, slots=True)
class Equal:
    """The whole value, letter by letter."""

    text: str


@dataclass(frozen=True, slots=True)
class Glob:
    """The whole value; ``*`` is any run of characters, ``?`` one, and a backslash makes either plain."""

    pattern: str


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in this order, as the index cuts them; of the last one only the beginning if a prefix."""

    text: str
    is_prefix: bool = False


@dataclass(frozen=True, slots=True)
class Fragment:
    """These characters anywhere, whatever their case."""

    text: str


@dataclass(frozen=True, slots=True)
class Regex:
    """An RE2 expression that is met anywhere."""

    pattern: str
    ignores_case: bool = False


Test = Equal | Glob | Phrase | Fragment | Regex


@dataclass(frozen=True, slots=True)
class Everything:
    """No condition."""


@dataclass(frozen=True, slots=True)
class And:
    parts: "tuple[Expr, ...]"


@dataclass(frozen=True, slots=True)
class Or:
    parts: "tuple[Expr, ...]"


@dataclass(frozen=True, slots=True)
class Not:
    part: "Expr"


@dataclass(frozen=True, slots=True)
class Text:
    """The event's searchable text passes the test."""

    test: Phrase | Fragment | Regex


@dataclass(frozen=True, slots=True)
class Value:
    """The field has a value that passes any of the tests."""

    field: Field
    tests: tuple[Test, ...]


@dataclass(frozen=True, slots=True)
class Compare:
    """The field holds a number in this relation; a level is compared by its name's rank."""

    field: Field
    operator: Operator
    value: int | float | str


@dataclass(frozen=True, slots=True)
class Has:
    """The field is there; for ``error``: the event tells of a failure."""

    field: Field


@dataclass(frozen=True, slots=True)
class Open:
    """It starts a span whose end was not seen yet."""


@dataclass(frozen=True, slots=True)
class At:
    ns: int
    """Since 1970, UTC."""


@dataclass(frozen=True, slots=True)
class Ago:
    ns: int
    """Before the moment at which the query is asked."""


@dataclass(frozen=True, slots=True)
class Since:
    moment: At | Ago


@dataclass(frozen=True, slots=True)
class Until:
    """Before the moment, itself excluded."""

    moment: At | Ago


Leaf = Everything | Text | Value | Compare | Has | Open | Since | Until
Expr = Leaf | And | Or | Not

EVERYTHING = Everything()
NOTHING = Not(EVERYTHING)


def all_of(parts: Iterable[Expr]) -> Expr:
    flat = tuple(part for part in _flatten(parts, And) if part != EVERYTHING)
    return And(flat) if len(flat) > 1 else flat[0] if flat else EVERYTHING


def any_of(parts: Iterable[Expr]) -> Expr:
    """Of no parts: `NOTHING`."""
    flat = tuple(_flatten(parts, Or))
    if EVERYTHING in flat:
        return EVERYTHING
    return Or(flat) if len(flat) > 1 else flat[0] if flat else NOTHING


def negate(part: Expr) -> Expr:
    return part.part if isinstance(part, Not) else Not(part)


def is_one_of(field: Field, values: Iterable[str]) -> Expr:
    """``field`` has one of these values, taken as they are; no values, no condition."""
    tests = tuple(map(Equal, values))
    return Value(field, tests) if tests else EVERYTHING


def is_seq(seq: int) -> Expr:
    return Compare(SEQ, "=", seq)


def seqs_between(since: int, until: int) -> Expr:
    """``[since, until)``"""
    return all_of([Compare(SEQ, ">=", since), Compare(SEQ, "<", until)])


def conjuncts(expr: Expr) -> tuple[Expr, ...]:
    """The conditions that must all hold."""
    return expr.parts if isinstance(expr, And) else () if expr == EVERYTHING else (expr,)


class Window(NamedTuple):
    """``[since_ns, until_ns)``; None where it is open."""

    since_ns: int | None
    until_ns: int | None


def take_window(expr: Expr) -> tuple[Expr, Window]:
    """``expr``, free of `Ago`, without the times that must hold in any case; and those."""
    since = [part.moment.ns for part in conjuncts(expr) if isinstance(part, Since)]
    until = [part.moment.ns for part in conjuncts(expr) if isinstance(part, Until)]
    rest = all_of(part for part in conjuncts(expr) if not isinstance(part, Since | Until))
    return rest, Window(max(since, default=None), min(until, default=None))


def iter_leaves(expr: Expr) -> Iterator[Leaf]:
    if isinstance(expr, And | Or):
        for part in expr.parts:
            yield from iter_leaves(part)
    elif isinstance(expr, Not):
        yield from iter_leaves(expr.part)
    else:
        yield expr


def resolve(expr: Expr, now_ns: int) -> Expr:
    """With every `Ago` as the moment that it means at ``now_ns``."""
    match expr:
        case And(parts):
            return And(tuple(resolve(part, now_ns) for part in parts))
        case Or(parts):
            return Or(tuple(resolve(part, now_ns) for part in parts))
        case Not(part):
            return Not(resolve(part, now_ns))
        case Since(Ago(ns)):
            return Since(At(now_ns - ns))
        case Until(Ago(ns)):
            return Until(At(now_ns - ns))
    return expr


def push_negation(expr: Expr, *, is_negated: bool = False) -> Expr:
    """The same condition with `Not` around leaves only."""
    match expr:
        case And(parts) | Or(parts):
            inner = [push_negation(part, is_negated=is_negated) for part in parts]
            return all_of(inner) if isinstance(expr, And) != is_negated else any_of(inner)
        case Not(part):
            return push_negation(part, is_negated=not is_negated)
    return Not(expr) if is_negated else expr


def _flatten(parts: Iterable[Expr], kind: type[And] | type[Or]) -> Iterator[Expr]:
    for part in parts:
        if isinstance(part, kind):
            yield from part.parts
        else:
            yield part
