"""What is known of every agent: counts, rates, open work, the last thing it did. No terminal in here.

The states are those of the dashboard's lanes: waiting for a person, working (something is
open), failed (the last thing was an error), idle.
"""

from collections import deque
from dataclasses import dataclass, field
from typing import Any, Literal, NamedTuple

from laneway.base.clock import NS_PER_S
from laneway.cli.fleet.rate import Rate
from laneway.model.vocabulary import END_OF_START, is_end, is_start

State = Literal["waiting", "working", "failed", "idle"]

AGENTS = 2_000
"""Rows at a time; a stream of invented names must not fill the memory, so the longest silent goes."""

OPEN_WORK = 10_000
EARLY_ENDS = 4_096
"""Ends that came before their start: late news is late by seconds."""

EVENTS, ERRORS = 1_000, 500
"""Newest kept for the lower pane."""

WAITING = "permission_request"


class Work(NamedTuple):
    """A start without its end."""

    agent: str
    kind: str
    label: str
    start_ns: int
    event: dict[str, Any]

    @property
    def is_session(self) -> bool:
        return self.kind.startswith("session")


class Happened(NamedTuple):
    """One event and its time."""

    ts_ns: int
    event: dict[str, Any]


@dataclass(slots=True)
class Agent:
    """One row."""

    name: str
    parent: str = ""
    event_count: int = 0
    error_count: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    first_ns: int = 0
    last_ns: int = 0
    last: dict[str, Any] = field(default_factory=dict)
    has_failed: bool = False
    rate: Rate = field(default_factory=Rate)
    open: dict[str, Work] = field(default_factory=dict)

    @property
    def work(self) -> list[Work]:
        """What it is at, oldest first; a session that is open is no work."""
        return [work for work in self.open.values() if not work.is_session]

    @property
    def state(self) -> State:
        work = self.work
        if any(item.kind == WAITING for item in work):
            return "waiting"
        if work:
            return "working"
        return "failed" if self.has_failed else "idle"

    @property
    def token_count(self) -> int:
        return self.input_tokens + self.output_tokens


class Fleet:
    """Everything seen so far. Events may come late, twice, or with one half of a pair missing."""

    def __init__(self) -> None:
        self.agents: dict[str, Agent] = {}
        self.events: deque[Happened] = deque(maxlen=EVENTS)
        self.errors: deque[Happened] = deque(maxlen=ERRORS)
        self.rate = Rate()
        self.error_rate = Rate()
        self.event_count = 0
        self._early_ends: dict[tuple[str, str], None] = {}
        self._open_count = 0

    def take(self, event: dict[str, Any], ts_ns: int, now_ns: int) -> None:
        agent = self._agent(str(event["agent"]))
        at_s, now_s = ts_ns // NS_PER_S, now_ns // NS_PER_S
        failed = is_failure(event)
        happened = Happened(ts_ns, event)
        self.event_count += 1
        self.events.append(happened)
        self.rate.add(at_s, now_s)
        agent.rate.add(at_s, now_s)
        agent.event_count += 1
        agent.first_ns = min(agent.first_ns or ts_ns, ts_ns)
        if failed:
            agent.error_count += 1
            self.errors.append(happened)
            self.error_rate.add(at_s, now_s)
        if ts_ns >= agent.last_ns:
            agent.last_ns, agent.last, agent.has_failed = ts_ns, event, failed
        agent.input_tokens += _count(event.get("input_tokens"))
        agent.output_tokens += _count(event.get("output_tokens"))
        agent.cost_usd += _amount(event.get("cost_usd"))
        if isinstance(event.get("parent_agent"), str):
            agent.parent = event["parent_agent"]
        self._pair(agent, event, ts_ns)

    def open_work(self, agent: str = "") -> list[Work]:
        """Of one agent or of all, oldest first."""
        rows = [self.agents[agent]] if agent in self.agents else self.agents.values()
        return sorted((work for row in rows for work in row.work), key=lambda work: work.start_ns)

    def tokens(self) -> int:
        return sum(agent.token_count for agent in self.agents.values())

    def cost_usd(self) -> float:
        return sum(agent.cost_usd for agent in self.agents.values())

    def _agent(self, name: str) -> Agent:
        agent = self.agents.get(name)
        if agent is None:
            if len(self.agents) >= AGENTS:
                silent = min(self.agents.values(), key=lambda row: row.last_ns)
                self._open_count -= len(silent.open)
                del self.agents[silent.name]
            agent = self.agents[name] = Agent(name)
        return agent

    def _pair(self, agent: Agent, event: dict[str, Any], ts_ns: int) -> None:
        span, kind = event.get("span_id"), str(event["event"])
        if not isinstance(span, str) or not span:
            return
        if is_end(kind):
            if agent.open.pop(span, None):
                self._open_count -= 1
            else:
                self._early_ends[agent.name, span] = None
                if len(self._early_ends) > EARLY_ENDS:
                    del self._early_ends[next(iter(self._early_ends))]
        elif is_start(kind):
            is_over = self._early_ends.pop((agent.name, span), self) is None
            if not is_over and span not in agent.open and self._open_count < OPEN_WORK:
                self._open_count += 1
                agent.open[span] = Work(agent.name, kind, label_of(event), ts_ns, event)


def is_failure(event: dict[str, Any]) -> bool:
    return (
        bool(event.get("error"))
        or event["event"] == "error"
        or event.get("level") in ("error", "critical")
    )


def label_of(event: dict[str, Any]) -> str:
    """The tool or model, or else what kind of work it is."""
    for name in ("tool", "model"):
        if isinstance(event.get(name), str) and event[name]:
            return str(event[name])
    kind = str(event["event"])
    return kind.removesuffix("_start") if kind not in END_OF_START else kind.partition("_")[0]


def _count(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def _amount(value: object) -> float:
    return float(value) if isinstance(value, (int, float)) and value > 0 else 0.0
