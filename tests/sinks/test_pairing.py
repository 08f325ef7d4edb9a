"""Starts and ends find one another, and nothing is lost that does not."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laneway.sinks.pairing import Instant, Span, pair
from tests.sinks.events import at, run


def event(second: float, kind: str, span: str = "", **fields: Any) -> dict[str, Any]:
    given = {"timestamp": at(second), "agent": "a", "event": kind, **fields}
    return {**given, "span_id": span} if span else given


def test_a_run_becomes_its_spans_and_instants() -> None:
    found = list(pair(run()))
    spans = [item for item in found if isinstance(item, Span)]

    assert [(span.kind, span.facts["id"], span.end_ns is None) for span in spans] == [
        ("tool_invocation", "e4", False), ("tool_invocation", "e5", False), ("llm_request", "e6", False),
        ("evaluation", "e7", False), ("agent_start", "e8", True),
    ]  # fmt: skip
    assert [item.event["id"] for item in found if isinstance(item, Instant)] == ["e0"]
    assert spans[3].end_ns is not None
    assert spans[3].end_ns - spans[3].start_ns == 500_000_000


def test_the_span_id_of_another_agent_is_another_span() -> None:
    other = {**event(1, "tool_result", "x"), "agent": "b"}

    assert [type(item) for item in pair([event(0, "tool_invocation", "x"), other])] == [
        Instant,
        Span,
    ]


def test_an_end_before_its_start_by_a_wrong_clock_makes_no_negative_length() -> None:
    (span,) = pair([event(5, "tool_invocation", "x"), event(1, "tool_result", "x")])

    assert isinstance(span, Span)
    assert span.end_ns == span.start_ns


KINDS = st.sampled_from(["tool_invocation", "tool_result", "log", "x_start", "x_end"])
EVENTS = st.lists(
    st.builds(
        event,
        st.integers(0, 59),
        KINDS,
        st.sampled_from(["", "1", "2"]),
        duration_ms=st.sampled_from([None, -1, 5, 2.5, "long", True]),
    ),
    max_size=30,
)


@given(EVENTS)
def test_every_event_is_in_exactly_one_span_or_instant(events: list[dict[str, Any]]) -> None:
    seen = []
    for item in pair(events):
        seen += [item.event] if isinstance(item, Instant) else filter(None, (item.start, item.end))

    assert sorted(map(id, seen)) == sorted(map(id, events))
