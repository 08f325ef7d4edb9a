"""Which rules an event concerns, found by agent, type and outcome before its line is read.

A hundred rules that name a type or an agent cost an event that is none of theirs one look into a dictionary.
"""

from collections.abc import Callable

import orjson

from laneway.hub.ring import FLAG_ERROR, Row
from laneway.store.query.expr import (
    Compare,
    Equal,
    Everything,
    Expr,
    Has,
    Value,
    all_of,
    conjuncts,
)
from laneway.store.query.field import AGENT, EVENT, LEVEL
from laneway.store.query.field import ERROR as ERROR_FIELD
from laneway.store.query.match import Subject, clean, compile_matcher

Names = frozenset[str]


class Arrival:
    """An event that came in. Its line is decoded once, for the first rule that wants more than the entry."""

    __slots__ = ("_subject", "entry", "row", "seq", "ts_ns")

    def __init__(self, row: Row) -> None:
        self.row = row
        self.entry = row.entry
        self.ts_ns = row.ts_ns
        self.seq = row.seq
        self._subject: Subject | None = None

    @property
    def subject(self) -> Subject:
        if self._subject is None:
            self._subject = Subject(orjson.loads(self.row.line), self.ts_ns, self.seq)
        return self._subject


class Selector:
    """A query, cut into what the entry answers and the rest."""

    def __init__(self, where: Expr) -> None:
        self.kinds: Names | None = None
        self.agents: Names | None = None
        self.needs_error = False
        rest: list[Expr] = []
        for part in conjuncts(where):
            if not self._take(part):
                rest.append(part)
        self._rest: Callable[[Subject], bool] | None = None
        if rest:
            self._rest = compile_matcher(all_of(rest))

    def _take(self, part: Expr) -> bool:
        match part:
            case Everything():
                return True
            case Has(field) if field == ERROR_FIELD:
                self.needs_error = True
                return True
            case Value(field, tests) if field in (AGENT, EVENT):
                names = [clean(test.text) for test in tests if isinstance(test, Equal)]
                name = "agents" if field == AGENT else "kinds"
                if len(names) < len(tests) or getattr(self, name) is not None:
                    return False
                setattr(self, name, frozenset(names))
                return True
            case Compare(field, ">=", value) if field == LEVEL and value == "error":
                # The rank of an entry is that of its level: without one, error for a failure.
                self.needs_error = True
                return False
        return False

    def accepts(self, arrival: Arrival) -> bool:
        entry = arrival.entry
        if self.needs_error and not entry.flags & FLAG_ERROR:
            return False
        if self.kinds is not None and entry.kind not in self.kinds:
            return False
        if self.agents is not None and entry.agent not in self.agents:
            return False
        return self._rest is None or self._rest(arrival.subject)
