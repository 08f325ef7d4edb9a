"""A mergeable summary of durations that answers quantiles within 1 % (the idea is DDSketch's).

Values fall into buckets whose bounds grow by a constant factor, so that every value
of a bucket lies within `ACCURACY` of the bucket's middle. Counts of whole numbers
add up to the same sketch in any order and in any grouping.
"""

import math
import struct
from array import array
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

ACCURACY = 0.01
"""Largest relative error of a quantile. A distribution over three decades takes 350 buckets, most of
them one byte; 2 % would halve them, and 0.5 % double them."""

FACTOR = (1 + ACCURACY) / (1 - ACCURACY)
LOG_FACTOR = math.log(FACTOR)
MIDDLE = 2 / (1 + FACTOR)

LEAST_MS = 1e-3
"""A microsecond. What is shorter is told as 0: no clock of an agent measures it."""

MOST_MS = 1e15
"""The end of what a duration may be (`AMOUNT_END` of an event); it bounds a sketch to 2,073 buckets."""

US_PER_MS = 1_000

MAX_SUM_US = 2**53
"""285 years. Sums are whole microseconds up to here, where every number of SQLite and JSON is exact."""

QUANTILES = (0.5, 0.9, 0.95, 0.99)

EXACT_VALUES = 200_000
"""Durations kept one by one, 8 bytes each, before they are folded into a sketch."""

_HEAD = struct.Struct("<chI")

SPARSE = b"P"
"""Stands for places of values in the head of a packed sketch, where others have the size of a count."""


class Durations(NamedTuple):
    """What is told of a set of durations, in milliseconds. Quantiles are by the nearest rank."""

    event_count: int
    mean_ms: float
    max_ms: float
    p50_ms: float
    p90_ms: float
    p95_ms: float
    p99_ms: float


class Sketch:
    """Counts by bucket. ``counts[i]`` belongs to bucket ``low + i``, the values of
    ``(FACTOR ** (low + i - 1), FACTOR ** (low + i)]`` milliseconds."""

    __slots__ = ("count", "counts", "low", "max_ms", "sum_us", "tiny_count")

    def __init__(self) -> None:
        self.count = 0
        self.sum_us = 0
        self.max_ms = 0.0
        self.tiny_count = 0
        self.low = 0
        self.counts: list[int] = []

    def add(self, value_ms: float) -> None:
        """Costs about a microsecond."""
        self.count += 1
        self.sum_us = min(self.sum_us + round(value_ms * US_PER_MS), MAX_SUM_US)
        if value_ms > self.max_ms:
            self.max_ms = value_ms
        if value_ms <= LEAST_MS:
            self.tiny_count += 1
            return
        place = math.ceil(math.log(min(value_ms, MOST_MS)) / LOG_FACTOR) - self.low
        if not 0 <= place < len(self.counts):
            place = self._make_room(place + self.low, 1)
        self.counts[place] += 1

    def merge(self, other: "Sketch") -> None:
        self.count += other.count
        self.sum_us = min(self.sum_us + other.sum_us, MAX_SUM_US)
        self.max_ms = max(self.max_ms, other.max_ms)
        self.tiny_count += other.tiny_count
        if other.counts:
            start = self._make_room(other.low, len(other.counts))
            end = start + len(other.counts)
            pairs = zip(self.counts[start:end], other.counts, strict=True)
            self.counts[start:end] = [ours + theirs for ours, theirs in pairs]

    def add_all(self, values_ms: Sequence[float]) -> None:
        """As `add` of each, at half its cost."""
        if not values_ms:
            return
        self.count += len(values_ms)
        self.sum_us = min(self.sum_us + sum(round(v * US_PER_MS) for v in values_ms), MAX_SUM_US)
        self.max_ms = max(self.max_ms, *values_ms)
        log, ceil = math.log, math.ceil
        lasting = [v if v < MOST_MS else MOST_MS for v in values_ms if v > LEAST_MS]
        self.tiny_count += len(values_ms) - len(lasting)
        counted = Counter(ceil(log(v) / LOG_FACTOR) for v in lasting)
        if counted:
            low = min(counted)
            start = self._make_room(low, max(counted) - low + 1)
            for place, count in counted.items():
                self.counts[start + place - low] += count

    def quantile(self, share: float) -> float:
        """The value of the nearest rank, within `ACCURACY`; 0 of an empty sketch."""
        rank = max(math.ceil(share * self.count), 1)
        seen = self.tiny_count
        if seen >= rank or not self.count:
            return 0.0
        for place, count in enumerate(self.counts):
            seen += count
            if seen >= rank:
                return min(MIDDLE * FACTOR ** (self.low + place), self.max_ms)
        return self.max_ms

    def pack(self) -> bytes:
        """The buckets; count, sum and maximum go into columns of their own.

        Few values are one place each, the others a count for each bucket between the ends."""
        if (self.count - self.tiny_count) * 2 < len(self.counts):
            places = [place for place, count in enumerate(self.counts) for _ in range(count)]
            return _HEAD.pack(SPARSE, self.low, self.tiny_count) + struct.pack(
                f"<{len(places)}H", *places
            )
        most = max(self.counts, default=0)
        code = "B" if most < 1 << 8 else "H" if most < 1 << 16 else "I" if most < 1 << 32 else "Q"
        body = struct.pack(f"<{len(self.counts)}{code}", *self.counts)
        return _HEAD.pack(code.encode(), self.low, self.tiny_count) + body

    @classmethod
    def unpack(cls, count: int, sum_us: int, max_ms: float, packed: bytes) -> "Sketch":
        sketch = cls()
        sketch.count, sketch.sum_us, sketch.max_ms = count, sum_us, max_ms
        code, sketch.low, sketch.tiny_count = _HEAD.unpack_from(packed)
        if code == SPARSE:
            places = struct.unpack_from(f"<{(len(packed) - _HEAD.size) // 2}H", packed, _HEAD.size)
            sketch.counts = [0] * (places[-1] + 1)
            for place in places:
                sketch.counts[place] += 1
            return sketch
        size = (len(packed) - _HEAD.size) // struct.calcsize(f"<{code.decode()}")
        sketch.counts = list(struct.unpack_from(f"<{size}{code.decode()}", packed, _HEAD.size))
        return sketch

    def _make_room(self, low: int, size: int) -> int:
        """Widen ``counts`` to hold buckets ``[low, low + size)``; where they begin in it."""
        if not self.counts:
            self.low, self.counts = low, [0] * size
            return 0
        before = max(self.low - low, 0)
        after = max(low + size - self.low - len(self.counts), 0)
        self.counts = [0] * before + self.counts + [0] * after
        self.low -= before
        return low - self.low


def sketch_of(values_ms: Sequence[float]) -> Sketch:
    sketch = Sketch()
    sketch.add_all(values_ms)
    return sketch


class Spread:
    """Durations of one group while they are collected: one by one as long as they are few."""

    __slots__ = ("_sketch", "_values")

    def __init__(self) -> None:
        self._values: array[float] | None = array("d")
        self._sketch = Sketch()

    @property
    def is_exact(self) -> bool:
        return self._values is not None

    def add(self, values_ms: Sequence[float]) -> None:
        if self._values is None:
            self._fold(values_ms)
            return
        self._values.extend(values_ms)
        if len(self._values) > EXACT_VALUES:
            self._give_up_values()

    def merge(self, sketch: Sketch) -> None:
        self._give_up_values()
        self._sketch.merge(sketch)

    def durations(self) -> Durations:
        if self._values is None:
            sketch = self._sketch
            mean_ms = sketch.sum_us / US_PER_MS / sketch.count if sketch.count else 0.0
            quantiles = [sketch.quantile(share) for share in QUANTILES]
            return Durations(sketch.count, mean_ms, sketch.max_ms, *quantiles)
        return describe(self._values)

    def _give_up_values(self) -> None:
        values, self._values = self._values, None
        self._fold(values or ())

    def _fold(self, values_ms: Sequence[float]) -> None:
        self._sketch.add_all(values_ms)


def describe(values_ms: Sequence[float]) -> Durations:
    """The exact figures."""
    if not values_ms:
        return Durations(0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
    ordered = sorted(values_ms)
    count = len(ordered)
    sum_us = min(sum(round(value_ms * US_PER_MS) for value_ms in ordered), MAX_SUM_US)
    ranks = [max(math.ceil(share * count), 1) for share in QUANTILES]
    return Durations(
        count, sum_us / US_PER_MS / count, ordered[-1], *(ordered[rank - 1] for rank in ranks)
    )
