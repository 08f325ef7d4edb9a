"""Events and records for tests of the index."""

from collections.abc import Iterable
from typing import Any

from laneway.base.clock import NS_PER_S, format_ns
from laneway.base.ids import new_event_id
from laneway.store.api import Query, Record
from laneway.store.query.parse import parse

T0_NS = 1_790_000_000 * NS_PER_S
LINE_BYTES = 100


def make_event(ts_ns: int = T0_NS, **fields: Any) -> dict[str, Any]:
    event = {
        "timestamp": format_ns(T0_NS),
        "agent": "planner",
        "event": "log",
        "id": new_event_id(ts_ns if ts_ns > 0 else T0_NS),
    }
    return event | fields


def ask(text: str = "", **page: Any) -> Query:
    """What ``text`` asks for, as a query of the index."""
    return Query(parse(text), **page)


def make_record(number: int = 0, ts_ns: int = T0_NS, **fields: Any) -> Record:
    """The line with this number in its file: every line takes `LINE_BYTES`."""
    event = make_event(ts_ns, **fields)
    return Record(number * LINE_BYTES, LINE_BYTES - 1, ts_ns, event)  # type: ignore[arg-type]


def make_records(events: Iterable[dict[str, Any]]) -> list[Record]:
    """One a second, in order."""
    return [
        Record(
            i * LINE_BYTES,
            LINE_BYTES - 1,
            T0_NS + i * NS_PER_S,
            make_event(T0_NS + i * NS_PER_S, **event),
        )  # type: ignore[arg-type]
        for i, event in enumerate(events)
    ]


def end_of(records: list[Record]) -> int:
    return records[-1].offset + LINE_BYTES
