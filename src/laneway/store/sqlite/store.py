"""`SqliteStore`: the `Store` protocol over one database per segment."""

import math
import os
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from typing import Literal, TypeVar

from laneway.base.errors import LanewayError, StoreError
from laneway.store.api import (
    Accuracy,
    Added,
    DiskError,
    Group,
    Groups,
    Page,
    Plan,
    Query,
    QueryTimeout,
    ReadEvent,
    Record,
    SegmentState,
    Split,
    Table,
)

from . import schema
from .aggregate import Aggregate, Part, check_split, read_part
from .answer import KEPT_ROWS, AnswerBook, question_of
from .built import Built, shares_ids
from .compact import file_digest
from .directory import Directory
from .ended import find_ended
from .explain import explain
from .find import find_in
from .hits import Hits
from .ident import Packed, pack_hex, pack_id
from .pool import ReaderPool, TimeBox
from .raw import RawText, ReadText, iter_windows, try_raw
from .scan import reach_of
from .search import Search, prepare
from .segment import SegmentWriter, find_known
from .session import Courses, Latest, read_courses, read_latest
from .sift import Sift, Sure
from .slow import Slowest, find_slow, read_maxima
from .summary import Summary, merge_parents, read_summary
from .total import Totals, read_cells

QUERY_LIMIT_S = 2.0
"""A reader's patience; beyond it the person should be told to narrow the question."""

OPEN_WRITERS = 8
"""Log files that grow at the same time; more than these are opened again for each batch."""

REBUILD_HINT = "this part of the log is indexed again; ask once more in a moment"

EXACT: Accuracy = "exact"
AT_LEAST: Accuracy = "at_least"

T = TypeVar("T")


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
        wal_bytes: int = schema.WAL_BYTES,
        kept_rows: int = KEPT_ROWS,
        is_synced: bool = True,
    ) -> None:
        """``wal_bytes``: what the newest segment's write-ahead log may grow to. ``kept_rows``: of
        answers of whole segments that are remembered. ``is_synced``: False where nobody misses the
        index after a power cut."""
        self._wal_bytes = wal_bytes
        self._is_synced = is_synced
        self._read_event = read_event
        self._read_text = read_text
        self._on_problem = on_problem
        self._query_limit_s = query_limit_s
        self._pool = ReaderPool()
        self._answers = AnswerBook(kept_rows)
        self._writing = threading.RLock()
        self._writers: OrderedDict[str, SegmentWriter] = OrderedDict()
        self._summaries: dict[str, Summary] = {}
        self._damaged: set[str] = set()
        self._is_closed = False
        self._last_seq = 0
        self._directory = Directory(path)
        try:
            self._load()
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
        states = [summary.state() for summary in self._summaries.copy().values()]
        return sorted(
            states, key=lambda state: (not state.event_count, state.first_ns, state.segment)
        )

    def add(
        self, segment: str, fingerprint: str, records: Sequence[Record], indexed_bytes: int
    ) -> Added:
        """Index ``records`` and advance the segment to ``indexed_bytes``, as one transaction.

        Records below the offset reached before are skipped: they were indexed then, and count as
        no duplicates. Another fingerprint than before drops what was known of the segment.
        """
        with self._writing, self._watch(segment):
            writer = self._writer(segment, fingerprint)
            reached = writer.summary.indexed_bytes
            ids = [pack_id(record.event["id"]) for record in records]
            fresh = [i for i, record in enumerate(records) if record.offset >= reached]
            known = self._find_known(writer, [ids[i] for i in fresh])
            return self._write(writer, records, ids, fresh, known, indexed_bytes)

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
                if segment in self._summaries or made.last_seq > built.last_seq:
                    return False
                for other in self._summaries.values():
                    if shares_ids(connection, made, other):
                        return False
            database = self._directory.place(segment)
            self._directory.remove(database)  # what an earlier, failed attempt left
            self._directory.replace(database, built.database)
            self._directory.put_sum(database, built.digest, is_compact=False)
            self._summaries[segment] = replace(made, segment=segment, database=database)
            return True

    def forget(self, segment: str) -> None:
        with self._writing, self._watch(segment):
            summary = self._summaries.get(segment)
            if summary:
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
            moved = {old: new for old, new in names.items() if old in self._summaries}
            if not moved:
                return
            self._directory.rename(moved)
            for segment in moved:
                self._answers.drop(segment)
            for writer in self._writers.values():
                old = writer.summary.segment
                writer.summary = replace(writer.summary, segment=moved.get(old, old))
            self._writers = OrderedDict(
                (writer.summary.segment, writer) for writer in self._writers.values()
            )
            summaries = [  # of the others the very same, which their answers hold for
                replace(summary, segment=moved[old]) if old in moved else summary
                for old, summary in self._summaries.items()
            ]
            self._summaries = {summary.segment: summary for summary in summaries}
            self._damaged = {moved.get(segment, segment) for segment in self._damaged}

    def settle(self) -> None:
        """Close what was open for writing: write-ahead logs of some MiB each go into their databases.
        What is written again is opened again."""
        with self._writing, self._watch(""):
            while self._writers:
                self._writers.popitem()[1].close()

    def size_bytes(self, segment: str) -> int:
        """What the segment's index takes on the disk."""
        return self._directory.size_bytes(segment)

    def reset(self) -> None:
        """Forget everything and begin another epoch, at seq 1."""
        with self._writing, self._watch(""):
            self._directory.renew()
            for segment in list(self._summaries):
                self._drop(segment)
            self._last_seq = 0

    def forget_answers(self) -> None:
        """What whole segments answered is asked of them again: what a first question costs."""
        self._answers.clear()

    def take_damaged(self) -> list[str]:
        """Segments whose databases were found damaged since: `forget` them, `renew_epoch`, and index
        them again."""
        found, self._damaged = self._damaged, set()
        return sorted(found)

    def renew_epoch(self) -> None:
        """Events will be indexed again under other seqs."""
        with self._writing:
            self._directory.renew(self._last_seq)

    def count_lines(self, segment: str, start: int, end: int) -> int:
        """Events of whose line, newline included, a part stands in ``[start, end)``; -1 if unknown."""
        sql = "SELECT count(*) FROM event WHERE offset < ? AND offset + length >= ?"
        summary = self._summaries.get(segment)
        if summary is None:
            return -1
        try:
            work = lambda connection: connection.execute(sql, (end, start)).fetchone()  # noqa: E731
            found = self._read(summary, TimeBox(math.inf), work)
        except StoreError:
            return -1
        return int(found[0]) if found else -1

    def compactable(self, segment: str) -> str:
        """The database of a segment that will not grow, or nothing where it is compact already."""
        database = self._directory.database(segment)
        found = self._directory.read_sum(database)
        return "" if (found and found[1]) or segment not in self._summaries else database

    def adopt(self, segment: str, copy: str, digest: str) -> bool:
        """Put a compact copy in place of a segment's database; False where that grew meanwhile."""
        with self._writing, self._watch(segment):
            with closing(schema.open_reader(copy)) as connection:
                made = read_summary(connection)
            database = self._directory.database(segment)
            made = replace(made, segment=segment, database=database)
            if made != self._summaries.get(segment):
                return False
            writer = self._writers.pop(segment, None)
            if writer:
                writer.close()
            self._directory.remove_sum(database)
            self._directory.replace(database, copy)
            self._pool.discard(database)
            self._directory.put_sum(database, digest, is_compact=True)
            return True

    def verify(self, segment: str) -> bool:
        """Whether the segment's database is what was written; if not, it is among `take_damaged`."""
        database = self._directory.database(segment)
        try:
            fault = self._find_damage(segment, database)
        except OSError as error:
            fault = str(error)
        if fault and segment in self._summaries:
            self._note_damage(segment, fault)
        return not fault

    def renew(self) -> None:
        """Begin another epoch and keep what is there; whoever remembers anything asks again."""
        with self._writing, self._watch(""):
            self._directory.renew(self._last_seq)

    def find(self, query: Query) -> Page:
        search, box = prepare(query), self._time_box()
        if query.slowest_first:
            return self._find_slow(search, box)
        if search.matcher is None:
            return self._find(search, box, query.limit)
        return self._sift(search).page(box)

    def _find(self, search: Search, box: TimeBox, limit: int) -> Page:
        """One page of candidates; hits, where the index can tell."""
        hits = Hits(limit, newest_first=search.query.newest_first)
        raw = self._try_raw(search)
        if raw:
            return self._find_raw(search, box, hits, raw)
        self._collect(search, box, hits)
        return hits.page()

    def _find_raw(self, search: Search, box: TimeBox, hits: Hits, raw: RawText) -> Page:
        """Where the time is not enough, a page up to the place that was reached, with a scan."""
        newest_first, segments = search.query.newest_first, self._matching(search)
        since_ns, until_ns = reach_of(search)
        has_begun = False
        for low, high in iter_windows(segments, since_ns, until_ns, newest_first=newest_first):
            if not hits.may_take(low, high):
                break
            part = replace(search, since_ns=low, until_ns=high)
            try:
                if has_begun and box.is_over():
                    raise box.error()
                self._collect(part, box, hits, raw)
            except QueryTimeout:
                if not has_begun:
                    raise
                return hits.page_before(low, high)
            has_begun = True
        return hits.page()

    def _collect(
        self, search: Search, box: TimeBox, hits: Hits, raw: RawText | None = None
    ) -> None:
        for summary in self._matching(search):
            if not hits.may_take(summary.first_ns, summary.last_ns):
                break
            work = partial(find_in, segment=summary.segment, search=search, hits=hits, raw=raw)
            self._read(summary, box, work)

    def _try_raw(self, search: Search) -> RawText | None:
        if search.literal is None or not search.literal.is_in_line:
            return None
        return try_raw(search.literal.text, self._read_text)

    def _find_slow(self, search: Search, box: TimeBox) -> Page:
        sure, slowest = self._sure(search, box), Slowest(search.query.limit)
        for summary, narrowed in sure.parts:
            if narrowed.is_plain and narrowed.covers(summary):
                maxima = partial(read_maxima, limit=search.query.limit)
                slowest.note(self._read(summary, sure.box, maxima) or [])
        for summary, narrowed in sure.parts:
            work = partial(find_slow, segment=summary.segment, search=narrowed, slowest=slowest)
            self._read(summary, sure.box, work)
        return slowest.page()._replace(scan=sure.scan)

    def groups(self, by: Literal["agent", "session"], query: Query) -> Groups:
        sure = self._sure(prepare(query), self._time_box())
        if by == "session":
            return Groups(self._sessions(sure, query.limit), sure.scan)
        totals = self._totals(by, sure)
        parents = merge_parents(summary.parents for summary in self._summaries.copy().values())
        return Groups(totals.agents(parents, query.limit), sure.scan)

    def _totals(
        self, by: Literal["agent", "session"], sure: Sure, sessions: list[str] | None = None
    ) -> Totals:
        totals = Totals(by)
        for summary, search in sure.parts:
            work = partial(read_cells, by=by, search=search, summary=summary, sessions=sessions)
            asked = ("groups", by, None if sessions is None else tuple(sessions))
            cells = self._answer(summary, search, asked, sure.box, work, lambda found: len(found))
            totals.add(cells or ())
        return totals

    def _sessions(self, sure: Sure, limit: int) -> list[Group]:
        """First which ones, from the newest segments; then their totals, from all that match; then
        how they stand, from all."""
        latest = Latest(limit)
        for summary, search in sure.parts:
            if not latest.may_take(summary.last_ns):
                break
            work = partial(read_latest, search=search, summary=summary, limit=limit)
            latest.take(self._read(summary, sure.box, work) or ())
        names = latest.names()
        if not names:
            return []
        totals, courses = self._totals("session", sure, names), Courses()
        for summary in self._summaries.copy().values():
            course = partial(read_courses, names=names)
            courses.take(self._read(summary, sure.box, course) or ())
        return totals.sessions(courses.found)

    def aggregate(self, query: Query, split: Split) -> Table:
        check_split(split)
        patience_s = self._query_limit_s if split.patience_s is None else split.patience_s
        aggregate, accuracy, scan = Aggregate(split), EXACT, None
        try:
            sure = self._sure(prepare(query), TimeBox(min(patience_s, self._query_limit_s)))
            scan = sure.scan
            if scan and not scan.is_complete:
                accuracy = AT_LEAST
            for summary, search in sure.parts:
                work = partial(read_part, search=search, summary=summary, split=split)
                asked = ("aggregate", split.by, split.step_ns, split.of)
                part = self._answer(summary, search, asked, sure.box, work, Part.row_count)
                if part is not None:
                    aggregate.add(part)
        except QueryTimeout:
            accuracy = AT_LEAST
        return aggregate.table(query.limit, accuracy)._replace(scan=scan)

    def explain(self, query: Query) -> Plan:
        search = prepare(query)
        return explain(search, self._matching(search), len(self._summaries))

    def _sure(self, search: Search, box: TimeBox) -> Sure:
        """What totals are counted over, the newest segment first: all rows, or, where the index
        cannot tell, those that the log confirmed. For the second half they get time of their own."""
        newest_first = replace(search.query, newest_first=True)
        search = replace(search, query=newest_first, after=None)
        segments = self._matching(search)
        if search.matcher is None:
            return Sure(box, [(summary, search) for summary in segments], None)
        seqs, scan = self._sift(search).all(box)
        parts = [
            (summary, search.only(seqs[summary.segment]))
            for summary in segments
            if summary.segment in seqs
        ]
        return Sure(self._time_box(), parts, scan)

    def _sift(self, search: Search) -> Sift:
        if self._read_event is None:
            raise StoreError("this query needs the log, and the index was opened without it")
        segments = self._matching(search)
        return Sift(search, self._find, segments, self._read_event, self._find_ended)

    def _find_ended(self, spans: Sequence[str]) -> set[str]:
        """Those of ``spans`` that an event anywhere in the log ends."""
        packed = {pack_hex(span): span for span in spans}
        ended: set[str] = set()
        for summary in self._summaries.copy().values():
            left = [one for one, span in packed.items() if span not in ended]
            if left:
                work = partial(find_ended, spans=left)
                found = self._read(summary, TimeBox(math.inf), work) or ()
                ended.update(packed[one] for one in found)
        return ended

    def close(self) -> None:
        with self._writing:
            if self._is_closed:
                return
            self._is_closed = True
            for writer in self._writers.values():
                writer.close()
            databases = [self._directory.database(segment) for segment in self._writers]
            self._writers.clear()
            self._pool.close()
            for database in databases:
                self._put_sum(database)
            self._directory.close()

    def _load(self) -> None:
        """Learn what is there; drop what cannot be read, and then begin another epoch, because the
        events in it are indexed again under other seqs."""
        dropped = [path for path in self._directory.iter_databases() if not self._try_load(path)]
        self._last_seq = max(
            (self._directory.seq_floor, *(one.last_seq for one in self._summaries.values()))
        )
        if dropped:
            self._directory.renew(self._last_seq)
        for path in dropped:
            self._directory.remove(path)

    def _try_load(self, path: str) -> bool:
        try:
            summary, fault = self._inspect(path)
        except sqlite3.Error as error:
            if _code(error) in NOT_DAMAGE:
                raise
            summary, fault = None, str(error)
        except (TypeError, ValueError, OverflowError) as error:  # a value of another kind
            summary, fault = None, f"{type(error).__name__}: {error}"
        if fault:
            self._on_problem(f"{os.path.basename(path)} is dropped and indexed again: {fault}")
        elif summary:
            self._summaries[summary.segment] = summary
            self._directory.take(summary.segment, path)
        else:
            self._directory.remove(path)
        return not fault

    def _inspect(self, path: str) -> tuple[Summary | None, str]:
        """What the database holds (None: nothing yet), and what is wrong with it."""
        if self._directory.is_damaged(path):
            return None, "it was found damaged before"
        with closing(schema.open_reader(path)) as connection:
            if schema.is_blank(connection):
                return None, ""
            if fault := schema.find_fault(connection):
                return None, fault
            summary = read_summary(connection)
        if not self._directory.is_born_at(path, summary.segment):
            return summary, "it belongs to another segment"
        segment = self._directory.segment_at(path, summary.segment)
        if segment in self._summaries:
            return summary, f"there is another index of {segment}"
        return replace(summary, segment=segment, database=path), ""

    def _writer(self, segment: str, fingerprint: str) -> SegmentWriter:
        summary = self._summaries.get(segment)
        if summary and summary.fingerprint != fingerprint:
            self.forget(segment)
        writer = self._writers.get(segment)
        if writer is None:
            writer = self._writers[segment] = self._open_writer(segment, fingerprint)
        self._writers.move_to_end(segment)
        while len(self._writers) > OPEN_WRITERS:
            self._writers.popitem(last=False)[1].close()
        return writer

    def _open_writer(self, segment: str, fingerprint: str) -> SegmentWriter:
        is_new = segment not in self._summaries
        find = self._directory.place if is_new else self._directory.database
        database = find(segment)
        if is_new:
            self._directory.remove(database)  # what an earlier, failed attempt left
        elif self._directory.read_sum(database):
            if fault := self._find_damage(segment, database):
                raise self._note_damage(segment, fault)
            self._directory.remove_sum(database)
        connection = schema.open_writer(database, self._wal_bytes, is_synced=self._is_synced)
        try:
            if is_new:
                schema.create(connection, segment, fingerprint)
            writer = SegmentWriter(connection)
            writer.summary = replace(writer.summary, segment=segment, database=database)
            return writer
        except BaseException:
            connection.close()
            raise

    def _find_known(self, writer: SegmentWriter, ids: Sequence[Packed]) -> set[Packed]:
        """Those of ``ids`` that any segment holds; asks only segments whose ids reach so far."""
        known: set[Packed] = set()
        for summary in list(self._summaries.values()):
            some = [packed for packed in ids if summary.may_hold(packed)]
            if some and summary.segment == writer.summary.segment:
                known |= writer.find_known(some)
            elif some:
                work = partial(find_known, ids=some)
                known |= self._read(summary, TimeBox(math.inf), work) or set()
        return known

    def _write(
        self,
        writer: SegmentWriter,
        records: Sequence[Record],
        ids: Sequence[Packed],
        fresh: Sequence[int],
        known: set[Packed],
        indexed_bytes: int,
    ) -> Added:
        seqs: list[int | None] = [None] * len(records)
        accepted: list[tuple[int, Packed, Record]] = []
        seq = self._last_seq
        for i in fresh:
            if ids[i] in known:
                continue
            known.add(ids[i])
            seq += 1
            seqs[i] = seq
            accepted.append((seq, ids[i], records[i]))
        writer.write(accepted, indexed_bytes)
        self._summaries[writer.summary.segment] = writer.summary
        self._last_seq = seq
        return Added(seqs, len(fresh) - len(accepted))

    def _matching(self, search: Search) -> list[Summary]:
        """The segments that can hold a hit, in the order in which a page meets them."""
        found = [
            summary for summary in self._summaries.copy().values() if search.may_match(summary)
        ]
        if search.query.newest_first:
            return sorted(found, key=lambda summary: -summary.last_ns)
        return sorted(found, key=lambda summary: summary.first_ns)

    def _time_box(self) -> TimeBox:
        return TimeBox(self._query_limit_s)

    def _read(
        self, summary: Summary, box: TimeBox, work: Callable[[sqlite3.Connection], T]
    ) -> T | None:
        """``work`` done on the segment, or None where it was forgotten in the meantime."""
        segment = summary.segment
        self._require_open()
        if box.is_over():
            raise box.error()
        try:
            with self._pool.borrow(summary.database, box) as connection:
                return work(connection)
        except sqlite3.Error as error:
            if segment not in self._summaries:
                return None
            if _code(error) == sqlite3.SQLITE_INTERRUPT:
                raise box.error() from None
            raise self._explain(segment, error) from error
        except LanewayError:
            raise
        except Exception as error:  # what only a damaged database can hold
            raise self._explain(segment, error) from error

    def _answer(
        self,
        summary: Summary,
        search: Search,
        asked: Hashable,
        box: TimeBox,
        work: Callable[[sqlite3.Connection], T],
        rows_of: Callable[[T], int],
    ) -> T | None:
        """`_read`, or what it told before where ``asked`` is about a whole segment that is as it was."""
        self._require_open()
        question = question_of(search, summary, asked)
        if question is None:
            return self._read(summary, box, work)
        known: T | None = self._answers.get(summary, question)
        if known is None:
            known = self._read(summary, box, work)
            if known is not None:
                self._answers.put(summary, question, known, rows_of(known))
        return known

    @contextmanager
    def _watch(self, segment: str) -> Iterator[None]:
        """Around a write: on any error the writer is closed, which rolls back."""
        self._require_open()
        try:
            yield
        except BaseException as error:
            writer = self._writers.pop(segment, None)
            if writer:
                writer.close()
            if isinstance(error, Exception) and not isinstance(error, LanewayError):
                raise self._explain(segment, error) from error
            raise

    def _explain(self, segment: str, error: Exception) -> StoreError:
        code = _code(error)
        is_doubtful = code not in NOT_DAMAGE and not isinstance(
            error, OSError
        )  # a full disk harms nothing
        if code in DAMAGE or (is_doubtful and self._is_damaged(segment)):
            return self._note_damage(segment, str(error))
        hint = "free some disk space" if code == sqlite3.SQLITE_FULL else ""
        kind = DiskError if isinstance(error, OSError) or code in OF_THE_DISK else StoreError
        return kind(f"{segment}: {type(error).__name__}: {error}", hint=hint)

    def _is_damaged(self, segment: str) -> bool:
        if segment not in self._summaries:
            return False
        try:
            return bool(self._find_damage(segment, self._directory.database(segment)))
        except OSError:
            return False

    def _find_damage(self, segment: str, database: str) -> str:
        """What is wrong with a database: by its digest where it has one, otherwise as SQLite sees it."""
        found = self._directory.read_sum(database)
        if found:
            is_same = file_digest(database) == found[0]
            return "" if is_same or self._directory.read_sum(database) != found else NOT_WRITTEN
        try:
            with closing(schema.open_reader(database)) as connection:
                (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
        except sqlite3.Error as error:
            return str(error) if _code(error) not in NOT_DAMAGE else ""
        return "" if answer == "ok" else str(answer)

    def _note_damage(self, segment: str, fault: str) -> StoreError:
        self._directory.mark_damaged(self._directory.database(segment))
        self._answers.drop(segment)
        if segment not in self._damaged:
            self._on_problem(f"the index of {segment} is damaged ({fault}); it is built again")
        self._damaged.add(segment)
        return StoreError(f"{segment}: its index is damaged ({fault})", hint=REBUILD_HINT)

    def _put_sum(self, database: str) -> None:
        """After an orderly close; where a reader still has it, nothing is known of it."""
        if os.path.exists(database) and not os.path.exists(database + "-wal"):
            try:
                self._directory.put_sum(database, file_digest(database), is_compact=False)
            except OSError:  # the disk is full: then it is checked as SQLite can
                pass

    def _drop(self, segment: str) -> None:
        self._summaries.pop(segment, None)
        self._damaged.discard(segment)
        writer = self._writers.pop(segment, None)
        if writer:
            writer.close()
        database = self._directory.database(segment)
        self._pool.discard(database)
        self._answers.drop(segment)
        self._directory.remove(database)
        self._directory.leave(segment)

    def _require_open(self) -> None:
        if self._is_closed:
            raise StoreError("the index is closed")


NOT_WRITTEN = "its bytes are not those that were written"

DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""The file itself is at fault."""

NOT_DAMAGE = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM,
)  # fmt: skip
"""The disk, the system or we are. With any other code the file is looked at."""
OF_THE_DISK = frozenset(
    {
        sqlite3.SQLITE_FULL,
        sqlite3.SQLITE_IOERR,
        sqlite3.SQLITE_READONLY,
        sqlite3.SQLITE_CANTOPEN,
        sqlite3.SQLITE_PERM,
        sqlite3.SQLITE_BUSY,
        sqlite3.SQLITE_PROTOCOL,
    }
)
"""Primary result codes that say nothing of what was to be written."""


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for an error of Python's own module, which has none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF
