"""What a plugin of OpenCode (1.18) is told, as events: sessions, messages, their parts, permissions.

A line is ``{"at": ms, "event": {"type", "properties"}}``, as the plugin writes it that `laneway connect
opencode` installs.
"""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any

from laneway.sources.claude.hook import event_id, make_id

AGENT = "opencode"
TOLD = 10_000
"""Ids remembered: what is said again is said within seconds."""

Json = Mapping[str, Any]


class OpenCode:
    """One process of OpenCode; it has several sessions, and a session may have sub-sessions."""

    def __init__(self, path: str) -> None:
        self._parents: dict[str, str] = {}
        self._agents: dict[str, str] = {}
        self._roles: dict[str, str] = {}
        self._titles: dict[str, str] = {}
        self._told: OrderedDict[str, None] = OrderedDict()

    def events(self, line: Json) -> Iterator[dict[str, Any]]:
        """What one line tells that was not told before; mostly nothing, for OpenCode sends a message or a
        part whole whenever anything of it has changed."""
        for event in self._events(line):
            if event["id"] in self._told:
                continue
            self._told[event["id"]] = None
            if len(self._told) > TOLD:
                self._told.popitem(last=False)
            yield event

    def _events(self, line: Json) -> Iterator[dict[str, Any]]:
        event, at_ms = line.get("event"), line.get("at")
        if not isinstance(event, Mapping):
            return
        given = event.get("properties")
        facts: Json = given if isinstance(given, Mapping) else {}
        kind = str(event.get("type") or "")
        info, part = facts.get("info"), facts.get("part")
        if kind.startswith("session.") and isinstance(info, Mapping):
            yield from self._session(kind, info, at_ms)
        elif kind == "session.error":
            yield self._failed(facts, at_ms)
        elif kind == "message.updated" and isinstance(info, Mapping):
            yield from self._message(info)
        elif kind == "message.part.updated" and isinstance(part, Mapping):
            yield from self._part(part, facts.get("time") or at_ms)
        elif kind in ("permission.asked", "permission.updated", "permission.replied"):
            yield self._permission(kind, facts, at_ms)

    def _session(self, kind: str, info: Json, at_ms: Any) -> Iterator[dict[str, Any]]:
        session = str(info.get("id") or "")
        if parent := info.get("parentID"):
            self._parents[session] = str(parent)
        if agent := info.get("agent"):
            self._agents[session] = str(agent)
        if kind == "session.created":
            yield self._base(session, "session_start", at_ms, cwd=info.get("directory"),
                             opencode_version=info.get("version"))  # fmt: skip
        title = str(info.get("title") or "")
        is_named = title and not title.startswith("New session") and session not in self._parents
        if is_named and self._titles.get(session) != title:
            self._titles[session] = title
            yield self._base(session, "session_title", at_ms, content=title)
        if kind == "session.deleted":
            yield self._base(session, "session_end", at_ms)

    def _failed(self, facts: Json, at_ms: Any) -> dict[str, Any]:
        error = facts.get("error")
        told: Json = error if isinstance(error, Mapping) else {}
        data = told.get("data")
        message = data.get("message") if isinstance(data, Mapping) else told.get("message")
        kind = str(told.get("name") or "error")
        failure = {"type": kind, "message": str(message or kind)}
        session = str(facts.get("sessionID") or "")
        return self._base(session, "error", at_ms, level="error", error=failure)

    def _message(self, info: Json) -> Iterator[dict[str, Any]]:
        key, session = str(info.get("id")), str(info.get("sessionID") or "")
        role = str(info.get("role") or "")
        self._roles[key] = role
        if agent := info.get("agent") or info.get("mode"):
            self._agents[session] = str(agent)
        time = info.get("time")
        times: Json = time if isinstance(time, Mapping) else {}
        if role != "assistant":
            return
        model = {"model": info.get("modelID"), "provider": info.get("providerID")}
        span = {"span_id": make_id(8, key)}
        begun, ended = times.get("created"), times.get("completed")
        if not ended:
            yield self._base(session, "llm_request", begun, f"{key} start", **model, **span)
            return
        yield self._base(
            session, "llm_response", ended, f"{key} end", **model, **span, **usage(info),
            duration_ms=ended - begun if begun else None, finish=info.get("finish"),
        )  # fmt: skip

    def _part(self, part: Json, at_ms: Any) -> Iterator[dict[str, Any]]:
        kind, session, key = part.get("type"), str(part.get("sessionID") or ""), str(part.get("id"))
        message = str(part.get("messageID"))
        time = part.get("time")
        ended = time.get("end") if isinstance(time, Mapping) else None
        inside = {"parent_span_id": make_id(8, message)}
        if kind == "text" and self._roles.get(message) == "user" and not part.get("synthetic"):
            said = {"content": part.get("text"), "role": "user"}
            yield self._base(session, "user_message", at_ms, key, **said)
        elif kind in ("text", "reasoning") and ended:
            event = "agent_response" if kind == "text" else "reasoning"
            yield self._base(session, event, ended, key, content=part.get("text"), **inside)
        elif kind == "tool":
            yield from self._tool(part, session, inside)

    def _tool(self, part: Json, session: str, inside: dict[str, Any]) -> Iterator[dict[str, Any]]:
        call, given = str(part.get("callID")), part.get("state")
        state: Json = given if isinstance(given, Mapping) else {}
        time = state.get("time")
        times: Json = time if isinstance(time, Mapping) else {}
        begun, ended = times.get("start"), times.get("end")
        same = {**inside, "tool": part.get("tool"), "call_id": call}
        same["span_id"] = make_id(8, session, call)
        status = state.get("status")
        if status in ("running", "completed", "error"):  # one may be over before it was told to run
            asked = {"input": state.get("input")}
            yield self._base(session, "tool_invocation", begun, f"{call} start", **asked, **same)
        if status in ("completed", "error"):
            duration_ms = ended - begun if begun and ended else None
            result = {"output": state.get("output"), "duration_ms": duration_ms}
            if status == "error":
                failure = {"type": "tool_error", "message": str(state.get("error"))}
                result |= {"level": "error", "error": failure}
            yield self._base(session, "tool_result", ended, f"{call} end", **same, **result)

    def _permission(self, kind: str, facts: Json, at_ms: Any) -> dict[str, Any]:
        session = str(facts.get("sessionID") or "")
        key = str(facts.get("requestID") or facts.get("permissionID") or facts.get("id"))
        is_answer = kind == "permission.replied"
        event = "permission_decision" if is_answer else "permission_request"
        said = facts.get("reply") or facts.get("response") if is_answer else facts.get("title")
        what = facts.get("permission") or facts.get("type")
        return self._base(session, event, at_ms, f"{key} {event}", content=said or what,
                          tool=what, span_id=make_id(8, key))  # fmt: skip

    def _base(
        self, session: str, event: str, at_ms: Any, part: str = "", **fields: Any
    ) -> dict[str, Any]:
        """Sub-sessions are lanes of their own in the conversation of the first one."""
        root, seen = session, {session}
        while (above := self._parents.get(root)) and above not in seen:
            root = above
            seen.add(above)
        own = self._agents.get(session, "subagent") if root != session else AGENT
        found = {
            "timestamp": at_ms,
            "agent": own,
            "parent_agent": AGENT if root != session else None,
            "event": event,
            "session_id": root,
            "trace_id": make_id(16, root),
            "id": event_id(session, event, part or str(at_ms)),
            "mode": self._agents.get(session) if root == session else None,
            **fields,
        }
        return {name: value for name, value in found.items() if value not in (None, "")}


def usage(info: Json) -> dict[str, Any]:
    """Tokens and cost as OpenCode tells them; what was read from a cache is not in its input."""
    tokens = info.get("tokens")
    told: Json = tokens if isinstance(tokens, Mapping) else {}
    cached = told.get("cache")
    cache: Json = cached if isinstance(cached, Mapping) else {}
    return {
        "input_tokens": told.get("input"),
        "output_tokens": told.get("output"),
        "reasoning_tokens": told.get("reasoning") or None,
        "cache_read_tokens": cache.get("read") or None,
        "cache_write_tokens": cache.get("write") or None,
        "cost_usd": info.get("cost") or None,
    }
