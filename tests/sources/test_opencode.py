"""What a plugin of OpenCode 1.18.33 was told while it ran a tool with a local model, and shapes it did not meet."""

from pathlib import Path
from typing import Any

import orjson

from laneway.model.event import normalise
from laneway.sources.opencode import OpenCode

TOLD = Path(__file__).with_name("opencode_events.jsonl").read_bytes().splitlines()


def events(*lines: dict[str, Any]) -> list[dict[str, Any]]:
    reader = OpenCode("-")
    found = [event for line in lines for event in reader.events(line)]
    for event in found:
        normalise(event)
    return found


def told(kind: str, **properties: Any) -> dict[str, Any]:
    return {"at": 1_795_748_263_000, "event": {"type": kind, "properties": properties}}


def test_a_run_is_a_conversation_with_its_calls() -> None:
    found = events(*map(orjson.loads, TOLD))
    assert [event["event"] for event in found] == [
        "session_start", "user_message", "llm_request", "session_title", "tool_invocation", "tool_result",
        "llm_response", "llm_request", "agent_response", "llm_response",
    ]  # fmt: skip
    assert {event["agent"] for event in found} == {"opencode"}
    assert len({event["session_id"] for event in found}) == 1
    request, answer, *_ = (event for event in found if event["event"].startswith("llm"))
    assert request["span_id"] == answer["span_id"]
    assert (answer["model"], answer["provider"], answer["input_tokens"], answer["output_tokens"]) == ("rules-1", "local", 50, 5)  # fmt: skip
    invocation, result = (event for event in found if event["event"].startswith("tool"))
    assert (invocation["tool"], invocation["input"]["command"]) == ("bash", "echo hi")
    assert (result["output"], result["span_id"]) == ("hi\n", invocation["span_id"])
    assert invocation["parent_span_id"] == request["span_id"]


def test_a_sub_session_is_a_lane_of_its_own_in_the_same_conversation() -> None:
    found = events(
        told("session.created", info={"id": "s1", "title": "New session"}),
        told("session.created", info={"id": "s2", "parentID": "s1", "title": "Look around"}),
        told("message.updated", info={"id": "m1", "sessionID": "s2", "role": "assistant", "agent": "explore",
                                      "time": {"created": 1_795_748_263_000}}),
    )  # fmt: skip
    request = found[-1]
    assert (request["agent"], request["parent_agent"], request["session_id"]) == ("explore", "opencode", "s1")  # fmt: skip


def test_a_tool_that_failed_and_a_session_that_broke_are_errors() -> None:
    state = {"status": "error", "input": {}, "error": "no such file", "time": {"start": 1_795_748_263_000, "end": 1_795_748_263_009}}  # fmt: skip
    part = {"type": "tool", "id": "p", "messageID": "m", "sessionID": "s", "callID": "c", "tool": "read", "state": state}  # fmt: skip
    error = {"name": "APIError", "data": {"message": "overloaded"}}
    started, failed, broken = events(
        told("message.part.updated", part=part), told("session.error", sessionID="s", error=error)
    )
    assert started["event"] == "tool_invocation"
    assert failed["error"] == {"type": "tool_error", "message": "no such file"}
    assert failed["duration_ms"] == 9
    assert broken["error"] == {"type": "APIError", "message": "overloaded"}


def test_a_permission_is_asked_and_answered() -> None:
    asked, answered = events(
        told("permission.asked", id="per_1", sessionID="s", permission="bash"),
        told("permission.replied", requestID="per_1", sessionID="s", reply="once"),
    )
    assert (asked["event"], answered["event"], answered["content"]) == ("permission_request", "permission_decision", "once")  # fmt: skip
    assert asked["span_id"] == answered["span_id"]


def test_what_is_of_another_shape_is_passed_over() -> None:
    odd = [
        None,
        5,
        [],
        {},
        {"info": 5},
        {"part": {"type": "tool", "state": 5}},
        {"info": {"time": 5}},
    ]
    kinds = ("session.created", "message.updated", "message.part.updated", "session.error", "x")
    for kind in kinds:
        for properties in odd:
            events({"at": 1_795_748_263_000, "event": {"type": kind, "properties": properties}})
    assert events({"event": 5}, {}) == []
