"""The newest events as columns, and the dictionaries that their numbers stand for.

Columns and not objects: a backlog of thousands of events becomes a frame by
slicing lists, and twenty thousand of them take about ten megabytes.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache, partial
from typing import Any, NamedTuple

from laneway.base.clock import NS_PER_MS
from laneway.hub.summary import summarise
from laneway.model.vocabulary import LEVEL_RANK, is_end, is_start

FLAG_START, FLAG_END, FLAG_ERROR, FLAG_REDACTED = 1, 2, 4, 8

INFO, ERROR = LEVEL_RANK["info"], LEVEL_RANK["error"]

SPARE_NAMES = 10_000
"""Names beyond twice the events of a ring that may gather before they are sorted out."""

BEARINGS = 1_000
"""Kinds of events remembered by `bearing_of`; a program has some dozens."""


class Mark(NamedTuple):
    """How long each dictionary was at some moment."""

    agents: int
    kinds: int
    sessions: int
    labels: int
    parents: int


class Names:
    """The dictionaries of the live protocol: they only grow, and an index stays valid."""

    def __init__(self) -> None:
        self.agents: list[list[Any]] = []  # [name, index of the parent or -1]
        self.parents: list[list[int]] = []  # [agent, parent] in order of learning
        self._agent_of: dict[str, int] = {}
        self.kinds: dict[str, int] = {}
        self.sessions: dict[str, int] = {}
        self.labels: dict[str, int] = {}

    def agent(self, name: str, parent: str = "") -> int:
        """Index of an agent; the first parent named for it stays."""
        index = self._agent_of.get(name)
        if index is None:
            index = self._agent_of[name] = len(self.agents)
            self.agents.append([name, -1])
        if parent and self.agents[index][1] < 0 and parent != name:
            self._adopt(index, self.agent(parent))
        return index

    def _adopt(self, child: int, parent: int) -> None:
        above = parent
        while above >= 0:  # a parent below its own child would be a ring of lanes
            if above == child:
                return
            above = self.agents[above][1]
        self.agents[child][1] = parent
        self.parents.append([child, parent])

    def mark(self) -> Mark:
        return Mark(
            len(self.agents),
            len(self.kinds),
            len(self.sessions),
            len(self.labels),
            len(self.parents),
        )

    def between(self, low: Mark, high: Mark) -> dict[str, list[Any]]:
        """Entries appended from ``low`` to ``high``; the names of empty lists are left out."""
        if low == high:
            return {}
        fresh: dict[str, list[Any]] = {
            "agents": self.agents[low.agents : high.agents],
            "kinds": list(self.kinds)[low.kinds : high.kinds],
            "sessions": list(self.sessions)[low.sessions : high.sessions],
            "labels": list(self.labels)[low.labels : high.labels],
            # A new agent brings its parent along; only older ones learn it apart.
            "parents": [
                pair for pair in self.parents[low.parents : high.parents] if pair[0] < low.agents
            ],
        }
        return {name: entries for name, entries in fresh.items() if entries}

    def whole(self) -> dict[str, list[Any]]:
        return {
            "agents": self.agents,
            "kinds": list(self.kinds),
            "sessions": list(self.sessions),
            "labels": list(self.labels),
        }

    def size(self) -> int:
        """Entries of the longest dictionary."""
        return max(self.mark())


def index_of(entries: dict[str, int], name: str) -> int:
    """Index of ``name``, appended if it is new; -1 for none."""
    return entries.setdefault(name, len(entries)) if name else -1


def is_failure(event: Mapping[str, Any]) -> bool:
    flags, _ = bearing_of(event.get("event", ""), event.get("level", ""), bool(event.get("error")))
    return flags & FLAG_ERROR > 0


@lru_cache(BEARINGS)
def bearing_of(kind: str, level: str, has_error: bool) -> tuple[int, int]:
    """Flags, but for redaction, and rank of events of this type and level; ``has_error``: the field says
    something."""
    is_failed = has_error or kind == "error" or LEVEL_RANK.get(level, INFO) >= ERROR
    flags = (
        (FLAG_START if is_start(kind) else 0)
        | (FLAG_END if is_end(kind) else 0)
        | (FLAG_ERROR if is_failed else 0)
    )
    return flags, LEVEL_RANK.get(level, INFO) if level else (ERROR if is_failed else INFO)


class Entry(NamedTuple):
    """What the live stream shows of one event, before names become numbers."""

    agent: str
    parent_agent: str
    kind: str
    session: str
    label: str
    rank: int
    dur: float
    span: str
    parent_span: str
    flags: int
    tokens: int
    text: str


def entry_of(event: Mapping[str, Any], *, is_redacted: bool) -> Entry:
    """Of an event that `laneway.model.event.normalise` made: names are texts."""
    get, kind = event.get, event["event"]
    flags, rank = bearing_of(kind, get("level", ""), bool(get("error")))
    return _make_entry((
        event["agent"],
        get("parent_agent", ""),
        kind,
        get("session_id", ""),
        get("tool") or get("model", ""),
        rank,
        get("duration_ms", -1),
        get("span_id", ""),
        get("parent_span_id", ""),
        flags | FLAG_REDACTED if is_redacted else flags,
        get("input_tokens", 0) + get("output_tokens", 0),
        summarise(event),
    ))  # fmt: skip


_make_entry: Callable[[tuple[Any, ...]], Entry] = partial(tuple.__new__, Entry)
"""The class itself costs twice as much."""


class Row(NamedTuple):
    """An event as it goes to the viewers. ``line`` is its JSON, fit to be shown."""

    seq: int
    ts_ns: int
    entry: Entry
    line: bytes


class Ring:
    """The last ``capacity`` events, without holes: ``[first, next)`` by seq. Not thread-safe."""

    COLUMNS = (
        "agent", "kind", "session", "label", "sev", "dur", "span", "parent", "flag", "tokens", "text",
    )  # fmt: skip

    def __init__(self, capacity: int, names: Names) -> None:
        self.capacity = max(1, capacity)
        self.names = names
        self.first = self.next = self._origin = 1
        self._ts_ns: list[int] = []
        self._columns: dict[str, list[Any]] = {name: [] for name in self.COLUMNS}

    def __len__(self) -> int:
        return self.next - self.first

    def restart(self, seq: int) -> None:
        """Forget everything; the next event is ``seq``."""
        self.first = self.next = self._origin = seq
        self._ts_ns.clear()
        for column in self._columns.values():
            column.clear()

    def push(self, ts_ns: int, entry: Entry) -> None:
        """Add the event with seq ``self.next``; the oldest one makes room."""
        self.extend((ts_ns,), (entry,))

    def extend(self, times_ns: Sequence[int], entries: Sequence[Entry]) -> None:
        """`push` for several, at most ``capacity`` of them: column by column, a third of the price."""
        names = self.names
        agents, parents, kinds, sessions, labels, *rest = zip(*entries, strict=True)
        columns = (
            [names.agent(*pair) for pair in zip(agents, parents, strict=True)],
            [index_of(names.kinds, kind) for kind in kinds],
            [index_of(names.sessions, session) for session in sessions],
            [index_of(names.labels, label) for label in labels],
            *rest,
        )
        place, count = self._place(self.next), len(entries)
        head = min(count, self.capacity - place)  # what goes beyond the end begins anew
        held = (self._ts_ns, *self._columns.values())
        for column, values in zip(held, (times_ns, *columns), strict=True):
            column[place : place + head] = values[:head]
            column[: count - head] = values[head:]
        self.next += count
        self.first = max(self.first, self.next - self.capacity)

    @property
    def is_crowded(self) -> bool:
        """Whether more names have gathered than its events can bear."""
        return self.names.size() > 2 * self.capacity + SPARE_NAMES

    def batch(self, since: int, until: int) -> dict[str, Any]:
        """Columns of the events ``[since, until)``, all of which must be in the ring."""
        low, high = self._place(since), self._place(until - 1) + 1
        times = _slice(self._ts_ns, low, high)
        t0_ns = times[0]
        return {
            "seq0": since,
            "n": until - since,
            "t0": t0_ns / NS_PER_MS,
            "dt": [round((ts_ns - t0_ns) / NS_PER_MS, 3) for ts_ns in times],
            **{name: _slice(column, low, high) for name, column in self._columns.items()},
        }

    def renumber(self, names: Names) -> None:
        """Replace the dictionaries by ``names``, filled with what the ring still holds."""
        old = self.names
        agents = self._columns["agent"]
        self._columns["agent"] = [_agent_again(old, names, index) for index in agents]
        for column, entries, fresh in (
            ("kind", old.kinds, names.kinds),
            ("session", old.sessions, names.sessions),
            ("label", old.labels, names.labels),
        ):
            words = list(entries)
            held = self._columns[column]
            self._columns[column] = [index_of(fresh, words[i]) if i >= 0 else -1 for i in held]
        self.names = names

    def _place(self, seq: int) -> int:
        return (seq - self._origin) % self.capacity


def _agent_again(old: Names, fresh: Names, index: int) -> int:
    """The agent's index in ``fresh``; its ancestors come along."""
    name, parent = old.agents[index]
    above = old.agents[parent][0] if parent >= 0 else ""
    if above:
        _agent_again(old, fresh, parent)
    return fresh.agent(name, above)


def _slice(column: list[Any], low: int, high: int) -> list[Any]:
    return column[low:high] if low < high else column[low:] + column[:high]
