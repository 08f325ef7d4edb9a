"""Traces as trees: pairs, missing parents, open spans, circles, depth."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from laneway.hub.trace import tell_trace
from tests.hub.event import event


def tell(*events: dict[str, Any]) -> dict[str, Any]:
    numbered = [{**one, "seq": seq} for seq, one in enumerate(events, 1)]
    return tell_trace("t", numbered, is_complete=True)


def spans(told: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {span["span_id"]: span for span in told["spans"]}


def tree(told: dict[str, Any]) -> list[tuple[str, int]]:
    return [(span["span_id"], span["depth"]) for span in told["spans"]]


def test_a_start_and_its_end_are_one_span_with_what_lies_between() -> None:
    told = tell(
        event(1, event="tool_invocation", tool="grep", span_id="a", input={"pattern": "x"}),
        event(2, event="log", span_id="a", content="half way"),
        event(3, event="decision", parent_span_id="a"),
        event(4, event="tool_result", tool="grep", span_id="a", duration_ms=2999.5),
    )
    (span,) = told["spans"]
    assert (span["name"], span["state"], span["duration_ms"]) == ("grep", "done", 2999.5)
    assert (span["start_seq"], span["end_seq"]) == (1, 4)
    assert [inside["seq"] for inside in span["events"]] == [2, 3]
    assert (told["events"], told["open"], told["duration_ms"]) == (4, 0, 3000.0)


def test_children_follow_their_parent_in_order_of_time() -> None:
    told = tell(
        event(1, event="agent_start", span_id="root"),
        event(2, event="llm_request", span_id="b", parent_span_id="root", model="m"),
        event(3, event="tool_invocation", span_id="deep", parent_span_id="b"),
        event(4, event="tool_invocation", span_id="a", parent_span_id="root"),
    )
    assert tree(told) == [("root", 0), ("b", 1), ("deep", 2), ("a", 1)]
    assert spans(told)["root"]["children"] == 2
    assert told["open"] == 4


def test_an_open_span_has_no_end() -> None:
    (span,) = tell(event(1, event="llm_request", span_id="a"))["spans"]
    assert (span["state"], span["end"], span["duration_ms"]) == ("open", None, None)


def test_an_end_without_its_start_began_its_duration_before() -> None:
    told = tell(event(5, event="tool_result", span_id="a", duration_ms=2000))
    (span,) = told["spans"]
    assert span["start"] == event(3)["timestamp"]
    assert told["start"] == span["start"]


def test_a_span_that_came_as_one_event_has_its_own_length() -> None:
    (span,) = tell(event(5, event="http", span_id="a", duration_ms=500))["spans"]
    assert (span["state"], span["duration_ms"]) == ("done", 500)


def test_a_failure_in_a_span_is_told() -> None:
    told = tell(
        event(1, event="tool_invocation", span_id="a"),
        event(2, event="tool_result", span_id="a", error={"message": "boom"}),
    )
    assert told["spans"][0]["state"] == "failed"
    assert told["errors"] == 1


def test_a_parent_that_was_never_seen_stands_there_as_missing() -> None:
    told = tell(
        event(1, event="log", span_id="a", parent_span_id="gone"),
        event(2, event="log", span_id="b", parent_span_id="gone"),
    )
    assert tree(told) == [("gone", 0), ("a", 1), ("b", 1)]
    assert spans(told)["gone"]["state"] == "missing"


def test_events_of_no_span_are_outside() -> None:
    told = tell(event(1), event(2, span_id="a"))
    assert [one["seq"] for one in told["outside"]] == [1]


def test_parents_in_a_circle_are_cut_once_and_every_span_is_told() -> None:
    told = tell(
        event(1, span_id="a", parent_span_id="c"),
        event(2, span_id="b", parent_span_id="a"),
        event(3, span_id="c", parent_span_id="b"),
        event(4, span_id="self", parent_span_id="self"),
    )
    assert sorted(spans(told)) == ["a", "b", "c", "self"]
    assert sorted(span["depth"] for span in told["spans"]) == [0, 0, 1, 2]


def test_the_deepest_trace_is_told_and_can_be_encoded() -> None:
    count = 5_000
    told = tell(*(event(n, span_id=f"s{n}", parent_span_id=f"s{n - 1}") for n in range(count)))
    assert told["spans"][-1]["depth"] == count
    orjson.dumps(told)


IDS = st.sampled_from(["", "a", "b", "c", "d"])
KINDS = st.sampled_from(["log", "tool_invocation", "tool_result", "error", "x_start", "x_end"])


@given(rows=st.lists(st.tuples(KINDS, IDS, IDS, st.floats(0, 1e14)), min_size=1, max_size=20))
def test_every_event_is_in_the_trace_exactly_once(
    rows: list[tuple[str, str, str, float]],
) -> None:
    events = []
    for n, (kind, own, parent, duration_ms) in enumerate(rows):
        ids = {"span_id": own, "parent_span_id": parent}
        events.append(
            event(n, event=kind, duration_ms=duration_ms, **{k: v for k, v in ids.items() if v})
        )
    told = tell(*events)
    seqs = [one["seq"] for one in told["outside"]]
    for span in told["spans"]:
        seqs += [one["seq"] for one in span["events"]]
        seqs += [seq for seq in (span["start_seq"], span["end_seq"]) if seq]
    assert sorted(seqs) == list(range(1, len(rows) + 1))
    assert sum(not span["depth"] for span in told["spans"]) >= bool(told["spans"])
    ids = [span["span_id"] for span in told["spans"]]
    assert len(ids) == len(set(ids))
    assert {row[1] or row[2] for row in rows} - {""} <= set(ids)
