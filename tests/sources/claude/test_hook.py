"""Every hook of Claude Code is an event that the log takes."""

from typing import Any

import pytest

from laneway.model.event import normalise
from laneway.sources.claude.hook import hook_event
from laneway.sources.claude.settings import HOOKS, MARK, with_hooks, without_hooks
from laneway.sources.envelope import envelope_event

NOW_NS = 1_780_000_000_000_000_000
BASE = {
    "session_id": "s1",
    "transcript_path": "/t/s1.jsonl",
    "cwd": "/home/u/garden",
    "prompt_id": "p1",
    "permission_mode": "default",
}

PAYLOADS: dict[str, dict[str, Any]] = {
    "PreToolUse": {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_use_id": "t1"},
    "PostToolUse": {"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {"stdout": "a"}, "tool_use_id": "t1", "duration_ms": 12},
    "PostToolUseFailure": {"tool_name": "Bash", "tool_input": {}, "tool_use_id": "t1", "error": "exit 1", "is_interrupt": False},
    "PostToolBatch": {"tool_calls": [{"tool_name": "Read"}]},
    "PermissionRequest": {"tool_name": "Bash", "tool_input": {"command": "rm"}},
    "PermissionDenied": {"tool_name": "Bash", "tool_input": {}, "tool_use_id": "t1", "reason": "too bold"},
    "UserPromptSubmit": {"prompt": "water the plants", "source": "user", "session_title": "Garden"},
    "UserPromptExpansion": {"expansion_type": "command", "command_name": "go", "command_args": "x", "prompt": "go x"},
    "SessionStart": {"source": "startup", "model": "claude-x", "session_title": "Garden", "context_tokens": 3},
    "SessionEnd": {"reason": "logout"},
    "Stop": {"stop_hook_active": False, "last_assistant_message": "Done."},
    "StopFailure": {"error": "rate_limit", "error_details": "429"},
    "SubagentStart": {"agent_id": "a1", "agent_type": "Explore"},
    "SubagentStop": {"agent_id": "a1", "agent_type": "Explore", "agent_transcript_path": "/t/a1.jsonl", "stop_hook_active": False, "last_assistant_message": "Found."},
    "PreCompact": {"trigger": "auto", "custom_instructions": ""},
    "PostCompact": {"trigger": "auto", "compact_summary": "We planted."},
    "PreModelSwitch": {"from_model": "a", "to_model": "b", "source": "user", "pricing": {"input": 1}},
    "PostModelSwitch": {"from_model": "a", "to_model": "b"},
    "Notification": {"message": "waiting", "title": "Claude", "notification_type": "idle"},
    "TaskCreated": {"task_id": "1", "task_subject": "dig", "teammate_name": "mo"},
    "TaskCompleted": {"task_id": "1", "task_subject": "dig"},
    "TeammateIdle": {"teammate_name": "mo", "team_name": "garden"},
    "MessageDisplay": {"turn_id": "t", "message_id": "m", "index": 0, "final": False, "delta": "He"},
    "Elicitation": {"mcp_server_name": "forms", "message": "which?", "mode": "form"},
    "ElicitationResult": {"mcp_server_name": "forms", "action": "accept", "content": {"a": 1}},
    "InstructionsLoaded": {"file_path": "/CLAUDE.md", "memory_type": "project", "load_reason": "start"},
    "ConfigChange": {"source": "user", "file_path": "/s.json"},
    "CwdChanged": {"old_cwd": "/a", "new_cwd": "/b"},
    "FileChanged": {"file_path": "/f", "event": "change"},
    "DirectoryAdded": {"directory": "/d", "source": "user"},
    "Setup": {"trigger": "init"},
    "WorktreeCreate": {"name": "w"},
    "WorktreeRemove": {"worktree_path": "/w"},
}  # fmt: skip


def event_of(hook: str, **more: Any) -> dict[str, Any]:
    payload = {**BASE, "hook_event_name": hook, **PAYLOADS[hook], **more}
    return dict(normalise(hook_event(payload, NOW_NS))[0])


def test_each_of_the_hooks_is_known() -> None:
    assert set(PAYLOADS) == set(HOOKS)
    assert len(HOOKS) == 33


@pytest.mark.parametrize("hook", HOOKS)
def test_nothing_of_a_payload_is_lost(hook: str) -> None:
    event = event_of(hook)
    told = repr(event)
    for value in (*PAYLOADS[hook].values(), "s1"):
        assert value in ("", {}) or repr(value) in told, value
    assert (event["session_id"], event["project"]) == ("s1", "garden")
    assert event["hook"] == hook


def test_a_tool_call_is_a_span() -> None:
    before, after = event_of("PreToolUse"), event_of("PostToolUse")
    assert (before["event"], after["event"]) == ("tool_invocation", "tool_result")
    assert before["span_id"] == after["span_id"]
    assert (after["tool"], after["input"], after["output"], after["duration_ms"]) == (
        "Bash",
        {"command": "ls"},
        {"stdout": "a"},
        12,
    )
    assert before["id"] != after["id"]
    assert before["id"] == event_of("PreToolUse")["id"], "told twice, it counts once"
    failed = event_of("PostToolUseFailure")
    assert failed["error"] == {"type": "PostToolUseFailure", "message": "exit 1"}


def test_a_sub_agent_has_a_lane_under_the_main_one() -> None:
    begun, ended = event_of("SubagentStart"), event_of("SubagentStop")
    inside = event_of("PreToolUse", agent_id="a1", agent_type="Explore")
    assert (begun["event"], ended["event"], ended["content"]) == (
        "agent_start",
        "agent_end",
        "Found.",
    )
    assert {e["agent"] for e in (begun, ended, inside)} == {"Explore"}
    assert {e["parent_agent"] for e in (begun, ended, inside)} == {"claude-code"}
    assert inside["parent_span_id"] == begun["span_id"] == ended["span_id"]


def test_words_stand_where_they_are_looked_for() -> None:
    assert (event_of("UserPromptSubmit")["event"], event_of("UserPromptSubmit")["content"]) == (
        "user_message",
        "water the plants",
    )
    assert (event_of("Stop")["event"], event_of("Stop")["content"]) == ("agent_response", "Done.")
    assert event_of("TaskCreated")["event"] == "task_created"


def test_envelopes_of_other_dashboards_are_understood() -> None:
    envelope = {"source_app": "garden-app", "session_id": "s2", "hook_event_type": "PreToolUse", "timestamp": 1_780_000_000_123,
                "payload": PAYLOADS["PreToolUse"], "model_name": "claude-x", "summary": "lists files"}  # fmt: skip
    event = dict(normalise(envelope_event(envelope, NOW_NS))[0])
    assert (event["agent"], event["event"], event["session_id"], event["tool"]) == (
        "garden-app",
        "tool_invocation",
        "s2",
        "Bash",
    )
    assert (event["model"], event["summary"]) == ("claude-x", "lists files")
    assert event["timestamp"] == "2026-05-28T20:26:40.123000Z"


def test_hooks_go_in_and_come_out_and_others_stay() -> None:
    theirs = {"type": "command", "command": "lint.sh"}
    before = {"model": "x", "hooks": {"PreToolUse": [{"matcher": "Bash", "hooks": [theirs]}]}}
    command = f"python quick_hook.py {MARK} /log /home"
    after = with_hooks(before, command)
    assert set(after["hooks"]) == set(HOOKS)
    assert after["hooks"]["PreToolUse"][0] == before["hooks"]["PreToolUse"][0]
    assert after["hooks"]["PreToolUse"][1]["hooks"][0]["async"] is True
    assert with_hooks(after, command) == after, "twice is once"
    assert without_hooks(after) == before
    assert without_hooks(with_hooks({}, command)) == {}
