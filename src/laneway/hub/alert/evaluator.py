"""The rules, what they measure and how they stand; fed with events and with the time.

It has no thread, clock or file: `laneway.hub.alert.watch` has, and a trial runs it over the past.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple

from laneway.base.clock import NS_PER_S
from laneway.hub.alert.gauge import Gauge, SilentGauge, make_gauge
from laneway.hub.alert.rule import ALERT_AGENT, Rule
from laneway.hub.alert.selector import Arrival, Selector
from laneway.hub.alert.standing import Standing
from laneway.hub.ring import FLAG_END, FLAG_ERROR, FLAG_START, Row

AWAY_NS = 60 * NS_PER_S
"""Between two ticks, which come every second: the machine slept, or somebody set the clock."""


class Transition(NamedTuple):
    """A rule began to fire, or it is over."""

    rule: Rule
    state: Literal["firing", "resolved"]
    value: float
    top: str
    at_ns: int
    began_ns: int
    """When it began to fire."""
    peak: float


class Watched:
    """A rule with its gauge and standing."""

    def __init__(self, rule: Rule, standing: Standing) -> None:
        self.rule = rule
        self.standing = standing
        self.selector = Selector(rule.where)
        self.gauge: Gauge = make_gauge(rule)
        self.seen_seq = 0
        """What has a lower number or this one is in the gauge already, from the index."""
        self.began_ns = standing.since_ns if standing.state == "firing" else 0


class Evaluator:
    """Not thread-safe."""

    def __init__(self, away_ns: int | None = AWAY_NS) -> None:
        """``away_ns``: a longer step between two ticks is time that nobody was watched; None: none is."""
        self.watched: dict[str, Watched] = {}
        self._away_ns = away_ns
        self._ticked_ns = 0
        self._sort()

    def put(self, rule: Rule, now_ns: int, told: Mapping[str, Any] | None = None) -> Watched | None:
        """Evaluate this rule, in place of one with the same id; ``told``: how it stood before a restart."""
        former = self.watched.pop(rule.id, None)
        watched = None
        if not rule.fault:
            if told is not None:
                standing = Standing.from_json(rule, told, now_ns)
            elif (
                former
                and former.rule.kind == rule.kind
                and former.standing.step_ns == max(rule.window_ns // 20, NS_PER_S)
            ):
                standing = former.standing
            else:
                standing = Standing(rule, now_ns)
            watched = self.watched[rule.id] = Watched(rule, standing)
        self._sort()
        return watched

    def drop(self, rule_id: str) -> None:
        self.watched.pop(rule_id, None)
        self._sort()

    def _sort(self) -> None:
        """By what an event must have to concern a rule."""
        self._by_kind: dict[str, list[Watched]] = {}
        self._by_agent: dict[str, list[Watched]] = {}
        self._failing: list[Watched] = []
        self._spending: list[Watched] = []
        self._opening: list[Watched] = []
        self._general: list[Watched] = []
        self._silent: dict[str, list[SilentGauge]] = {}
        for watched in self.watched.values():
            rule, selector = watched.rule, watched.selector
            if isinstance(watched.gauge, SilentGauge):
                self._silent.setdefault(rule.agent, []).append(watched.gauge)
            elif rule.kind == "open":
                self._opening.append(watched)
            elif rule.kind == "tokens":
                self._spending.append(watched)
            elif selector.kinds is not None:
                for kind in selector.kinds:
                    self._by_kind.setdefault(kind, []).append(watched)
            elif selector.agents is not None:
                for agent in selector.agents:
                    self._by_agent.setdefault(agent, []).append(watched)
            elif selector.needs_error:
                self._failing.append(watched)
            else:
                self._general.append(watched)

    def take(self, rows: Sequence[Row], now_ns: int) -> None:
        """Events in order of arrival."""
        for row in rows:
            entry = row.entry
            if entry.agent == ALERT_AGENT:
                continue
            arrival, flags = Arrival(row), entry.flags
            for gauge in self._silent.get(entry.agent, ()):
                gauge.add(arrival, now_ns)
            self._offer(self._by_kind.get(entry.kind, ()), arrival, now_ns)
            self._offer(self._by_agent.get(entry.agent, ()), arrival, now_ns)
            if flags & FLAG_ERROR:
                self._offer(self._failing, arrival, now_ns)
            if entry.tokens:
                self._offer(self._spending, arrival, now_ns)
            if entry.span and self._opening:
                if flags & FLAG_END:
                    for watched in self._opening:
                        watched.gauge.end(entry.span)  # type: ignore[union-attr]
                elif flags & FLAG_START:
                    self._offer(self._opening, arrival, now_ns)
            self._offer(self._general, arrival, now_ns)

    def _offer(self, some: Iterable[Watched], arrival: Arrival, now_ns: int) -> None:
        for watched in some:
            if arrival.seq > watched.seen_seq and watched.selector.accepts(arrival):
                watched.gauge.add(arrival, now_ns)

    def tick(self, now_ns: int) -> list[Transition]:
        """Look at every value; what began or ended by that."""
        jump_ns = now_ns - self._ticked_ns if self._ticked_ns else 0
        self._ticked_ns = now_ns
        if self._away_ns is not None and abs(jump_ns) > self._away_ns:
            self._shift(jump_ns)
        found = []
        for watched in self.watched.values():
            rule, standing = watched.rule, watched.standing
            turned = standing.tick(rule, watched.gauge.read(now_ns), now_ns)
            if turned == "firing":
                watched.began_ns = now_ns
            if turned in ("firing", "resolved"):
                found.append(
                    Transition(
                        rule, turned, standing.value, standing.top, now_ns,
                        watched.began_ns, standing.peak,
                    )
                )  # fmt: skip
        return found

    def tick_one(self, rule_id: str, now_ns: int) -> None:
        """Take a first value of a rule that is new, so that it shows one; what turns waits for `tick`."""
        watched = self.watched.get(rule_id)
        if watched:
            watched.standing.value, watched.standing.top = watched.gauge.read(now_ns)

    def _shift(self, by_ns: int) -> None:
        for watched in self.watched.values():
            watched.gauge.shift(by_ns)
            watched.standing.shift(by_ns)
