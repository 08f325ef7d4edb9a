"""The hooks in Claude Code's ``settings.json``: ours put in, and taken out again; everybody else's stay."""

from copy import deepcopy
from typing import Any

HOOKS = (
    "PreToolUse", "PostToolUse", "PostToolUseFailure", "PostToolBatch",
    "Notification", "UserPromptSubmit", "UserPromptExpansion", "SessionStart",
    "SessionEnd", "Stop", "StopFailure", "SubagentStart",
    "SubagentStop", "PreCompact", "PostCompact", "PreModelSwitch",
    "PostModelSwitch", "PermissionRequest", "PermissionDenied", "Setup",
    "TeammateIdle", "TaskCreated", "TaskCompleted", "Elicitation",
    "ElicitationResult", "ConfigChange", "WorktreeCreate", "WorktreeRemove",
    "InstructionsLoaded", "CwdChanged", "FileChanged", "DirectoryAdded",
    "MessageDisplay",
)  # fmt: skip
"""All that there are (33)."""

UNASKED = frozenset({"MessageDisplay", "WorktreeCreate"})
"""Left out unless asked for: every few words of an answer that comes whole with ``Stop``; and a hook
whose answer Claude Code takes for the worktree's path."""

MATCHED = frozenset(
    {"PreToolUse", "PostToolUse", "PostToolUseFailure", "PermissionRequest", "PermissionDenied"}
)
"""Their entries have a matcher: ``*`` is every tool."""

MARK = "hook claude-code"
"""Every command of ours holds it, whichever path stands before it."""

TIMEOUT_S = 10

Settings = dict[str, Any]


def with_hooks(settings: Settings, command: str, hooks: tuple[str, ...] = HOOKS) -> Settings:
    """``settings`` with ``command`` on each of ``hooks``, asynchronous; former ones of ours are replaced."""
    found = without_hooks(settings)
    table = found.setdefault("hooks", {})
    for hook in hooks:
        handler = {"type": "command", "command": command, "async": True, "timeout": TIMEOUT_S}
        entry = {"matcher": "*", "hooks": [handler]} if hook in MATCHED else {"hooks": [handler]}
        table.setdefault(hook, []).append(entry)
    return found


def without_hooks(settings: Settings) -> Settings:
    """``settings`` as they were before `with_hooks`."""
    found = deepcopy(settings)
    table = found.get("hooks")
    if not isinstance(table, dict):
        return found
    for hook in list(table):
        if isinstance(table[hook], list):
            kept = [_without(entry) for entry in table[hook]]
            table[hook] = [entry for entry in kept if entry is not None]
            if not table[hook]:
                del table[hook]
    if not table:
        del found["hooks"]
    return found


def _without(entry: Any) -> Any:
    """An entry without our handlers; None where it held no others."""
    if not isinstance(entry, dict) or not isinstance(entry.get("hooks"), list):
        return entry
    others = [handler for handler in entry["hooks"] if not _is_ours(handler)]
    if len(others) == len(entry["hooks"]):
        return entry
    return {**entry, "hooks": others} if others else None


def _is_ours(handler: Any) -> bool:
    return isinstance(handler, dict) and MARK in str(handler.get("command", ""))
