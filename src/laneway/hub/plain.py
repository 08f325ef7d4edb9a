"""Many events at once, lines of the log or just sent, where each is as our own writers leave it, but for its
time and id, and holds no secret.

Of such a line `laneway.hub.line` makes what it is already, and `laneway.hub.pipeline` its line. Here that is
found out for many with few operations of the interpreter each: by the form of an event, for names that were
seen before, and for ids and payloads joined. Whatever is not plain is read one by one, with the same answer.
"""

from collections.abc import Callable, Sequence
from operator import itemgetter
from typing import Any, NamedTuple, cast

import orjson

from laneway.base.clock import format_ns
from laneway.base.ids import is_hex, new_event_id
from laneway.base.limits import LINE_BYTES, NAME_CHARS
from laneway.model.event import Event
from laneway.model.field import (
    HEX_FIELDS,
    NAME_FIELDS,
    REQUIRED_FIELDS,
    find_odd_fields,
    is_known_field,
)
from laneway.model.moment import try_own_timestamp
from laneway.model.redact import Redactor

LINES = 32
"""Looked at together. More: what is not plain among them costs the others more; fewer: each look has a price
of its own."""

FORMS, FORM_FIELDS = 1_000, 64
"""Forms remembered, and fields of one at most: a stream of invented names must not fill the memory."""

NAMES = 20_000
"""Names remembered as plain: sessions, above all."""

UUID_CHARS = 36

_NAMES = frozenset({*REQUIRED_FIELDS, *NAME_FIELDS})
_IDS = frozenset({"id", *HEX_FIELDS})
_HEX_CHARS = "0123456789abcdef-"
_HEX = f"{_HEX_CHARS}\n".encode()

Take = Callable[[Any], tuple[Any, ...]]


class Form(NamedTuple):
    """Of events that have the same fields in the same order: which of their values are what."""

    names: Take
    ids: Take
    payload: Take
    others: tuple[str, ...]
    """Numbers, level and error: looked at one by one."""


class PlainReader:
    """Thread-safe: what threads remember of one another is right or missing."""

    def __init__(self, redactor: Redactor) -> None:
        self._redactor = redactor
        self._forms: dict[tuple[str, ...], Form | None] = {}
        self._names: set[str] = set()

    def try_read(self, lines: Sequence[bytes], *, is_shown: bool) -> list[tuple[Event, int]] | None:
        """The events and their times in ns; None where a line is not plain, or may not be. ``is_shown``:
        the bytes are given out too, so that they may hold nothing that their event does not."""
        try:
            return self._try_read(lines, is_shown)
        except Exception:  # noqa: BLE001 - no JSON, no text where one is wanted, a fault of the redactor's
            return None

    def _try_read(self, lines: Sequence[bytes], is_shown: bool) -> list[tuple[Event, int]] | None:
        if is_shown and orjson.dumps(orjson.loads(lines[0])) != lines[0]:
            return None  # somebody else's: spared the rest
        events: list[dict[str, Any]] = [orjson.loads(line) for line in lines]
        if set(map(type, events)) != {dict} or max(map(len, lines)) > LINE_BYTES:
            return None
        if is_shown and b"\n".join(map(orjson.dumps, events)) != b"\n".join(lines):
            return None
        times = self._times_of(events, is_kept=True)
        return None if times is None else list(zip(cast(list[Event], events), times, strict=True))

    def try_complete(
        self, items: Sequence[Any], received_ns: int
    ) -> list[tuple[bytes, Event, int]] | None:
        """What was sent, objects or lines of NDJSON, as lines, events and times in ns; what has no time of
        its own was received at ``received_ns``. None where an item is not plain, or may not be."""
        try:
            return self._try_complete(items, received_ns)
        except Exception:  # noqa: BLE001 - as in `try_read`
            return None

    def _try_complete(
        self, items: Sequence[Any], received_ns: int
    ) -> list[tuple[bytes, Event, int]] | None:
        kinds = set(map(type, items))
        if kinds == {bytes}:
            items = list(map(orjson.loads, items))
            kinds = set(map(type, items))
        if kinds != {dict}:
            return None
        text = format_ns(received_ns)
        events = [_completed(item, received_ns, text) for item in items]
        times = self._times_of(events, is_kept=False)
        if times is None:
            return None
        lines = list(map(orjson.dumps, events))
        if max(map(len, lines)) > LINE_BYTES:
            return None
        return list(zip(lines, cast(list[Event], events), times, strict=True))

    def _times_of(self, events: Sequence[dict[str, Any]], *, is_kept: bool) -> list[int] | None:
        """In ns; None where one of them is not plain. ``is_kept``: their lines stay as they are, so that
        the order of their fields, which follows from ids in no usual form, is nobody's business."""
        known, forms = self._names, self._forms
        times: list[int] = []
        ids: list[str] = []
        payload: list[Any] = []
        for event in events:
            fields = tuple(event)
            form = forms[fields] if fields in forms else self._new_form(fields)
            if form is None:
                return None
            names = form.names(event)
            if not (known.issuperset(names) or self._learn(names)):
                return None
            text = event["timestamp"]
            ts_ns = try_own_timestamp(text) if type(text) is str else None
            if ts_ns is None:
                return None
            times.append(ts_ns)
            ids += form.ids(event)
            payload += form.payload(event)
            if form.others and find_odd_fields({field: event[field] for field in form.others}):
                return None
        joined = "\n".join(ids)
        if not all(ids) or max(map(len, ids)) > (NAME_CHARS if is_kept else UUID_CHARS):
            return None
        if joined.encode("utf-8", "replace").translate(None, _HEX):
            opaque = [one for one in ids if one.strip(_HEX_CHARS)]
            if not is_kept or not all(map(_is_opaque, opaque)):
                return None
            payload += opaque
        if not self._redactor.are_clean(payload, joined):
            return None
        return times

    def _new_form(self, fields: tuple[str, ...]) -> Form | None:
        """None where an event of these fields is not plain, whatever is in them."""
        form = None
        is_whole = fields[:1] == ("timestamp",) and {"id", *REQUIRED_FIELDS}.issubset(fields)
        if is_whole and all(map(self._redactor.is_plain_name, fields)):
            names = [field for field in fields if field in _NAMES]
            ids = [field for field in fields if field in _IDS]
            rest = [f for f in fields[1:] if f not in _NAMES and f not in _IDS]
            payload = [field for field in rest if not is_known_field(field) or field == "error"]
            others = tuple(field for field in rest if is_known_field(field))
            form = Form(_take(names), _take(ids), _take(payload), others)
        if len(fields) <= FORM_FIELDS:
            if len(self._forms) >= FORMS:
                self._forms.clear()
            self._forms[fields] = form
        return form

    def _learn(self, names: Sequence[Any]) -> bool:
        """Whether all are names in normal form and hold no secret; those that are remembered."""
        for name in names:
            if name not in self._names:
                if find_odd_fields({"agent": name}) or not self._redactor.is_clean(
                    {"content": name}
                ):
                    return False
                if len(self._names) >= NAMES:
                    self._names.clear()
                self._names.add(name)
        return True


def _completed(item: dict[str, Any], received_ns: int, text: str) -> dict[str, Any]:
    """With the fields of an event, as `laneway.model.event.normalise` orders them; raises where it cannot
    be one. ``text``: of ``received_ns``."""
    own_ns = received_ns
    if "timestamp" in item:
        if "id" in item and next(iter(item)) == "timestamp":
            return item
        own_ns = try_own_timestamp(item["timestamp"]) or received_ns
    return {
        "timestamp": text,
        "agent": item["agent"],
        "event": item["event"],
        "id": "" if "id" in item else new_event_id(own_ns),
        **item,
    }


def _is_opaque(one: str) -> bool:
    """Whether an id that is not of hex digits stays as it is: ``toolu_01AbC``, but not hex in capitals."""
    low = one.lower()
    return "!" <= one < "\x7f" and not any(is_hex(low, size) for size in HEX_FIELDS.values())


def _take(fields: Sequence[str]) -> Take:
    if len(fields) > 1:
        return cast(Take, itemgetter(*fields))
    if fields:
        return lambda event: (event[fields[0]],)
    return lambda event: ()
