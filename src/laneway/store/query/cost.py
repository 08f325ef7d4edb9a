"""Which conditions an index answers by itself, and for which the log has to be read."""

from laneway.store.query.expr import (
    Compare,
    Equal,
    Expr,
    Glob,
    Has,
    Leaf,
    Open,
    Phrase,
    Test,
    Text,
    Value,
    iter_leaves,
)
from laneway.store.query.field import ERROR, ID, LEVEL, SEQ, SPAN, TRACE

NAMES = frozenset({"agent", "event", "session_id", "tool", "model", "provider", "pod", "host"})
"""Kept as numbers of a dictionary: any test of the whole value is done on the dictionary."""

NUMBERS = frozenset({"seq", "duration_ms", "input_tokens", "output_tokens", "cost_usd"})


def is_indexed(leaf: Leaf) -> bool:
    match leaf:
        case Text(test):
            return isinstance(test, Phrase)
        case Value(field, tests):
            if field in (TRACE, SPAN, ID):
                return all(isinstance(test, Equal) or hex_prefix(test) for test in tests)
            return not field.path and (field.key in NAMES or field == LEVEL)
        case Compare(field, _, _):
            return not field.path and (field.key in NUMBERS or field == LEVEL)
        case Has(field):
            return field in (ERROR, TRACE, SPAN, ID, SEQ) or (
                not field.path and field.key in NAMES | NUMBERS
            )
        case Open():
            return False
    return True


def hex_prefix(test: Test) -> str:
    """Digits, and the hyphens of a UUID, of ``ab12*``; nothing for any other test."""
    if not isinstance(test, Glob) or not test.pattern.endswith("*"):
        return ""
    digits = test.pattern[:-1]
    return digits if not digits.strip("0123456789abcdef-") else ""


def needs_log(expr: Expr) -> bool:
    """Whether events have to be read from the log to tell."""
    return not all(map(is_indexed, iter_leaves(expr)))
