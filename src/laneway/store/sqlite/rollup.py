"""Counts kept ready: per minute and hour for the pulse, per session and agent for totals."""

import sqlite3
from collections import defaultdict
from collections.abc import Iterable

from laneway.base.clock import NS_PER_S

MINUTE_NS = 60 * NS_PER_S
HOUR_NS = 3_600 * NS_PER_S
STEPS_NS = (MINUTE_NS, HOUR_NS)
"""`rollup.step` is the place in this list, `rollup.start` counts such steps since 1970."""

NO_SESSION = 0

MAX_INT = 2**63 - 1
"""SQLite's largest."""

_ADD_ROLLUP = """
INSERT INTO rollup VALUES (?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    event_count = event_count + excluded.event_count,
    error_count = error_count + excluded.error_count
"""
_ADD_TALLY = """
INSERT INTO tally VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT DO UPDATE SET
    event_count = event_count + excluded.event_count,
    error_count = error_count + excluded.error_count,
    first_ns = min(first_ns, excluded.first_ns),
    last_ns = max(last_ns, excluded.last_ns),
    input_tokens = input_tokens + excluded.input_tokens,
    output_tokens = output_tokens + excluded.output_tokens,
    cost_nusd = cost_nusd + excluded.cost_nusd
"""


class Totals:
    """What one batch adds; collected in memory, then written with one upsert per cell."""

    def __init__(self) -> None:
        self._minutes: defaultdict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0, 0])
        self._tally: dict[tuple[int, int], list[int]] = {}

    def count(
        self, ts_ns: int, agent: int, event: int, session: int | None, has_error: int,
        input_tokens: int | None, output_tokens: int | None, cost_nusd: int | None,
    ) -> None:  # fmt: skip
        cell = self._minutes[ts_ns // MINUTE_NS, agent, event]
        cell[0] += 1
        cell[1] += has_error
        key = (session or NO_SESSION, agent)
        row = self._tally.get(key)
        if row is None:
            row = self._tally[key] = [0, 0, ts_ns, ts_ns, 0, 0, 0]
        row[0] += 1
        row[1] += has_error
        if ts_ns < row[2]:
            row[2] = ts_ns
        elif ts_ns > row[3]:
            row[3] = ts_ns
        row[4] += input_tokens or 0
        row[5] += output_tokens or 0
        row[6] += cost_nusd or 0

    def write(self, connection: sqlite3.Connection) -> None:
        connection.executemany(_ADD_ROLLUP, self._rollup_rows())
        connection.executemany(_ADD_TALLY, self._tally_rows())

    def _tally_rows(self) -> Iterable[tuple[int, ...]]:
        for key, row in self._tally.items():
            yield (*key, *row[:4], *(min(amount, MAX_INT) for amount in row[4:]))

    def _rollup_rows(self) -> Iterable[tuple[int, ...]]:
        hours: defaultdict[tuple[int, int, int], list[int]] = defaultdict(lambda: [0, 0])
        for (minute, agent, event), (events, errors) in self._minutes.items():
            yield 0, minute, agent, event, events, errors
            cell = hours[minute // 60, agent, event]
            cell[0] += events
            cell[1] += errors
        for (hour, agent, event), (events, errors) in hours.items():
            yield 1, hour, agent, event, events, errors
