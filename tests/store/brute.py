"""The answers of a `Store` by filtering a list, event by event."""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

from laneway.model.vocabulary import is_end
from laneway.store.api import (
    Added,
    Cell,
    Course,
    Cursor,
    Group,
    Page,
    Pointer,
    Query,
    Record,
    Split,
    Table,
    work_us,
)
from laneway.store.query.match import Subject, compile_matcher
from laneway.store.query.outcome import has_failed, level_of
from laneway.store.sketch import describe

KEYS = {"session": "session_id"}
"""Where the event's own name of a field is another."""

USAGE = ("input_tokens", "output_tokens", "cost_usd")


class Row(NamedTuple):
    pointer: Pointer
    event: dict[str, Any]


class BruteStore:
    def __init__(self) -> None:
        self.rows: list[Row] = []
        self.ids: set[str] = set()
        self.last_seq = 0

    def add(self, segment: str, records: Sequence[Record]) -> Added:
        seqs: list[int | None] = []
        for record in records:
            event: dict[str, Any] = dict(record.event)
            if event["id"] in self.ids:
                seqs.append(None)
                continue
            self.ids.add(event["id"])
            self.last_seq += 1
            seqs.append(self.last_seq)
            pointer = Pointer(self.last_seq, record.ts_ns, segment, record.offset, record.length)
            self.rows.append(Row(pointer, event))
        return Added(seqs, seqs.count(None))

    def forget(self, segment: str) -> None:
        gone = [row for row in self.rows if row.pointer.segment == segment]
        self.ids -= {row.event["id"] for row in gone}
        self.rows = [row for row in self.rows if row.pointer.segment != segment]

    def matching(self, query: Query) -> list[Row]:
        matches = compile_matcher(query.whole())
        ended = {row.event.get("span_id") for row in self.rows if is_end(row.event["event"])}

        def is_open(subject: Subject) -> bool:
            return subject.event["span_id"] not in ended

        return [
            row
            for row in self.rows
            if matches(Subject(row.event, row.pointer.ts_ns, row.pointer.seq, is_open))
        ]

    def find(self, query: Query) -> Page:
        if query.slowest_first:
            timed = [row for row in self.matching(query) if "duration_ms" in row.event]
            timed.sort(key=lambda row: (row.event["duration_ms"], *place(row)), reverse=True)
            return Page([row.pointer for row in timed[: query.limit]], None)
        rows = sorted(self.matching(query), key=place, reverse=query.newest_first)
        if query.after:
            after = (query.after.ts_ns, query.after.seq)
            rows = [
                r for r in rows if (place(r) < after if query.newest_first else place(r) > after)
            ]
        hits = [row.pointer for row in rows[: query.limit]]
        more = len(rows) > query.limit
        return Page(hits, Cursor(hits[-1].ts_ns, hits[-1].seq) if more else None)

    def groups(self, by: Literal["agent", "session"], query: Query) -> list[Group]:
        field = "agent" if by == "agent" else "session_id"
        members: dict[str, list[Row]] = {}
        for row in self.matching(query):
            if row.event.get(field) is not None:
                members.setdefault(row.event[field], []).append(row)
        groups = [self._group(by, name, rows) for name, rows in members.items()]
        return sorted(groups, key=lambda group: (-group.last_ns, group.name))[: query.limit]

    def aggregate(self, query: Query, split: Split) -> Table:
        members: dict[tuple[str, ...], dict[int, list[Row]]] = {}
        begun: Counter[tuple[tuple[str, ...], int]] = Counter()
        for row in self.matching(query):
            keys = tuple(value_of(row.event, field) for field in split.by)
            if None in keys or not counts(row.event, split.of):
                continue
            start_ns = row.pointer.ts_ns // split.step_ns * split.step_ns if split.step_ns else 0
            members.setdefault(keys, {}).setdefault(start_ns, []).append(row)
            if split.of == "work":
                began_ns = row.pointer.ts_ns - work_us(row.event["duration_ms"]) * 1000
                step_ns = began_ns // split.step_ns * split.step_ns if split.step_ns else 0
                members[keys].setdefault(step_ns, [])
                begun[keys, step_ns] += 1
        sizes = {keys: sum(map(len, steps.values())) for keys, steps in members.items()}
        order = sorted(members, key=lambda keys: (-sizes[keys], keys))
        cells = [
            self._cell(keys, start_ns, rows, split)._replace(begun_count=begun[keys, start_ns])
            for keys in order[: query.limit]
            for start_ns, rows in members[keys].items()
        ]
        cells.sort(key=lambda cell: (cell.start_ns, -cell.event_count, cell.keys))
        every = [row for steps in members.values() for rows in steps.values() for row in rows]
        errors = sum(has_failed(row.event) for row in every)
        return Table(cells, len(order), len(every), errors, "exact")

    def _cell(self, keys: tuple[str, ...], start_ns: int, rows: list[Row], split: Split) -> Cell:
        events = [row.event for row in rows]
        cell = Cell(keys, start_ns, len(events), sum(map(has_failed, events)))
        if split.of == "usage":
            sums = [sum(event.get(field, 0) for event in events) for field in USAGE]
            return cell._replace(
                input_tokens=sums[0], output_tokens=sums[1], cost_usd=round(sums[2], 6)
            )
        if split.of == "work":
            return cell._replace(took_us=sum(work_us(event["duration_ms"]) for event in events))
        if split.of == "duration":
            return cell._replace(durations=describe([event["duration_ms"] for event in events]))
        return cell

    def _group(self, by: Literal["agent", "session"], name: str, rows: list[Row]) -> Group:
        times = [row.pointer.ts_ns for row in rows]
        first = {}
        for row in sorted(
            rows, key=lambda row: (-row.pointer.ts_ns, row.event["agent"]), reverse=True
        ):
            first.setdefault(row.event["agent"], row.pointer.ts_ns)
        by_appearance = sorted(first, key=lambda agent: (first[agent], agent))
        return Group(
            name,
            self._parent(name) if by == "agent" else "",
            len(rows),
            sum(has_failed(row.event) for row in rows),
            min(times),
            max(times),
            sum(row.event.get("input_tokens", 0) for row in rows),
            sum(row.event.get("output_tokens", 0) for row in rows),
            round(sum(row.event.get("cost_usd", 0) for row in rows), 6),
            tuple(by_appearance) if by == "session" else (),
            self._course(name) if by == "session" else None,
        )

    def _course(self, session: str) -> Course:
        rows = sorted((r for r in self.rows if r.event.get("session_id") == session), key=place)
        titles = [row.pointer.seq for row in rows if row.event["event"] == "user_message"]
        last = rows[-1]
        return Course(
            rows[0].pointer.ts_ns,
            last.pointer.ts_ns,
            last.event["event"],
            has_failed(last.event),
            titles[0] if titles else 0,
        )

    def _parent(self, agent: str) -> str:
        said = [
            (row.pointer.ts_ns, row.event["parent_agent"])
            for row in self.rows
            if row.event["agent"] == agent and row.event.get("parent_agent", agent) != agent
        ]
        return max(said, default=(0, ""))[1]


def counts(event: dict[str, Any], of: str) -> bool:
    if of == "usage":
        return any(field in event for field in USAGE)
    return of == "count" or "duration_ms" in event


def place(row: Row) -> tuple[int, int]:
    return row.pointer.ts_ns, row.pointer.seq


def value_of(event: dict[str, Any], field: str) -> Any:
    return level_of(event) if field == "level" else event.get(KEYS.get(field, field))
