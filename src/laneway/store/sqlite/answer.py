"""What whole segments answered, kept in memory: a segment that does not grow gives the same totals again.

A dashboard asks a few questions every few seconds, over all history. With this each costs what the
newest segment costs, and adding up.
"""

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from .search import Search
from .summary import Summary

KEPT_ROWS = 50_000
"""Rows of all answers together, 200 bytes each. A chart of ten million events by agent is 9,300."""

MOST_ROWS = KEPT_ROWS // 10
"""A larger answer of one segment would push out too many others."""

Key = tuple[str, Hashable]
"""Segment and question."""


class AnswerBook:
    """Thread-safe. An answer holds for the very `Summary` that it was given with: a segment that grew,
    was forgotten or is indexed again has another one. Nobody may change an answer."""

    def __init__(self, kept_rows: int = KEPT_ROWS) -> None:
        self._kept_rows = kept_rows
        self._lock = threading.Lock()
        self._answers: OrderedDict[Key, tuple[Summary, Any, int]] = OrderedDict()
        self._row_count = 0

    def get(self, summary: Summary, question: Hashable) -> Any:
        """None where nothing is known."""
        key = summary.segment, question
        with self._lock:
            found = self._answers.get(key)
            if found is None or found[0] is not summary:
                return None
            self._answers.move_to_end(key)
            return found[1]

    def put(self, summary: Summary, question: Hashable, answer: object, rows: int) -> None:
        if rows > MOST_ROWS or rows > self._kept_rows:
            return
        key = summary.segment, question
        with self._lock:
            self._remove(key)
            self._answers[key] = summary, answer, rows + 1
            self._row_count += rows + 1
            while self._row_count > self._kept_rows:
                self._remove(next(iter(self._answers)))

    def clear(self) -> None:
        with self._lock:
            self._answers.clear()
            self._row_count = 0

    def drop(self, segment: str) -> None:
        """For a segment that is gone or damaged: its answers are of no use, and must not hide that."""
        with self._lock:
            for key in [key for key in self._answers if key[0] == segment]:
                self._remove(key)

    def _remove(self, key: Key) -> None:
        found = self._answers.pop(key, None)
        if found is not None:
            self._row_count -= found[2]


def question_of(search: Search, summary: Summary, asked: Hashable) -> Hashable | None:
    """What ``search`` asks of a segment that lies in its window as a whole; None where it asks of a
    part of it, of single events, or of the log."""
    if search.picks or search.matcher or not search.covers(summary):
        return None
    return asked, search.conditions, search.wants_error, search.match
