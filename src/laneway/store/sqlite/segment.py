"""The writing side of one index database: what `add` puts into it."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from laneway.model.event import Event
from laneway.model.vocabulary import LEVEL_RANK, TITLE_EVENTS, is_end, is_start
from laneway.store.api import Record
from laneway.store.query.content import text_of
from laneway.store.query.match import clean
from laneway.store.query.outcome import ERROR_RANK, INFO_RANK, has_failed

from . import schema, vocabulary
from .duration import SKETCHED, SketchBook, drop_spreads
from .ident import Packed, is_timed, pack_hex, term_of
from .posting import PostingBook, chunk_of
from .rollup import Shape, ShapeBook, Totals, drop_derived
from .row import clamp_ns, cost_nusd_of, tokens_of
from .summary import Summary, merge_parents, read_summary, write_summary

BLOCK_EVENTS = 256
"""Rows of one block, all of one chunk of `posting`. Smaller: a trace costs fewer rows read; larger:
`block` and `place` shrink."""

NAME_CACHE = 50_000
"""Names remembered by a writer; sessions alone could fill the memory."""

KIND_CACHE = 10_000
"""Combinations of names remembered by a writer, half a kilobyte each; 40 agents make some 2,000."""

LEVEL_TERM = -10
"""``posting.term`` of level 0; the others follow. Below every name code."""

ERROR_TERM = -1

Accepted = tuple[int, Packed, Record]
"""Seq, packed id, record."""

NULL = ""
"""Stands for None in a row of `event`, where no column holds an empty text. For each parameter that is no
plain int, float, str or bytearray, `sqlite3` looks for an adapter: 0.3 µs for None, 0.7 for bytes."""

_MARKS = ["?"] * 7 + ["nullif(?, '')"] * 13
_ADD_EVENT = f"INSERT INTO event VALUES ({', '.join(_MARKS)})"  # noqa: S608 - marks only
_ADD_BLOCK = "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?)"
_ADD_PARENT = """
INSERT INTO parent VALUES (?, ?, ?)
ON CONFLICT DO UPDATE SET parent = excluded.parent, last_ns = excluded.last_ns
WHERE (excluded.last_ns, excluded.parent) > (last_ns, parent)
"""


@dataclass(slots=True)
class Block:
    """The newest block, still being filled. ``terms`` are those known to be placed already."""

    first_seq: int
    last_seq: int
    event_count: int
    min_ns: int
    max_ns: int
    max_ms: float = -1.0
    """Longest duration, -1 where there is none."""
    terms: set[int] = field(default_factory=set)

    def row(self) -> tuple[int, int, int, int, int, float]:
        return (
            self.first_seq, self.last_seq, self.event_count, self.min_ns, self.max_ns, self.max_ms
        )  # fmt: skip


Names = tuple[
    str, str, str | None, str | None, str | None, str | None, str | None, str | None, bool
]
"""What an event's shape follows from: its names and level, and whether it tells an error."""


class _Kind(NamedTuple):
    """What events of the same names have in common."""

    shape: Shape
    columns: tuple[int | str, ...]
    """``shape`` as a row has it: with `NULL`."""
    terms: tuple[int, ...]
    """In `posting`, but for the session."""
    is_start: bool
    is_end: bool
    is_title: bool


class SegmentWriter:
    """Not thread-safe. After an error it must be closed: its memory may be ahead of the file."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self.summary = read_summary(connection)
        self._codes: list[dict[str, int]] = [{} for _ in range(8)]
        self._kinds: dict[Names, _Kind] = {}
        self._shapes = ShapeBook(connection)
        self._sketches = SketchBook(connection)
        self._block = self._read_block()
        vocabulary.empty(connection)
        drop_derived(connection)
        drop_spreads(connection)
        connection.execute(schema.DROP_SLOW)
        self._postings = PostingBook(connection, self.summary.last_seq)
        (last_code,) = connection.execute("SELECT max(code) FROM name").fetchone()
        self._last_code: int = last_code or 0

    def write(self, records: Sequence[Accepted], indexed_bytes: int) -> None:
        """Add ``records`` in order of seq and move the offset, as one transaction.

        The text is in it: 25,000 events of 680 bytes go in per CPU second, in batches of 500
        (``bench/index.py``), so little is gained by letting the text lag behind.
        """
        self._connection.execute("BEGIN IMMEDIATE")
        summary = self._write_rows(records) if records else self.summary
        summary = replace(summary, indexed_bytes=max(indexed_bytes, summary.indexed_bytes))
        write_summary(self._connection, summary)
        self._connection.execute("COMMIT")
        self.summary = summary

    def find_known(self, ids: Sequence[Packed]) -> set[Packed]:
        return find_known(self._connection, ids)

    def close(self) -> None:
        self._connection.close()

    def _read_block(self) -> Block | None:
        row = self._connection.execute(
            "SELECT first_seq, last_seq, event_count, min_ns, max_ns, max_ms FROM block"
            " ORDER BY first_seq DESC LIMIT 1"
        ).fetchone()
        return Block(*row) if row else None

    def _write_rows(self, records: Sequence[Accepted]) -> Summary:
        execute_many = self._connection.executemany
        batch = _Batch()
        for seq, _, record in records:
            self._take(seq, record, batch)
        if self._block:
            batch.blocks.append(self._block.row())
        execute_many(_ADD_EVENT, batch.rows)
        execute_many(
            "INSERT INTO ident VALUES (?, ?)", ((_bound(packed), seq) for seq, packed, _ in records)
        )
        execute_many("INSERT OR IGNORE INTO place VALUES (?, ?)", batch.places)
        execute_many(_ADD_BLOCK, batch.blocks)
        execute_many("INSERT INTO text (rowid, body) VALUES (?, ?)", batch.texts)
        self._write_opened(batch)
        execute_many(_ADD_PARENT, ((agent, p, ns) for agent, (ns, p) in batch.parents.items()))
        batch.totals.write(self._connection)
        self._shapes.write(batch.totals.iter_shapes())
        self._sketches.write()
        self._postings.write()
        return self._summarise(records, batch)

    def _write_opened(self, batch: "_Batch") -> None:
        """Most spans end in the batch in which they begin, and need no row."""
        opened = [(_bound(span), seq) for span, seq in batch.opened if span not in batch.closed]
        begun = {span for span, _ in batch.opened}
        closed = [(_bound(span),) for span in batch.closed if span not in begun]
        self._connection.executemany("INSERT INTO opened VALUES (?, ?)", opened)
        self._connection.executemany("DELETE FROM opened WHERE span = ?", closed)

    def _take(self, seq: int, record: Record, batch: "_Batch") -> None:
        """The hot loop: about 10 µs an event, so the columns are laid in one go."""
        offset, length, ts_ns, event = record
        ts_ns = clamp_ns(ts_ns)
        fields: dict[str, Any] = event  # type: ignore[assignment]
        get = fields.get
        names = (
            event["agent"], event["event"], get("tool"), get("level"), get("model"),
            get("provider"), get("pod"), get("host"), "error" in fields,
        )  # fmt: skip
        kind = self._kinds.get(names) or self._new_kind(names, event)
        agent, event_type, tool, level, model, provider, pod, host, has_error = kind.columns
        session = self._code(schema.SESSION, get("session_id"))
        trace = _try_pack(get("trace_id"))
        span = _try_pack(get("span_id"))
        if span is not None:
            if kind.is_start:
                batch.opened.append((span, seq))
            elif kind.is_end:
                batch.closed.add(span)
        duration_ms = get("duration_ms")
        tokens_in = tokens_out = cost = None
        usage: tuple[object, ...] = _NO_USAGE
        if "input_tokens" in fields or "output_tokens" in fields or "cost_usd" in fields:
            tokens_in, tokens_out = tokens_of(get("input_tokens")), tokens_of(get("output_tokens"))
            cost = cost_nusd_of(get("cost_usd"))
            usage = tuple(NULL if one is None else one for one in (tokens_in, tokens_out, cost))
        batch.rows.append((
            seq, ts_ns, offset, length, agent, event_type, has_error, session or NULL, tool, level,
            model, pod, NULL if duration_ms is None else duration_ms, *usage,
            _bound(trace), _bound(span), provider, host,
        ))  # fmt: skip
        batch.times.append(ts_ns)
        batch.texts.append((seq, text_of(event)))
        batch.totals.count(
            seq, ts_ns, kind.shape, session or 0, kind.is_title, tokens_in, tokens_out, cost
        )
        if parent := get("parent_agent"):
            batch.note_parent(event["agent"], parent, ts_ns)
        self._postings.add(seq, kind.terms, session)
        block = self._place(seq, ts_ns, batch, (trace and term_of(trace), span and term_of(span)))
        if duration_ms is not None:
            block.max_ms = max(block.max_ms, duration_ms)
            names_of = zip(SKETCHED, (kind.shape[0], kind.shape[2], kind.shape[4]), strict=True)
            self._sketches.add(names_of, duration_ms, kind.shape[-1])

    def _new_kind(self, names: "Names", event: Event) -> "_Kind":
        agent, event_type, tool, level, model, provider, pod, host, _ = names
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
        if len(self._kinds) >= KIND_CACHE:
            self._kinds.clear()
        kind = self._kinds[names] = _Kind(
            shape,
            tuple(NULL if code is None else code for code in shape),
            tuple(term for term in terms if term is not None),
            is_start(event_type),
            is_end(event_type),
            event_type in TITLE_EVENTS,
        )
        return kind

    def _place(self, seq: int, ts_ns: int, batch: "_Batch", terms: Iterable[Any]) -> Block:
        block = self._block
        if (
            block is None
            or block.event_count >= BLOCK_EVENTS
            or chunk_of(seq) != chunk_of(block.first_seq)
        ):
            if block:
                batch.blocks.append(block.row())
            block = self._block = Block(seq, seq, 0, ts_ns, ts_ns)
        block.last_seq = seq
        block.event_count += 1
        if ts_ns < block.min_ns:
            block.min_ns = ts_ns
        elif ts_ns > block.max_ns:
            block.max_ns = ts_ns
        placed = block.terms
        for term in terms:
            if term is not None and term not in placed:
                placed.add(term)
                batch.places.append((term, block.first_seq))
        return block

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

    def _summarise(self, records: Sequence[Accepted], batch: "_Batch") -> Summary:
        old = self.summary
        times = batch.times + ([old.first_ns, old.last_ns] if old.event_count else [])
        timed = [i for _, i, _ in records if is_timed(i)]
        others = len(records) - len(timed)
        timed += [i for i in (old.timed_low, old.timed_high) if i]
        return replace(
            old,
            event_count=old.event_count + len(records),
            first_ns=min(times),
            last_ns=max(times),
            first_seq=old.first_seq or records[0][0],
            last_seq=records[-1][0],
            timed_low=min(timed, default=b""),
            timed_high=max(timed, default=b""),
            other_count=old.other_count + others,
            parents=merge_parents((old.parents, batch.parents)),
        )


class _Batch:
    """The rows of one transaction, table by table."""

    def __init__(self) -> None:
        self.rows: list[tuple[object, ...]] = []
        self.times: list[int] = []
        self.texts: list[tuple[int, str]] = []
        self.blocks: list[tuple[float, ...]] = []
        self.places: list[tuple[int, int]] = []
        self.opened: list[tuple[Packed, int]] = []
        self.closed: set[Packed] = set()
        self.parents: dict[str, tuple[int, str]] = {}
        self.totals = Totals()

    def note_parent(self, agent: str, parent: str, ts_ns: int) -> None:
        if agent != parent:
            key, said = clean(agent), (ts_ns, clean(parent))
            self.parents[key] = max(said, self.parents.get(key, said))


_NO_USAGE = (NULL, NULL, NULL)


def _bound(packed: Packed | None) -> bytearray | str:
    """As a parameter that needs no adapter."""
    return bytearray(packed) if type(packed) is bytes else packed or NULL  # type: ignore[return-value]


def _try_pack(text: str | None) -> Packed | None:
    return pack_hex(text) if text else None


def find_known(connection: sqlite3.Connection, ids: Sequence[Packed]) -> set[Packed]:
    """Those of ``ids`` that the segment holds."""
    known: set[Packed] = set()
    for start in range(0, len(ids), LOOKUP_IDS):
        some = [_bound(packed) for packed in ids[start : start + LOOKUP_IDS]]
        # Always the same statement, so that it is compiled once. No id is empty.
        padded = [*some, *([NULL] * (LOOKUP_IDS - len(some)))]
        known.update(row[0] for row in connection.execute(_FIND_KNOWN, padded))
    return known


LOOKUP_IDS = 256
_FIND_KNOWN = f"SELECT id FROM ident WHERE id IN ({', '.join('?' * LOOKUP_IDS)})"  # noqa: S608 - marks only
