"""How much one sender may send: token buckets, one for each token and one for each agent.

A request is let in while its buckets hold something, and then takes what it holds, into debt if
need be: a batch is never torn apart, and whoever sent too much pays by waiting. What is refused
stays with its sender, in a spool on disk: nothing waits in the hub's memory.
"""

from collections.abc import Iterable, Mapping
from math import ceil
from time import monotonic

from laneway.base.errors import LanewayError

BURST_S = 10.0
"""A bucket holds so many seconds' worth: a start-up is no flood."""

BUCKETS = 10_000
"""Senders remembered; beyond, those who were quiet longest begin anew with a full bucket."""

MOST_WAIT_S = 60


class RateError(LanewayError):
    """A sender sent too much; ``retry_after_s`` from now it may go on."""

    code = "too_many_events"
    status = 429

    def __init__(self, whose: str, retry_after_s: int) -> None:
        super().__init__(
            f"{whose} sends more events than it may",
            hint="send this again after Retry-After; see the settings token_rate and agent_rate",
        )
        self.retry_after_s = retry_after_s


class Buckets:
    """One kind of bucket, filled with ``rate`` events a second; 0 lets everything pass."""

    def __init__(self, kind: str, rate: float) -> None:
        self.rate = rate
        self._kind = kind
        self._full = rate * BURST_S
        self._held: dict[str, tuple[float, float]] = {}

    def check(self, names: Iterable[str], now_s: float = 0.0) -> None:
        """Let a request pass.

        Raises:
            RateError: one of ``names`` is in debt; nothing was taken from anybody.
        """
        now_s = now_s or monotonic()
        for name in names:
            level = self._level(name, now_s)
            if level <= 0:
                wait_s = min(MOST_WAIT_S, max(1, ceil(-level / self.rate)))
                raise RateError(f"{self._kind} {name!r}", wait_s)

    def take(self, counts: Mapping[str, int], now_s: float = 0.0) -> None:
        now_s = now_s or monotonic()
        for name, count in counts.items():
            level = self._level(name, now_s) - count
            self._held.pop(name, None)  # to the end: who sent last is forgotten last
            self._held[name] = level, now_s
        while len(self._held) > BUCKETS:
            del self._held[next(iter(self._held))]

    def _level(self, name: str, now_s: float) -> float:
        level, at_s = self._held.get(name, (self._full, now_s))
        return min(self._full, level + (now_s - at_s) * self.rate)
