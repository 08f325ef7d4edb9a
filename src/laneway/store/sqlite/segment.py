"""The writing side of one index database: what `add` puts into it."""

import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from laneway.store.api import keep_on

from . import schema, vocabulary
from .batch import Accepted, Batch, Columns, bound
from .beside import run_beside, try_json
from .duration import SketchBook, drop_spreads
from .ident import Packed, is_timed
from .kind import ERROR_TERM, LEVEL_TERM, NULL, KindBook
from .posting import CHUNK_BITS, PostingBook, chunk_of
from .rollup import ShapeBook, Totals, drop_derived
from .summary import Summary, merge_parents, read_summary, write_summary

__all__ = ["ERROR_TERM", "LEVEL_TERM", "SegmentWriter", "find_known"]

BLOCK_EVENTS = 256
"""Rows of one block, all of one chunk of `posting`. Smaller: a trace costs fewer rows read; larger:
`block` and `place` shrink."""

BESIDE_EVENTS = 256
"""Text of so many is written on a thread: 2 ms or more, against a tenth of one to start it."""

_MARKS = ["?"] * 7 + ["nullif(?, '')"] * 13
_ADD_EVENT = f"INSERT INTO event VALUES ({', '.join(_MARKS)})"  # noqa: S608 - marks only
_ADD_BLOCK = "INSERT OR REPLACE INTO block VALUES (?, ?, ?, ?, ?, ?)"
_ADD_TEXT = "INSERT INTO text (rowid, body) VALUES (?, ?)"
_ADD_TEXTS = "INSERT INTO text (rowid, body) SELECT ? + key, value FROM json_each(?)"
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


class SegmentWriter:
    """Not thread-safe. After an error it must be closed: its memory may be ahead of the file."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        bulk_events: int = 0,
        step_aside: Callable[[], None] = keep_on,
    ) -> None:
        """``bulk_events``: of one transaction, which then spans many calls of `write`; by itself each call
        is one."""
        self._connection = connection
        self._bulk_events = bulk_events
        self._step_aside = step_aside
        self._columns: Columns | None = None  # of rows that are in no total yet
        self.summary = read_summary(connection)
        self._kinds = KindBook(connection)
        self._shapes = ShapeBook(connection)
        self._sketches = SketchBook(connection)
        self._block = self._read_block()
        vocabulary.empty(connection)
        drop_derived(connection)
        drop_spreads(connection)
        connection.execute(schema.DROP_SLOW)
        self._postings = PostingBook(connection, self.summary.last_seq)

    def write(
        self,
        records: Sequence[Accepted],
        indexed_bytes: int,
        meanwhile: Callable[[], None] = lambda: None,
    ) -> None:
        """Add ``records`` in order of seq, without gaps, and move the offset, as one transaction or as a part
        of one. ``meanwhile`` is called once.

        The text is in it. It takes a third of the time (``bench/index.py``), but no interpreter: of many
        records it is written on a thread while ``meanwhile`` runs.
        """
        if not self._connection.in_transaction:
            self._connection.execute("BEGIN IMMEDIATE")
        batch = Batch(records, self._kinds) if records else None
        summary = self._write_rows(batch) if batch else self.summary
        summary = replace(summary, indexed_bytes=max(indexed_bytes, summary.indexed_bytes))
        is_whole = self._columns is None or len(self._columns.seqs) >= self._bulk_events
        if is_whole:
            self._write_totals()
        self._step_aside()
        texts = batch.texts() if batch else []

        def end() -> None:
            if batch:
                self._write_texts(batch.seqs[0], texts)
            if is_whole:
                self._commit(summary)

        if self._bulk_events or len(records) < BESIDE_EVENTS:
            end()
            meanwhile()
        else:
            run_beside(end, meanwhile)
        self.summary = summary

    def finish(self) -> None:
        """Close it with all that was written."""
        if self._connection.in_transaction:
            self._write_totals()
            self._commit(self.summary)
        if self._bulk_events:
            schema.end_bulk(self._connection)
        self.close()

    def find_known(self, ids: Sequence[Packed]) -> set[Packed]:
        return find_known(self._connection, ids)

    def close(self) -> None:
        self._connection.close()

    def _commit(self, summary: Summary) -> None:
        write_summary(self._connection, summary)
        self._connection.execute("COMMIT")

    def _read_block(self) -> Block | None:
        row = self._connection.execute(
            "SELECT first_seq, last_seq, event_count, min_ns, max_ns, max_ms FROM block"
            " ORDER BY first_seq DESC LIMIT 1"
        ).fetchone()
        return Block(*row) if row else None

    def _write_rows(self, batch: Batch) -> Summary:
        execute_many = self._connection.executemany
        self._step_aside()
        blocks, places = self._lay_out(batch)
        execute_many(_ADD_EVENT, batch.iter_rows())
        self._step_aside()
        execute_many("INSERT INTO ident VALUES (?, ?)", batch.iter_idents())
        execute_many("INSERT OR IGNORE INTO place VALUES (?, ?)", places)
        execute_many(_ADD_BLOCK, blocks)
        self._step_aside()
        opened, closed = batch.spans_left()
        execute_many("INSERT INTO opened VALUES (?, ?)", opened)
        execute_many("DELETE FROM opened WHERE span = ?", closed)
        parents = batch.parents()
        execute_many(_ADD_PARENT, ((agent, said, ns) for agent, (ns, said) in parents.items()))
        if self._columns is None:
            self._columns = batch.columns
        else:
            self._columns.extend(batch.columns)
        return self._summarise(batch, parents)

    def _write_texts(self, first_seq: int, texts: Sequence[str]) -> None:
        """In one statement, so that the interpreter is free until it ends; one by one where nothing else is
        done meanwhile, which costs a tenth less."""
        joined = None if self._bulk_events else try_json(texts)
        if joined is not None:
            self._connection.execute(_ADD_TEXTS, (first_seq, joined))
        else:
            self._connection.executemany(_ADD_TEXT, enumerate(texts, first_seq))

    def _write_totals(self) -> None:
        if self._columns is None:
            return
        columns, self._columns = self._columns, None
        self._step_aside()
        totals = Totals(columns)
        totals.write(self._connection)
        self._shapes.write(totals.iter_shapes())
        self._sketches.add(columns.iter_timed())
        self._sketches.write()
        self._step_aside()
        terms = [kind.terms for kind in columns.kinds]
        self._postings.add(columns.seqs, terms, columns.sessions)
        self._postings.write()

    def _lay_out(self, batch: Batch) -> tuple[list[tuple[float, ...]], list[tuple[int, int]]]:
        """Rows of `block` and of `place`."""
        seqs, times = batch.seqs, batch.times
        blocks: list[tuple[float, ...]] = []
        places: list[tuple[int, int]] = []
        start = 0
        while start < len(seqs):
            block = self._block = self._block_for(seqs[start], times[start])
            next_chunk = chunk_of(block.first_seq) + 1
            end = min(
                start + BLOCK_EVENTS - block.event_count,
                bisect_left(seqs, next_chunk << CHUNK_BITS, start),
            )
            block.event_count += end - start
            block.last_seq = seqs[end - 1]
            block.min_ns = min(block.min_ns, *times[start:end])
            block.max_ns = max(block.max_ns, *times[start:end])
            lasting = [ms for ms in batch.durations[start:end] if ms is not None]
            block.max_ms = max(block.max_ms, *lasting, -1.0)
            terms = {term for _, _, term in batch.traces[start:end]}
            terms.update(term for _, _, term in batch.spans[start:end])
            terms.discard(0)
            new = terms - block.terms
            block.terms |= new
            places += [(term, block.first_seq) for term in sorted(new)]
            blocks.append(block.row())
            start = end
        return blocks, places

    def _block_for(self, seq: int, ts_ns: int) -> Block:
        block = self._block
        is_fit = (
            block is not None
            and block.event_count < BLOCK_EVENTS
            and chunk_of(seq) == chunk_of(block.first_seq)
        )
        return block if block and is_fit else Block(seq, seq, 0, ts_ns, ts_ns)

    def _summarise(self, batch: Batch, parents: dict[str, tuple[int, str]]) -> Summary:
        old = self.summary
        times = [batch.first_ns, batch.last_ns]
        if old.event_count:
            times += [old.first_ns, old.last_ns]
        timed = [packed for packed in batch.ids if is_timed(packed)]
        others = len(batch.ids) - len(timed)
        timed += [packed for packed in (old.timed_low, old.timed_high) if packed]
        return replace(
            old,
            event_count=old.event_count + len(batch.ids),
            first_ns=min(times),
            last_ns=max(times),
            first_seq=old.first_seq or batch.seqs[0],
            last_seq=batch.seqs[-1],
            timed_low=min(timed, default=b""),
            timed_high=max(timed, default=b""),
            other_count=old.other_count + others,
            parents=merge_parents((old.parents, parents)),
        )


def find_known(connection: sqlite3.Connection, ids: Sequence[Packed]) -> set[Packed]:
    """Those of ``ids`` that the segment holds."""
    known: set[Packed] = set()
    for start in range(0, len(ids), LOOKUP_IDS):
        some = [bound(packed) for packed in ids[start : start + LOOKUP_IDS]]
        # Always the same statement, so that it is compiled once. No id is empty.
        padded = [*some, *([NULL] * (LOOKUP_IDS - len(some)))]
        known.update(row[0] for row in connection.execute(_FIND_KNOWN, padded))
    return known


LOOKUP_IDS = 256
_FIND_KNOWN = f"SELECT id FROM ident WHERE id IN ({', '.join('?' * LOOKUP_IDS)})"  # noqa: S608 - marks only
