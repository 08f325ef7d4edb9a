"""What one transaction adds, column by column.

Python's loops over a list cost a tenth of a call, and what several events share is worked out once.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from laneway.model.event import Event
from laneway.store.api import Record
from laneway.store.query.content import text_of
from laneway.store.query.match import clean

from .ident import Packed, pack_hex, term_of
from .kind import NULL, Kind, KindBook
from .rollup import Shape
from .row import clamp_ns, cost_nusd_of, tokens_of

Accepted = tuple[int, Packed, Record]
"""Seq, packed id, record."""

Usage = tuple[int | None, int | None, int | None]
"""Tokens in and out, billionths of a dollar."""

Hex = tuple[Packed, bytearray | str, int]
"""A trace or span: packed, as a parameter, and its term in `place`."""

NO_HEX: Hex = (b"", NULL, 0)
NO_USAGE: Usage = (None, None, None)


@dataclass(slots=True)
class Columns:
    """What totals are made of. Each list has an entry for each record, in order of seq; nothing here is
    large, or keeps an event alive."""

    seqs: list[int]
    times: list[int]
    kinds: list[Kind]
    sessions: list[int]
    durations: list[float | None]
    usages: list[Usage]

    def extend(self, later: "Columns") -> None:
        self.seqs += later.seqs
        self.times += later.times
        self.kinds += later.kinds
        self.sessions += later.sessions
        self.durations += later.durations
        self.usages += later.usages

    def iter_timed(self) -> Iterator[tuple[Shape, float]]:
        """The shape of each event that took time, and its milliseconds."""
        for kind, duration_ms in zip(self.kinds, self.durations, strict=True):
            if duration_ms is not None:
                yield kind.shape, duration_ms


class Batch:
    """Each list has an entry for each record, in order of seq."""

    def __init__(self, records: Sequence[Accepted], book: KindBook) -> None:
        """``records``: one at least."""
        self.seqs = [seq for seq, _, _ in records]
        self.ids = [packed for _, packed, _ in records]
        self.places = [(record.offset, record.length) for _, _, record in records]
        self.times = [record.ts_ns for _, _, record in records]
        self.first_ns, self.last_ns = clamp_ns(min(self.times)), clamp_ns(max(self.times))
        if (self.first_ns, self.last_ns) != (min(self.times), max(self.times)):
            self.times = [clamp_ns(ts_ns) for ts_ns in self.times]
        self.events: list[Event] = [record.event for _, _, record in records]
        forms = book.forms_of(self.events)
        self.kinds = book.kinds_of(self.events, forms)
        self.sessions = book.sessions_of(self.events)
        ids = _HexTable()
        events = self.events
        self.traces = [ids[t] if (t := event.get("trace_id")) else NO_HEX for event in events]
        self.spans = [ids[s] if (s := event.get("span_id")) else NO_HEX for event in events]
        self.durations = [event.get("duration_ms") for event in events]
        self.usages = [
            _usage_of(event) if form.has_usage else NO_USAGE
            for event, form in zip(events, forms, strict=True)
        ]
        self.columns = Columns(
            self.seqs, self.times, self.kinds, self.sessions, self.durations, self.usages
        )

    def iter_rows(self) -> Iterator[tuple[object, ...]]:
        """Of `event`."""
        for (
            seq, ts_ns, (offset, length), kind, session, duration_ms, usage, (_, trace, _), (_, span, _),
        ) in zip(
            self.seqs, self.times, self.places, self.kinds, self.sessions, self.durations,
            self.usages, self.traces, self.spans, strict=True,
        ):  # fmt: skip
            agent, event, tool, level, model, provider, pod, host, has_error = kind.columns
            tokens_in, tokens_out, cost = _NULLS if usage is NO_USAGE else map(_bound_int, usage)
            yield (
                seq, ts_ns, offset, length, agent, event, has_error, session or NULL, tool, level,
                model, pod, NULL if duration_ms is None else duration_ms, tokens_in, tokens_out,
                cost, trace, span, provider, host,
            )  # fmt: skip

    def iter_idents(self) -> Iterator[tuple[object, int]]:
        return zip(map(bound, self.ids), self.seqs, strict=True)

    def texts(self) -> list[str]:
        """In order of seq; all of them follow one another."""
        return list(map(text_of, self.events))

    def spans_left(self) -> tuple[list[tuple[object, int]], list[tuple[object]]]:
        """Spans that begin here, with the seq, and do not end; and those that end and began before.
        Most end in the batch in which they begin."""
        opened, closed = [], {}
        for kind, span, seq in zip(self.kinds, self.spans, self.seqs, strict=True):
            if span is not NO_HEX:
                if kind.is_start:
                    opened.append((span, seq))
                elif kind.is_end:
                    closed[span[0]] = span[1]
        begun = {span[0] for span, _ in opened}
        return (
            [(span[1], seq) for span, seq in opened if span[0] not in closed],
            [(one,) for packed, one in closed.items() if packed not in begun],
        )

    def parents(self) -> dict[str, tuple[int, str]]:
        """The latest word on each agent's parent."""
        said: dict[str, tuple[int, str]] = {}
        for event, ts_ns in zip(self.events, self.times, strict=True):
            parent = event.get("parent_agent")
            if parent and parent != event["agent"]:
                agent, word = clean(event["agent"]), (ts_ns, clean(parent))
                said[agent] = max(word, said.get(agent, word))
        return said


class _HexTable(dict[str, Hex]):
    """A trace has a dozen events, and a span two."""

    def __missing__(self, text: str) -> Hex:
        packed = pack_hex(text)
        found = self[text] = packed, bound(packed), term_of(packed)
        return found


def bound(packed: Packed) -> bytearray | str:
    """As a parameter that needs no adapter."""
    return bytearray(packed) if type(packed) is bytes else packed or NULL  # type: ignore[return-value]


def _usage_of(event: Event) -> Usage:
    fields: dict[str, Any] = event  # type: ignore[assignment]
    get = fields.get
    return (
        tokens_of(get("input_tokens")),
        tokens_of(get("output_tokens")),
        cost_nusd_of(get("cost_usd")),
    )


_NULLS = (NULL, NULL, NULL)


def _bound_int(amount: int | None) -> int | str:
    return NULL if amount is None else amount
