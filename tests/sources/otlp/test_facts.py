"""What spans mean, in each dialect of the field."""

from typing import Any

import orjson
import pytest

from laneway.model.event import normalise
from laneway.sources.otlp.binding import Place
from laneway.sources.otlp.event import span_events
from laneway.sources.otlp.facts import find_kind, read_facts
from laneway.sources.otlp.record import Moment, Origin, Span

PLACE = Place("planner", "", "s1", is_outermost=True)


def make_span(attributes: dict[str, Any], name: str = "work", **fields: Any) -> Span:
    origin = Origin({"service.name": "svc"}, {"name": "lib"})
    return Span(origin, "a" * 32, "b" * 16, "", name, 10**18, 10**18 + 2_000_000, attributes, **fields)  # fmt: skip


def events_of(
    attributes: dict[str, Any], name: str = "work", place: Place = PLACE, **fields: Any
) -> dict[str, dict[str, Any]]:
    """By type; each is an event that the hub takes."""
    span = make_span(attributes, name, **fields)
    found = span_events(span, read_facts(name, attributes), place)
    for event in found:
        normalise(event)
    return {event["event"]: event for event in found}


@pytest.mark.parametrize(
    ("attributes", "kind"),
    [
        ({"gen_ai.operation.name": "chat"}, "llm"),
        ({"gen_ai.operation.name": "execute_tool"}, "tool"),
        ({"gen_ai.operation.name": "plan"}, "plan"),
        ({"openinference.span.kind": "CHAIN"}, "chain"),
        ({"traceloop.span.kind": "workflow"}, "workflow"),
        ({"llm.request.type": "chat"}, "llm"),
        ({"mcp.method.name": "tools/call"}, "tool"),
        ({"gen_ai.tool.call.id": "1"}, "tool"),
        ({"http.request.method": "GET"}, "step"),
    ],
)
def test_the_kind_is_found_in_every_dialect(attributes: dict[str, Any], kind: str) -> None:
    assert find_kind(attributes) == kind


def test_openinference_messages_are_put_together() -> None:
    found = events_of({
        "openinference.span.kind": "LLM",
        "llm.model_name": "m", "llm.provider": "openai", "llm.system": "openai",
        "llm.input_messages.0.message.role": "system", "llm.input_messages.0.message.content": "Be kind.",
        "llm.input_messages.1.message.role": "user",
        "llm.input_messages.1.message.contents.0.message_content.type": "text",
        "llm.input_messages.1.message.contents.0.message_content.text": "Hello",
        "llm.output_messages.0.message.role": "assistant",
        "llm.output_messages.0.message.tool_calls.0.tool_call.function.name": "search",
        "llm.token_count.prompt": 5, "llm.token_count.completion": 2, "llm.token_count.total": 7,
        "llm.token_count.prompt_details.cache_read": 3,
        "llm.invocation_parameters": '{"temperature": 0}',
        "input.value": '{"messages": []}', "input.mime_type": "application/json",
    })  # fmt: skip
    asked, answered = found["llm_request"], found["llm_response"]
    assert asked["input"][0] == {"role": "system", "content": "Be kind."}
    assert asked["input"][1]["contents"][0]["message_content"]["text"] == "Hello"
    assert asked["llm.invocation_parameters"] == '{"temperature": 0}'
    assert answered["output"][0]["tool_calls"][0]["tool_call"]["function"]["name"] == "search"
    assert (answered["model"], answered["provider"]) == ("m", "openai")
    assert (answered["input_tokens"], answered["output_tokens"], answered["cache_read_tokens"]) == (5, 2, 3)  # fmt: skip
    assert "llm.token_count.total" not in answered


def test_openllmetry_of_old_is_read() -> None:
    found = events_of({
        "llm.request.type": "chat", "gen_ai.system": "OpenAI", "gen_ai.request.model": "gpt",
        "gen_ai.prompt.0.role": "user", "gen_ai.prompt.0.content": "Hi",
        "gen_ai.completion.0.role": "assistant", "gen_ai.completion.0.content": "Hello!",
        "gen_ai.completion.0.finish_reason": "stop",
        "gen_ai.usage.prompt_tokens": 9, "gen_ai.usage.completion_tokens": 4,
        "traceloop.association.properties.session_id": "s9",
    })  # fmt: skip
    assert found["llm_request"]["input"] == [{"role": "user", "content": "Hi"}]
    assert found["llm_response"]["content"] == "Hello!"
    assert (found["llm_response"]["input_tokens"], found["llm_response"]["provider"]) == (9, "OpenAI")  # fmt: skip


def test_messages_of_the_older_conventions_are_events_of_the_span() -> None:
    moments = [
        Moment("gen_ai.user.message", 1, {"gen_ai.system": "openai", "content": "Hi"}),
        Moment("gen_ai.choice", 2, {"message": "Hello", "finish_reason": "stop"}),
    ]
    found = events_of({"gen_ai.operation.name": "chat"}, moments=moments)
    assert found["llm_request"]["input"] == [{"role": "user", "content": "Hi"}]
    assert found["llm_response"]["output"][0]["message"] == "Hello"


def test_the_outermost_agent_tells_what_the_user_said() -> None:
    attributes = {
        "openinference.span.kind": "AGENT",
        "input.value": '{"messages": [{"type": "human", "content": "Plan my day"}]}',
        "output.value": '{"messages": [{"type": "ai", "content": "Done."}]}',
    }
    found = events_of(attributes, "planner")
    assert found["user_message"]["content"] == "Plan my day"
    assert found["agent_response"]["content"] == "Done."
    inner = events_of(attributes, "planner", PLACE._replace(is_outermost=False))
    assert set(inner) == {"agent_start", "agent_end"}


def test_tokens_are_counted_where_they_were_spent() -> None:
    usage = {"gen_ai.usage.input_tokens": 30, "gen_ai.usage.output_tokens": 7}
    agent = events_of({"gen_ai.operation.name": "invoke_agent", **usage})["agent_end"]
    assert "input_tokens" not in agent
    assert agent["gen_ai.usage.input_tokens"] == 30
    outer = events_of({"gen_ai.operation.name": "chat", **usage}, place=PLACE._replace(is_metered=False))  # fmt: skip
    assert "input_tokens" not in outer["llm_response"], "the call within it counts them"


def test_exceptions_are_the_error_of_the_end() -> None:
    raised = {"exception.type": "ValueError", "exception.message": "no", "exception.stacktrace": "Traceback"}  # fmt: skip
    found = events_of(
        {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "t"},
        moments=[Moment("exception", 5, raised)], is_failed=True, status_message="failed",
    )  # fmt: skip
    end = found["tool_result"]
    assert end["error"] == {"type": "ValueError", "message": "no", "stack": "Traceback"}
    assert end["level"] == "error"
    assert "error" not in found


def test_an_exception_that_was_handled_is_an_event_of_its_own() -> None:
    found = events_of({}, moments=[Moment("exception", 5, {"exception.type": "E"})])
    assert found["error"]["level"] == "warning"
    assert "error" not in found["step_end"]


def test_nothing_unknown_is_lost_and_no_field_is_taken_for_ours() -> None:
    attributes = {"a.b": 1, "level": "loud", "timestamp": "noon", "input_tokens": "many", "id": 7}
    end = events_of(attributes)["step_end"]
    assert end["a.b"] == 1
    assert (end["otel.level"], end["otel.timestamp"], end["otel.input_tokens"]) == ("loud", "noon", "many")  # fmt: skip
    assert end["otel.id"] == 7


def test_a_span_with_thousands_of_attributes_is_kept() -> None:
    wide = {f"retrieval.documents.{n}.document.content": f"text {n}" for n in range(3000)}
    event = events_of({"openinference.span.kind": "RETRIEVER", **wide})["retriever_end"]
    assert len(event) < 1000
    assert orjson.loads(event["attributes"])["retrieval.documents.2999.document.content"] == "text 2999"  # fmt: skip
    deep = [{"role": "user", "content": "x", "name": str(n)} for n in range(2000)]
    event = events_of({"gen_ai.operation.name": "chat", "gen_ai.input.messages": orjson.dumps(deep).decode()})["llm_request"]  # fmt: skip
    assert len(orjson.loads(event["input"])) == 2000


def test_an_agent_of_an_older_adk_is_known_by_its_name_alone() -> None:
    found = events_of({}, "agent_run [worker]", Place("worker", "", "s1", is_outermost=False))
    assert set(found) == {"agent_start", "agent_end"}
    assert read_facts("agent_run [worker]", {}).agent == "worker"
    for name in ("agent_run []", "agent_run [worker", "run [worker]"):
        assert read_facts(name, {}).kind == "step"
