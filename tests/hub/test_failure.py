"""Which failures are the same one."""

import pytest

from laneway.hub.failure import BINS, gather, pattern_of

from .event import event


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("took longer than 120 s", "took longer than 30.5 s"),
        ("request 0x7f3a failed", "request 0xdeadbeef failed"),
        (
            "no order 018f3c2e-7b1a-7cde-8f00-aabbccddeeff",
            "no order 018f3c2e-7b1a-7cde-8f00-000000000000",
        ),
        ("commit c4ce2fb19 is gone", "commit 0e94b68d2 is gone"),
        ("key [redacted:github:7f3a9c] refused", "key [redacted:github:000000] refused"),
        ("two\n  lines", "two lines"),
    ],
)
def test_what_changes_from_one_to_the_next_makes_no_other_kind(one: str, other: str) -> None:
    assert pattern_of(one) == pattern_of(other)


def test_words_make_another_kind() -> None:
    assert pattern_of("database is locked") != pattern_of("database is gone")
    assert "deadbeef" in pattern_of("deadbeef is a word")


def test_failures_are_counted_by_kind_with_first_newest_and_whom_they_met() -> None:
    def failed(number: int, message: str, **fields: object) -> dict[str, object]:
        error = {"type": "TimeoutError", "message": message}
        return event(number, seq=number, event="tool_result", error=error, **fields)

    found = gather(
        [
            failed(9, "after 9 s", agent="coder", tool="shell"),
            event(8, seq=8, event="error", content="lost", level="error"),
            failed(3, "after 3 s", agent="coder", tool="shell"),
            failed(2, "after 2 s", agent="planner"),
        ]
    )
    assert [(one.type, one.pattern, one.count) for one in found] == [
        ("TimeoutError", "after # s", 3),
        ("error", "lost", 1),
    ]
    timeout = found[0]
    assert (timeout.newest, timeout.message) == (9, "after 9 s")
    assert timeout.last_ns - timeout.first_ns == 7_000_000_000
    assert timeout.agents.most_common(1) == [("coder", 2)]
    assert timeout.tools == {"shell": 2}
    course = timeout.bins(timeout.first_ns, 1_000_000_000)
    assert (course[0], course[1], course[7], sum(course), len(course)) == (1, 1, 1, 3, BINS)


def test_an_error_of_any_form_is_told() -> None:
    found = gather(
        [
            event(3, seq=3, event="error", error="plain text"),
            event(2, seq=2, event="error", error={"type": None, "message": ["a", 1]}),
            event(1, seq=1, event="error", error={}, content=None),
        ]
    )
    assert {one.pattern for one in found} == {"plain text", "['a', #]", ""}
