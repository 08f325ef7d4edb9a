"""An expression against single events: the same answer as the index gives, for every query.

For the live stream, the tail, and for what the index cannot answer by itself.
"""

import operator
from collections.abc import Callable, Mapping
from typing import Any

from laneway.base.errors import quote
from laneway.model.vocabulary import LEVEL_RANK, is_start
from laneway.store.query.content import text_of, value_text, whole_text_of
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
    Regex,
    Since,
    Test,
    Text,
    Until,
    Value,
)
from laneway.store.query.field import ERROR, LEVEL, Field, Kind, kind_of
from laneway.store.query.outcome import has_failed, level_of
from laneway.store.query.pattern import compile_glob, compile_regex
from laneway.store.query.token import fold, spread
from laneway.store.query.value import LIMIT_NS, try_number

NUSD = 1_000_000_000
"""Costs are kept in billionths of a dollar: whole numbers add up to the same sum in any order."""

MAX_AMOUNT = 10**14
"""Larger token counts, and costs above $100,000, are counted as this: nobody's sum may overflow."""

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "=": operator.eq,
    ">": operator.gt,
    ">=": operator.ge,
    "<": operator.lt,
    "<=": operator.le,
}
_SUMMED = ("input_tokens", "output_tokens")


class Subject:
    """An event under examination; what several conditions need of it is made once.

    ``is_open`` tells whether its span is still to end; without it a start counts as open,
    as it is when it arrives.
    """

    __slots__ = ("_folded", "_text", "event", "is_open", "seq", "ts_ns")

    def __init__(
        self,
        event: Mapping[str, Any],
        ts_ns: int,
        seq: int = 0,
        is_open: Callable[["Subject"], bool] | None = None,
    ) -> None:
        self.event = event
        self.ts_ns = ts_ns
        self.seq = seq
        self.is_open = is_open
        self._folded: str | None = None
        self._text: str | None = None

    def folded(self) -> str:
        if self._folded is None:
            self._folded = fold(text_of(self.event))  # type: ignore[arg-type]
        return self._folded

    def text(self) -> str:
        if self._text is None:
            self._text = whole_text_of(self.event)  # type: ignore[arg-type]
        return self._text


Matcher = Callable[[Subject], bool]


def compile_matcher(expr: Expr) -> Matcher:
    """``expr`` must be free of `Ago`: see `laneway.store.query.expr.resolve`.

    Raises:
        QueryError: it holds a regular expression, and RE2 is not installed.
    """
    match expr:
        case Everything():
            return lambda subject: True
        case And(parts):
            all_parts = [compile_matcher(part) for part in parts]
            return lambda subject: all(part(subject) for part in all_parts)
        case Or(parts):
            any_parts = [compile_matcher(part) for part in parts]
            return lambda subject: any(part(subject) for part in any_parts)
        case Not(part):
            inner = compile_matcher(part)
            return lambda subject: not inner(subject)
        case Text(test):
            return _text_matcher(test)
        case Value(field, tests):
            return _value_matcher(field, tests)
        case Compare(field, sign, value):
            return _compare_matcher(field, sign, value)
        case Has(field):
            return _has_matcher(field)
        case Open():
            return _is_open
        case Since(At(ns)):
            return lambda subject: clamp_ns(subject.ts_ns) >= ns
        case Until(At(ns)):
            return lambda subject: clamp_ns(subject.ts_ns) < ns
    raise ValueError(f"{quote(expr)} is relative to a time that nobody named")


def clamp_ns(ts_ns: int) -> int:
    """``ts_ns`` as SQLite can hold it: outside the years 1677 to 2262 it stands at their ends."""
    return min(max(ts_ns, -LIMIT_NS), LIMIT_NS - 1)


def clean(text: str) -> str:
    """``text`` without lone surrogates, which no UTF-8 holds."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()


def name_test(test: Test) -> Callable[[str], bool]:
    """A test of a whole value, `clean` already."""
    match test:
        case Equal(text):
            wanted = clean(text)
            return lambda value: value == wanted
        case Glob(pattern):
            return compile_glob(clean(pattern))
        case Fragment(text):
            fragment = clean(text).lower()
            return lambda value: fragment in value.lower()
        case Regex(pattern, ignores_case):
            return compile_regex(pattern, ignores_case)
        case Phrase():
            return _phrase_test(test)


def _phrase_test(test: Phrase) -> Callable[[str], bool]:
    wanted = folded_phrase(test)
    return lambda value: wanted in fold(spread(value))


def folded_phrase(test: Phrase) -> str:
    """To be looked for in folded text."""
    folded = fold(spread(test.text))
    return folded[:-1] if test.is_prefix else folded


def _text_matcher(test: Phrase | Fragment | Regex) -> Matcher:
    if isinstance(test, Phrase):
        wanted = folded_phrase(test)
        return lambda subject: wanted in subject.folded()
    passes = name_test(test)
    return lambda subject: passes(clean(subject.text()))


def _value_matcher(field: Field, tests: tuple[Test, ...]) -> Matcher:
    if field == LEVEL:
        levels = {test.text for test in tests if isinstance(test, Equal)}
        return lambda subject: level_of(subject.event) in levels
    passes = [name_test(test) for test in tests]
    if kind_of(field) is Kind.EXTRA:
        leaves = [_leaf_test(test) for test in tests]
        return lambda subject: _is_any(find_value(subject.event, field), leaves)
    if kind_of(field) is Kind.PAYLOAD:
        return lambda subject: _is_text(subject.event.get(field.key), passes)
    return lambda subject: _is_text(subject.event.get(field.key), passes)


def _is_text(value: object, passes: list[Callable[[str], bool]]) -> bool:
    if value is None:
        return False
    text = clean(value_text(value))
    return any(test(text) for test in passes)


def _leaf_test(test: Test) -> Callable[[object], bool]:
    """For a value of JSON that is no object and no array."""
    passes = name_test(test)
    number = try_number(test.text) if isinstance(test, Equal) else None

    def accepts(value: object) -> bool:
        if isinstance(value, str):
            return passes(clean(value))
        if isinstance(value, bool):
            return passes("true" if value else "false")
        if isinstance(value, int | float):
            return value == number if number is not None else passes(str(value))
        return value is None and passes("null")

    return accepts


def _is_any(values: list[object], leaves: list[Callable[[object], bool]]) -> bool:
    return any(leaf(value) for value in values for leaf in leaves)


def find_value(event: Mapping[str, Any], field: Field) -> list[object]:
    """What stands at the field's path: one value, those of an array, or nothing.

    A name in the path may itself hold dots: ``http.status`` is found in ``{"http.status": 200}``
    and in ``{"http": {"status": 200}}``.
    """
    root = event.get(field.key) if field.key else event
    value = _follow(root, field.path)
    if value is _ABSENT:
        return []
    if isinstance(value, list):
        return [item for item in value if not isinstance(item, dict | list)]
    return [] if isinstance(value, dict) else [value]


_ABSENT: Any = object()


def _follow(node: Any, path: tuple[str, ...]) -> Any:
    if not path:
        return node
    if not isinstance(node, Mapping):
        return _ABSENT
    for size in range(1, len(path) + 1):
        name = path[0] if size == 1 else ".".join(path[:size])
        if name in node:
            found = _follow(node[name], path[size:])
            if found is not _ABSENT:
                return found
    return _ABSENT


def related_levels(sign: str, level: str) -> list[str]:
    """The levels that stand in this relation to ``level``, the lowest first."""
    relation, rank = _COMPARE[sign], LEVEL_RANK[level]
    return [one for one, other in LEVEL_RANK.items() if relation(other, rank)]


def _compare_matcher(field: Field, sign: str, value: int | float | str) -> Matcher:
    relation = _COMPARE[sign]
    if field == LEVEL:
        rank = LEVEL_RANK[str(value)]
        return lambda subject: relation(LEVEL_RANK[level_of(subject.event)], rank)
    if field.key == "seq":
        return lambda subject: relation(subject.seq, value)
    if kind_of(field) is Kind.EXTRA:
        return lambda subject: any(
            relation(found, value)
            for found in find_value(subject.event, field)
            if _is_number(found)
        )

    def accepts(subject: Subject) -> bool:
        number = amount_of(subject.event, field.key)
        return number is not None and relation(number, value)

    return accepts


def amount_of(event: Mapping[str, Any], key: str) -> int | float | None:
    """A number as the index holds it."""
    value: int | float | None = event.get(key)
    if value is None or not _is_number(value):
        return None
    if key == "cost_usd":
        return min(round(value * NUSD), MAX_AMOUNT) / NUSD
    return min(int(value), MAX_AMOUNT) if key in _SUMMED else value


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _has_matcher(field: Field) -> Matcher:
    if field == ERROR:
        return lambda subject: has_failed(subject.event)
    if field.key == "seq":
        return lambda subject: True
    root_is_event = not field.key

    def accepts(subject: Subject) -> bool:
        root = subject.event if root_is_event else subject.event.get(field.key)
        found = _follow(root, field.path)
        return found is not _ABSENT and found is not None

    return accepts


def _is_open(subject: Subject) -> bool:
    event = subject.event
    if not event.get("span_id") or not is_start(event["event"]):
        return False
    return subject.is_open is None or subject.is_open(subject)
