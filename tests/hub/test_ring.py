from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.hub.ring import (
    FLAG_END,
    FLAG_ERROR,
    FLAG_REDACTED,
    FLAG_START,
    Names,
    Ring,
    entry_of,
)

from .event import event


def push(ring: Ring, **fields: Any) -> None:
    ring.push(1_000_000 * ring.next, entry_of(event(ring.next, **fields), is_redacted=False))


def test_columns_hold_the_event_by_dictionary_index() -> None:
    ring = Ring(10, Names())
    push(
        ring, agent="a", session_id="s1", tool="grep", duration_ms=12.5, span_id="ab", level="debug"
    )
    push(ring, agent="b", parent_agent="a")
    columns = ring.batch(1, 3)
    assert columns["n"] == 2
    assert columns["t0"] == 1.0
    assert columns["dt"] == [0.0, 1.0]
    assert columns["agent"] == [0, 1]
    assert columns["session"] == [0, -1]
    assert columns["label"] == [0, -1]
    assert columns["dur"] == [12.5, -1]
    assert columns["span"] == ["ab", ""]
    assert columns["sev"] == [0, 1]
    assert ring.names.agents == [["a", -1], ["b", 0]]


@given(
    capacity=st.integers(1, 9),
    start=st.integers(1, 30),
    counts=st.lists(st.integers(0, 9), max_size=12),
)
def test_many_at_once_are_laid_as_one_by_one(capacity: int, start: int, counts: list[int]) -> None:
    singly, at_once = Ring(capacity, Names()), Ring(capacity, Names())
    for ring in (singly, at_once):
        ring.restart(start)
    for count in counts:
        some = range(singly.next, singly.next + min(count, capacity))
        entries = [
            entry_of(event(n, agent=f"a{n % 3}", parent_agent=f"a{n % 2}"), is_redacted=False)
            for n in some
        ]
        for n, entry in zip(some, entries, strict=True):
            singly.push(n, entry)
        if entries:
            at_once.extend(list(some), entries)
    assert vars(at_once) | {"names": vars(at_once.names)} == vars(singly) | {
        "names": vars(singly.names)
    }


def test_a_late_event_lies_before_its_batch() -> None:
    ring = Ring(10, Names())
    ring.push(5_000_000, entry_of(event(), is_redacted=False))
    ring.push(2_000_000, entry_of(event(), is_redacted=False))
    assert ring.batch(1, 3)["dt"] == [0.0, -3.0]


@given(capacity=st.integers(1, 7), count=st.integers(1, 30), data=st.data())
def test_any_part_of_the_ring_reads_as_it_was_written(capacity: int, count: int, data: Any) -> None:
    ring = Ring(capacity, Names())
    for number in range(1, count + 1):
        ring.push(0, entry_of(event(content=str(number)), is_redacted=False))
    assert (ring.first, ring.next) == (max(1, count + 1 - capacity), count + 1)
    since = data.draw(st.integers(ring.first, count))
    until = data.draw(st.integers(since + 1, count + 1))
    assert ring.batch(since, until)["text"] == [str(number) for number in range(since, until)]


def test_a_ring_may_begin_at_any_number() -> None:
    ring = Ring(3, Names())
    ring.restart(1000)
    for _ in range(5):
        push(ring)
    assert (ring.first, ring.next, len(ring)) == (1002, 1005, 3)
    assert ring.batch(1003, 1005)["text"] == ["message 1003", "message 1004"]


@pytest.mark.parametrize(
    ("fields", "wanted"),
    [
        ({"event": "tool_invocation"}, FLAG_START),
        ({"event": "tool_result"}, FLAG_END),
        ({"event": "crawl_start"}, FLAG_START),
        ({"event": "crawl_end", "error": {"message": "x"}}, FLAG_END | FLAG_ERROR),
        ({"event": "error"}, FLAG_ERROR),
        ({"event": "log", "level": "critical"}, FLAG_ERROR),
        ({"event": "log", "level": "warning"}, 0),
    ],
)
def test_flags_tell_what_an_event_opens_closes_and_breaks(
    fields: dict[str, Any], wanted: int
) -> None:
    assert entry_of(event(**fields), is_redacted=False).flags == wanted
    assert entry_of(event(**fields), is_redacted=True).flags == wanted | FLAG_REDACTED


def test_an_error_without_a_level_is_as_severe_as_one_with_it() -> None:
    ring = Ring(5, Names())
    push(ring, event="error")
    push(ring, level="warning", error={"message": "x"})
    assert ring.batch(1, 3)["sev"] == [3, 2]


def test_names_between_two_marks_are_what_was_appended() -> None:
    names = Names()
    names.agent("a")
    low = names.mark()
    names.agent("b", "a")
    names.agent("a", "root")
    assert names.between(low, names.mark()) == {
        "agents": [["b", 0], ["root", -1]],
        "parents": [[0, 2]],
    }
    assert names.between(low, low) == {}


def test_an_agent_keeps_its_first_parent() -> None:
    names = Names()
    names.agent("child", "one")
    names.agent("child", "two")
    assert names.agents == [["child", 1], ["one", -1]]


def test_agents_that_name_each_other_as_parent_make_no_circle() -> None:
    names = Names()
    names.agent("a", "b")
    names.agent("b", "c")
    names.agent("c", "a")
    names.agent("d", "d")
    parents = dict(map(tuple, names.agents))
    assert parents == {"a": 1, "b": 2, "c": -1, "d": -1}


def test_renumbering_keeps_what_the_ring_says_and_forgets_the_rest() -> None:
    ring = Ring(2, Names())
    push(ring, agent="gone", session_id="old", tool="t0")
    push(ring, agent="kid", parent_agent="dad", session_id="s", tool="t1")
    push(ring, agent="kid", event="log", model="m")
    push(ring, agent="solo")
    ring.renumber(Names())
    columns = ring.batch(3, 5)
    agents = ring.names.agents
    assert [agents[index][0] for index in columns["agent"]] == ["kid", "solo"]
    assert agents[agents[columns["agent"][0]][1]][0] == "dad"
    assert [list(ring.names.kinds)[index] for index in columns["kind"]] == ["log", "user_message"]
    assert list(ring.names.labels) == ["m"]
    assert not ring.names.sessions
    assert "gone" not in [name for name, _ in agents]
