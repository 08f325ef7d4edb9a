"""What a session is doing, as far as its last event tells."""

import re
from typing import Literal

from laneway.base.clock import NS_PER_S
from laneway.store.api import Course

State = Literal["working", "waiting", "idle", "failed", "ended"]

QUIET_NS = 15 * 60 * NS_PER_S
"""Without any event for so long, nobody works: the longest calls of models and tools end before."""

ENDS = frozenset({"session_end"})
WAITS = frozenset({"permission_request", "agent_response"})
"""After these it is a person's turn."""


_HEADING = re.compile(r"^#{1,6}\s+")


def title_of(line: str) -> str:
    """The line of a session's first question, without the marks of a heading in Markdown."""
    return _HEADING.sub("", line)


def state_of(course: Course, time_ns: int) -> State:
    """``ended``: said so, and nothing came after. ``failed``: its last event is an error. ``waiting``:
    for a person. ``idle``: quiet for `QUIET_NS`. ``working``: all else."""
    if course.last_failed:
        return "failed"
    if course.last_event in ENDS:
        return "ended"
    if time_ns - course.last_ns > QUIET_NS:
        return "idle"
    return "waiting" if course.last_event in WAITS else "working"
