"""Sketches of durations in a segment: one for each agent, tool and model that took time."""

import sqlite3
from collections.abc import Iterable

from laneway.store.sketch import Sketch

from . import schema

SKETCHED = (schema.AGENT, schema.TOOL, schema.MODEL)

SKETCH_CACHE = 2_000
"""Sketches remembered by a writer: about a megabyte."""

_WRITE = "INSERT OR REPLACE INTO sketch VALUES (?, ?, ?, ?, ?, ?, ?)"

Key = tuple[int, int]
"""Kind and code of a name."""


class SketchBook:
    """The sketches that a writer adds to. What a transaction touched is written with it, whole."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection
        self._sketches: dict[Key, Sketch] = {}
        self._errors: dict[Key, int] = {}
        self._touched: set[Key] = set()

    def add(self, keys: Iterable[tuple[int, int | None]], value_ms: float, has_error: int) -> None:
        for kind, code in keys:
            if code is not None:
                key = kind, code
                sketch = self._sketches.get(key) or self._load(key)
                sketch.add(value_ms)
                self._errors[key] += has_error
                self._touched.add(key)

    def write(self) -> None:
        self._connection.executemany(_WRITE, map(self._row, self._touched))
        self._touched.clear()
        if len(self._sketches) > SKETCH_CACHE:
            self._sketches.clear()
            self._errors.clear()

    def _row(self, key: Key) -> tuple[object, ...]:
        sketch = self._sketches[key]
        return (
            *key, sketch.count, self._errors[key], sketch.sum_us, sketch.max_ms, sketch.pack()
        )  # fmt: skip

    def _load(self, key: Key) -> Sketch:
        row = self._connection.execute(
            "SELECT error_count, event_count, sum_us, max_ms, buckets FROM sketch"
            " WHERE kind = ? AND code = ?",
            key,
        ).fetchone()
        self._errors[key] = row[0] if row else 0
        sketch = self._sketches[key] = Sketch.unpack(*row[1:]) if row else Sketch()
        return sketch


def iter_sketches(connection: sqlite3.Connection, kind: int) -> Iterable[tuple[int, int, Sketch]]:
    """Code, failed calls and sketch of each name of this kind."""
    rows = connection.execute(
        "SELECT code, error_count, event_count, sum_us, max_ms, buckets FROM sketch WHERE kind = ?",
        (kind,),
    )
    for code, error_count, *packed in rows:
        yield code, error_count, Sketch.unpack(*packed)
