"""`SqliteStore`: the `Store` protocol over one database per segment."""

import math
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Literal

from laneway.base.errors import LanewayError, StoreError
from laneway.store.api import (
    Added,
    Groups,
    Meanwhile,
    Page,
    Plan,
    Query,
    ReadEvent,
    Record,
    SegmentState,
    Split,
    Table,
    do_nothing,
    keep_on,
)

from . import schema
from .answer import KEPT_ROWS
from .batch import Accepted
from .built import Built, shares_ids
from .catalog import Catalog
from .directory import Directory
from .ident import Packed, pack_ids
from .pool import TimeBox
from .raw import ReadText
from .searcher import Searcher
from .segment import SegmentWriter, find_known
from .summary import Reach, read_summary

QUERY_LIMIT_S = 2.0
"""A reader's patience; beyond it the person should be told to narrow the question."""

OPEN_WRITERS = 8
"""Log files that grow at the same time; more than these are opened again for each batch."""


def ignore_problem(message: str) -> None:
    """The default for ``on_problem``."""


class SqliteStore:
    """
    ``on_problem`` is told in one sentence what had to be dropped; it may be called from any thread.
    ``read_event`` looks into the log, for conditions that the index cannot answer; with ``read_text``
    most of the lines that do not meet them are passed by unread.

    Raises:
        StoreError: another process has the index, or its directory cannot be written.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        on_problem: Callable[[str], None] = ignore_problem,
        query_limit_s: float = QUERY_LIMIT_S,
        read_event: ReadEvent | None = None,
        read_text: ReadText | None = None,
        step_aside: Callable[[], None] = keep_on,
        wal_bytes: int = schema.WAL_BYTES,
        kept_rows: int = KEPT_ROWS,
        is_bulk: bool = False,
    ) -> None:
        """``step_aside`` is called between the parts of a transaction. ``wal_bytes``: what the newest
        segment's write-ahead log may grow to. ``kept_rows``: of answers of whole segments that are
        remembered. ``is_bulk``: new segments are filled in one go, without a journal, and are of use once
        they are `settle`d or the store is closed in order; after a kill or an error they must be thrown
        away. Questions settle them."""
        self._wal_bytes = wal_bytes
        self._is_bulk = is_bulk
        self._step_aside = step_aside
        self._writing = threading.RLock()
        self._writers: OrderedDict[str, SegmentWriter] = OrderedDict()
        self._directory = Directory(path)
        self._catalog = Catalog(self._directory, on_problem, kept_rows)
        self._searcher = Searcher(self._catalog, query_limit_s, read_event, read_text)
        try:
            self._last_seq = self._catalog.load()
        except BaseException as error:
            self._directory.close()
            if isinstance(error, sqlite3.Error | OSError):
                raise StoreError(f"{path}: {error}") from error
            raise

    @property
    def epoch(self) -> str:
        """Names this index; another epoch means that every seq known before is void."""
        return self._directory.epoch

    @property
    def last_seq(self) -> int:
        """The highest seq ever given, 0 at first."""
        return self._last_seq

    def segments(self) -> list[SegmentState]:
        states = [summary.state() for summary in self._catalog.all()]
        return sorted(
            states, key=lambda state: (not state.event_count, state.first_ns, state.segment)
        )

    def add(
        self,
        segment: str,
        fingerprint: str,
        records: Sequence[Record],
        indexed_bytes: int,
        meanwhile: Meanwhile = do_nothing,
    ) -> Added:
        """Index ``records`` and advance the segment to ``indexed_bytes``, as one transaction.

        Records below the offset reached before are skipped: they were indexed then, and count as
        no duplicates. Another fingerprint than before drops what was known of the segment.
        """
        with self._writing, self._watch(segment):
            writer = self._writer(segment, fingerprint)
            reached = writer.summary.indexed_bytes
            ids = pack_ids([record.event["id"] for record in records])
            fresh = [i for i, record in enumerate(records) if record.offset >= reached]
            known = self._find_known(writer, [ids[i] for i in fresh])
            return self._write(writer, records, ids, fresh, known, indexed_bytes, meanwhile)

    def reserve(self, count: int) -> int:
        """Leave out the next ``count`` seqs, for events that are indexed elsewhere; the seq before them."""
        with self._writing:
            floor = self._last_seq
            self._last_seq += count
            return floor

    def database(self, segment: str) -> str:
        """The file in which the segment is kept."""
        return self._directory.database(segment)

    def take_in(self, segment: str, built: Built) -> bool:
        """Move the index of a whole segment here, which another process built under seqs that were
        reserved for it. False where the segment, or one of its events, is known already, or where it
        has more events than seqs; then nothing is changed."""
        with self._writing, self._watch(segment):
            with closing(schema.open_reader(built.database)) as connection:
                made = read_summary(connection)
                if self._catalog.get(segment) or made.last_seq > built.last_seq:
                    return False
                if any(shares_ids(connection, made, other) for other in self._catalog.all()):
                    return False
            database = self._directory.place(segment)
            self._directory.remove(database)  # what an earlier, failed attempt left
            self._directory.replace(database, built.database)
            self._directory.put_sum(database, built.digest, is_compact=False)
            self._catalog.put(replace(made, segment=segment, database=database))
            return True

    def forget(self, segment: str) -> None:
        with self._writing, self._watch(segment):
            if self._catalog.get(segment):
                others = (one.last_seq for one in self._catalog.all() if one.segment != segment)
                if (
                    max(others, default=0) < self._last_seq
                ):  # else one of them tells after a restart
                    self._directory.raise_floor(self._last_seq)
                self._drop(segment)

    def rename(self, names: Mapping[str, str]) -> None:
        """Log files have other names, old → new, all at once; a new name that is none of the old ones
        is forgotten first. What is known of the files stays as it is, seqs included. Costs one small
        file, however many they are."""
        with self._writing, self._watch(""):
            for new in names.values():
                if new not in names:
                    self.forget(new)
            moved = {old: new for old, new in names.items() if self._catalog.get(old)}
            if not moved:
                return
            self._catalog.rename(moved)
            for writer in self._writers.values():
                old = writer.summary.segment
                writer.summary = replace(writer.summary, segment=moved.get(old, old))
            self._writers = OrderedDict(
                (writer.summary.segment, writer) for writer in self._writers.values()
            )

    def settle(self) -> None:
        """Close what was open for writing: write-ahead logs of some MiB each go into their databases.
        What is written again is opened again."""
        with self._writing, self._watch(""):
            while self._writers:
                self._writers.popitem()[1].finish()

    def size_bytes(self, segment: str) -> int:
        """What the segment's index takes on the disk."""
        return self._directory.size_bytes(segment)

    def reset(self) -> None:
        """Forget everything and begin another epoch, at seq 1."""
        with self._writing, self._watch(""):
            self._directory.renew()
            for summary in self._catalog.all():
                self._drop(summary.segment)
            self._last_seq = 0

    def forget_answers(self) -> None:
        """What whole segments answered is asked of them again: what a first question costs."""
        self._catalog.forget_answers()

    def take_damaged(self) -> list[str]:
        """Segments whose databases were found damaged since: `forget` them, `renew_epoch`, and index
        them again."""
        return self._catalog.take_damaged()

    def count_lines(self, segment: str, start: int, end: int) -> int:
        """Events of whose line, newline included, a part stands in ``[start, end)``; -1 if unknown."""
        return self._asked().count_lines(segment, start, end)

    def compactable(self, segment: str) -> str:
        """The database of a segment that will not grow, or nothing where it is compact already."""
        database = self._directory.database(segment)
        found = self._directory.read_sum(database)
        return "" if (found and found[1]) or not self._catalog.get(segment) else database

    def adopt(self, segment: str, copy: str, digest: str) -> bool:
        """Put a compact copy in place of a segment's database; False where that grew meanwhile."""
        with self._writing, self._watch(segment):
            with closing(schema.open_reader(copy)) as connection:
                made = read_summary(connection)
            made = replace(made, segment=segment, database=self._directory.database(segment))
            if made != self._catalog.get(segment):
                return False
            self._close_writer(segment)
            self._catalog.exchange(segment, copy, digest)
            return True

    def verify(self, segment: str) -> bool:
        """Whether the segment's database is what was written; if not, it is among `take_damaged`."""
        try:
            fault = self._catalog.find_damage(segment)
        except OSError as error:
            fault = str(error)
        if fault and self._catalog.get(segment):
            self._catalog.note_damage(segment, fault)
        return not fault

    def renew_epoch(self) -> None:
        """Begin another epoch and keep what is there; whoever remembers anything asks again."""
        with self._writing, self._watch(""):
            self._directory.renew(self._last_seq)

    def find(self, query: Query) -> Page:
        return self._asked().find(query)

    def groups(self, by: Literal["agent", "session"], query: Query) -> Groups:
        return self._asked().groups(by, query)

    def aggregate(self, query: Query, split: Split) -> Table:
        return self._asked().aggregate(query, split)

    def explain(self, query: Query) -> Plan:
        return self._asked().explain(query)

    def close(self) -> None:
        with self._writing:
            if self._catalog.is_closed:
                return
            written = list(self._writers)
            try:
                for writer in self._writers.values():
                    writer.finish()
            except sqlite3.Error as error:
                raise StoreError(f"{self._directory.path}: {error}") from error
            finally:
                for segment in written:
                    self._close_writer(segment)
                self._catalog.close(written)

    def _asked(self) -> Searcher:
        if self._is_bulk:
            self.settle()
        return self._searcher

    def _writer(self, segment: str, fingerprint: str) -> SegmentWriter:
        summary = self._catalog.get(segment)
        if summary and summary.fingerprint != fingerprint:
            self.forget(segment)
        writer = self._writers.get(segment)
        if writer is None:
            writer = self._writers[segment] = self._open_writer(segment, fingerprint)
        self._writers.move_to_end(segment)
        while len(self._writers) > OPEN_WRITERS:
            self._writers.popitem(last=False)[1].finish()
        return writer

    def _open_writer(self, segment: str, fingerprint: str) -> SegmentWriter:
        is_new = self._catalog.get(segment) is None
        find = self._directory.place if is_new else self._directory.database
        database = find(segment)
        if is_new:
            self._directory.remove(database)  # what an earlier, failed attempt left
        elif self._directory.read_sum(database):
            if fault := self._catalog.find_damage(segment):
                raise self._catalog.note_damage(segment, fault)
            self._directory.remove_sum(database)
        is_bulk = self._is_bulk and is_new
        connection = schema.open_writer(database, self._wal_bytes, is_synced=not self._is_bulk)
        try:
            if is_new:
                schema.create(connection, segment, fingerprint, is_bulk=is_bulk)
            if is_bulk:
                schema.begin_bulk(connection)
            bulk_events = schema.BULK_EVENTS if is_bulk else 0
            writer = SegmentWriter(connection, bulk_events, self._step_aside)
            writer.summary = replace(writer.summary, segment=segment, database=database)
            return writer
        except BaseException:
            connection.close()
            raise

    def _find_known(self, writer: SegmentWriter, ids: Sequence[Packed]) -> set[Packed]:
        """Those of ``ids`` that any segment holds; asks only segments whose ids reach so far."""
        known: set[Packed] = set()
        if not ids:
            return known
        reach = Reach.of(ids)
        for summary in self._catalog.all():
            if not summary.may_hold_any(reach):
                continue
            some = [packed for packed in ids if summary.may_hold(packed)]
            if some and summary.segment == writer.summary.segment:
                known |= writer.find_known(some)
            elif some:
                work = partial(find_known, ids=some)
                known |= self._catalog.read(summary, TimeBox(math.inf), work) or set()
        return known

    def _write(
        self,
        writer: SegmentWriter,
        records: Sequence[Record],
        ids: Sequence[Packed],
        fresh: Sequence[int],
        known: set[Packed],
        indexed_bytes: int,
        meanwhile: Meanwhile,
    ) -> Added:
        seq = self._last_seq
        if len(fresh) == len(records) and not known and len(set(ids)) == len(ids):  # as a rule
            last_seq = seq + len(records)
            new = [*range(seq + 1, last_seq + 1)]
            taken = list(zip(new, ids, records, strict=True))
            self._put(writer, taken, indexed_bytes, last_seq, partial(meanwhile, new))
            return Added(new, 0)
        seqs: list[int | None] = [None] * len(records)
        accepted: list[Accepted] = []
        for i in fresh:
            if ids[i] in known:
                continue
            known.add(ids[i])
            seq += 1
            seqs[i] = seq
            accepted.append((seq, ids[i], records[i]))
        self._put(writer, accepted, indexed_bytes, seq, partial(meanwhile, seqs))
        return Added(seqs, len(fresh) - len(accepted))

    def _put(
        self,
        writer: SegmentWriter,
        accepted: Sequence[Accepted],
        indexed_bytes: int,
        last_seq: int,
        meanwhile: Callable[[], None],
    ) -> None:
        writer.write(accepted, indexed_bytes, meanwhile)
        self._catalog.put(writer.summary)
        self._last_seq = last_seq

    @contextmanager
    def _watch(self, segment: str) -> Iterator[None]:
        """Around a write: on any error the writer is closed, which rolls back."""
        self._catalog.require_open()
        try:
            yield
        except BaseException as error:
            self._close_writer(segment)
            if isinstance(error, Exception) and not isinstance(error, LanewayError):
                raise self._catalog.explain(segment, error) from error
            raise

    def _close_writer(self, segment: str) -> None:
        writer = self._writers.pop(segment, None)
        if writer:
            writer.close()

    def _drop(self, segment: str) -> None:
        self._close_writer(segment)
        self._catalog.drop(segment)
