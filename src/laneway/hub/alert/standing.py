"""How a rule stands: ok, pending, firing, resolved; and how its value went."""

from collections import deque
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from laneway.base.clock import NS_PER_MS, NS_PER_S
from laneway.hub.alert.gauge import Reading
from laneway.hub.alert.rule import Rule

State = Literal["ok", "pending", "firing", "resolved"]
STATES: tuple[State, ...] = ("ok", "pending", "firing", "resolved")

RESOLVED_NS = 900 * NS_PER_S
"""What fired is shown as resolved for so long; whoever comes back from coffee sees it."""

COURSE = 120
"""Values kept for the sparkline: six windows, a twentieth of a window apart."""

LEAST_STEP_NS = NS_PER_S


class Standing:
    """One rule's state. Not thread-safe."""

    def __init__(self, rule: Rule, now_ns: int) -> None:
        self.state: State = "ok"
        self.since_ns = now_ns
        self.value = 0.0
        self.top = ""
        self.peak = 0.0
        self.fired_count = 0
        self.step_ns = max(rule.window_ns // 20, LEAST_STEP_NS)
        self._over_ns = 0
        """When it was last over the limit."""
        self._course: deque[float] = deque(maxlen=COURSE)
        self._sampled_ns = 0
        self._crest = 0.0  # the value farthest over since the last sample

    def tick(self, rule: Rule, reading: Reading, now_ns: int) -> State | None:
        """Take in a value; ``firing`` or ``resolved`` where that has just begun."""
        self.value, self.top = reading
        is_over = rule.is_over(reading.value)
        self._sample(rule, now_ns)
        if is_over:
            self._over_ns = now_ns
        for_ns, keep_ns = int(rule.for_s * NS_PER_S), int(rule.keep_s * NS_PER_S)
        if self.state == "firing":
            self.peak = (min if rule.below else max)(self.peak, reading.value)
            if not is_over and now_ns - self._over_ns >= keep_ns:
                return self._turn("resolved", now_ns)
            return None
        if is_over:
            if self.state == "pending" and now_ns - self.since_ns < for_ns:
                return None
            if self.state != "pending" and for_ns:
                self._turn("pending", now_ns)
                return None
            self.peak = reading.value
            self.fired_count += 1
            return self._turn("firing", now_ns)
        if self.state == "pending" or (
            self.state == "resolved" and now_ns - self.since_ns >= RESOLVED_NS
        ):
            self._turn("ok", now_ns)
        return None

    def recall(self, values: Sequence[float], now_ns: int) -> None:
        """Begin with the course that it would have had."""
        self._course.extend(values)
        self._sampled_ns = now_ns

    def shift(self, by_ns: int) -> None:
        """The clock jumped by so much."""
        if self.state != "firing":  # how long something fires is told by the clock on the wall
            self.since_ns += by_ns
        self._over_ns += by_ns
        self._sampled_ns += by_ns

    def course(self) -> dict[str, Any]:
        """Values, the newest last."""
        return {
            "step_ms": self.step_ns // NS_PER_MS,
            "until_ms": self._sampled_ns // NS_PER_MS,
            "values": list(self._course),
        }

    def _turn(self, state: State, now_ns: int) -> State:
        self.state, self.since_ns = state, now_ns
        return state

    def _sample(self, rule: Rule, now_ns: int) -> None:
        farthest = min if rule.below else max
        self._crest = farthest(self._crest, self.value) if self._sampled_ns else self.value
        if now_ns - self._sampled_ns >= self.step_ns:
            self._course.append(self._crest)
            self._sampled_ns, self._crest = now_ns, self.value

    def to_json(self) -> dict[str, Any]:
        """For a restart of the hub."""
        return {
            "state": self.state,
            "since_ns": self.since_ns,
            "over_ns": self._over_ns,
            "value": self.value,
            "top": self.top,
            "peak": self.peak,
            "fired": self.fired_count,
            "sampled_ns": self._sampled_ns,
            "step_ns": self.step_ns,
            "course": list(self._course),
        }

    @classmethod
    def from_json(cls, rule: Rule, told: Mapping[str, Any], now_ns: int) -> "Standing":
        """As it was; anew where that cannot be read."""
        standing = cls(rule, now_ns)
        try:
            state, course = told["state"], [float(value) for value in told["course"]]
            numbers = [
                _count(told[name]) for name in ("since_ns", "over_ns", "fired", "sampled_ns")
            ]
            value, peak, step_ns = float(told["value"]), float(told["peak"]), told["step_ns"]
            if state not in STATES:
                return standing
        except (KeyError, TypeError, ValueError, OverflowError):
            return standing
        standing.state, standing.value, standing.peak = state, value, peak
        standing.since_ns, standing._over_ns, standing.fired_count, sampled_ns = numbers
        standing.top = str(told.get("top", ""))
        if step_ns == standing.step_ns:
            standing._course.extend(course)
            standing._sampled_ns = sampled_ns
        return standing


def _count(value: Any) -> int:
    """
    Raises:
        TypeError, ValueError, OverflowError: it is no number of nanoseconds or of anything else.
    """
    number = int(value)
    if not 0 <= number < 2**63:
        raise ValueError(f"{number} is out of range")
    return number
