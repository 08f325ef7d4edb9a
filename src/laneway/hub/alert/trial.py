"""What a rule would have done: the evaluator itself, run over the past by a clock of its own."""

from collections.abc import Iterator
from dataclasses import replace
from time import monotonic
from typing import Any

import orjson

from laneway.base.clock import NS_PER_MS, NS_PER_S, format_ns
from laneway.hub.alert.evaluator import Evaluator, Transition, Watched
from laneway.hub.alert.gauge import WindowGauge
from laneway.hub.alert.refill import Finder, Pages, iter_counts, where_of
from laneway.hub.alert.rule import Rule
from laneway.hub.ring import Row, entry_of
from laneway.model.moment import parse_timestamp_ns
from laneway.model.vocabulary import START_OF_END
from laneway.store.api import Cursor, Query
from laneway.store.query.expr import Equal, Expr, Glob, Value, any_of, is_one_of
from laneway.store.query.field import AGENT, EVENT

TICKS = 50_000
"""At most: of a day, a look every two seconds."""

TRIAL_EVENTS = 200_000
TRIAL_S = 10.0
"""For rules that need the events themselves (silent, open): so many are read, for so long."""

POINTS = 240
"""Of the course that is told: about one for every four pixels."""

MOST_FIRINGS = 100


class Trial:
    """One rule over one stretch of the past.

    Raises:
        StoreError: the index cannot be asked.
    """

    def __init__(
        self,
        rule: Rule,
        store: Finder,
        archive: Pages,
        since_ns: int,
        until_ns: int,
        points: int = POINTS,
    ) -> None:
        self._rule = replace(rule, made_ns=since_ns)
        self._store, self._archive = store, archive
        self._since_ns, self._until_ns = since_ns, until_ns
        self._evaluator = Evaluator(away_ns=None)
        self._turns: list[Transition] = []
        self._points: list[float] = []
        self._point_ns = max((until_ns - since_ns) // points, NS_PER_S)
        self.events = 0
        self.is_complete = True

    def run(self) -> dict[str, Any]:
        watched = self._evaluator.put(self._rule, self._since_ns)
        assert watched
        gauge = watched.gauge
        if isinstance(gauge, WindowGauge):
            self._run_counts(watched, gauge)
        else:
            self._run_events(watched)
        return {
            "since": format_ns(self._since_ns),
            "until": format_ns(self._until_ns),
            "events": self.events,
            "complete": self.is_complete,
            "firings": list(self._firings())[-MOST_FIRINGS:],
            "fired": sum(turn.state == "firing" for turn in self._turns),
            "course": {
                "step_ms": self._point_ns // NS_PER_MS,
                "until_ms": self._until_ns // NS_PER_MS,
                "values": self._points,
            },
        }

    def _run_counts(self, watched: Watched, gauge: WindowGauge) -> None:
        step_ns = gauge.windows.slot_ns
        begin_ns = self._since_ns - self._rule.window_ns
        counts = iter_counts(
            self._rule, self._store, where_of(self._rule), step_ns, begin_ns, self._until_ns
        )
        clock = self._ticks(watched, max(step_ns, NS_PER_S))
        for start_ns, group, count, other in counts:
            clock.send(start_ns)
            gauge.windows.add(group, start_ns, max(start_ns, self._since_ns), count, other)
            self.events += count if self._rule.kind != "tokens" else 1
        clock.send(self._until_ns)

    def _run_events(self, watched: Watched) -> None:
        clock = self._ticks(watched, max(self._rule.window_ns // 60, NS_PER_S))
        for event, ts_ns in self._events():
            clock.send(ts_ns)
            row = Row(event["seq"], ts_ns, entry_of(event, is_redacted=False), orjson.dumps(event))
            self._evaluator.take((row,), max(ts_ns, self._since_ns))
        if self.is_complete:
            clock.send(self._until_ns)

    def _ticks(self, watched: Watched, step_ns: int) -> "Clock":
        step_ns = max(step_ns, (self._until_ns - self._since_ns) // TICKS)
        return Clock(self, watched, step_ns)

    def _events(self) -> Iterator[tuple[dict[str, Any], int]]:
        query = Query(
            self._wanted(), since_ns=self._since_ns, until_ns=self._until_ns, limit=1_000,
            newest_first=False,
        )  # fmt: skip
        cursor: Cursor | None = None
        until_s = monotonic() + TRIAL_S
        while True:
            page = self._archive.page(replace(query, after=cursor))
            for line in page.lines:
                event = orjson.loads(line)
                yield event, parse_timestamp_ns(event["timestamp"])
            self.events += len(page.lines)
            cursor = page.next
            if cursor is None:
                return
            if self.events >= TRIAL_EVENTS or monotonic() > until_s:
                self.is_complete = False
                self._until_ns = cursor.ts_ns
                return

    def _wanted(self) -> Expr:
        if self._rule.kind == "silent":
            return is_one_of(AGENT, (self._rule.agent,))
        ends = Value(EVENT, (*map(Equal, START_OF_END), Glob("*_end")))
        return any_of([where_of(self._rule), ends])

    def tick(self, now_ns: int, watched: Watched) -> None:
        self._turns += self._evaluator.tick(now_ns)
        point = (now_ns - self._since_ns) // self._point_ns
        value = watched.standing.value
        while len(self._points) <= point:
            self._points.append(value)
        farthest = min if self._rule.below else max
        self._points[-1] = farthest(self._points[-1], value)

    def _firings(self) -> Iterator[dict[str, Any]]:
        """Each with its end, or None where it fires still."""
        begun: Transition | None = None
        for turn in self._turns:
            if turn.state == "firing":
                begun = turn
            elif begun:
                yield _firing(begun, format_ns(turn.at_ns), turn.peak)
                begun = None
        if begun:
            yield _firing(begun, None, begun.peak)


class Clock:
    """Ticks up to a time, and remembers where it is."""

    def __init__(self, trial: Trial, watched: Watched, step_ns: int) -> None:
        self._trial, self._watched, self._step_ns = trial, watched, step_ns
        self._next_ns = trial._since_ns

    def send(self, now_ns: int) -> None:
        while self._next_ns <= now_ns:
            self._trial.tick(self._next_ns, self._watched)
            self._next_ns += self._step_ns


def _firing(turn: Transition, until: str | None, peak: float) -> dict[str, Any]:
    return {"since": format_ns(turn.at_ns), "until": until, "peak": peak, "top": turn.top}
