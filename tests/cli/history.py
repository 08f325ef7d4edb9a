"""A small history for the commands that count and draw: two sessions, one trace with every kind of span."""

from typing import Any

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
HOSTILE = "a\x1b]0;title\x07b\u202ec\x9b31md"
START = "2026-11-23T12:00:0"


def at(second: float, **fields: Any) -> dict[str, Any]:
    return {"timestamp": f"{START}{second:.3f}Z", "session_id": "s1", **fields}


def traced(second: float, span: str, parent: str = "", **fields: Any) -> dict[str, Any]:
    ids = {"trace_id": TRACE, "span_id": span * 16}
    return at(second, **ids, **({"parent_span_id": parent * 16} if parent else {}), **fields)


SESSION: list[dict[str, Any]] = [
    at(0, agent="user", event="user_message", content="Plan a weekend\nin Hamburg, please."),
    traced(1, "a", agent="planner", event="agent_start", content="plan"),
    traced(2, "b", "a", agent="planner", event="llm_request", model="local-8b"),
    traced(
        3, "b", "a", agent="planner", event="llm_response", model="local-8b", duration_ms=1000,
        input_tokens=1200, output_tokens=80, cost_usd=0.02, content="I look it up.",
    ),
    traced(3.5, "c", "a", agent="coder", event="tool_invocation", tool="grep", input={"q": "tide"}),
    {**traced(4, "", "c", agent="coder", event="log", content="half way"), "span_id": ""},
    traced(
        4.5, "c", "a", agent="coder", event="tool_result", tool="grep", duration_ms=1000,
        error={"type": "TimeoutError", "message": "no answer"}, level="error",
    ),
    traced(5, "d", "a", agent="coder", event="tool_invocation", tool="read", input={"path": "x"}),
    traced(6, "e", "f", agent="coder", event="log", content="whose child am I?"),
    at(7, agent="planner", event="decision", content="no ferry", trace_id=TRACE),
    at(
        9, agent="planner", event="agent_response", trace_id=TRACE,
        content="On Saturday you take the harbour tour, and on Sunday you go to the zoo, if it is dry.",
    ),
]  # fmt: skip
for event in SESSION:
    if not event.get("span_id", "x"):
        del event["span_id"]

OTHER: list[dict[str, Any]] = [
    {
        "timestamp": "2026-11-23T11:00:00Z", "agent": HOSTILE, "event": HOSTILE, "tool": HOSTILE,
        "session_id": HOSTILE, "content": HOSTILE, "model": HOSTILE, "trace_id": HOSTILE,
        "span_id": HOSTILE, "duration_ms": 5, "input_tokens": 3,
    },
    {"timestamp": "2026-11-23T11:00:01Z", "agent": "planner", "event": "session_end",
     "session_id": "s0"},
]  # fmt: skip
