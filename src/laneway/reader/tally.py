"""The figures behind `laneway stats`, gathered from a source: a row for each value of each field."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from laneway.base.clock import NS_PER_MS, format_ns
from laneway.base.limits import PAGE_EVENTS
from laneway.store.api import FIELDS

if TYPE_CHECKING:
    from laneway.reader.source import Pairs, Source

OVER_TIME = ("agent", "event", "level", "tool")
"""What the pulse tells apart."""

QUANTILES = ("mean_ms", "p50_ms", "p90_ms", "p95_ms", "p99_ms", "max_ms")
SUMS = ("input_tokens", "output_tokens", "cost_usd")

FEW_STEPS = 100
"""Fewer steps than this are coarse for a chart as wide as a window."""

Row = dict[str, Any]


def gather(source: "Source", pairs: "Pairs", fields: Sequence[str], limit: int) -> dict[str, Any]:
    """All figures as one JSON object; ``by`` has ``limit`` values of each field, the most frequent first.

    ``accuracy`` is the worst of all parts. A row has durations, sums and a series over time where
    its events have them.
    """
    few = [*pairs, ("limit", "1")]
    pulse = source.ask("pulse", pairs)
    when = _narrowed(pairs, pulse)
    if when != pairs:
        pulse = source.ask("pulse", when)
    counts = source.ask("facets", [*few, ("by", "agent,session")])["facets"]
    usage = source.ask("usage", few)
    parts: list[dict[str, Any]] = [pulse, usage, *counts]
    by = {field: _by(source, pairs, when, field, limit, parts) for field in fields}
    said = {part["accuracy"] for part in parts}
    totals = usage["usage"][0] if usage["usage"] else {}
    return {
        "accuracy": next(a for a in ("at_least", "estimated", "exact") if a in said),
        "events": sum(bucket[1] for bucket in pulse["buckets"]),
        "errors": sum(bucket[2] for bucket in pulse["buckets"]),
        "agents": counts[0]["distinct"],
        "sessions": counts[1]["distinct"],
        **{name: totals.get(name, 0) for name in SUMS},
        "step_ms": pulse["step_ms"],
        "buckets": pulse["buckets"],
        "by": by,
    }


def _narrowed(pairs: "Pairs", pulse: dict[str, Any]) -> "Pairs":
    """The same events with the times between which they lie, where that allows shorter steps: without
    times, the steps fit everything that the index holds."""
    buckets, step_ms = pulse["buckets"], pulse["step_ms"]
    if not buckets or (buckets[-1][0] - buckets[0][0]) // step_ms > FEW_STEPS:
        return pairs
    since, until = buckets[0][0], buckets[-1][0] + step_ms
    times = [("since", format_ns(since * NS_PER_MS)), ("until", format_ns(until * NS_PER_MS))]
    return [*(pair for pair in pairs if pair[0] not in ("since", "until")), *times]


def _by(
    source: "Source",
    pairs: "Pairs",
    when: "Pairs",
    field: str,
    limit: int,
    parts: list[dict[str, Any]],
) -> dict[str, Any]:
    asked = [*pairs, ("by", field)]
    facet = source.ask("facets", [*asked, ("limit", str(limit))])["facets"][0]
    parts.append(facet)
    rows: dict[str, Row] = {value["value"]: dict(value) for value in facet["values"]}
    if field in FIELDS and rows:
        whole = [*asked, ("limit", str(PAGE_EVENTS))]
        durations, usage = source.ask("durations", whole), source.ask("usage", whole)
        parts += [durations, usage]
        _add(rows, field, durations["durations"], QUANTILES)
        _add(rows, field, usage["usage"], SUMS)
    if field in OVER_TIME and rows:
        pulse = source.ask("pulse", [*when, ("by", field)])
        parts.append(pulse)
        for series in pulse["series"]:
            if series["name"] in rows:
                rows[series["name"]]["buckets"] = series["buckets"]
    return {"distinct": facet["distinct"], "values": list(rows.values())}


def _add(rows: dict[str, Row], field: str, told: list[Row], names: Sequence[str]) -> None:
    for part in told:
        if part[field] in rows:
            rows[part[field]].update({name: part[name] for name in names})
