"""Figures over time as a line of bars."""

from collections.abc import Sequence
from typing import NamedTuple

BARS = " ▁▂▃▄▅▆▇█"

Bucket = Sequence[int]
"""As ``/api/pulse`` has it: start in Unix milliseconds, events, errors."""


class Axis(NamedTuple):
    """Equal steps of time; ``step_ms`` is a multiple of the step that was counted by."""

    start_ms: int
    step_ms: int
    steps: int

    @property
    def end_ms(self) -> int:
        return self.start_ms + self.step_ms * self.steps

    def sums(self, buckets: Sequence[Bucket], place: int) -> list[int]:
        """``bucket[place]`` summed by step."""
        sums = [0] * self.steps
        for bucket in buckets:
            step = (bucket[0] - self.start_ms) // self.step_ms
            if 0 <= step < self.steps:
                sums[step] += bucket[place]
        return sums


def fit_axis(buckets: Sequence[Bucket], step_ms: int, cells: int) -> Axis:
    """From the first bucket to the last, in at most ``cells`` steps."""
    if not buckets:
        return Axis(0, step_ms, 0)
    start_ms = buckets[0][0]
    count = (buckets[-1][0] - start_ms) // step_ms + 1
    merged = -(-count // max(cells, 1))
    return Axis(start_ms, step_ms * merged, -(-count // merged))


def sparkline(counts: list[int], peak: int = 0) -> str:
    """A bar a count, the highest full; a count above zero is never without a bar."""
    peak = max(peak, *counts, 1)
    return "".join(BARS[-(-count * 8 // peak)] for count in counts)
