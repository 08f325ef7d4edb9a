"""The events that every peer gets: the same texts in the same order, each with a mark that is found again in
whatever a peer makes of it. Standard library only: it runs in the peers' environment.
"""

import random
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

SEED = 7
CONTENT_CHARS = 250
AGENTS, TOOLS, SESSION_EVENTS = 10, 8, 500
KINDS = ("llm_request", "llm_response", "tool_invocation", "tool_result")
SYLLABLES = [a + b for a in "bcdfghklmnprst" for b in ("a", "e", "i", "o", "u", "an", "er")]
Event = dict[str, Any]
MARK = re.compile(rb"evt-(\d{7})")


def iter_events(count: int, start: int = 0) -> Iterator[Event]:
    draw = random.Random(SEED + start)
    words = ["".join(draw.choices(SYLLABLES, k=draw.randint(1, 4))) for _ in range(2_000)]
    for n in range(start, start + count):
        text = f"evt-{n:07d} {' '.join(draw.choices(words, k=50))}"[:CONTENT_CHARS]
        event: Event = {
            "agent": f"agent-{n % AGENTS}",
            "event": KINDS[n % 4],
            "content": text.ljust(CONTENT_CHARS, "."),
            "session_id": f"session-{n // SESSION_EVENTS}",
        }
        if n % 4 >= 2:
            event["tool"] = f"tool-{n % TOOLS}"
        yield event


def marks_in(folder: Path) -> int:
    """How many different events are found in the files below ``folder``."""
    found: set[bytes] = set()
    for path in folder.rglob("*"):
        if path.is_file():
            found.update(MARK.findall(path.read_bytes()))
    return len(found)
