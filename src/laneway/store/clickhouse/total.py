"""Groups and aggregates: counted by the server, or one by one where it cannot tell which events match."""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from laneway.store import sketch
from laneway.store.api import (
    LONGEST_WORK_MS,
    Accuracy,
    Course,
    Field,
    Groups,
    Query,
    QueryTimeout,
    Scan,
    Split,
    Table,
    work_us,
)
from laneway.store.query.expr import Compare, Expr, Value, iter_leaves
from laneway.store.query.field import LEVEL, SEQ
from laneway.store.query.match import NUSD, amount_of, clamp_ns
from laneway.store.query.outcome import has_failed, level_of
from laneway.store.sketch import LEAST_MS, LOG_FACTOR, MOST_MS, Sketch
from laneway.store.sqlite import aggregate as cells
from laneway.store.sqlite.total import Cell, Totals

from .search import Deadline, Found, Search, Sift
from .server import Server
from .where import Binder, compile_where, plain

MINUTE_NS = 60 * 10**9
ROLLED_UP = frozenset({"agent", "event", "tool", "level", "pod"})
"""What ``minute`` can tell apart."""

FIRST_NS, LAST_NS = 10_957 * 86_400 * 10**9, 47_483 * 86_400 * 10**9
"""The times that ``minute`` holds."""

TINY = -1_000_000
"""Stands for the bucket of what is shorter than any clock measures."""

TITLES = ["user_message", "session_title"]
_USAGE = ("input_tokens", "output_tokens", "cost_usd")
_USAGE_SUMS = ", ".join(
    f"sum(toFloat64(ifNull({column}, 0)))"
    for column in ("input_tokens", "output_tokens", "cost_nusd")
)
_WORK_US = f"toInt64(least(greatest(duration_ms, 0), {LONGEST_WORK_MS}) * 1000)"
_NEEDS = {
    "usage": "input_tokens IS NOT NULL OR output_tokens IS NOT NULL OR cost_nusd IS NOT NULL",
    "work": "duration_ms IS NOT NULL",
}
_SELECTED = {
    "count": (("ts_ns", "count(), sum(failed)"),),
    "usage": (("ts_ns", f"count(), sum(failed), {_USAGE_SUMS}"),),
    "work": (
        ("ts_ns", f"count(), sum(failed), sum({_WORK_US}), 0"),
        (f"(ts_ns - {_WORK_US} * 1000)", "0, 0, 0, count()"),
    ),
}
"""What is told of each step, and of which time it is the step."""
_SUMS = f"count(), sum(failed), min(ts_ns), max(ts_ns), {_USAGE_SUMS}"
By = Literal["agent", "session"]


def column_of(field: Field) -> str:
    return "session_id" if field == "session" else field


class Ask:
    """One question for totals."""

    def __init__(self, server: Server, search: Search, limit_s: float, total_bytes: int) -> None:
        self._server = server
        self._search = search
        self._deadline = Deadline(limit_s)
        self._total_bytes = total_bytes

    def groups(self, by: By) -> Groups:
        search, totals, scan = self._search, Totals(by), None
        if search.matcher:
            sift = self._sift()
            totals.add(_cell(found) for found in sift)
            scan = sift.scan()
        else:
            totals.add(self._read_cells(by))
        limit = search.query.limit
        if by == "agent":
            return Groups(totals.agents(self._parents(), limit), scan)
        names = [group.name for group in totals.sessions({})[:limit]]
        return Groups(totals.sessions(self._courses(names))[:limit], scan)

    def aggregate(self, split: Split, writing: AbstractContextManager[Any]) -> Table:
        """``writing`` is held while a batch is added: a roll-up has no seqs, and none may be half in it."""
        folded, scan = Folded(split), None
        accuracy: Accuracy = "exact"
        try:
            if self._search.matcher:
                scan = self._fold_found(folded)
            elif split.of == "duration":
                self._fold_durations(folded)
            else:
                self._fold_sums(folded, writing)
        except QueryTimeout:
            accuracy = "at_least"
        if scan and not scan.is_complete:
            accuracy = "at_least"
        table = folded.table(self._search.query.limit, accuracy)
        return table._replace(scan=scan)

    def _ask(self, sql: str, values: dict[str, Any] | None = None) -> Sequence[Sequence[Any]]:
        values = self._search.binder.values if values is None else values
        return self._server.ask(sql, values, limit_s=self._deadline.left_s)

    def _sift(self) -> Sift:
        return Sift(self._server, self._search, self._deadline, self._total_bytes, None)

    def _read_cells(self, by: By) -> Iterator[Cell]:
        search = self._search
        if by == "agent":
            sql = search.select(f"NULL, agent, {_SUMS}", "GROUP BY agent")
        else:
            latest = search.select(
                "session_id",
                f"GROUP BY session_id ORDER BY max(ts_ns) DESC, session_id LIMIT {search.query.limit:d}",
                also="session_id IS NOT NULL",
            )
            names = [row[0] for row in self._ask(latest)]
            if not names:
                return
            among = f"session_id IN {search.binder.texts(names)}"
            sql = search.select(
                f"session_id, agent, {_SUMS}", "GROUP BY session_id, agent", also=among
            )
        for row in self._ask(sql):
            yield Cell(row[0], row[1], *row[2:])

    def _parents(self) -> dict[str, tuple[int, str]]:
        """Who spawned whom, by what was said last, whatever the query filtered."""
        binder = Binder()
        rows = self._ask(
            f"SELECT agent, argMax(parent_agent, (ts_ns, parent_agent)) FROM {self._search.names.event}"  # noqa: S608 - values are bound
            f" WHERE {self._visible(binder)} AND parent_agent IS NOT NULL"
            " AND parent_agent != agent GROUP BY agent",
            binder.values,
        )
        return {row[0]: (0, row[1]) for row in rows}

    def _courses(self, names: list[str]) -> dict[str, Course]:
        if not names:
            return {}
        binder = Binder()
        title = f"event IN {binder.texts(TITLES)}"
        rows = self._ask(
            "SELECT session_id, min(ts_ns), max(ts_ns), argMax(event, (ts_ns, seq)),"  # noqa: S608 - values are bound
            f" argMax(failed, (ts_ns, seq)), argMinIf(seq, (ts_ns, seq), {title})"
            f" FROM {self._search.names.event} WHERE {self._visible(binder)}"
            f" AND session_id IN {binder.texts(names)} GROUP BY session_id",
            binder.values,
        )
        return {row[0]: Course(row[1], row[2], row[3], bool(row[4]), row[5]) for row in rows}

    def _visible(self, binder: Binder) -> str:
        return f"seq <= {binder.integer(self._search.reached_seq)}"

    def _fold_sums(self, folded: "Folded", writing: AbstractContextManager[Any]) -> None:
        search, split = self._search, folded.split
        rolled = try_minutes(search, split)
        if rolled:
            with writing:
                rows = self._ask(*rolled)
        else:
            columns = [column_of(field) for field in split.by]
            also = " AND ".join(f"{column} IS NOT NULL" for column in columns)
            if split.of in _NEEDS:
                also += f"{' AND ' if also else ''}({_NEEDS[split.of]})"
            rows = []
            for column, sums in _SELECTED[split.of]:
                step = _step(split, column, search.binder)
                keys = f"[{', '.join(f'toString({c})' for c in columns)}]::Array(String)"
                sql = search.select(
                    f"{keys}, {step} AS step, {sums}",
                    f"GROUP BY {', '.join([*columns, 'step'])} LIMIT {cells.MAX_CELLS + 1:d}",
                    also=also,
                )  # fmt: skip
                rows += self._ask(sql)
        for row in rows:
            folded.put(tuple(row[0]), row[1], row[2:])

    def _fold_durations(self, folded: "Folded") -> None:
        search = self._search
        columns = [column_of(field) for field in folded.split.by]
        keys = f"[{', '.join(f'toString({c})' for c in columns)}]::Array(String)"
        also = " AND ".join(["duration_ms IS NOT NULL", *(f"{c} IS NOT NULL" for c in columns)])
        ((count,),) = self._ask(search.select("count()", also=also))
        if count <= sketch.EXACT_VALUES:
            for row in self._ask(search.select(f"{keys}, failed, duration_ms", also=also)):
                folded.put_duration(tuple(row[0]), row[1], row[2])
            return
        bind = search.binder.bind
        bucket = (
            f"if(duration_ms <= {bind(LEAST_MS, 'Float64')}, {TINY}, toInt64(ceil(log(least(duration_ms,"
            f" {bind(MOST_MS, 'Float64')})) / {bind(LOG_FACTOR, 'Float64')})))"
        )
        sql = search.select(
            f"{keys}, {bucket} AS bucket, count(), sum(failed), max(duration_ms),"
            " sum(round(duration_ms * 1000))",
            f"GROUP BY {', '.join([*columns, 'bucket'])}",
            also=also,
        )
        for row in self._ask(sql):
            folded.put_bucket(tuple(row[0]), *row[1:])

    def _fold_found(self, folded: "Folded") -> Scan:
        split, sift = folded.split, self._sift()
        for found in sift:
            event = found.event
            keys = tuple(_value_of(event, field) for field in split.by)
            if None in keys:
                continue
            failed = int(has_failed(event))
            if split.of == "duration":
                if isinstance(event.get("duration_ms"), int | float):
                    folded.put_duration(keys, failed, float(event["duration_ms"]))
                continue
            amounts: list[float] = [1, failed]
            ts_ns = clamp_ns(found.pointer.ts_ns)
            if split.of == "work":
                if not isinstance(event.get("duration_ms"), int | float):
                    continue
                took_us = work_us(event["duration_ms"])
                amounts += [took_us, 0]
                folded.put(keys, _step_of(ts_ns - took_us * 1000, split), [0, 0, 0, 1])
            if split.of == "usage":
                if all(event.get(name) is None for name in _USAGE):
                    continue
                amounts += _usage_of(event)
            folded.put(keys, _step_of(ts_ns, split), amounts)
        return sift.scan()


def _step_of(ts_ns: int, split: Split) -> int:
    return ts_ns // split.step_ns if split.step_ns else 0


def _step(split: Split, column: str, binder: Binder) -> str:
    if not split.step_ns:
        return "0"
    size = binder.integer(split.step_ns)
    return f"(intDiv({column}, {size}) - ({column} % {size} < 0))"


def try_minutes(search: Search, split: Split) -> tuple[str, dict[str, Any]] | None:
    """The count from ``minute``, where fields and times are such that it knows the answer."""
    query = search.query
    if split.of != "count" or not split.step_ns or split.step_ns % MINUTE_NS:
        return None
    if not set(split.by) <= ROLLED_UP or not _is_rolled(search.expr) or not _is_whole(query):
        return None
    binder = Binder()
    condition = compile_where(plain(query.where), binder, search.names, "1")
    columns = [column_of(field) for field in split.by]
    held = [f"{column} IS NOT NULL" for column in columns]
    since, until = max(query.since_ns or 0, FIRST_NS), min(query.until_ns or LAST_NS, LAST_NS)
    times = [
        f"minute >= toDateTime({binder.integer(since // 10**9)})",
        f"minute < toDateTime({binder.integer(until // 10**9)})",
    ]
    step = f"intDiv(toInt64(toUnixTimestamp(minute)), {binder.integer(split.step_ns // 10**9)})"
    sql = (
        f"SELECT [{', '.join(f'toString({c})' for c in columns)}]::Array(String), {step} AS step,"  # noqa: S608 - values are bound
        f" sum(event_count), sumIf(event_count, failed = 1) FROM {search.names.minute}"
        f" WHERE {' AND '.join([condition.sql, *held, *times])}"
        f" GROUP BY {', '.join([*columns, 'step'])} LIMIT {cells.MAX_CELLS + 1:d}"
    )
    return sql, binder.values


def _is_rolled(expr: Expr) -> bool:
    return all(
        isinstance(leaf, Value | Compare)
        and not leaf.field.path
        and leaf.field != SEQ
        and (leaf.field.key in ROLLED_UP or leaf.field == LEVEL)
        for leaf in iter_leaves(expr)
    )


def _is_whole(query: Query) -> bool:
    """Whether the window ends between two minutes that the roll-up holds."""
    if query.since_ns is None or query.until_ns is None:
        return False
    return (
        FIRST_NS <= query.since_ns < query.until_ns <= LAST_NS
        and not query.since_ns % MINUTE_NS
        and not query.until_ns % MINUTE_NS
    )


class Folded:
    """Collects what is told, as the part of one segment that holds everything."""

    def __init__(self, split: Split) -> None:
        self.split = split
        self._part = cells.Part([], [], [])

    def table(self, limit: int, accuracy: Accuracy) -> Table:
        made = cells.Aggregate(self.split)
        made.add(self._part)
        return made.table(limit, accuracy)

    def put(self, keys: tuple[str, ...], step: int, amounts: Sequence[float]) -> None:
        self._part.sums.append((keys, step, amounts))

    def put_duration(self, keys: tuple[str, ...], failed: int, value_ms: float) -> None:
        self._part.sums.append((keys, 0, (1, failed)))
        self._part.values.append((keys, [value_ms]))

    def put_bucket(
        self, keys: tuple[str, ...], bucket: int, count: int, failed: int, max_ms: float, sum_us: float
    ) -> None:  # fmt: skip
        sketch = Sketch()
        sketch.count, sketch.max_ms, sketch.sum_us = count, max_ms, int(sum_us)
        if bucket == TINY:
            sketch.tiny_count = count
        else:
            sketch.low, sketch.counts = bucket, [count]
        self._part.sums.append((keys, 0, (count, failed)))
        self._part.sketches.append((keys, sketch))


def _cell(found: Found) -> Cell:
    event, ts_ns = found.event, clamp_ns(found.pointer.ts_ns)
    usage = _usage_of(event)
    return Cell(
        event.get("session_id"), event["agent"], 1, int(has_failed(event)), ts_ns, ts_ns, *usage
    )


def _usage_of(event: dict[str, Any]) -> Iterable[float]:
    tokens_in, tokens_out, cost = (amount_of(event, name) or 0 for name in _USAGE)
    return tokens_in, tokens_out, round(cost * NUSD)


def _value_of(event: dict[str, Any], field: Field) -> Any:
    return level_of(event) if field == "level" else event.get(column_of(field))


def with_patience(split: Split, limit_s: float) -> float:
    return limit_s if split.patience_s is None else min(split.patience_s, limit_s)
