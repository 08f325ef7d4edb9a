"""The Model Context Protocol's messages between a client and a server, as events.

A call of a tool is `tool_invocation` and `tool_result`, any other request `mcp_start` and `mcp_end`;
notifications are events of their own.
"""

from collections.abc import Iterator, Mapping
from time import perf_counter_ns
from typing import Any, NamedTuple

from laneway.base.ids import is_hex, new_span_id, new_trace_id

LEVELS = {"notice": "info", "alert": "critical", "emergency": "critical"}
"""Of MCP's log messages, those that we call otherwise."""

MOST_OPEN = 10_000
"""Requests that wait for an answer; past it the oldest are forgotten."""


class Open(NamedTuple):
    fields: dict[str, Any]
    is_call: bool
    begun_ns: int


class Tap:
    """One connection. ``agent`` is the server's lane; the client is its parent, once it says who it is."""

    def __init__(self, agent: str) -> None:
        self._agent = agent
        self._client = ""
        self._session = new_trace_id()
        self._open: dict[tuple[bool, str], Open] = {}

    def events(self, message: object, *, from_client: bool) -> Iterator[dict[str, Any]]:
        """What one message tells; a batch tells several things."""
        for item in message if isinstance(message, list) else [message]:
            if not isinstance(item, Mapping):
                continue
            method, key = item.get("method"), item.get("id")
            if isinstance(method, str) and key is not None:
                yield self._asked(method, str(key), item, from_client)
            elif isinstance(method, str):
                yield self._noted(method, item)
            elif key is not None:
                found = self._open.pop((not from_client, str(key)), None)
                if found is not None:
                    yield self._answered(found, item)

    def _asked(
        self, method: str, key: str, item: Mapping[str, Any], from_client: bool
    ) -> dict[str, Any]:
        given = item.get("params")
        params = given if isinstance(given, Mapping) else {}
        if method == "initialize" and isinstance(params.get("clientInfo"), Mapping):
            self._client = str(params["clientInfo"].get("name") or "")
        is_call = method == "tools/call"
        fields = {
            **self._base(params),
            "span_id": new_span_id(),
            "mcp.method.name": method,
            "jsonrpc.request.id": key,
        }
        fields |= {"tool": str(params.get("name") or "tool")} if is_call else {"name": method}
        if not from_client:
            fields["direction"] = "server to client"
        if len(self._open) >= MOST_OPEN:
            del self._open[next(iter(self._open))]
        self._open[from_client, key] = Open(fields, is_call, perf_counter_ns())
        given_input = params.get("arguments") if is_call else given
        return {
            **fields,
            "event": "tool_invocation" if is_call else "mcp_start",
            "input": given_input,
        }

    def _answered(self, found: Open, item: Mapping[str, Any]) -> dict[str, Any]:
        result, error = item.get("result"), item.get("error")
        event = {
            **found.fields,
            "event": "tool_result" if found.is_call else "mcp_end",
            "duration_ms": round((perf_counter_ns() - found.begun_ns) / 1e6, 3),
            "output": result,
        }
        if isinstance(error, Mapping):
            told = {"type": str(error.get("code")), "message": str(error.get("message"))}
            event |= {"level": "error", "error": told, "output": error.get("data")}
        elif isinstance(result, Mapping) and result.get("isError"):
            event |= {"level": "error", "error": {"type": "tool_error", "message": _text(result)}}
        return event

    def _noted(self, method: str, item: Mapping[str, Any]) -> dict[str, Any]:
        given = item.get("params")
        params = given if isinstance(given, Mapping) else {}
        event = {
            **self._base(params),
            "event": "mcp_notification",
            "name": method,
            "content": method,
            "input": given,
        }
        if method == "notifications/message":
            level = str(params.get("level") or "info")
            event |= {
                "event": "log",
                "content": params.get("data"),
                "level": LEVELS.get(level, level),
                "input": None,
            }
        return event

    def _base(self, params: Mapping[str, Any]) -> dict[str, Any]:
        meta = params.get("_meta")
        parts = str(meta.get("traceparent") if isinstance(meta, Mapping) else "").split("-")
        is_traced = len(parts) >= 4 and is_hex(parts[1], 32) and is_hex(parts[2], 16)
        place = (
            {"trace_id": parts[1], "parent_span_id": parts[2]}
            if is_traced
            else {"trace_id": self._session}
        )
        parent = {"parent_agent": self._client} if self._client else {}
        return {"agent": self._agent, "session_id": f"mcp-{self._session[:12]}", **parent, **place}


def _text(result: Mapping[str, Any]) -> str:
    content = result.get("content")
    parts = content if isinstance(content, list) else []
    return "\n".join(str(part.get("text", "")) for part in parts if isinstance(part, Mapping))
