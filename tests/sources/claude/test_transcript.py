"""Transcripts of Claude Code, in the shapes of its files."""

from typing import Any

from laneway.model.event import normalise
from laneway.sources.claude.hook import hook_event
from laneway.sources.claude.transcript import Transcript
from laneway.sources.codex import Rollout

COMMON = {
    "sessionId": "s1",
    "cwd": "/home/u/garden",
    "gitBranch": "main",
    "isSidechain": False,
    "version": "2.1",
    "userType": "external",
}
USAGE = {
    "input_tokens": 4,
    "cache_read_input_tokens": 100,
    "cache_creation_input_tokens": 6,
    "output_tokens": 9,
}


def assistant(
    uuid: str, *parts: dict[str, Any], stop: str = "tool_use", **more: Any
) -> dict[str, Any]:
    message = {
        "id": "msg_1",
        "role": "assistant",
        "model": "claude-x",
        "content": list(parts),
        "usage": USAGE,
        "stop_reason": stop,
    }
    return {
        **COMMON,
        "type": "assistant",
        "uuid": uuid,
        "timestamp": "2026-11-26T10:00:01.000Z",
        "message": message,
        **more,
    }


def user(uuid: str, content: Any, **more: Any) -> dict[str, Any]:
    return {**COMMON, "type": "user", "uuid": uuid, "timestamp": "2026-11-26T10:00:00.000Z",
            "message": {"role": "user", "content": content}, **more}  # fmt: skip


CALL = {"type": "tool_use", "id": "t1", "name": "Bash", "input": {"command": "ls"}}
RESULT = {"type": "tool_result", "tool_use_id": "t1", "content": "a.txt"}
LINES = [
    {"type": "summary", "summary": "Garden work", "leafUuid": "x"},
    {"type": "file-history-snapshot", "messageId": "m"},
    user("u1", "water the plants"),
    assistant("u2", {"type": "thinking", "thinking": "hm"}),
    assistant("u3", {"type": "text", "text": "I look."}),
    assistant("u4", CALL),
    user("u5", [RESULT], toolUseResult={"stdout": "a.txt"}),
    user("u6", "<command-name>/clear</command-name>"),
    assistant("u7", {"type": "text", "text": "Done."}, stop="end_turn"),
    "broken",
]


def read(
    lines: list[Any], path: str = "/p/s1.jsonl", agent: str = "sub-agent"
) -> list[dict[str, Any]]:
    transcript = Transcript(path, agent)
    events = [
        event for line in lines if isinstance(line, dict) for event in transcript.events(line)
    ]
    return [dict(normalise(event)[0]) for event in events]


def test_a_session_is_told_in_order() -> None:
    events = read(LINES)
    assert [event["event"] for event in events] == [
        "session_title", "user_message", "llm_response", "llm_response", "llm_response", "tool_invocation",
        "tool_result", "llm_response", "agent_response",
    ]  # fmt: skip
    assert events[0]["content"] == "Garden work"
    assert events[0]["timestamp"] < events[1]["timestamp"]
    assert (events[1]["content"], events[-1]["content"]) == ("water the plants", "Done.")
    assert (events[5]["tool"], events[6]["output"]) == ("Bash", "a.txt")
    assert events[5]["span_id"] == events[6]["span_id"]
    assert {event["project"] for event in events[1:]} == {"garden"}


def test_tokens_of_a_message_in_several_lines_count_once() -> None:
    events = read(LINES)
    assert sum(event.get("input_tokens", 0) for event in events) == 110
    assert sum(event.get("output_tokens", 0) for event in events) == 9
    assert sum(event.get("cache_read_tokens", 0) for event in events) == 100


def test_what_a_hook_told_has_the_same_id() -> None:
    payload = {
        "hook_event_name": "PreToolUse",
        "session_id": "s1",
        "tool_use_id": "t1",
        "tool_name": "Bash",
    }
    hooked = hook_event(payload, 10**18)
    assert hooked["id"] in {event["id"] for event in read(LINES)}


def test_a_sub_agents_lines_are_a_lane_of_their_own() -> None:
    events = read(
        [assistant("u9", CALL, isSidechain=True, agentId="a1")], "/p/agent-a1.jsonl", "Explore"
    )
    assert {(event["agent"], event["parent_agent"]) for event in events} == {
        ("Explore", "claude-code")
    }
    started = hook_event(
        {
            "hook_event_name": "SubagentStart",
            "session_id": "s1",
            "agent_id": "a1",
            "agent_type": "Explore",
        },
        10**18,
    )
    assert events[0]["parent_span_id"] == started["span_id"]


def test_a_rollout_of_codex_is_told() -> None:
    def line(kind: str, **payload: Any) -> dict[str, Any]:
        return {"timestamp": "2026-11-26T10:00:00.000Z", "type": kind, "payload": payload}

    lines = [
        line("session_meta", id="c1", cwd="/home/u/garden", cli_version="1"),
        line("turn_context", model="gpt-x"),
        line("event_msg", type="user_message", message="water"),
        line(
            "response_item",
            type="function_call",
            name="shell",
            arguments='{"command": ["ls"]}',
            call_id="k",
        ),
        line("response_item", type="function_call_output", call_id="k", output='{"output": "a"}'),
        line(
            "event_msg",
            type="token_count",
            info={
                "last_token_usage": {
                    "input_tokens": 8,
                    "cached_input_tokens": 2,
                    "output_tokens": 3,
                }
            },
        ),
        line("event_msg", type="agent_message", message="Done."),
    ]
    rollout = Rollout("/r/rollout-2026-11-26T10-00-00-c1.jsonl")
    events = [dict(normalise(event)[0]) for item in lines for event in rollout.events(item)]
    assert [e["event"] for e in events] == [
        "session_start",
        "user_message",
        "tool_invocation",
        "tool_result",
        "llm_response",
        "agent_response",
    ]
    assert (events[2]["tool"], events[2]["input"], events[3]["output"]) == (
        "shell",
        {"command": ["ls"]},
        {"output": "a"},
    )
    assert (events[4]["input_tokens"], events[4]["model"]) == (8, "gpt-x")
    assert {event["session_id"] for event in events} == {"c1"}
    assert len({event["id"] for event in events}) == len(events)
