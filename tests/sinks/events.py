"""A small run of two agents, as the log holds it."""

from typing import Any

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"


def at(second: float) -> str:
    return f"2026-11-26T10:00:{second:09.6f}Z"


def run() -> list[dict[str, Any]]:
    """A planner asks a model, lets a researcher search, and one search fails; one call is open still."""
    planner = {"agent": "planner", "session_id": "s1", "trace_id": TRACE, "host": "vm", "pid": 7}
    researcher = {**planner, "agent": "researcher", "parent_agent": "planner"}
    outer = {"span_id": "a" * 16}
    search = {"span_id": "b" * 16, "parent_span_id": "a" * 16, "tool": "search"}
    failed = {"span_id": "c" * 16, "parent_span_id": "a" * 16, "tool": "fetch"}
    return [
        {"timestamp": at(0), "event": "user_message", "content": "Find =1+1", "id": "e0", **planner},
        {"timestamp": at(1), "event": "llm_request", "model": "qwen3", "input": "plan", "id": "e1",
         **planner, **outer},
        {"timestamp": at(2), "event": "tool_invocation", "input": {"q": "lanes"}, "id": "e2",
         **researcher, **search},
        {"timestamp": at(2.5), "event": "tool_invocation", "input": {"u": "x"}, "id": "e3",
         **researcher, **failed},
        {"timestamp": at(3), "event": "tool_result", "output": ["a", 1], "id": "e4", **researcher, **search},
        {"timestamp": at(4), "event": "tool_result", "id": "e5", "level": "error",
         "error": {"type": "OSError", "message": "no route", "stack": "Traceback"}, **researcher, **failed},
        {"timestamp": at(5), "event": "llm_response", "model": "qwen3", "output": "done", "input_tokens": 12,
         "output_tokens": 3, "cost_usd": 0.25, "duration_ms": 4000.0, "id": "e6", **planner, **outer},
        {"timestamp": at(6), "event": "evaluation", "duration_ms": 500, "score": 0.5, "id": "e7", **planner},
        {"timestamp": at(7), "event": "agent_start", "id": "e8", "span_id": "d" * 16, **researcher},
    ]  # fmt: skip
