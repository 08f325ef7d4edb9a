"""The standard words of event schema 1: levels, event types, and which type opens or closes work."""

SCHEMA_VERSION = 1

LEVELS = ("debug", "info", "warning", "error", "critical")
LEVEL_RANK = {name: rank for rank, name in enumerate(LEVELS)}
LEVEL_ALIASES = {
    "warn": "warning",
    "err": "error",
    "fatal": "critical",
    "trace": "debug",
    "notice": "info",
}

EVENT_TYPES = (
    "user_message",
    "agent_response",
    "llm_request",
    "llm_response",
    "tool_invocation",
    "tool_result",
    "error",
    "session_start",
    "session_end",
    "agent_start",
    "agent_end",
    "decision",
    "learning",
    "safety_trigger",
    "handoff",
    "permission_request",
    "permission_decision",
    "evaluation",
    "log",
)

END_OF_START = {
    "llm_request": "llm_response",
    "tool_invocation": "tool_result",
    "session_start": "session_end",
    "agent_start": "agent_end",
    "permission_request": "permission_decision",
}
"""A start and its end share ``span_id``; a viewer draws the pair as one bar. A free type ``X_start``
is closed by ``X_end``."""

TITLE_EVENTS = frozenset({"user_message", "session_title"})
"""The first of them names its session."""

START_OF_END = {end: start for start, end in END_OF_START.items()}


def is_start(event_type: str) -> bool:
    return event_type in END_OF_START or event_type.endswith("_start")


def is_end(event_type: str) -> bool:
    return event_type in START_OF_END or event_type.endswith("_end")
