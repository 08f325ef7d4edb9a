"""The segments that the index has: what is known of each, its database for readers, what is wrong with it."""

import os
import sqlite3
from collections.abc import Callable, Hashable, Mapping
from contextlib import closing
from dataclasses import replace
from typing import TypeVar

from laneway.base.errors import LanewayError, StoreError
from laneway.store.api import DiskError

from . import schema
from .answer import AnswerBook, question_of
from .compact import file_digest
from .directory import Directory
from .fault import (
    DAMAGE,
    NOT_DAMAGE,
    find_damage,
    is_of_the_disk,
    may_be_damage,
    primary_code,
)
from .pool import ReaderPool, TimeBox
from .search import Search
from .summary import Summary, read_summary

REBUILD_HINT = "this part of the log is indexed again; ask once more in a moment"

T = TypeVar("T")


class Catalog:
    """Read by any thread; changed by one at a time, which `SqliteStore` sees to.

    ``on_problem`` is told in one sentence what had to be dropped. ``kept_rows``: see `AnswerBook`.
    """

    def __init__(
        self, directory: Directory, on_problem: Callable[[str], None], kept_rows: int
    ) -> None:
        self.directory = directory
        self._on_problem = on_problem
        self._pool = ReaderPool()
        self._answers = AnswerBook(kept_rows)
        self._summaries: dict[str, Summary] = {}
        self._damaged: set[str] = set()
        self.is_closed = False

    def load(self) -> int:
        """Learn what is there; the highest seq ever given. Drop what cannot be read, and then begin
        another epoch, because the events in it are indexed again under other seqs."""
        directory = self.directory
        dropped = [path for path in directory.iter_databases() if not self._try_load(path)]
        last_seq = max((directory.seq_floor, *(one.last_seq for one in self._summaries.values())))
        if dropped:
            directory.renew(last_seq)
        for path in dropped:
            directory.remove(path)
        return last_seq

    def get(self, segment: str) -> Summary | None:
        return self._summaries.get(segment)

    def all(self) -> list[Summary]:
        return list(self._summaries.copy().values())

    def put(self, summary: Summary) -> None:
        self._summaries[summary.segment] = summary

    def rename(self, moved: Mapping[str, str]) -> None:
        """Old → new, all at once. Of the others the summaries stay the very same, which their answers
        hold for."""
        self.directory.rename(moved)
        for segment in moved:
            self._answers.drop(segment)
        summaries = [
            replace(summary, segment=moved[old]) if old in moved else summary
            for old, summary in self._summaries.items()
        ]
        self._summaries = {summary.segment: summary for summary in summaries}
        self._damaged = {moved.get(segment, segment) for segment in self._damaged}

    def exchange(self, segment: str, copy: str, digest: str) -> None:
        """Put a compact copy in place of the segment's database, which nobody writes."""
        database = self.directory.database(segment)
        self.directory.remove_sum(database)
        self.directory.replace(database, copy)
        self._pool.discard(database)
        self.directory.put_sum(database, digest, is_compact=True)

    def drop(self, segment: str) -> None:
        """Forget the segment, and remove its database, which nobody writes."""
        self._summaries.pop(segment, None)
        self._damaged.discard(segment)
        database = self.directory.database(segment)
        self._pool.discard(database)
        self._answers.drop(segment)
        self.directory.remove(database)
        self.directory.leave(segment)

    def forget_answers(self) -> None:
        self._answers.clear()

    def read(
        self, summary: Summary, box: TimeBox, work: Callable[[sqlite3.Connection], T]
    ) -> T | None:
        """``work`` done on the segment, or None where it was forgotten in the meantime."""
        segment = summary.segment
        self.require_open()
        if box.is_over():
            raise box.error()
        try:
            with self._pool.borrow(summary.database, box) as connection:
                return work(connection)
        except sqlite3.Error as error:
            if segment not in self._summaries:
                return None
            if primary_code(error) == sqlite3.SQLITE_INTERRUPT:
                raise box.error() from None
            raise self.explain(segment, error) from error
        except LanewayError:
            raise
        except Exception as error:  # what only a damaged database can hold
            raise self.explain(segment, error) from error

    def answer(
        self,
        summary: Summary,
        search: Search,
        asked: Hashable,
        box: TimeBox,
        work: Callable[[sqlite3.Connection], T],
        rows_of: Callable[[T], int],
    ) -> T | None:
        """`read`, or what it told before where ``asked`` is about a whole segment that is as it was."""
        self.require_open()
        question = question_of(search, summary, asked)
        if question is None:
            return self.read(summary, box, work)
        known: T | None = self._answers.get(summary, question)
        if known is None:
            known = self.read(summary, box, work)
            if known is not None:
                self._answers.put(summary, question, known, rows_of(known))
        return known

    def explain(self, segment: str, error: Exception) -> StoreError:
        """What to raise where reading or writing the segment raised ``error``; damage is noted."""
        code = primary_code(error)
        if code in DAMAGE or (may_be_damage(error) and self._is_damaged(segment)):
            return self.note_damage(segment, str(error))
        hint = "free some disk space" if code == sqlite3.SQLITE_FULL else ""
        kind = DiskError if is_of_the_disk(error) else StoreError
        return kind(f"{segment}: {type(error).__name__}: {error}", hint=hint)

    def find_damage(self, segment: str) -> str:
        """What is wrong with the segment's database; raises OSError."""
        return find_damage(self.directory, self.directory.database(segment))

    def note_damage(self, segment: str, fault: str) -> StoreError:
        self.directory.mark_damaged(self.directory.database(segment))
        self._answers.drop(segment)
        if segment not in self._damaged:
            self._on_problem(f"the index of {segment} is damaged ({fault}); it is built again")
        self._damaged.add(segment)
        return StoreError(f"{segment}: its index is damaged ({fault})", hint=REBUILD_HINT)

    def take_damaged(self) -> list[str]:
        found, self._damaged = self._damaged, set()
        return sorted(found)

    def require_open(self) -> None:
        if self.is_closed:
            raise StoreError("the index is closed")

    def close(self, written: list[str]) -> None:
        """``written``: segments whose writers were open, and are closed."""
        self.is_closed = True
        self._pool.close()
        for segment in written:
            self._put_sum(self.directory.database(segment))
        self.directory.close()

    def _try_load(self, path: str) -> bool:
        try:
            summary, fault = self._inspect(path)
        except sqlite3.Error as error:
            if primary_code(error) in NOT_DAMAGE:
                raise
            summary, fault = None, str(error)
        except (TypeError, ValueError, OverflowError) as error:  # a value of another kind
            summary, fault = None, f"{type(error).__name__}: {error}"
        if fault:
            self._on_problem(f"{os.path.basename(path)} is dropped and indexed again: {fault}")
        elif summary:
            self._summaries[summary.segment] = summary
            self.directory.take(summary.segment, path)
        else:
            self.directory.remove(path)
        return not fault

    def _inspect(self, path: str) -> tuple[Summary | None, str]:
        """What the database holds (None: nothing yet), and what is wrong with it."""
        if self.directory.is_damaged(path):
            return None, "it was found damaged before"
        with closing(schema.open_reader(path)) as connection:
            if schema.is_blank(connection):
                return None, ""
            if fault := schema.find_fault(connection):
                return None, fault
            summary = read_summary(connection)
        if not self.directory.is_born_at(path, summary.segment):
            return summary, "it belongs to another segment"
        segment = self.directory.segment_at(path, summary.segment)
        if segment in self._summaries:
            return summary, f"there is another index of {segment}"
        return replace(summary, segment=segment, database=path), ""

    def _is_damaged(self, segment: str) -> bool:
        if segment not in self._summaries:
            return False
        try:
            return bool(self.find_damage(segment))
        except OSError:
            return False

    def _put_sum(self, database: str) -> None:
        """After an orderly close; where a reader still has it, nothing is known of it."""
        if os.path.exists(database) and not os.path.exists(database + "-wal"):
            try:
                self.directory.put_sum(database, file_digest(database), is_compact=False)
            except OSError:  # the disk is full: then it is checked as SQLite can
                pass
