"""What is known of the agents, from events in any order."""

from typing import Any

import pytest

from laneway.base.clock import NS_PER_S
from laneway.cli.fleet import fleet as fleet_module
from laneway.cli.fleet.fleet import Fleet

NOW_NS = 1_000 * NS_PER_S


def take(fleet: Fleet, kind: str, at_s: float = 990, agent: str = "planner", **fields: Any) -> None:
    event = {"agent": agent, "event": kind, **fields}
    fleet.take(event, int(at_s * NS_PER_S), NOW_NS)


def test_a_start_without_its_end_is_work_and_its_end_ends_it() -> None:
    fleet = Fleet()
    take(fleet, "tool_invocation", span_id="a1", tool="search")
    assert fleet.agents["planner"].state == "working"
    assert [work.label for work in fleet.open_work()] == ["search"]

    take(fleet, "tool_result", 991, span_id="a1")
    assert fleet.agents["planner"].state == "idle"
    assert fleet.open_work() == []


def test_an_end_that_comes_before_its_start_ends_it_too() -> None:
    fleet = Fleet()
    take(fleet, "tool_result", span_id="a1")
    take(fleet, "tool_invocation", 989, span_id="a1")

    assert fleet.open_work() == []
    assert fleet.agents["planner"].state == "idle"


def test_the_same_span_of_two_agents_is_two_pieces_of_work() -> None:
    fleet = Fleet()
    take(fleet, "llm_request", span_id="a1", agent="a")
    take(fleet, "llm_request", span_id="a1", agent="b")
    take(fleet, "llm_response", span_id="a1", agent="a")

    assert [work.agent for work in fleet.open_work()] == ["b"]


def test_a_question_to_a_person_is_waiting_and_an_open_session_is_no_work() -> None:
    fleet = Fleet()
    take(fleet, "session_start", span_id="s1")
    assert fleet.agents["planner"].state == "idle"

    take(fleet, "permission_request", span_id="p1")
    assert fleet.agents["planner"].state == "waiting"


@pytest.mark.parametrize(
    "failure", [{"event": "error"}, {"level": "critical"}, {"error": {"type": "OSError"}}]
)
def test_a_failure_counts_however_it_is_told_and_stays_until_something_else_happens(
    failure: dict[str, Any],
) -> None:
    fleet = Fleet()
    fields = dict(failure)
    take(fleet, fields.pop("event", "log"), **fields)
    assert fleet.agents["planner"].state == "failed"
    assert [happened.event["agent"] for happened in fleet.errors] == ["planner"]

    take(fleet, "log", 980)
    assert fleet.agents["planner"].state == "failed", "news that is older than the failure"
    take(fleet, "log", 995)
    assert fleet.agents["planner"].state == "idle"
    assert fleet.agents["planner"].error_count == 1


def test_only_numbers_that_were_reported_are_added_up() -> None:
    fleet = Fleet()
    take(fleet, "llm_response", input_tokens=40, output_tokens=2, cost_usd=0.5)
    take(fleet, "llm_response", input_tokens="many", output_tokens=True, cost_usd=None)

    assert (fleet.tokens(), fleet.cost_usd()) == (42, 0.5)


def test_of_too_many_agents_the_longest_silent_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "AGENTS", 2)
    fleet = Fleet()
    for at_s, agent in ((901, "a"), (900, "b"), (902, "c")):
        take(fleet, "agent_start", at_s, agent=agent, span_id="x")

    assert sorted(fleet.agents) == ["a", "c"]
    assert [work.agent for work in fleet.open_work()] == ["a", "c"]


def test_work_that_never_ends_fills_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fleet_module, "OPEN_WORK", 10)
    fleet = Fleet()
    for number in range(100):
        take(fleet, "tool_invocation", span_id=f"s{number}")
        take(fleet, "tool_result", span_id=f"lost{number}")

    assert len(fleet.open_work()) == 10
