"""Waiting for what another thread, process or page does: of all tests, and the only loop of its kind."""

from collections.abc import Callable
from time import monotonic, sleep  # a test may replace those of the module
from typing import TypeVar

T = TypeVar("T")

DEADLINE_S = 180.0
"""Costs nothing where all is well: a busy machine of two cores has stood still for 20 s."""
PAUSE_S = 0.005
LONGEST_PAUSE_S = 0.1
"""Who waits for long asks less and less often: asking takes from what is waited for."""
NOT_YET = (AttributeError, LookupError, TypeError, ValueError, OSError, StopIteration)
"""What a condition raises that looks at what is not there yet: a key, a number, a file, a server. A failed
assertion is none of them: with it a condition says that there is nothing to wait for."""


def eventually(
    condition: Callable[[], T], what: str | Callable[[], str] = "", deadline_s: float = DEADLINE_S
) -> T:
    """Wait until ``condition`` holds, and return what it then was; an error with what was seen last."""
    until_s, pause_s = monotonic() + deadline_s, PAUSE_S
    while True:
        error: BaseException | None = None
        try:
            if seen := condition():
                return seen
            last = repr(seen)
        except NOT_YET as caught:
            error, last = caught, f"{type(caught).__name__}: {caught}"
        if monotonic() > until_s:
            told = what if isinstance(what, str) else what()
            raise AssertionError(
                f"waited {deadline_s:.0f} s for {told or condition}; the last look saw {last}"
            ) from error
        sleep(pause_s)
        pause_s = min(LONGEST_PAUSE_S, 1.1 * pause_s)
