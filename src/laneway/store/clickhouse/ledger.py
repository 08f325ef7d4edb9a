"""What is committed: how far each segment is indexed, which seqs were given.

Rows of an insertion and their commit are two statements. Rows are seen up to the last seq that was
committed; what a crash left beyond it is removed before anything is added.
"""

import time
import uuid
from collections.abc import Mapping, Sequence

from laneway.base.errors import StoreError
from laneway.store.api import Added, Record, SegmentState
from laneway.store.query.match import clamp_ns, clean

from .row import COLUMNS, make_row
from .schema import Names, minute_select
from .server import Server

KEY_CHARS = 16
"""64 random bits: no two of a log's segments get the same."""

ID_CHUNK = 1_000
"""Ids in one statement."""

_SEGMENT = (
    "key", "segment", "fingerprint", "indexed_bytes", "event_count", "first_ns", "last_ns", "last_seq",
    "reached_seq", "gone", "version",
)  # fmt: skip


class Ledger:
    """For one thread at a time, but for `states` and `reached_seq`."""

    def __init__(self, server: Server, names: Names, owner: str) -> None:
        self._server = server
        self._names = names
        self._owner = owner
        self._version = 0
        self.epoch = ""
        self.reached_seq = 0
        """Rows beyond are not there yet."""
        self._given_seq = 0
        self.states: dict[str, SegmentState] = {}
        self.keys: dict[str, str] = {}
        """By the segment's name, what its rows call it: a name may change."""
        self.names: dict[str, str] = {}
        self._is_dirty = False

    def load(self) -> None:
        """
        Raises:
            StoreError: the tables are another hub's.
        """
        rows = self._server.ask(
            f"SELECT name, argMax(value, version) FROM {self._names.meta} GROUP BY name"  # noqa: S608 - a name that was checked
        )
        meta = {row[0]: row[1] for row in rows}
        if meta.get("owner", self._owner) != self._owner:
            raise StoreError(
                f"database {self._names.database} of the store is another hub's",
                hint="give each hub a database of its own: clickhouse://HOST/DATABASE; if it was this log's,"
                " and its index directory was removed, drop the database: it is filled again from the log",
            )
        rows = self._server.ask(
            f"SELECT {', '.join(_SEGMENT)} FROM {self._names.segment} FINAL"  # noqa: S608
        )
        self._version = max((int(row[10]) for row in rows), default=0)
        self.reached_seq = max((int(row[8]) for row in rows), default=0)
        floor = int(meta.get("floor", 0))
        self.reached_seq = self._given_seq = max(self.reached_seq, floor)
        for row in rows:
            if not row[9]:
                self._know(row[0], SegmentState(*row[1:8]))
        self.epoch = meta.get("epoch", "")
        if not self.epoch:
            self._put_meta("owner", self._owner)
            self.renew()
        self._is_dirty = True
        self.mend()

    def renew(self) -> None:
        self.epoch = uuid.uuid4().hex
        self._put_meta("epoch", self.epoch)

    def add(
        self, segment: str, fingerprint: str, records: Sequence[Record], indexed_bytes: int
    ) -> Added:
        self.mend()
        state = self.states.get(segment)
        if state and state.fingerprint != fingerprint:
            self.forget(segment)
            state = None
        state = state or SegmentState(segment, fingerprint, 0, 0, 0, 0, 0)
        key = self.keys.get(segment) or uuid.uuid4().hex[:KEY_CHARS]
        seqs, fresh, duplicates = self._give(records, state.indexed_bytes)
        if fresh:
            self._is_dirty = True
            rows = [make_row(record, key, seq) for seq, record in fresh]
            self._server.insert(self._names.event, rows, COLUMNS, self._token())
        self._commit(key, _advance(state, fresh, indexed_bytes))
        return Added(seqs, duplicates)

    def forget(self, segment: str) -> None:
        state = self.states.get(segment)
        if state is None:
            return
        self._is_dirty = True
        key = self.keys[segment]
        self._put([self._row(key, state, gone=1)])
        self._unknow(segment)
        for table in ("event", "ident", "minute"):
            self._delete(table, "segment = {key:String}", {"key": key})
        self._is_dirty = False

    def rename(self, names: Mapping[str, str]) -> None:
        for new in names.values():
            if new not in names:
                self.forget(new)
        moved = [
            (self.keys[old], self.states[old]._replace(segment=new))
            for old, new in names.items()
            if old in self.states
        ]
        if moved:
            self._put([self._row(key, state) for key, state in moved])
            for old in names:
                self._unknow(old)
            for key, state in moved:
                self._know(key, state)

    def reset(self) -> None:
        for table in ("event", "ident", "minute"):
            self._server.tell(f"TRUNCATE TABLE {self._names.local(table)}{self._names.on_cluster}")
        self._server.tell(f"TRUNCATE TABLE {self._names.segment}{self._names.on_cluster}")
        self.states, self.keys, self.names = {}, {}, {}
        self.reached_seq = self._given_seq = 0
        self._put_meta("floor", "0")
        self.renew()

    def mend(self) -> None:
        """Remove what was inserted and never committed."""
        if not self._is_dirty:
            return
        found = self._server.ask(
            f"SELECT segment, max(seq) FROM {self._names.event} WHERE seq > {{seq:Int64}} GROUP BY segment",  # noqa: S608
            {"seq": self.reached_seq},
        )
        gone = self._server.ask(
            f"SELECT DISTINCT segment FROM {self._names.event}"  # noqa: S608
            " WHERE NOT has({known:Array(String)}, segment)",
            {"known": list(self.names)},
        )
        self._given_seq = max([self._given_seq, *(int(row[1]) for row in found)])
        if found or gone:
            self._remove([row[0] for row in found], [row[0] for row in gone])
        self._is_dirty = False

    def _remove(self, torn: list[str], gone: list[str]) -> None:
        values = {"seq": self.reached_seq, "gone": gone}
        wanted = "seq > {seq:Int64} OR has({gone:Array(String)}, segment)"
        for table in ("event", "ident"):
            self._delete(table, wanted, values)
        self._delete("minute", "has({all:Array(String)}, segment)", {"all": [*torn, *gone]})
        for segment in set(torn) - set(gone):
            made = minute_select(self._names.event)
            self._server.tell(
                f"INSERT INTO {self._names.minute} (minute, day, segment, pod, agent, event, tool, level,"  # noqa: S608 - names that were checked
                f" failed, event_count) SELECT * FROM ({made}) WHERE segment = {{segment:String}}",
                {"segment": segment},
            )

    def _delete(self, table: str, where: str, values: dict[str, object]) -> None:
        self._server.tell(
            f"ALTER TABLE {self._names.local(table)}{self._names.on_cluster} DELETE WHERE {where}",
            values,
        )

    def _give(
        self, records: Sequence[Record], reached_bytes: int
    ) -> tuple[list[int | None], list[tuple[int, Record]], int]:
        """A seq for each record whose id is new; None for the others."""
        later = [record for record in records if record.offset >= reached_bytes]
        known = self._find_known([clean(record.event["id"]) for record in later])
        seqs: list[int | None] = []
        fresh: list[tuple[int, Record]] = []
        next_seq, duplicates = self._given_seq, 0
        for record in records:
            event_id = clean(record.event["id"])
            is_new = record.offset >= reached_bytes and event_id not in known
            duplicates += record.offset >= reached_bytes and not is_new
            if is_new:
                next_seq += 1
                known.add(event_id)
                fresh.append((next_seq, record))
            seqs.append(next_seq if is_new else None)
        return seqs, fresh, duplicates

    def _find_known(self, ids: list[str]) -> set[str]:
        known: set[str] = set()
        for start in range(0, len(ids), ID_CHUNK):
            rows = self._server.ask(
                f"SELECT id FROM {self._names.ident} WHERE id IN {{ids:Array(String)}}",  # noqa: S608
                {"ids": ids[start : start + ID_CHUNK]},
            )
            known.update(row[0] for row in rows)
        return known

    def _commit(self, key: str, state: SegmentState) -> None:
        reached = max(self._given_seq, self.reached_seq, state.last_seq)
        self._put([self._row(key, state, reached_seq=reached)])
        self._know(key, state)
        self.reached_seq = self._given_seq = reached
        self._is_dirty = False

    def _know(self, key: str, state: SegmentState) -> None:
        """New dictionaries: readers may be looking at the old ones."""
        self.names = self.names | {key: state.segment}
        self.keys = self.keys | {state.segment: key}
        self.states = self.states | {state.segment: state}

    def _unknow(self, segment: str) -> None:
        key = self.keys.get(segment)
        self.names = {k: name for k, name in self.names.items() if k != key}
        self.keys = {name: k for name, k in self.keys.items() if name != segment}
        self.states = {name: one for name, one in self.states.items() if name != segment}

    def _row(
        self, key: str, state: SegmentState, *, gone: int = 0, reached_seq: int = 0
    ) -> list[object]:
        self._version += 1
        return [key, *state, reached_seq or self.reached_seq, gone, self._version]

    def _put(self, rows: list[list[object]]) -> None:
        """As one insertion: all of them or none."""
        self._server.insert(self._names.segment, rows, _SEGMENT, self._token())

    def _put_meta(self, name: str, value: str) -> None:
        row = [name, value, time.time_ns()]
        self._server.insert(self._names.meta, [row], ("name", "value", "version"), self._token())

    def _token(self) -> str:
        """Of one insertion: rows that were removed may come again, and must not be taken for a repeat."""
        return uuid.uuid4().hex


def _advance(
    state: SegmentState, fresh: list[tuple[int, Record]], indexed_bytes: int
) -> SegmentState:
    moved = state._replace(indexed_bytes=max(state.indexed_bytes, indexed_bytes))
    if not fresh:
        return moved
    times = [clamp_ns(record.ts_ns) for _, record in fresh]
    is_first = not state.event_count
    return moved._replace(
        event_count=state.event_count + len(fresh),
        first_ns=min(times) if is_first else min(state.first_ns, *times),
        last_ns=max(times) if is_first else max(state.last_ns, *times),
        last_seq=fresh[-1][0],
    )
