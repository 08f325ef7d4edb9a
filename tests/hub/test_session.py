import pytest

from laneway.hub.session import QUIET_NS, state_of, title_of
from laneway.store.api import Course


@pytest.mark.parametrize(
    ("last_event", "failed", "quiet_ns", "state"),
    [
        ("tool_invocation", False, 0, "working"),
        ("tool_invocation", False, QUIET_NS, "working"),
        ("tool_invocation", False, QUIET_NS + 1, "idle"),
        ("agent_response", False, 0, "waiting"),
        ("permission_request", False, 5, "waiting"),
        ("agent_response", False, QUIET_NS + 1, "idle"),
        ("session_end", False, 0, "ended"),
        ("session_end", False, 10 * QUIET_NS, "ended"),
        ("session_end", True, 0, "failed"),
        ("error", True, QUIET_NS + 1, "failed"),
        ("user_message", False, -5, "working"),
    ],
)
def test_the_last_event_tells_what_a_session_does(
    last_event: str, failed: bool, quiet_ns: int, state: str
) -> None:
    course = Course(0, 1_000, last_event, failed, 0)
    assert state_of(course, 1_000 + quiet_ns) == state


def test_a_title_is_told_without_the_marks_of_a_heading() -> None:
    assert title_of("## Plan *two* days") == "Plan *two* days"
    assert title_of("#1 is broken") == "#1 is broken"
    assert title_of("") == ""
