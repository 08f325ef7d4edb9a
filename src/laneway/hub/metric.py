"""Counters and histograms in the Prometheus text format, without a dependency.

A value is written by one thread only (the event loop or the follower), so
that adding to it needs no lock; a scrape may see it half a batch old.
"""

import os
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Mapping

from laneway.hub.activity import Activity
from laneway.hub.text_format import escape, head

LATENCY_BOUNDS_S = (
    0.0001,
    0.00025,
    0.0005,
    0.001,
    0.0025,
    0.005,
    0.01,
    0.025,
    0.05,
    0.1,
    0.25,
    1.0,
)
"""From one append (about 100 µs) to a disk that hangs."""


LABELS = 200
"""Label values of one counter; whatever comes beyond is counted together."""


class Counter:
    """A total that only grows, by label values."""

    def __init__(self, name: str, help: str, *labels: str) -> None:
        self.name = name
        self.help = help
        self.labels = labels
        self.values: dict[tuple[str, ...], int] = {} if labels else {(): 0}

    def add(self, count: int = 1, *values: str) -> None:
        if len(self.values) >= LABELS and values not in self.values:
            values = ("other",) * len(values)
        self.values[values] = self.values.get(values, 0) + count

    @property
    def total(self) -> int:
        return sum(list(self.values.values()))

    def lines(self) -> Iterator[str]:
        yield from head(self.name, self.help, "counter")
        for values, count in sorted(self.values.copy().items()):
            yield f"{self.name}{_labels(zip(self.labels, values, strict=True))} {count}"


class Histogram:
    """Durations in seconds in fixed buckets."""

    def __init__(self, name: str, help: str, bounds: tuple[float, ...] = LATENCY_BOUNDS_S) -> None:
        self.name = name
        self.help = help
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum_s = 0.0

    def observe(self, duration_s: float) -> None:
        self.counts[bisect_left(self.bounds, duration_s)] += 1
        self.sum_s += duration_s

    def lines(self) -> Iterator[str]:
        yield from head(self.name, self.help, "histogram")
        seen = 0
        for bound, count in zip((*self.bounds, "+Inf"), list(self.counts), strict=True):
            seen += count
            yield f'{self.name}_bucket{{le="{bound}"}} {seen}'
        yield f"{self.name}_sum {self.sum_s:.6f}"
        yield f"{self.name}_count {seen}"


def _counter(name: str, help: str, *labels: str) -> Counter:
    return Counter(f"laneway_{name}_total", help, *labels)


class Metric:
    """Everything that a hub counts. Nothing is dropped without one of these growing."""

    def __init__(self) -> None:
        self.accepted = _counter("events_accepted", "Events appended for a sender.")
        self.rejected = _counter("events_rejected", "Events refused, by field.", "field")
        self.points = _counter("metric_points", "OpenTelemetry's points, by outcome.", "outcome")
        self.refused = _counter("requests_refused", "Requests refused, by error code.", "code")
        self.ended = _counter("connections_ended", "Connections ended by the hub.", "reason")
        self.indexed = _counter("events_indexed", "Events of the log taken into the index.")
        self.indexed_bytes = _counter("indexed_bytes", "Bytes of log lines read into the index.")
        self.duplicate = _counter("events_duplicate", "Lines whose id was in the index already.")
        self.quarantined = _counter("lines_quarantined", "Lines that are no events.", "reason")
        self.broken = _counter("files_broken", "Log files cut in place or gone unread.", "how")
        self.broken_bytes = _counter("broken_bytes", "Bytes seen in those files and never read.")
        self.masked = _counter("lines_masked", "Lines with a secret, masked when read.")
        self.dropped_frames = _counter("frames_dropped", "Frames not sent to a slow viewer.")
        self.side_file = _counter("side_files", "Payloads kept whole beside the log.")
        self.payload_cut = _counter("payloads_cut", "Payloads kept in part, by reason.", "reason")
        self.fault = _counter("faults", "Failures of the hub's own parts.", "part")
        self.ingest_s = Histogram("laneway_ingest_seconds", "Request read to line appended.")
        self.index_s = Histogram("laneway_index_seconds", "One batch of lines into the index.")
        self.activity = Activity()

    def add_read(self, read: "Metric") -> None:
        """Add what another process counted of the lines that it read."""
        for name in ("indexed", "indexed_bytes", "duplicate", "quarantined", "masked"):
            total: Counter = getattr(self, name)
            counted: Counter = getattr(read, name)
            for values, count in counted.values.items():
                total.add(count, *values)

    def take_over(self, counted: "Metric") -> None:
        """Show what the indexer's process counted as our own; both count faults, each its parts."""
        for name in (
            "indexed",
            "indexed_bytes",
            "duplicate",
            "quarantined",
            "broken",
            "broken_bytes",
            "masked",
            "index_s",
            "activity",
        ):
            setattr(self, name, getattr(counted, name))
        self.fault.values.update(counted.fault.values)

    def take_side_files(self, kept: int, lost: Mapping[str, int]) -> None:
        """Show what became of long payloads; ``lost`` are counts by reason."""
        self.side_file.values = {(): kept}
        self.payload_cut.values = {(reason,): count for reason, count in lost.items()}

    def render(self, gauges: Mapping[str, tuple[str, float]], redactions: Mapping[str, int]) -> str:
        """The page for a scrape; a gauge is (help, value), redactions are counts by rule."""
        by_rule = _counter("redactions", "Values redacted, by rule.", "rule")
        by_rule.values = {(rule,): count for rule, count in redactions.items()}
        kept = [part for part in vars(self).values() if isinstance(part, (Counter, Histogram))]
        lines = [line for part in (*kept, by_rule) for line in part.lines()]
        for name, (help, value) in gauges.items():
            lines += [*head(name, help, "gauge"), f"{name} {_number(value)}"]
        return "\n".join([*lines, *self.activity.lines()]) + "\n"


def resident_bytes() -> int:
    """Memory of this process that is in RAM, or 0 where the system does not tell."""
    try:
        with open("/proc/self/statm", "rb") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return _peak_bytes()


def _peak_bytes() -> int:
    try:
        import resource
    except ImportError:
        return 0
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def _labels(pairs: Iterable[tuple[str, str]]) -> str:
    text = ",".join(f'{name}="{escape(value)}"' for name, value in pairs)
    return f"{{{text}}}" if text else ""


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.6f}"
