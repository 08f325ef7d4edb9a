"""How a hub stands with the bus."""

from typing import NamedTuple


class Status(NamedTuple):
    """Counts are since the courier was started."""

    is_connected: bool = False
    fault: str = ""
    pending_bytes: int = 0
    """Of the log, not acknowledged by the bus yet."""
    published: int = 0
    repeated: int = 0
    """Of those, the ones that the bus had already."""
    received: int = 0
    rejected: int = 0
    """Messages on the bus that are no events."""
    cut: int = 0
    """Events that were too long for a message and went without the rest of their payloads."""
    lost_bytes: int = 0
    """Of log files that were removed before they were published."""
