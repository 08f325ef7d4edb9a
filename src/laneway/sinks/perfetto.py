"""Events as a trace that ui.perfetto.dev and chrome://tracing open.

The format is the Trace Event Format (JSON): a process for each pod, a thread for each agent,
complete events (``X``) for spans, instants (``i``) for the rest, and arrows (``s``, ``f``) from a
span to the work that another agent did for it. Spans on one thread must nest: those that
overlap go to further threads of the same agent.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from laneway.sinks.pairing import Instant, Span, pair

TEXT_CHARS = 2_000
"""Of one text in the details of a slice: the viewer holds all of them in memory."""

HIDDEN = frozenset({"timestamp", "agent", "event", "pod", "host", "pid"})
"""They stand elsewhere in the picture, or tell nothing there."""

DEFAULT_PROCESS = "agents"


class _Row(NamedTuple):
    """One thread of an agent: when the spans open on it end, outermost first."""

    tid: int
    ends_ns: list[int]

    def try_place(self, start_ns: int, end_ns: int) -> bool:
        """Whether the span is after all others here, or wholly inside the innermost open one."""
        while self.ends_ns and self.ends_ns[-1] <= start_ns:
            self.ends_ns.pop()
        if self.ends_ns and end_ns > self.ends_ns[-1]:
            return False
        self.ends_ns.append(end_ns)
        return True


def encode(events: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """The trace in parts that make one JSON object. All spans are in memory until it is done."""
    items = list(pair(events))
    last_ns = max((_end_ns(item) for item in items), default=0)
    layout = _Layout()
    yield b'{"displayTimeUnit":"ms","traceEvents":['
    separator = b"\n"
    for entry in _iter_entries(items, last_ns, layout):
        yield separator + orjson.dumps(entry)
        separator = b",\n"
    yield b"\n]}\n"


def _iter_entries(
    items: list[Span | Instant], last_ns: int, layout: "_Layout"
) -> Iterator[dict[str, Any]]:
    spans = sorted(
        (item for item in items if isinstance(item, Span)),
        key=lambda span: (span.start_ns, -(span.end_ns or last_ns)),
    )
    for span in spans:
        yield from _span_entries(span, last_ns, layout)
    for item in items:
        if isinstance(item, Instant):
            pid, tid = layout.thread_of(item.event)
            yield _entry(
                "i",
                str(item.event["event"]),
                pid,
                tid,
                item.ts_ns,
                s="t",
                args=_details(item.event),
            )
    yield from layout.names()


def _span_entries(span: Span, last_ns: int, layout: "_Layout") -> Iterator[dict[str, Any]]:
    facts = span.facts
    end_ns = last_ns if span.end_ns is None else span.end_ns
    pid, tid = layout.place(facts, span.start_ns, end_ns)
    details = _details(facts) | ({"open": True} if span.end_ns is None else {})
    yield _entry("X", name_of(span), pid, tid, span.start_ns, dur=(end_ns - span.start_ns) / 1_000,
                 cat=span.kind, args=details)  # fmt: skip
    parent = layout.spans.get(str(facts.get("parent_span_id") or ""))
    if parent and parent[:2] != (pid, tid) and parent[2] != facts["agent"]:
        flow = {"cat": "spawned", "id": str(facts.get("span_id") or span.start_ns)}
        yield _entry("s", "spawned", parent[0], parent[1], span.start_ns, **flow)
        yield _entry("f", "spawned", pid, tid, span.start_ns, bp="e", **flow)
    if facts.get("span_id"):
        layout.spans[str(facts["span_id"])] = pid, tid, str(facts["agent"])


def name_of(span: Span) -> str:
    """The tool or model, else what kind of work it is."""
    facts = span.facts
    for field in ("tool", "model"):
        if facts.get(field):
            return str(facts[field])
    return span.kind.removesuffix("_start").removesuffix("_end")


def _entry(phase: str, name: str, pid: int, tid: int, ts_ns: int, **more: Any) -> dict[str, Any]:
    return {"ph": phase, "name": name, "pid": pid, "tid": tid, "ts": ts_ns / 1_000, **more}


def _details(event: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _cut(value) for name, value in event.items() if name not in HIDDEN}


def _cut(value: Any) -> Any:
    if isinstance(value, (dict, list)):
        value = orjson.dumps(value).decode()
    if isinstance(value, str) and len(value) > TEXT_CHARS:
        return f"{value[:TEXT_CHARS]}… ({len(value)} characters)"
    return value


def _end_ns(item: Span | Instant) -> int:
    return item.ts_ns if isinstance(item, Instant) else item.end_ns or item.start_ns


class _Layout:
    """Numbers of processes and threads, and where each span went."""

    def __init__(self) -> None:
        self.spans: dict[str, tuple[int, int, str]] = {}
        self._pids: dict[str, int] = {}
        self._rows: dict[tuple[int, str], list[_Row]] = {}
        self._next_tid = 1

    def place(self, event: Mapping[str, Any], start_ns: int, end_ns: int) -> tuple[int, int]:
        pid, rows = self._rows_of(event)
        for row in rows:
            if row.try_place(start_ns, end_ns):
                return pid, row.tid
        rows.append(self._new_row())
        rows[-1].try_place(start_ns, end_ns)
        return pid, rows[-1].tid

    def thread_of(self, event: Mapping[str, Any]) -> tuple[int, int]:
        """An agent's first thread."""
        pid, rows = self._rows_of(event)
        if not rows:
            rows.append(self._new_row())
        return pid, rows[0].tid

    def names(self) -> Iterator[dict[str, Any]]:
        for pod, pid in self._pids.items():
            yield {"ph": "M", "name": "process_name", "pid": pid, "args": {"name": pod}}
        for (pid, agent), rows in self._rows.items():
            for place, row in enumerate(rows, 1):
                name = agent if place == 1 else f"{agent} ·{place}"
                head = {"ph": "M", "pid": pid, "tid": row.tid}
                yield {**head, "name": "thread_name", "args": {"name": name}}
                yield {**head, "name": "thread_sort_index", "args": {"sort_index": row.tid}}

    def _rows_of(self, event: Mapping[str, Any]) -> tuple[int, list[_Row]]:
        pod = str(event.get("pod") or DEFAULT_PROCESS)
        pid = self._pids.setdefault(pod, len(self._pids) + 1)
        return pid, self._rows.setdefault((pid, str(event["agent"])), [])

    def _new_row(self) -> _Row:
        self._next_tid += 1
        return _Row(self._next_tid - 1, [])
