"""Events and waiting, for the hub's tests."""

import time
from collections.abc import Callable
from typing import Any

DEADLINE_S = 90.0
"""Costs nothing where all is well: a busy machine of two cores has stood still for 20 s."""


def eventually(condition: Callable[[], object], what: str = "") -> None:
    """Wait until ``condition`` holds, and fail where it never does."""
    until_s = time.monotonic() + DEADLINE_S
    while not condition():
        if time.monotonic() > until_s:
            raise AssertionError(f"never came true: {what or condition}")
        time.sleep(0.005)


def event(number: int = 0, **fields: Any) -> dict[str, Any]:
    """An event as a sender posts it; ``number`` makes its id and time."""
    return {
        "timestamp": f"2026-11-23T18:00:{number % 60:02d}.{number // 60:06d}Z",
        "agent": "planner",
        "event": "user_message",
        "id": f"id-{number}",
        "content": f"message {number}",
        **fields,
    }
