"""Questions go first: in the indexer's process the follower steps aside while one is answered.

Both are Python, and share one interpreter. A question that has to ask for it back, after each look into the
index, from a thread that computes, waits for as long as that thread may keep it, each time.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from time import monotonic

SWITCH_S = 0.0005
"""How long a thread may keep the interpreter while another one waits. With Python's 5 ms, questions of 1 to
2 ms took 7 to 20 at p95 beside 5,000 events a second."""

MOST_S = 0.03
"""What is new waits so long for a question at most: most are answered by then."""


class Courtesy:
    """`answering` by any thread; `step_aside` by the one that can wait."""

    def __init__(self) -> None:
        self._asked = 0
        self._changed = threading.Condition()
        self._resumed_s = monotonic()

    @contextmanager
    def answering(self) -> Iterator[None]:
        with self._changed:
            self._asked += 1
        try:
            yield
        finally:
            with self._changed:
                self._asked -= 1
                self._changed.notify_all()

    def step_aside(self) -> None:
        """Wait while a question is answered, at most `MOST_S`, and no longer than the caller has worked since
        it waited last: however much is asked, it gets half of the time. Costs nothing where nobody asks."""
        if not self._asked:
            return
        most_s = min(monotonic() - self._resumed_s, MOST_S)
        with self._changed:
            self._changed.wait_for(lambda: not self._asked, most_s)
        self._resumed_s = monotonic()
