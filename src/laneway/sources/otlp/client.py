"""The log events of coding agents: Claude Code, Codex CLI and Gemini CLI, by their documented names.

They have no spans, or hide the words from them; a call's duration tells when it began, but one
event each is what they send, and one event each is what is kept.
"""

from collections.abc import Callable
from hashlib import blake2b
from typing import Any

from laneway.sources.otlp.event import own
from laneway.sources.otlp.facts import take
from laneway.sources.otlp.message import parse_json

Attributes = dict[str, Any]

SERVICES = ("claude_code", "codex", "gemini_cli")
"""What the names of their events begin with."""

TYPES = {
    "user_prompt": "user_message",
    "assistant_response": "agent_response",
    "api_request": "llm_response",
    "api_response": "llm_response",
    "api_error": "error",
    "api_refusal": "safety_trigger",
    "tool_decision": "permission_decision",
    "tool_result": "tool_result",
    "tool_call": "tool_result",
    "conversation_starts": "session_start",
    "conversation_finished": "session_end",
    "agent.start": "agent_start",
    "agent.finish": "agent_end",
}
"""By the name after the service's. Codex and Gemini send an ``api_request`` before the answer,
Claude Code after it."""

BEFORE = {"codex": "llm_request", "gemini_cli": "llm_request"}

CONTENT = (
    "prompt",
    "response",
    "response_text",
    "user_prompt",
    "error.message",
    "error",
    "decision",
)
TOOL = ("tool_name", "function_name")
INPUT = ("tool_input", "tool_parameters", "arguments", "function_args")
OUTPUT = ("output", "tool_output")
COUNTS = {
    "input_tokens": ("input_tokens", "input_token_count"),
    "output_tokens": ("output_tokens", "output_token_count"),
    "cache_read_tokens": ("cache_read_tokens", "cached_content_token_count", "cached_token_count"),
    "cache_write_tokens": ("cache_creation_tokens",),
    "duration_ms": ("duration_ms",),
    "cost_usd": ("cost_usd",),
}
FAILURES = ("false", False)


def read_client(
    name: str, body: str, service: str, attributes: Attributes
) -> dict[str, Any] | None:
    """The event that a coding agent's record is; None for anybody else's."""
    full = name if name.partition(".")[0] in SERVICES else body
    vendor, _, short = full.partition(".")
    if vendor not in SERVICES:
        vendor = service.replace("-", "_").removesuffix("_rs").removesuffix("_cli_rs")
        vendor = next((known for known in SERVICES if vendor.startswith(known)), "")
        short = name
    if not vendor or not short:
        return None
    rest = dict(attributes)
    event_type = BEFORE[vendor] if short == "api_request" and vendor in BEFORE else TYPES.get(short)
    found: dict[str, Any] = {"event": event_type or f"{vendor}.{short}"}
    if short == "sse_event" and rest.get("event.kind") == "response.completed":
        found["event"] = "llm_response"
    for field, names in COUNTS.items():
        value = _number(take(rest, names), float if field in ("duration_ms", "cost_usd") else int)
        if value is not None:
            found[field] = value
    found["model"] = rest.pop("model", None)
    found["tool"] = take(rest, TOOL)
    found["input"] = parse_json(take(rest, INPUT))
    found["output"] = parse_json(take(rest, OUTPUT))
    failure = rest.get("error.message", rest.get("error"))
    if found["event"] == "error" or (failure and rest.get("success") in FAILURES):
        kind = rest.pop("error_type", None) or rest.get("status_code") or "error"
        found |= {"level": "error", "error": {"type": str(kind), "message": str(failure or kind)}}
    if short in ("agent.start", "agent.finish") and (key := rest.get("agent_id")):
        found["span_id"] = blake2b(str(key).encode(), digest_size=8).hexdigest()
    found["content"] = take(rest, CONTENT)
    return {**own(rest), **found}


def _number(value: Any, kind: Callable[[Any], Any]) -> Any:
    try:
        number = kind(float(value)) if value is not None else None
    except (TypeError, ValueError, OverflowError):
        return None
    return number if number is None or number >= 0 else None
