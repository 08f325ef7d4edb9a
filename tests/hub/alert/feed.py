"""Events and a clock for the evaluator, without a hub."""

from typing import Any

import orjson

from laneway.base.clock import NS_PER_S
from laneway.hub.alert.evaluator import Evaluator, Transition
from laneway.hub.alert.rule import Rule, parse_rule
from laneway.hub.alert.standing import Standing
from laneway.hub.ring import Row, entry_of

START_NS = 1_795_425_712 * NS_PER_S


def rule(**given: Any) -> Rule:
    raw = {"name": "it", "keep": "0s", **given}
    return parse_rule(raw, id="r", now_ns=START_NS, origin="page")


class Feed:
    """An evaluator of one rule, and a clock that moves when it is told."""

    def __init__(self, **given: Any) -> None:
        self.now_ns = START_NS
        self.seq = 0
        self.evaluator = Evaluator()
        self.turns: list[Transition] = []
        self.evaluator.put(rule(**given), self.now_ns)
        self.tick()

    @property
    def standing(self) -> Standing:
        return self.evaluator.watched["r"].standing

    @property
    def state(self) -> str:
        return self.standing.state

    @property
    def value(self) -> float:
        return self.standing.value

    def say(
        self, agent: str = "coder", event: str = "log", *, ago_s: float = 0, **more: Any
    ) -> None:
        """An event that arrives now, and is so old."""
        self.seq += 1
        told = {"agent": agent, "event": event, **more}
        ts_ns = self.now_ns - int(ago_s * NS_PER_S)
        row = Row(self.seq, ts_ns, entry_of(told, is_redacted=False), orjson.dumps(told))
        self.evaluator.take((row,), self.now_ns)

    def tick(self) -> None:
        self.turns += self.evaluator.tick(self.now_ns)

    def wait(self, seconds: float) -> None:
        """Time passes, second by second."""
        for _ in range(int(seconds)):
            self.now_ns += NS_PER_S
            self.tick()

    @property
    def told(self) -> list[str]:
        return [turn.state for turn in self.turns]
