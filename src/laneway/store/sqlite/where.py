"""Conditions against one segment's dictionary: on its rows, and on its blocks."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from laneway.model.vocabulary import LEVEL_RANK, is_start
from laneway.store.query.cost import hex_prefix, is_indexed
from laneway.store.query.expr import (
    And,
    At,
    Compare,
    Equal,
    Expr,
    Has,
    Leaf,
    Not,
    Open,
    Or,
    Phrase,
    Since,
    Test,
    Text,
    Until,
    Value,
)
from laneway.store.query.field import ERROR, ID, LEVEL, SPAN, TRACE
from laneway.store.query.match import NUSD, clean, name_test, related_levels

from . import schema
from .fulltext import phrase_of
from .ident import Packed, ids_with, pack_hex, pack_id, term_of, terms_with
from .mask import MOST_TERMS, AnyOf, Mask, Single, all_masks, any_mask, negate
from .rollup import MAX_INT
from .row import MIN_INT
from .search import Search
from .segment import ERROR_TERM, LEVEL_TERM, find_known

NAMES = {
    "agent": (schema.AGENT, "agent"),
    "event": (schema.EVENT, "event"),
    "session_id": (schema.SESSION, "session"),
    "tool": (schema.TOOL, "tool"),
    "model": (schema.MODEL, "model"),
    "provider": (schema.PROVIDER, "provider"),
    "pod": (schema.POD, "pod"),
    "host": (schema.HOST, "host"),
}
"""By the event's key: kind of name, column."""

NUMBERS = {
    "seq": "e.seq",
    "duration_ms": "e.duration_ms",
    "input_tokens": "e.input_tokens",
    "output_tokens": "e.output_tokens",
    "cost_usd": f"e.cost_nusd / {NUSD}.0",
}
IDS = {"trace_id": "trace", "span_id": "span"}

LOW, HIGH = object(), object()
"""Stand among a condition's values for the first and last seq that a statement reads."""


class Condition(NamedTuple):
    """``row`` is about a row ``e``, ``block`` about a row of ``block``; ``0`` and ``1`` are known."""

    row: str
    values: tuple[object, ...] = ()
    block: str = "1"
    block_values: tuple[object, ...] = ()
    mask: Mask = None


YES, NO = Condition("1"), Condition("0", (), "0")


@dataclass(slots=True)
class Filter:
    """Conditions that must all hold."""

    conditions: list[str] = field(default_factory=list)
    values: list[object] = field(default_factory=list)
    blocks: list[str] = field(default_factory=list)
    block_values: list[object] = field(default_factory=list)
    masks: list[Mask] = field(default_factory=list)
    impossible: bool = False

    def take(self, condition: Condition) -> None:
        self.impossible = self.impossible or condition.row == "0"
        if condition.row != "1":
            self.add(condition.row, *condition.values)
        if condition.block != "1":
            self.blocks.append(condition.block)
            self.block_values += condition.block_values
        self.masks.append(condition.mask)

    def require_sessions(self, codes: Sequence[int]) -> None:
        self.take(_among("session", codes, codes))

    def add(self, condition: str, *values: object) -> None:
        self.conditions.append(condition)
        self.values += values

    def where(self) -> str:
        return " AND ".join(f"({condition})" for condition in self.conditions) or "1"

    def copy(self) -> "Filter":
        return Filter(
            [*self.conditions],
            [*self.values],
            [*self.blocks],
            [*self.block_values],
            [*self.masks],
            self.impossible,
        )


def filter_conditions(connection: sqlite3.Connection, search: Search) -> Filter:
    """The conditions alone: those on agent, event and session hold for the tables of totals as well."""
    made = Filter()
    for part in search.conditions:
        made.take(compile_condition(connection, part))
    return made


def filter_rows(connection: sqlite3.Connection, search: Search) -> Filter:
    """Everything but the leading text, the window and the cursor."""
    made = filter_conditions(connection, search)
    if search.wants_error is not None:
        made.take(_error_condition() if search.wants_error else _negated(_error_condition()))
    return made


def compile_condition(connection: sqlite3.Connection, expr: Expr) -> Condition:
    """``expr`` with `Not` around leaves only. What the index cannot tell counts as true, so that
    the rows are those of the answer or more."""
    match expr:
        case And(parts):
            return _join([compile_condition(connection, part) for part in parts], "AND", YES, NO)
        case Or(parts):
            return _join([compile_condition(connection, part) for part in parts], "OR", NO, YES)
        case Not(part):
            leaf: Leaf = part  # type: ignore[assignment]
            return _negated(_leaf(connection, leaf)) if is_indexed(leaf) else YES
    return _leaf(connection, expr)


def pick_seqs(connection: sqlite3.Connection, search: Search) -> list[int]:
    """The seqs named by ``ids`` and ``seqs``, as far as this segment holds the ids."""
    wanted = {seq for seq in search.seqs or () if 0 < seq <= MAX_INT}
    if search.ids is None:
        return list(wanted)
    known = find_known(connection, search.ids)
    rows = connection.execute(f"SELECT seq FROM ident WHERE id IN ({_marks(known)})", [*known])  # noqa: S608 - marks only
    found = {seq for (seq,) in rows}
    return list(found if search.seqs is None else found & wanted)


def _join(parts: list[Condition], word: str, neutral: Condition, decided: Condition) -> Condition:
    if any(part.row == decided.row for part in parts):
        return decided
    some = [part for part in parts if part.row != neutral.row]
    if not some:
        return neutral
    return Condition(
        f" {word} ".join(f"({part.row})" for part in some),
        tuple(value for part in some for value in part.values),
        f" {word} ".join(f"({part.block})" for part in some),
        tuple(value for part in some for value in part.block_values),
        (all_masks if word == "AND" else any_mask)([part.mask for part in some]),
    )


def _negated(condition: Condition) -> Condition:
    if condition.row in ("0", "1"):
        return YES if condition.row == "0" else NO
    row = f"NOT coalesce({condition.row}, 0)"
    return Condition(row, condition.values, mask=negate(condition.mask))


def _leaf(connection: sqlite3.Connection, leaf: Expr) -> Condition:
    match leaf:
        case Text(Phrase() as test):
            return Condition(
                "e.seq IN (SELECT rowid FROM text WHERE text MATCH ? AND rowid BETWEEN ? AND ?)",
                (phrase_of(test), LOW, HIGH),
            )
        case Value(field, tests):
            return _value(connection, field.key, tests) if is_indexed(leaf) else YES
        case Compare(field, operator, value):
            if field == LEVEL:
                return _level_condition(related_levels(operator, str(value)))
            return _compare(field.key, operator, value) if is_indexed(leaf) else YES
        case Has(field):
            return _has(leaf) if is_indexed(leaf) else YES
        case Open():
            return _starts(connection)
        case Since(At(ns)):
            return Condition("e.ts_ns >= ?", (ns,), "max_ns >= ?", (ns,))
        case Until(At(ns)):
            return Condition("e.ts_ns < ?", (ns,), "min_ns < ?", (ns,))
    return YES


def _value(connection: sqlite3.Connection, key: str, tests: Sequence[Test]) -> Condition:
    equals = [test.text for test in tests if isinstance(test, Equal)]
    prefixes = [prefix for test in tests if (prefix := hex_prefix(test))]
    if key == LEVEL.key:
        return _level_condition(level for level in equals if level in LEVEL_RANK)
    if key == ID.key:
        known = list(find_known(connection, [pack_id(text) for text in equals]))
        marks = _marks(known)
        same = Condition(f"e.seq IN (SELECT seq FROM ident WHERE id IN ({marks}))", tuple(known))  # noqa: S608 - marks only
        begins = [_id_condition(connection, prefix) for prefix in prefixes]
        return _join([same if known else NO, *begins], "OR", NO, YES)
    if key in IDS:
        same = _among_ids(IDS[key], [pack_hex(text) for text in equals])
        begins = [_prefix_condition(IDS[key], prefix) for prefix in prefixes]
        return _join([same, *begins], "OR", NO, YES)
    kind, column = NAMES[key]
    if len(equals) == len(tests):
        codes = _codes(connection, kind, equals)
    else:
        codes = _passing_codes(connection, kind, tests)
    return _among(column, codes, codes)


def _among_ids(column: str, packed: Sequence[Packed]) -> Condition:
    if not packed:
        return NO
    row = f"e.{column} IN ({_marks(packed)})"
    return Condition(row, tuple(packed), *_block_with([term_of(one) for one in packed]))


def _prefix_condition(column: str, prefix: str) -> Condition:
    text = f"iif(typeof(e.{column}) = 'blob', lower(hex(e.{column})), e.{column})"
    ranges = terms_with(prefix)
    terms = " OR ".join(["term BETWEEN ? AND ?"] * len(ranges))
    return Condition(
        f"substr({text}, 1, ?) = ?",
        (len(prefix), prefix),
        f"first_seq IN (SELECT block FROM place WHERE {terms})",  # noqa: S608 - marks only
        tuple(end for both in ranges for end in both),
    )


def _id_condition(connection: sqlite3.Connection, prefix: str) -> Condition:
    ranges = ids_with(prefix)
    where = " OR ".join(["id BETWEEN ? AND ?"] * len(ranges))
    values = tuple(end for both in ranges for end in both)
    sql = f"SELECT seq FROM ident WHERE {where}"  # noqa: S608 - marks only
    seqs = connection.execute(f"{sql} LIMIT ?", (*values, MOST_SINGLE + 1)).fetchall()
    if len(seqs) <= MOST_SINGLE:
        return _single([seq for (seq,) in seqs])
    return Condition(f"e.seq IN ({sql})", values)


def _single(seqs: Sequence[int]) -> Condition:
    if not seqs:
        return NO
    told = json.dumps(seqs)
    return Condition(
        "e.seq IN (SELECT value FROM json_each(?))",
        (told,),
        "first_seq IN (SELECT (SELECT max(b.first_seq) FROM block b WHERE b.first_seq <= j.value)"
        " FROM json_each(?) j)",
        (told,),
        Single(tuple(seqs)),
    )


def _among(column: str, values: Sequence[int], terms: Sequence[int]) -> Condition:
    if not values:
        return NO
    mask = AnyOf(tuple(terms)) if len(terms) <= MOST_TERMS else None
    if len(values) <= MOST_MARKS:
        return Condition(f"e.{column} IN ({_marks(values)})", tuple(values), mask=mask)
    row = f"e.{column} IN (SELECT value FROM json_each(?))"  # noqa: S608 - a constant's name
    return Condition(row, (json.dumps(values),), mask=mask)


MOST_SINGLE = 4_096
"""Rows named one by one; where there are more, a condition is asked of each row."""

MOST_MARKS = 1_000
"""Parameters of one condition; a pattern may fit any number of names."""


def _block_with(terms: Sequence[int]) -> tuple[str, tuple[object, ...]]:
    if len(terms) <= MOST_MARKS:
        blocks = f"SELECT block FROM place WHERE term IN ({_marks(terms)})"  # noqa: S608 - marks only
        return f"first_seq IN ({blocks})", tuple(terms)
    return _FAR_BLOCKS, (json.dumps(terms),)


_FAR_BLOCKS = (
    "first_seq IN (SELECT block FROM json_each(?) j CROSS JOIN place p ON p.term = j.value)"
)


def _level_condition(levels: Iterable[str]) -> Condition:
    ranks = [LEVEL_RANK[level] for level in levels]
    return _among("level", ranks, [LEVEL_TERM + rank for rank in ranks])


def _error_condition() -> Condition:
    return Condition("e.has_error", mask=AnyOf((ERROR_TERM,)))


def _compare(key: str, operator: str, value: int | float | str) -> Condition:
    bound = float(value) if isinstance(value, int) and not MIN_INT <= value <= MAX_INT else value
    column = NUMBERS[key]
    if key == "seq" and isinstance(bound, int):
        blocks = {">": "last_seq > ?", ">=": "last_seq >= ?", "<": "first_seq < ?",
                  "<=": "first_seq <= ?", "=": "? BETWEEN first_seq AND last_seq"}  # fmt: skip
        return Condition(f"{column} {operator} ?", (bound,), blocks[operator], (bound,))
    if key == "duration_ms" and operator in (">", ">=", "="):
        return Condition(f"{column} {operator} ?", (bound,), "max_ms >= ?", (bound,))
    return Condition(f"{column} {operator} ?", (bound,))


def _has(leaf: Has) -> Condition:
    key = leaf.field.key
    if leaf.field == ERROR:
        return _error_condition()
    if leaf.field in (TRACE, SPAN):
        return Condition(f"e.{IDS[key]} IS NOT NULL")
    if key in ("agent", "event", "id", "seq"):
        return YES
    if key in NAMES:
        return Condition(f"coalesce(e.{NAMES[key][1]}, 0) != 0")  # in `tally`, no session is 0
    return Condition(f"{NUMBERS[key]} IS NOT NULL")


def _starts(connection: sqlite3.Connection) -> Condition:
    """Beginnings of spans without an end in this segment, and few of those that have one."""
    seqs = connection.execute("SELECT seq FROM opened LIMIT ?", (MOST_SINGLE + 1,)).fetchall()
    if len(seqs) <= MOST_SINGLE:
        return _single([seq for (seq,) in seqs])
    rows = connection.execute("SELECT code, value FROM name WHERE kind = ?", (schema.EVENT,))
    codes = [code for code, value in rows if is_start(value)]
    starts = _among("event", codes, codes)
    return _join([starts, Condition(_IS_OPENED)], "AND", YES, NO)


_IS_OPENED = "EXISTS (SELECT 1 FROM opened o WHERE o.span = e.span AND o.seq = e.seq)"


def _codes(connection: sqlite3.Connection, kind: int, names: Sequence[str]) -> list[int]:
    rows = connection.execute(
        f"SELECT code FROM name WHERE kind = ? AND value IN ({_marks(names)})",  # noqa: S608 - marks only
        (kind, *map(clean, names)),
    )
    return [code for (code,) in rows]


def _passing_codes(connection: sqlite3.Connection, kind: int, tests: Sequence[Test]) -> list[int]:
    passes = [name_test(test) for test in tests]
    rows = connection.execute("SELECT code, value FROM name WHERE kind = ?", (kind,))
    return [code for code, value in rows if any(test(value) for test in passes)]


def _marks(values: Iterable[object]) -> str:
    return ", ".join("?" for _ in values)
