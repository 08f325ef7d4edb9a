"""What a hook of Claude Code tells, as an event. It runs inside somebody's turn: nothing heavy is imported.

Ids are made of the session and of what is told, so that a tool call that the transcript tells as well
counts once.
"""

from laneway.base.clock import format_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

AGENT = "claude-code"
"""The lane of the main conversation; a sub-agent's is its type."""

TYPES = {
    "PreToolUse": "tool_invocation",
    "PostToolUse": "tool_result",
    "PostToolUseFailure": "tool_result",
    "UserPromptSubmit": "user_message",
    "Stop": "agent_response",
    "StopFailure": "error",
    "SessionStart": "session_start",
    "SessionEnd": "session_end",
    "SubagentStart": "agent_start",
    "SubagentStop": "agent_end",
    "PermissionRequest": "permission_request",
    "PermissionDenied": "permission_decision",
    "PreCompact": "compact_start",
    "PostCompact": "compact_end",
    "PreModelSwitch": "model_switch_start",
    "PostModelSwitch": "model_switch_end",
}
"""By the hook's name; all others are events of their own name, as ``task_created``."""

CONTENT = {
    "UserPromptSubmit": ("prompt",),
    "UserPromptExpansion": ("prompt", "command_name"),
    "Stop": ("last_assistant_message",),
    "SubagentStop": ("last_assistant_message",),
    "StopFailure": ("error_details", "error"),
    "Notification": ("message",),
    "MessageDisplay": ("delta",),
    "SessionStart": ("session_title", "source"),
    "SessionEnd": ("reason",),
    "PermissionDenied": ("reason",),
    "PostCompact": ("compact_summary",),
    "TaskCreated": ("task_subject",),
    "TaskCompleted": ("task_subject",),
    "TeammateIdle": ("teammate_name",),
    "Elicitation": ("message",),
    "ElicitationResult": ("action",),
    "InstructionsLoaded": ("file_path",),
    "FileChanged": ("file_path",),
    "CwdChanged": ("new_cwd",),
    "DirectoryAdded": ("directory",),
    "WorktreeCreate": ("name",),
    "WorktreeRemove": ("worktree_path",),
    "ConfigChange": ("source",),
    "Setup": ("trigger",),
    "PreCompact": ("trigger",),
}
"""The fields that hold the main text, the first that is there."""

FIELDS = {
    "tool_name": "tool",
    "tool_input": "input",
    "tool_response": "output",
    "duration_ms": "duration_ms",
    "session_id": "session_id",
    "model": "model",
    "hook_event_name": "hook",
}
"""Fields that have another name here; all others keep theirs."""

SPANS = {"tool_use_id": ("PreToolUse", "PostToolUse", "PostToolUseFailure"),
         "agent_id": ("SubagentStart", "SubagentStop"),
         "session_id": ("SessionStart", "SessionEnd"),
         "tool_name": ("PermissionRequest",)}  # fmt: skip
"""What the span of a hook's event is made of."""

OURS = frozenset({"timestamp", "agent", "event", "content", "id", "trace_id", "span_id",
                  "parent_span_id", "parent_agent", "role", "level", "error", "pod", "host", "pid",
                  "provider", "cost_usd"})  # fmt: skip


def hook_event(
    payload: "Mapping[str, Any]", received_ns: int, *, agent: str = AGENT
) -> "dict[str, Any]":
    """The event of one payload, told at ``received_ns``: hooks have no time of their own."""
    hook = str(payload.get("hook_event_name") or "hook")
    session = str(payload.get("session_id") or "")
    inner = str(payload.get("agent_type") or "")
    is_inside = bool(payload.get("agent_id") and inner)
    event: dict[str, Any] = {
        "timestamp": format_ns(received_ns),
        "agent": inner if is_inside else agent,
        "event": TYPES.get(hook) or snake(hook),
    }
    for name, value in payload.items():
        if value is not None and value != "":
            event[FIELDS.get(name) or (f"hook.{name}" if name in OURS else name)] = value
    event.update(_place(payload, hook, session))
    if is_inside:
        event["parent_agent"] = agent
        if (
            payload.get("agent_id")
            and "parent_span_id" not in event
            and hook not in SPANS["agent_id"]
        ):
            event["parent_span_id"] = span_id(session, str(payload["agent_id"]))
    content = next((payload[name] for name in CONTENT.get(hook, ()) if payload.get(name)), None)
    if content is not None:
        event["content"] = content
    event.update(_outcome(payload, hook))
    if cwd := payload.get("cwd"):
        event["project"] = str(cwd).replace("\\", "/").rstrip("/").rpartition("/")[2]
    return event


def _place(payload: "Mapping[str, Any]", hook: str, session: str) -> "dict[str, Any]":
    """Trace, span and id."""
    prompt = str(payload.get("prompt_id") or "")
    found: dict[str, Any] = {"trace_id": make_id(16, session, prompt)} if session else {}
    key = next((name for name, hooks in SPANS.items() if hook in hooks and payload.get(name)), "")
    if key:
        found["span_id"] = span_id(session, str(payload[key]))
    call = payload.get("tool_use_id")
    if call and hook in SPANS["tool_use_id"]:
        found["id"] = event_id(session, str(call), "start" if hook == "PreToolUse" else "end")
    elif prompt and hook in ("UserPromptSubmit", "Stop") and not payload.get("agent_id"):
        found["id"] = event_id(session, prompt, hook)
    return found


def _outcome(payload: "Mapping[str, Any]", hook: str) -> "dict[str, Any]":
    if hook in ("PostToolUseFailure", "StopFailure"):
        kind = "interrupted" if payload.get("is_interrupt") else hook
        message = str(payload.get("error") or payload.get("error_details") or hook)
        return {"level": "error", "error": {"type": kind, "message": message}}
    if hook == "PermissionDenied":
        return {"decision": "denied", "level": "warning"}
    return {"role": "user"} if hook == "UserPromptSubmit" else {}


def snake(name: str) -> str:
    """``TaskCreated`` as ``task_created``."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_") or "hook"


def span_id(session: str, key: str) -> str:
    return make_id(8, session, key)


def event_id(session: str, key: str, part: str) -> str:
    """In the form of a UUID, version 8 (RFC 9562)."""
    text = make_id(16, session, key, part)
    return f"{text[:8]}-{text[8:12]}-8{text[13:16]}-8{text[17:20]}-{text[20:]}"


def make_id(size: int, *parts: str) -> str:
    """``size`` bytes in hex, the same for the same parts."""
    try:
        from _blake2 import blake2b  # a hook's process is spared OpenSSL
    except ImportError:
        from hashlib import blake2b

    return blake2b("\0".join(parts).encode("utf-8", "replace"), digest_size=size).hexdigest()
