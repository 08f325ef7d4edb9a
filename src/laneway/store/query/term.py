"""A query as the list of conditions that must all hold, for who shows and changes them one by one."""

from typing import NamedTuple

from laneway.store.query.expr import (
    Compare,
    Equal,
    Expr,
    Has,
    Not,
    Open,
    Or,
    Since,
    Until,
    Value,
    conjuncts,
)
from laneway.store.query.write import write, write_field


class Term(NamedTuple):
    """``text`` can be joined with others by spaces, and is read back as the same condition."""

    text: str
    field: str
    """What it asks about, as the language spells it; empty for words and groups."""
    values: list[str]
    """Any of these, letter by letter; empty where it is another condition."""
    negated: bool


def terms_of(expr: Expr) -> list[Term]:
    return [_term(part) for part in conjuncts(expr)]


def _term(part: Expr) -> Term:
    inner = part.part if isinstance(part, Not) else part
    text = f"({write(part)})" if isinstance(part, Or) else write(part)
    field, values = _about(inner)
    return Term(text, field, values, isinstance(part, Not))


def _about(part: Expr) -> tuple[str, list[str]]:
    match part:
        case Value(field, tests):
            equal = [test.text for test in tests if isinstance(test, Equal)]
            return write_field(field), equal if len(equal) == len(tests) else []
        case Compare(field, _, _):
            return write_field(field), []
        case Has(field):
            return "has", [write_field(field)]
        case Open():
            return "is", ["open"]
        case Since():
            return "since", []
        case Until():
            return "until", []
    return "", []
