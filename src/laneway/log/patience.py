"""A clock for what cannot be undone: it does not follow the wall clock ahead at once.

A machine that starts with a wrong date, or whose date somebody changes, must not
lose its history to a rule of age. A jump ahead counts when it has stood for an hour.
"""

import time
from collections.abc import Callable

from laneway.base.clock import NS_PER_DAY, NS_PER_S, now_ns

TRUST_NS = 3_600 * NS_PER_S
"""Time servers mend a clock within minutes of the network's coming."""

JUMP_NS = 60 * NS_PER_S
"""Less is drift."""


def steady_ns() -> int:
    """Time that goes on through a sleep of the machine and is set by nobody."""
    try:
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    except (AttributeError, OSError):  # not on Linux
        return time.monotonic_ns()


class PatientClock:
    """``last_ns`` is when the log was last written: a start more than a day later is a jump, too."""

    def __init__(
        self,
        last_ns: int,
        wall_ns: Callable[[], int] = now_ns,
        steady_ns: Callable[[], int] = steady_ns,
    ) -> None:
        self._wall_ns = wall_ns
        self._steady_ns = steady_ns
        self._believed_ns = min(wall_ns(), last_ns + NS_PER_DAY) if last_ns else wall_ns()
        self._at_ns = steady_ns()
        self._ahead_since_ns: int | None = None

    @property
    def is_waiting(self) -> bool:
        """Whether the wall clock is ahead and not believed yet."""
        return self._ahead_since_ns is not None

    def now_ns(self) -> int:
        """Never ahead of the wall clock."""
        wall_ns, at_ns = self._wall_ns(), self._steady_ns()
        believed_ns = self._believed_ns + at_ns - self._at_ns
        if wall_ns > believed_ns + JUMP_NS:
            if self._ahead_since_ns is None:
                self._ahead_since_ns = at_ns
            if at_ns - self._ahead_since_ns < TRUST_NS:
                return believed_ns
        self._believed_ns, self._at_ns = wall_ns, at_ns
        self._ahead_since_ns = None
        return wall_ns
