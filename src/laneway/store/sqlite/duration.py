"""Sketches of durations in a segment: one for each agent, tool and model that took time, and, once it is
compact, one for each shape, so that percentiles under a filter by names need no rows."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from laneway.store.sketch import Sketch, sketch_of

from . import schema
from .rollup import SHAPE_FIELDS, Shape

SKETCHED = {schema.AGENT: 0, schema.TOOL: 2, schema.MODEL: 4}
"""Kinds of names, and where they stand in a shape."""

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

    def add(self, timed: Iterable[tuple[Shape, float]]) -> None:
        """Events that took time: their shapes, and milliseconds."""
        of_shape: defaultdict[Shape, list[float]] = defaultdict(list)
        for shape, value_ms in timed:
            of_shape[shape].append(value_ms)
        values: defaultdict[Key, list[float]] = defaultdict(list)
        errors: defaultdict[Key, int] = defaultdict(int)
        for shape, some in of_shape.items():
            for kind, place in SKETCHED.items():
                if (code := shape[place]) is not None:
                    values[kind, code] += some
                    errors[kind, code] += len(some) * shape[-1]
        for key, some in values.items():
            sketch = self._sketches.get(key) or self._load(key)
            sketch.add_all(some)
            self._errors[key] += errors[key]
        self._touched.update(values)

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


def derive_spreads(connection: sqlite3.Connection) -> None:
    """Write the sketch of each shape. What was there before is replaced."""
    drop_spreads(connection)
    names = ", ".join((*SHAPE_FIELDS, "has_error"))
    codes: dict[tuple[object, ...], int] = {}
    for code, *shape in connection.execute(f"SELECT code, {names} FROM shape ORDER BY code"):  # noqa: S608 - constants only
        codes.setdefault(tuple(shape), code)
    values: defaultdict[int, list[float]] = defaultdict(list)
    for *shape, value_ms in connection.execute(
        f"SELECT {names}, duration_ms FROM event WHERE duration_ms IS NOT NULL"  # noqa: S608 - constants only
    ):
        values[codes[tuple(shape)]].append(value_ms)
    connection.executemany(
        "INSERT INTO spread VALUES (?, ?, ?, ?, ?)",
        (_spread_row(code, sketch_of(some)) for code, some in values.items()),
    )


def drop_spreads(connection: sqlite3.Connection) -> None:
    """Before anything is added."""
    if connection.execute("SELECT 1 FROM spread").fetchone():
        connection.execute("DELETE FROM spread")


def _spread_row(code: int, sketch: Sketch) -> tuple[object, ...]:
    return code, sketch.count, sketch.sum_us, sketch.max_ms, sketch.pack()
