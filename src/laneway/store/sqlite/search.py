"""A `Query`, checked and taken apart once for all segments."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from laneway.base.clock import now_ns
from laneway.base.errors import QueryError
from laneway.store.api import Cursor, Query
from laneway.store.query.cost import NAMES, needs_log
from laneway.store.query.expr import (
    At,
    Compare,
    Equal,
    Expr,
    Has,
    Leaf,
    Not,
    Or,
    Since,
    Test,
    Until,
    Value,
    conjuncts,
    iter_leaves,
    push_negation,
    resolve,
)
from laneway.store.query.field import ERROR, ID, LEVEL, SEQ
from laneway.store.query.literal import Literal, find_literals
from laneway.store.query.match import Matcher, compile_matcher

from .fulltext import try_match
from .ident import Packed, pack_id
from .rollup import MAX_INT
from .row import MIN_INT, clamp_ns
from .summary import Summary

MAX_VALUES = 10_000
"""Values in all conditions together: SQLite takes 32,766 parameters in one statement."""


@dataclass(frozen=True, slots=True)
class Search:
    """All parts must hold. The window is closed, ``[since_ns, until_ns]``, and fits into SQLite."""

    query: Query
    conditions: tuple[Expr, ...]
    """What has to be asked of a row, with `Not` around leaves only."""
    wants_error: bool | None
    match: str
    """What the words must be, as an FTS5 expression, or nothing."""
    ids: tuple[Packed, ...] | None
    seqs: frozenset[int] | None
    least_seq: int
    most_seq: int
    since_ns: int
    until_ns: int
    after: Cursor | None
    matcher: Matcher | None
    """Of the whole query, where the index cannot tell: rows are candidates, each to be read."""
    literals: tuple[Literal, ...]
    """Pieces of text that each hit has, with a matcher; the longest first."""

    @property
    def picks(self) -> bool:
        """Whether single events are named, by id or seq."""
        return self.ids is not None or self.seqs is not None

    @property
    def fields(self) -> frozenset[str] | None:
        """Columns that the conditions name, errors and the window aside; None where rows have to be
        looked at one by one."""
        if self.picks or self.match or self.matcher:
            return None
        columns = {_column(leaf) for part in self.conditions for leaf in iter_leaves(part)}
        return None if None in columns else frozenset(filter(None, columns))

    @property
    def is_plain(self) -> bool:
        """Whether nothing is filtered but time."""
        return self.fields == frozenset() and self.wants_error is None

    def only(self, seqs: Sequence[int]) -> "Search":
        """For these rows, of which everything is known to hold."""
        return replace(
            self, conditions=(), wants_error=None, match="", ids=None, seqs=frozenset(seqs),
            least_seq=MIN_INT, most_seq=MAX_INT, since_ns=MIN_INT, until_ns=MAX_INT, after=None,
            matcher=None, literals=(),
        )  # fmt: skip

    def may_match(self, summary: Summary) -> bool:
        """Whether the segment can hold a hit, as far as can be told without opening it."""
        return (
            summary.event_count > 0
            and summary.last_seq >= self.least_seq
            and summary.first_seq <= self.most_seq
            and self.since_ns <= self.until_ns
            and summary.last_ns >= self.since_ns
            and summary.first_ns <= self.until_ns
            and (self.ids is None or any(map(summary.may_hold, self.ids)))
            and (
                self.seqs is None
                or any(summary.first_seq <= s <= summary.last_seq for s in self.seqs)
            )
        )

    def covers(self, summary: Summary) -> bool:
        """Whether all the segment's events lie in the window."""
        return self.since_ns <= summary.first_ns and summary.last_ns <= self.until_ns


def prepare(query: Query) -> Search:
    """
    Raises:
        QueryError: there are too many values, or a regular expression and no RE2.
    """
    where = push_negation(resolve(query.where, now_ns()))
    _check_values(where)
    parts = _Parts(query)
    for part in conjuncts(where):
        parts.take(part)
    return Search(
        query,
        tuple(parts.conditions),
        parts.wants_error,
        " AND ".join(f"({match})" for match in parts.matches),
        parts.ids,
        parts.seqs,
        parts.least_seq,
        parts.most_seq,
        parts.since_ns,
        parts.until_ns,
        query.after and Cursor(clamp_ns(query.after.ts_ns), clamp_ns(query.after.seq)),
        compile_matcher(where) if needs_log(where) else None,
        find_literals(conjuncts(where)) if needs_log(where) else (),
    )


class _Parts:
    """Sorts the conditions by who can answer them."""

    def __init__(self, query: Query) -> None:
        self.since_ns = MIN_INT if query.since_ns is None else clamp_ns(query.since_ns)
        self.until_ns = MAX_INT if query.until_ns is None else _last_before(query.until_ns)
        self.ids: tuple[Packed, ...] | None = None
        self.seqs: frozenset[int] | None = None
        self.least_seq, self.most_seq = MIN_INT, MAX_INT
        self.wants_error: bool | None = None
        self.matches: list[str] = []
        self.conditions: list[Expr] = []

    def take(self, part: Expr) -> None:
        match part:
            case Since(At(ns)):
                self.since_ns = max(self.since_ns, ns)
            case Until(At(ns)):
                self.until_ns = min(self.until_ns, _last_before(ns))
            case Value(field, tests) if (
                field == ID and self.ids is None and all(map(_is_equal, tests))
            ):
                self.ids = tuple(pack_id(test.text) for test in tests if isinstance(test, Equal))
            case Compare(field, "=", value) if field == SEQ:
                self._pick([value])
            case Or(options) if all(map(_is_seq, options)):
                self._pick(option.value for option in options if isinstance(option, Compare))
            case Compare(field, operator, value) if field == SEQ and isinstance(value, int):
                if operator[0] == ">":
                    self.least_seq = max(self.least_seq, value)
                else:
                    self.most_seq = min(self.most_seq, value)
                self.conditions.append(part)
            case Has(field) if field == ERROR and self.wants_error is None:
                self.wants_error = True
            case Not(Has(field)) if field == ERROR and self.wants_error is None:
                self.wants_error = False
            case _:
                self._take_condition(part)

    def _take_condition(self, part: Expr) -> None:
        found = try_match(part)
        if found:
            self.matches.append(found[0])
        if not found or not found[1]:
            self.conditions.append(part)

    def _pick(self, values: Iterable[object]) -> None:
        seqs = frozenset(int(v) for v in values if isinstance(v, int | float) and v == int(v))
        self.seqs = seqs if self.seqs is None else self.seqs & seqs


def _is_equal(test: Test) -> bool:
    return isinstance(test, Equal)


def _is_seq(part: Expr) -> bool:
    return isinstance(part, Compare) and part.field == SEQ and part.operator == "="


def _column(leaf: Leaf) -> str | None:
    """The column of a name or a level that tells of the leaf alone."""
    if not isinstance(leaf, Value | Has | Compare) or leaf.field.path:
        return None
    if leaf.field == LEVEL:
        return None if isinstance(leaf, Has) else "level"
    key = leaf.field.key
    return key.removesuffix("_id") if key in NAMES and not isinstance(leaf, Compare) else None


def _last_before(until_ns: int) -> int:
    return MAX_INT if until_ns > MAX_INT else clamp_ns(until_ns - 1)


def _check_values(where: Expr) -> None:
    count = sum(len(leaf.tests) if isinstance(leaf, Value) else 1 for leaf in iter_leaves(where))
    if count > MAX_VALUES:
        raise QueryError(f"{count} values in the filters, at most {MAX_VALUES} can be looked for")
