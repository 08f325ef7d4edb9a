"""What agents, tools and models did, counted for Prometheus as events are indexed.

Names come from events, and so from anywhere: each label has room for so many, and whatever comes
beyond counts as ``other``. For the follower's thread; a scrape reads copies.
"""

from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeGuard

from laneway.hub.ring import FLAG_ERROR, bearing_of, is_failure
from laneway.hub.text_format import escape, head
from laneway.model.vocabulary import EVENT_TYPES

AGENTS, TOOLS, MODELS = 100, 200, 50
"""Values of a label; with the events of an agent that makes 2,000 series at most."""

NAME_CHARS = 100
OTHER = "other"

DURATION_BOUNDS_S = (0.01, 0.05, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 300.0)
"""From a look into a file to an agent that works for minutes."""

TOKENS = tuple(
    (f"{kind}_tokens", kind) for kind in ("input", "output", "cache_read", "cache_write")
)
EVENTS = frozenset(EVENT_TYPES)
WORK = {"tool_result": "tool", "llm_response": "model", "error": ""}
"""The event that ends a call, and the field that names what was called; an error that ends one has
either."""

Event = Mapping[str, Any]
Labels = tuple[str, ...]
Values = dict[Labels, float]


class Activity:
    """Totals since the hub began, and of what was written while none ran."""

    def __init__(self) -> None:
        self._agents: set[str] = set()
        self._tools: set[str] = set()
        self._models: set[str] = set()
        self.events: Values = {}
        self.errors: Values = {}
        self.last_s: Values = {}
        self.agent_tokens: Values = {}
        self.agent_cost: Values = {}
        self.tokens: Values = {}
        self.cost: Values = {}
        self.calls: dict[str, Values] = {"tool": {}, "model": {}}
        self.durations: dict[str, dict[Labels, list[float]]] = {"tool": {}, "model": {}}
        """Counts by bucket, and last the sum in seconds."""

    def __getstate__(self) -> dict[str, object]:
        """Copies: it is sent to another process while the follower goes on."""
        return {
            name: {key: one.copy() if isinstance(one, dict) else one for key, one in value.items()}
            if isinstance(value, dict)
            else value.copy()
            for name, value in self.__dict__.copy().items()
        }

    def count(self, events: Iterable[tuple[Event, int]]) -> None:
        """Count events with their times in ns. They are grouped first: what is looked up for a group
        would cost each of its events as much."""
        groups: dict[tuple[str, str, str, bool], int] = {}
        last_ns: dict[str, int] = {}
        ended: dict[tuple[str, object, bool], list[object]] = {}
        spent: dict[tuple[str, object], list[Event]] = {}
        for event, ts_ns in events:
            agent, kind = event["agent"], event["event"]
            key = agent, kind, event.get("level", ""), bool(event.get("error"))
            groups[key] = groups.get(key, 0) + 1
            last_ns[agent] = ts_ns
            if kind in WORK and (field := _called(kind, event)):
                call = field, _name(event.get(field)), is_failure(event)
                ended.setdefault(call, []).append(event.get("duration_ms"))
            if "input_tokens" in event or "output_tokens" in event or "cost_usd" in event:
                spent.setdefault((agent, _name(event.get("model"))), []).append(event)
        for (agent, kind, level, has_error), count in groups.items():
            name = _bounded(self._agents, agent, AGENTS)
            _add(self.events, (name, kind if kind in EVENTS else OTHER), count)
            flags, _ = bearing_of(kind, level, has_error)
            if flags & FLAG_ERROR:
                _add(self.errors, (name,), count)
        for agent, ts_ns in last_ns.items():
            name = _bounded(self._agents, agent, AGENTS)
            self.last_s[name,] = max(self.last_s.get((name,), 0.0), ts_ns / 1e9)
        for (field, called, is_failed), durations in ended.items():
            self._count_calls(field, called, is_failed, durations)
        for (agent, model), users in spent.items():
            self._count_tokens(agent, model, users)

    def _count_calls(
        self, field: str, called: object, is_failed: bool, durations: list[object]
    ) -> None:
        names, room = (self._tools, TOOLS) if field == "tool" else (self._models, MODELS)
        name = _bounded(names, called, room)
        _add(self.calls[field], (name, "error" if is_failed else "ok"), len(durations))
        known = [one / 1000 for one in durations if _is_figure(one)]
        if not known:
            return
        buckets = self.durations[field].get((name,))
        if buckets is None:
            buckets = self.durations[field][name,] = [0.0] * (len(DURATION_BOUNDS_S) + 2)
        for duration_s in known:
            buckets[bisect_left(DURATION_BOUNDS_S, duration_s)] += 1
        buckets[-1] += sum(known)

    def _count_tokens(self, agent: str, model: object, events: list[Event]) -> None:
        by_agent = _bounded(self._agents, agent, AGENTS)
        by_model = _bounded(self._models, model, MODELS)
        for field, kind in TOKENS:
            if count := sum(filter(_is_figure, [event.get(field) for event in events])):
                _add(self.tokens, (by_model, kind), count)
                _add(self.agent_tokens, (by_agent, kind), count)
        if cost := sum(filter(_is_figure, [event.get("cost_usd") for event in events])):
            _add(self.cost, (by_model,), cost)
            _add(self.agent_cost, (by_agent,), cost)

    def lines(self) -> Iterator[str]:
        """The series in Prometheus' text format."""
        tables = (
            ("agent_events_total", "Events by agent and type.", self.events, "agent", "event"),
            ("agent_errors_total", "Events that failed, by agent.", self.errors, "agent"),
            ("agent_tokens_total", "Tokens reported, by agent.", self.agent_tokens, "agent", "kind"),
            ("agent_cost_usd_total", "Cost reported, by agent.", self.agent_cost, "agent"),
            ("tool_calls_total", "Tool calls that ended.", self.calls["tool"], "tool", "outcome"),
            ("model_calls_total", "Model calls that ended.", self.calls["model"], "model", "outcome"),
            ("model_tokens_total", "Tokens reported, by model.", self.tokens, "model", "kind"),
            ("model_cost_usd_total", "Cost reported, by model.", self.cost, "model"),
        )  # fmt: skip
        for name, help, values, *labels in tables:
            yield from _table(f"laneway_{name}", help, "counter", values, labels)
        yield from _table(
            "laneway_agent_last_event_timestamp_seconds",
            "Time of an agent's newest event.",
            "gauge",
            self.last_s,
            ["agent"],
        )
        for field, durations in self.durations.items():
            yield from _histogram(field, durations)


def _called(kind: str, event: Event) -> str:
    return WORK[kind] or ("tool" if "tool" in event else "model" if "model" in event else "")


def _name(value: object) -> object:
    return value if isinstance(value, str) else None


def _table(name: str, help: str, kind: str, values: Values, labels: list[str]) -> Iterator[str]:
    yield from head(name, help, kind)
    for key, value in sorted(values.copy().items()):
        yield f"{name}{{{_label_text(labels, key)}}} {_figure(value)}"


def _histogram(field: str, durations: dict[Labels, list[float]]) -> Iterator[str]:
    name = f"laneway_{field}_duration_seconds"
    yield from head(name, f"How long {field} calls took.", "histogram")
    for key, buckets in sorted(durations.copy().items()):
        label, seen = _label_text([field], key), 0
        *counts, sum_s = buckets
        for bound, count in zip((*DURATION_BOUNDS_S, "+Inf"), counts, strict=True):
            seen += int(count)
            yield f'{name}_bucket{{{label},le="{bound}"}} {seen}'
        yield f"{name}_sum{{{label}}} {_figure(sum_s)}"
        yield f"{name}_count{{{label}}} {seen}"


def _label_text(labels: list[str], values: Labels) -> str:
    return ",".join(f'{n}="{escape(v)}"' for n, v in zip(labels, values, strict=True))


def _figure(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"


def _bounded(names: set[str], given: object, room: int) -> str:
    """``given`` as a label, if it is known or there is room for it."""
    name = given[:NAME_CHARS] if isinstance(given, str) and given else OTHER
    if name in names or name == OTHER:
        return name
    if len(names) >= room:
        return OTHER
    names.add(name)
    return name


def _add(values: Values, key: Labels, count: float = 1) -> None:
    values[key] = values.get(key, 0) + count


def _is_figure(value: object) -> TypeGuard[float]:
    """Whether it can be summed: events may hold anything."""
    return type(value) in (int, float) and 0 <= value < 1e15  # type: ignore[operator]
