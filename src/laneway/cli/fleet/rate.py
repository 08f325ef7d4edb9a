"""How much came lately: counts for each second of the last minutes."""

SPAN_S = 120
"""Seconds remembered; the longest window that anything is shown for."""

RATE_S = 10
"""A rate is the mean over this long: steady enough to read, quick enough to follow."""


class Rate:
    """Counts by second of event time; what is older than `SPAN_S` is forgotten, the future is now."""

    __slots__ = ("_counts", "_newest_s")

    def __init__(self) -> None:
        self._counts = [0] * SPAN_S
        self._newest_s = 0

    def add(self, at_s: int, now_s: int, count: int = 1) -> None:
        self._forget(now_s)
        at_s = min(at_s, now_s)
        if at_s > now_s - SPAN_S:
            self._counts[at_s % SPAN_S] += count

    def total(self, now_s: int, window_s: int = SPAN_S) -> int:
        """Within the last ``window_s`` seconds, this one included."""
        self._forget(now_s)
        return sum(self._counts[s % SPAN_S] for s in range(now_s - window_s + 1, now_s + 1))

    def per_second(self, now_s: int) -> float:
        return self.total(now_s, RATE_S) / RATE_S

    def steps(self, now_s: int, count: int, step_s: int) -> list[int]:
        """The last ``count`` steps of ``step_s`` seconds, oldest first; the last one is not over yet."""
        self._forget(now_s)
        first_s = now_s - now_s % step_s - (count - 1) * step_s
        return [
            sum(self._at(first_s + step * step_s + s, now_s) for s in range(step_s))
            for step in range(count)
        ]

    def _at(self, at_s: int, now_s: int) -> int:
        return self._counts[at_s % SPAN_S] if now_s - SPAN_S < at_s <= now_s else 0

    def _forget(self, now_s: int) -> None:
        """Zero the seconds that have come round again since the last look."""
        for second in range(max(self._newest_s + 1, now_s - SPAN_S + 1), now_s + 1):
            self._counts[second % SPAN_S] = 0
        self._newest_s = max(self._newest_s, now_s)
