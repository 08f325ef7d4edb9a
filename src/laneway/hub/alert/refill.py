"""What a gauge would hold had the hub never stopped, from the index."""

from typing import Protocol

import orjson

from laneway.base.clock import NS_PER_S
from laneway.base.errors import EventError
from laneway.hub.alert.gauge import Gauge, SilentGauge, WindowGauge
from laneway.hub.alert.rule import ALERT_AGENT, Rule
from laneway.hub.archive import EventPage
from laneway.model.moment import parse_timestamp_ns
from laneway.store.api import FIELDS, Page, Query, Split, Table
from laneway.store.query.expr import Compare, Expr, Open, all_of, is_one_of, negate
from laneway.store.query.field import AGENT, SEQ

OPEN_NS = 86_400 * NS_PER_S
"""What was left open for longer before the hub began was left for good."""

OPEN_SPANS = 1_000


class Finder(Protocol):
    """The part of a store, or of its proxy, that is asked here."""

    def find(self, query: Query) -> Page: ...
    def aggregate(self, query: Query, split: Split) -> Table: ...


class Pages(Protocol):
    def page(self, query: Query) -> EventPage: ...


def where_of(rule: Rule) -> Expr:
    """The rule's query, without what the hub itself says of alerts."""
    return all_of([rule.where, negate(is_one_of(AGENT, (ALERT_AGENT,)))])


def refill(
    rule: Rule,
    gauge: Gauge,
    store: Finder,
    archive: Pages,
    *,
    last_seq: int,
    now_ns: int,
) -> None:
    """Fill a new gauge with what happened up to ``last_seq``.

    Raises:
        StoreError: the index cannot be asked.
    """
    known = all_of([where_of(rule), Compare(SEQ, "<=", last_seq)])
    if isinstance(gauge, WindowGauge):
        fill_windows(rule, gauge, store, known, now_ns - rule.window_ns, now_ns)
    elif isinstance(gauge, SilentGauge):
        hits = store.find(Query(is_one_of(AGENT, (rule.agent,)), limit=1)).hits
        gauge.heard_ns = min(hits[0].ts_ns, now_ns) if hits else 0
    else:
        query = Query(all_of([known, Open()]), since_ns=now_ns - OPEN_NS, limit=OPEN_SPANS)
        for line in reversed(archive.page(query).lines):
            event = orjson.loads(line)
            label = event.get("tool") or event.get("model") or event["event"]
            name = f"{label} of {event['agent']}"
            gauge.open(event["span_id"], min(_time_ns(event), now_ns), name)


def fill_windows(
    rule: Rule, gauge: WindowGauge, store: Finder, where: Expr, since_ns: int, until_ns: int
) -> None:
    """Add counts step by step, each at the time of its step."""
    for start_ns, group, count, other in iter_counts(
        rule, store, where, gauge.windows.slot_ns, since_ns, until_ns
    ):
        gauge.windows.add(group, start_ns, until_ns, count, other)


def iter_counts(
    rule: Rule, store: Finder, where: Expr, step_ns: int, since_ns: int, until_ns: int
) -> list[tuple[int, str, int, int]]:
    """What a rule counts, by time: (start of the step, group, sum, other sum), in order of time."""
    by = next(((field,) for field in FIELDS if field == rule.by), ())
    is_usage = rule.kind == "tokens"
    query = Query(where, since_ns=since_ns, until_ns=until_ns + 1)
    split = Split(by=by, step_ns=step_ns, of="usage" if is_usage else "count")
    counts = []
    for cell in store.aggregate(query, split).cells:
        group = (cell.keys[0] or "") if by else ""
        count = cell.input_tokens + cell.output_tokens if is_usage else cell.event_count
        other = cell.error_count if rule.kind == "error_rate" else 0
        if count:
            counts.append((cell.start_ns, group, count, other))
    return sorted(counts)


def _time_ns(event: dict[str, object]) -> int:
    try:
        return parse_timestamp_ns(event["timestamp"])
    except (EventError, ValueError):
        return 0
