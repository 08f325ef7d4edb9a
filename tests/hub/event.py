"""Events, for the hub's tests."""

from typing import Any


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
