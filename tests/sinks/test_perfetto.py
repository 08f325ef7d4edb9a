"""A trace that nests as the viewer wants it."""

from collections import defaultdict
from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from laneway.sinks.perfetto import encode
from tests.sinks.events import at, run


def entries(events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return orjson.loads(b"".join(encode(events)))["traceEvents"]


def of_phase(found: list[dict[str, Any]], phase: str) -> list[dict[str, Any]]:
    return [entry for entry in found if entry["ph"] == phase]


def test_a_run_is_slices_on_the_threads_of_its_agents() -> None:
    found = entries(run())
    threads = {
        e["tid"]: e["args"]["name"] for e in of_phase(found, "M") if e["name"] == "thread_name"
    }
    slices = {(threads[e["tid"]], e["name"], e["dur"]) for e in of_phase(found, "X")}

    assert slices == {
        ("planner", "qwen3", 4e6), ("planner", "evaluation", 5e5), ("researcher", "search", 1e6),
        ("researcher ·2", "fetch", 1.5e6), ("researcher", "agent", 0.0),
    }  # fmt: skip
    assert [e["name"] for e in of_phase(found, "i")] == ["user_message"]


def test_work_for_another_agent_hangs_on_an_arrow() -> None:
    found = entries(run())

    assert len(of_phase(found, "s")) == len(of_phase(found, "f")) == 2
    assert {e["id"] for e in of_phase(found, "s")} == {"b" * 16, "c" * 16}


def test_what_is_open_says_so() -> None:
    (open_one,) = [e for e in of_phase(entries(run()), "X") if e["args"].get("open")]

    assert open_one["name"] == "agent"


def test_no_events_are_an_empty_trace() -> None:
    assert entries([]) == []


def test_a_long_text_is_cut_in_the_details() -> None:
    (entry,) = of_phase(
        entries([{"timestamp": at(0), "agent": "a", "event": "log", "content": "x" * 9_000}]), "i"
    )

    assert entry["args"]["content"].endswith("… (9000 characters)")


SPANS = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 15)), max_size=25)


@given(SPANS)
def test_slices_of_one_thread_nest_however_the_work_overlapped(
    spans: list[tuple[int, int]],
) -> None:
    events = [
        {"timestamp": at(start + length), "agent": "a", "event": "x", "duration_ms": length * 1000}
        for start, length in spans
    ]
    rows = defaultdict(list)
    for entry in of_phase(entries(events), "X"):
        rows[entry["tid"]].append((entry["ts"], entry["ts"] + entry["dur"]))

    assert sum(map(len, rows.values())) == len(spans)
    for slices in rows.values():
        for a, b in ((a, b) for a in slices for b in slices):
            is_apart = a[1] <= b[0] or b[1] <= a[0]
            is_inside = (a[0] <= b[0] and b[1] <= a[1]) or (b[0] <= a[0] and a[1] <= b[1])
            assert is_apart or is_inside
