"""OpenTelemetry's spans recorded when they begin, by its own SDK."""

from collections.abc import Iterator
from typing import Any

import pytest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import Tracer

import laneway
from laneway.integrations.otel import LiveSpans
from laneway.sdk import recorder

from ..sdk.conftest import Events

AGENT = {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "planner"}
CHAT = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "claude-x"}


def provider(**given: Any) -> TracerProvider:
    return TracerProvider(resource=Resource.create({"service.name": "svc"}), **given)


@pytest.fixture
def tracer() -> Iterator[Tracer]:
    tracers = provider()
    tracers.add_span_processor(LiveSpans(ends=True))
    yield tracers.get_tracer("test")
    tracers.shutdown()


def test_a_span_inside_an_agents_is_in_its_lane_from_the_beginning(
    events: Events, tracer: Tracer
) -> None:
    start = tracer.start_as_current_span
    with start("x", attributes=AGENT), start("y", attributes=CHAT):
        begun = events()
    assert [(e["agent"], e["event"]) for e in begun] == [("planner", "agent_start"), ("planner", "llm_request")]  # fmt: skip
    assert begun[0]["session_id"] == begun[0]["trace_id"]
    assert begun[1]["parent_span_id"] == begun[0]["span_id"]


def test_what_a_span_says_of_itself_later_makes_a_start_of_its_own(
    events: Events, tracer: Tracer
) -> None:
    with tracer.start_as_current_span("x") as span:
        span.set_attributes(CHAT)
    assert [e["event"] for e in events()] == ["step_start", "llm_request", "llm_response"]
    assert len({e["id"] for e in events()}) == 3
    assert {e["agent"] for e in events()} == {"svc"}


def test_what_was_told_after_the_beginning_stands_on_the_end(
    events: Events, tracer: Tracer
) -> None:
    with tracer.start_as_current_span("x", attributes=CHAT) as span:
        span.set_attribute("gen_ai.input.messages", '[{"role": "user", "content": "hi"}]')
        span.set_attribute("gen_ai.request.temperature", 0.5)
    start, end = events()
    assert "input" not in start
    assert end["input"] == [{"role": "user", "content": "hi"}]
    assert end["gen_ai.request.temperature"] == 0.5


def test_a_model_call_around_another_leaves_the_tokens_to_it(
    events: Events, tracer: Tracer
) -> None:
    usage = {**CHAT, "gen_ai.usage.input_tokens": 7}
    start = tracer.start_as_current_span
    with start("x", attributes=usage), start("y", attributes=usage):
        pass
    assert [e.get("input_tokens") for e in events() if e["event"] == "llm_response"] == [7, None]


def test_what_is_not_sampled_is_not_recorded(events: Events) -> None:
    tracers = provider(sampler=ALWAYS_OFF)
    tracers.add_span_processor(LiveSpans(ends=True))
    with tracers.get_tracer("test").start_as_current_span("x"):
        pass
    assert events() == []


def test_a_fault_does_not_reach_the_program(
    events: Events, tracer: Tracer, monkeypatch: pytest.MonkeyPatch
) -> None:
    laneway.configure(strict=False)

    def fail(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("laneway.integrations.otel.read_facts", fail)
    with tracer.start_as_current_span("x"):
        pass
    assert recorder.shared.faults == 1
    assert events() == []
