"""Events by their names: which combinations there are, and what follows from one."""

import sqlite3
from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from laneway.model.event import Event
from laneway.model.vocabulary import LEVEL_RANK, TITLE_EVENTS, is_end, is_start
from laneway.store.query.content import FORM_FIELDS, FORMS, Form
from laneway.store.query.match import clean
from laneway.store.query.outcome import ERROR_RANK, INFO_RANK, has_failed

from . import schema
from .rollup import Shape

NAME_CACHE = 50_000
"""Names remembered by a writer; sessions alone could fill the memory."""

KIND_CACHE = 10_000
"""Combinations of names remembered by a writer, half a kilobyte each; 40 agents make some 2,000."""

LEVEL_TERM = -10
"""``posting.term`` of level 0; the others follow. Below every name code."""

ERROR_TERM = -1

NULL = ""
"""Stands for None in a row of `event`, where no column holds an empty text. For each parameter that is no
plain int, float, str or bytearray, `sqlite3` looks for an adapter: 0.3 µs for None, 0.7 for bytes."""

NAMES = ("agent", "event", "tool", "level", "model", "provider", "pod", "host")

Names = tuple[str | None, ...]
"""Those of `NAMES` that an event has. What its kind follows from, with its form: that tells whether there
is an error."""

USAGE = frozenset({"input_tokens", "output_tokens", "cost_usd"})


class Kind(NamedTuple):
    """What events of the same names have in common."""

    shape: Shape
    columns: tuple[int | str, ...]
    """``shape`` as a row has it: with `NULL`."""
    terms: tuple[int, ...]
    """In `posting`, but for the session."""
    is_start: bool
    is_end: bool
    is_title: bool


class OfForm(NamedTuple):
    """What events of one form have in common."""

    names: Callable[[Any], Names]
    kinds: dict[Names, Kind]
    has_usage: bool


class KindBook:
    """The names and the kinds that a writer has met."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._codes: list[dict[str, int]] = [{} for _ in range(8)]
        self._forms: dict[Form, OfForm] = {}
        self._kind_count = 0
        (last_code,) = connection.execute("SELECT max(code) FROM name").fetchone()
        self._last_code: int = last_code or 0

    def forms_of(self, events: Sequence[Event]) -> list[OfForm]:
        known = self._forms
        return [known.get(form) or self._new_form(form) for form in map(tuple, events)]

    def kinds_of(self, events: Sequence[Event], forms: Sequence[OfForm]) -> list[Kind]:
        return [
            kinds.get(names_of(event)) or self._new_kind(kinds, names_of(event), event)
            for event, (names_of, kinds, _) in zip(events, forms, strict=True)
        ]

    def sessions_of(self, events: Sequence[Event]) -> list[int]:
        """Codes; 0 of an event outside of any."""
        known = self._codes[schema.SESSION]
        return [
            0
            if (name := event.get("session_id")) is None
            else known.get(name) or self._new_code(schema.SESSION, name)
            for event in events
        ]

    def _new_form(self, form: Form) -> OfForm:
        of_form = OfForm(
            itemgetter(*(name for name in NAMES if name in form)), {}, not USAGE.isdisjoint(form)
        )
        if len(form) <= FORM_FIELDS:
            if len(self._forms) >= FORMS:
                self._forms.clear()
            self._forms[form] = of_form
        return of_form

    def _new_kind(self, kinds: dict[Names, Kind], names: Names, event: Event) -> Kind:
        fields: dict[str, Any] = event  # type: ignore[assignment]
        agent, event_type = event["agent"], event["event"]
        tool, level, model, provider, pod, host = map(fields.get, NAMES[2:])
        has_error = has_failed(event)
        code = self._code
        shape = (
            code(schema.AGENT, agent) or 0,
            code(schema.EVENT, event_type) or 0,
            code(schema.TOOL, tool),
            LEVEL_RANK.get(level or "", ERROR_RANK if has_error else INFO_RANK),
            code(schema.MODEL, model),
            code(schema.PROVIDER, provider),
            code(schema.POD, pod),
            code(schema.HOST, host),
            int(has_error),
        )
        terms = [*shape[:3], *shape[4:8], LEVEL_TERM + shape[3], ERROR_TERM if has_error else None]
        if self._kind_count >= KIND_CACHE:
            self._kind_count = 0
            for of_form in self._forms.values():
                of_form.kinds.clear()
        self._kind_count += 1
        kind = kinds[names] = Kind(
            shape,
            tuple(NULL if code is None else code for code in shape),
            tuple(term for term in terms if term is not None),
            is_start(event_type),
            is_end(event_type),
            event_type in TITLE_EVENTS,
        )
        return kind

    def _code(self, kind: int, value: str | None) -> int | None:
        return (
            None if value is None else self._codes[kind].get(value) or self._new_code(kind, value)
        )

    def _new_code(self, kind: int, value: str) -> int:
        text = clean(value)
        found = self._connection.execute(
            "SELECT code FROM name WHERE kind = ? AND value = ?", (kind, text)
        ).fetchone()
        if found:
            code: int = found[0]
        else:
            code = self._last_code = self._last_code + 1
            self._connection.execute("INSERT INTO name VALUES (?, ?, ?)", (code, kind, text))
        codes = self._codes[kind]
        if len(codes) >= NAME_CACHE:
            codes.clear()
        codes[value] = code
        return code
