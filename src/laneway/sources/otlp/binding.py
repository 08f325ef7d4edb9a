"""Whose work a span is: its agent, that agent's parent, and the conversation, from the spans around it.

Exporters send a span when it has ended, so children come before their parents, and only few spans name
the agent. A span waits until its ancestors tell, but no longer than ``wait_s``.
"""

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple

from laneway.base.clock import NS_PER_S
from laneway.sources.otlp.facts import Facts
from laneway.sources.otlp.record import LogRecord, Span

TRACES = 2_000
"""Traces remembered; of the older ones, spans that still come are bound by what they say themselves."""

TRACE_SPANS = 20_000
"""Spans remembered of one trace: a program that keeps one trace open for days must not fill the memory."""

HELD = 20_000
"""Spans that wait at a time; past it the oldest are bound by what is known."""

MOST_DEEP = 1_000
"""Ancestors looked at; spans that name each other as parents come to an end here."""


class Place(NamedTuple):
    """Where an event belongs. ``is_outermost``: nothing around the span was spoken to before."""

    agent: str
    parent_agent: str = ""
    session_id: str = ""
    is_outermost: bool = False
    is_metered: bool = True
    """False where a model call within it counts the same tokens."""


@dataclass(slots=True)
class Node:
    """What others may inherit from a span."""

    parent_id: str
    agent: str
    session: str
    speaks: bool


@dataclass(slots=True)
class Held:
    """A span or record with its meaning, waiting since ``since_ns``."""

    item: Span | LogRecord
    facts: Facts
    since_ns: int


@dataclass(slots=True)
class Trace:
    nodes: OrderedDict[str, Node] = field(default_factory=OrderedDict)
    hints: dict[str, str] = field(default_factory=dict)
    """Agents of spans that have not come yet, as their children name them."""
    metered: set[str] = field(default_factory=set)
    """Spans that hold a model call of their own."""
    session: str = ""
    is_agentic: bool = False
    held: dict[str, Held] = field(default_factory=dict)
    """Oldest first."""
    missed: dict[str, list[str]] = field(default_factory=dict)
    """Keys of what is held, by the span that is missed."""
    stirred: set[str] = field(default_factory=set)
    """Keys of what is held and may be bound now, for what it missed has come."""

    def stir(self, span_id: str) -> None:
        self.stirred.update(self.missed.pop(span_id, ()))


class Binder:
    """Remembers traces and holds what cannot be bound yet. For one thread at a time."""

    def __init__(self, wait_s: float) -> None:
        self._wait_ns = int(wait_s * NS_PER_S)
        self._traces: OrderedDict[str, Trace] = OrderedDict()
        self.held_count = 0

    def note(self, span: Span, facts: Facts) -> None:
        """Remember a span for those that refer to it."""
        trace = self._trace(span.trace_id)
        speaks = facts.is_scope and facts.input not in (None, "", [], {})
        trace.nodes[span.span_id] = Node(span.parent_id, facts.agent, facts.session, speaks)
        trace.stir(span.span_id)
        if len(trace.nodes) > TRACE_SPANS:
            trace.nodes.popitem(last=False)
        if (
            facts.agent
            and facts.kind != "agent"
            and span.parent_id
            and span.parent_id not in trace.hints
        ):
            trace.hints[span.parent_id] = facts.agent
            trace.stir(span.parent_id)
        if facts.usage and span.parent_id:
            trace.metered.add(span.parent_id)
        if facts.session and not trace.session:
            trace.session = facts.session
            trace.stirred.update(trace.held)
        trace.is_agentic = trace.is_agentic or facts.is_agentic

    def place(self, item: Span | LogRecord, facts: Facts, *, now: bool = False) -> Place | None:
        """Where it belongs; None while that cannot be known, unless it must be said ``now``."""
        trace = self._traces.get(item.trace_id)
        if trace is None and item.trace_id and facts.kind == "message" and not now:
            return None
        if trace is None:
            agent = facts.agent or item.origin.service
            return Place(agent, facts.parent_agent, facts.session, facts.is_scope)
        chain, missing = _ancestors(trace, item.span_id)
        agents = [facts.agent, *(node.agent or trace.hints.get(key, "") for key, node in chain)]
        agents = [agent for agent in (*agents, trace.hints.get(missing, "")) if agent]
        session = facts.session or next((n.session for _, n in chain if n.session), trace.session)
        is_settled = bool(agents and session and not facts.is_scope)
        if missing and not is_settled and not now:
            return None
        agent = agents[0] if agents else item.origin.service
        return Place(
            agent,
            facts.parent_agent or next((other for other in agents if other != agent), ""),
            session or (item.trace_id if trace.is_agentic else ""),
            facts.is_scope and not any(node.speaks for _, node in chain[1:]),
            item.span_id not in trace.metered,
        )

    def hold(self, key: str, held: Held) -> None:
        """Keep it until `settle` gives it back; one that is said twice is held once."""
        trace = self._trace(held.item.trace_id)
        if key not in trace.held:
            self.held_count += 1
            trace.held[key] = held
            self._await(trace, key, held)

    def settle(self, now_ns: int, *, trace_id: str = "") -> Iterator[tuple[Held, Place]]:
        """What can be bound by now: of one trace, or what has waited for long enough of any."""
        one = self._traces.get(trace_id)
        for trace in [one] if one else list(self._traces.values()):
            while trace.stirred:
                yield from self._release(trace, trace.stirred.pop())
            for key in list(islice(trace.held, self._due(trace, now_ns))):
                yield from self._release(trace, key, now=True)

    def held_items(self) -> Iterator[Span | LogRecord]:
        """All that waits, in the order of the traces."""
        return (held.item for trace in self._traces.values() for held in trace.held.values())

    def forget(self) -> Iterator[tuple[Held, Place]]:
        """Make room for new traces; what those that go still hold is given back."""
        while len(self._traces) > TRACES:
            oldest, trace = next(iter(self._traces.items()))
            for key in list(trace.held):
                yield from self._release(trace, key, now=True)
            del self._traces[oldest]

    def _due(self, trace: Trace, now_ns: int) -> int:
        """How many of what is held go now: their time is over, or too many wait."""
        count = max(0, self.held_count - HELD)
        for held in islice(trace.held.values(), count, None):
            if now_ns - held.since_ns < self._wait_ns:
                break
            count += 1
        return count

    def _release(
        self, trace: Trace, key: str, *, now: bool = False
    ) -> Iterator[tuple[Held, Place]]:
        held = trace.held.get(key)
        if held is None:
            return
        place = self.place(held.item, held.facts, now=now)
        if place is None:
            self._await(trace, key, held)
            return
        del trace.held[key]
        self.held_count -= 1
        yield held, place

    def _await(self, trace: Trace, key: str, held: Held) -> None:
        missing = _ancestors(trace, held.item.span_id)[1]
        trace.missed.setdefault(missing, []).append(key)

    def _trace(self, trace_id: str) -> Trace:
        trace = self._traces.get(trace_id)
        if trace is None:
            trace = self._traces[trace_id] = Trace()
        self._traces.move_to_end(trace_id)
        return trace


def _ancestors(trace: Trace, span_id: str) -> tuple[list[tuple[str, Node]], str]:
    """The span and those around it, innermost first, and the one that is missing; "" behind the root."""
    chain: list[tuple[str, Node]] = []
    while span_id and len(chain) < MOST_DEEP:
        node = trace.nodes.get(span_id)
        if node is None:
            return chain, span_id
        chain.append((span_id, node))
        span_id = node.parent_id
    return chain, ""
