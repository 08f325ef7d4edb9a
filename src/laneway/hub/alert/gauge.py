"""What a rule measures, kept up to date event by event: a look at it costs nothing, whatever the rate."""

import heapq
from collections import OrderedDict
from typing import NamedTuple

from laneway.base.clock import NS_PER_S
from laneway.hub.alert.rule import Rule
from laneway.hub.alert.selector import Arrival
from laneway.hub.alert.window import Windows
from laneway.hub.ring import FLAG_ERROR

MOST_OPEN = 10_000
"""Spans that one rule follows at a time; beyond that the oldest is let go."""

ENDED_SPANS = 2_000
"""Ends remembered, for starts that come after them."""

HISTORY_NS = 3600 * NS_PER_S
"""A start that comes later than this tells of the past (an import, an old spool) and opens nothing now."""


class Reading(NamedTuple):
    """``value`` as the rule counts; ``top``: the group, agent or span that it is of."""

    value: float
    top: str = ""


class WindowGauge:
    """Of a window: the count, the tokens, or the share of errors; of the group that has most."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self.windows = Windows(rule.window_ns)

    @property
    def late(self) -> int:
        return self.windows.late

    def add(self, arrival: Arrival, now_ns: int) -> None:
        count, other = 1, 0
        if self._rule.kind == "tokens":
            count = arrival.entry.tokens
        elif self._rule.kind == "error_rate":
            other = 1 if arrival.entry.flags & FLAG_ERROR else 0
        self.windows.add(self._group(arrival), arrival.ts_ns, now_ns, count, other)

    def _group(self, arrival: Arrival) -> str:
        by = self._rule.by
        if not by:
            return ""
        if by == "agent":
            return arrival.entry.agent
        if by == "event":
            return arrival.entry.kind
        name = arrival.subject.event.get(by)
        return name if isinstance(name, str) else ""

    def read(self, now_ns: int) -> Reading:
        self.windows.expire(now_ns)
        groups = self.windows.groups
        if self._rule.kind != "error_rate":
            name = max(groups, key=lambda name: groups[name].count, default="")
            return Reading(float(groups[name].count) if groups else 0.0, name)
        shares = {
            name: 100 * window.other / window.count
            for name, window in groups.items()
            if window.count >= max(self._rule.floor, 1)
        }
        name = max(shares, key=lambda name: shares[name], default="")
        return Reading(round(shares.get(name, 0.0), 2), name)

    def shift(self, by_ns: int) -> None:
        """Events keep their own times."""


class SilentGauge:
    """Seconds since an agent was heard, by the hub's clock; since the rule was made, if it never was."""

    late = 0

    def __init__(self, rule: Rule) -> None:
        self.heard_ns = 0
        self._made_ns = rule.made_ns

    def add(self, arrival: Arrival, now_ns: int) -> None:
        self.heard_ns = now_ns

    def read(self, now_ns: int) -> Reading:
        since_ns = self.heard_ns or self._made_ns
        return Reading(
            max(0, now_ns - since_ns) // NS_PER_S, "" if self.heard_ns else "never heard"
        )

    def shift(self, by_ns: int) -> None:
        if self.heard_ns:
            self.heard_ns += by_ns
        self._made_ns += by_ns


class OpenGauge:
    """Seconds that the longest open span is open, from when its start arrived: clocks may differ."""

    def __init__(self, rule: Rule) -> None:
        self.late = 0
        self._open: OrderedDict[str, tuple[int, str]] = OrderedDict()
        self._ended: OrderedDict[str, None] = OrderedDict()
        self._heap: list[tuple[int, str]] = []

    def add(self, arrival: Arrival, now_ns: int) -> None:
        entry = arrival.entry
        if now_ns - arrival.ts_ns > HISTORY_NS:
            self.late += 1
        elif self._ended.pop(entry.span, 0) is None:
            return
        else:
            self.open(entry.span, now_ns, f"{entry.label or entry.kind} of {entry.agent}")

    def open(self, span: str, start_ns: int, name: str) -> None:
        if span in self._open:
            return
        self._open[span] = start_ns, name
        heapq.heappush(self._heap, (start_ns, span))
        if len(self._open) > MOST_OPEN:
            self._open.popitem(last=False)

    def end(self, span: str) -> None:
        if self._open.pop(span, None) is None:
            self._ended[span] = None
            if len(self._ended) > ENDED_SPANS:
                self._ended.popitem(last=False)

    def read(self, now_ns: int) -> Reading:
        heap = self._heap
        while heap and self._open.get(heap[0][1], (0,))[0] != heap[0][0]:
            heapq.heappop(heap)
        if not heap:
            return Reading(0.0)
        start_ns, span = heap[0]
        return Reading(max(0, now_ns - start_ns) // NS_PER_S, self._open[span][1])

    def shift(self, by_ns: int) -> None:
        spans = list(self._open.items())
        self._open = OrderedDict((span, (start + by_ns, name)) for span, (start, name) in spans)
        self._heap = [(start, span) for span, (start, _) in self._open.items()]
        heapq.heapify(self._heap)


Gauge = WindowGauge | SilentGauge | OpenGauge
"""``add`` takes an event that the rule's query finds; ``read`` tells the value; ``shift``: the clock jumped,
or the machine slept, for so long, and nobody was silent or at work meanwhile. ``late`` counts what came too
late."""


def make_gauge(rule: Rule) -> Gauge:
    if rule.kind == "silent":
        return SilentGauge(rule)
    return OpenGauge(rule) if rule.kind == "open" else WindowGauge(rule)
