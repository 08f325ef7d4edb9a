"""A transcript of Claude Code (``~/.claude/projects/PROJECT/SESSION.jsonl``) as events, line by line.

The model's text, its tokens and the titles stand only here. A sub-agent's lines name it, or have a file of
their own. The format is Claude Code's own and changes: what is not known is passed over, and a line that
is broken costs itself.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from laneway.base.clock import NS_PER_MS, format_ns
from laneway.model.moment import parse_timestamp_ns
from laneway.sources.claude.hook import AGENT, event_id, make_id, span_id

NOISE = ("<command-name>", "<local-command", "<system-reminder>", "Caveat: ")
"""Lines of the role user that no user wrote begin so."""

USAGE = {
    "input_tokens": "input_tokens",
    "output_tokens": "output_tokens",
    "cache_read_input_tokens": "cache_read_tokens",
    "cache_creation_input_tokens": "cache_write_tokens",
}
CACHED = ("cache_read_input_tokens", "cache_creation_input_tokens")
"""Anthropic's ``input_tokens`` leave out what came from the cache; ours, as OpenTelemetry's, have it."""

BEFORE_NS = NS_PER_MS
"""A title stands so long before the first line: the first title of a session is its name."""


class Transcript:
    """One file's lines in their order; ``path`` tells whose they are."""

    def __init__(self, path: str, agent: str = "sub-agent") -> None:
        """``agent``: the sub-agent whose file it is, where lines do not name it."""
        self._agent = agent
        self._begun_ns = 0
        self._session = path.replace("\\", "/").rpartition("/")[2].removesuffix(".jsonl")
        self._agents: dict[str, str] = {}
        self._counted: set[str] = set()
        self._title = ""

    def events(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What one line tells; mostly one event, or none."""
        kind = line.get("type")
        if not self._begun_ns and line.get("timestamp"):
            self._begun_ns = parse_timestamp_ns(line["timestamp"])
            yield from self._named()
        if kind in ("summary", "ai-title", "custom-title"):
            yield from self._titled(line)
        message = line.get("message")
        if kind not in ("user", "assistant") or not isinstance(message, Mapping):
            return
        base = self._base(line)
        content = message.get("content")
        parts = [{"type": "text", "text": content}] if isinstance(content, str) else content
        known = [part for part in parts or () if isinstance(part, Mapping)]
        if kind == "assistant":
            yield from self._said(base, line, message, known)
        else:
            yield from self._heard(base, line, known)

    def _base(self, line: Mapping[str, Any]) -> dict[str, Any]:
        session = str(line.get("sessionId") or self._session)
        inner = str(line.get("agentId") or "")
        base = {
            "timestamp": line.get("timestamp"),
            "agent": AGENT,
            "session_id": session,
            "trace_id": make_id(16, session, str(line.get("promptId") or "")),
            "project": str(line.get("cwd") or "").replace("\\", "/").rpartition("/")[2],
            "git_branch": line.get("gitBranch"),
            "source": "transcript",
        }
        if inner or line.get("isSidechain"):
            name = str(line.get("agentType") or line.get("subagentType") or "") or self._agent
            base |= {"agent": name, "parent_agent": AGENT, "agent_id": inner}
            base["parent_span_id"] = span_id(session, inner) if inner else None
        return {name: value for name, value in base.items() if value not in (None, "")}

    def _said(
        self,
        base: dict[str, Any],
        line: Mapping[str, Any],
        message: Mapping[str, Any],
        parts: list[Mapping[str, Any]],
    ) -> Iterator[dict[str, Any]]:
        """A message comes in several lines, a part each, and each repeats the tokens of all."""
        uuid, session = str(line.get("uuid") or ""), base["session_id"]
        text = "\n".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
        call = str(message.get("id") or uuid)
        event = {
            **base,
            "event": "llm_response",
            "model": message.get("model"),
            "provider": "anthropic",
        }
        event["id"] = event_id(session, uuid, "llm_response")
        usage = message.get("usage")
        if isinstance(usage, Mapping) and call not in self._counted:
            self._counted.add(call)
            event |= _tokens(usage)
        thought = [str(p.get("thinking", "")) for p in parts if p.get("type") == "thinking"]
        if thought:
            event["thinking"] = "\n".join(thought)
        yield {**event, "content": text} if text else event
        for part in parts:
            if part.get("type") == "tool_use":
                yield self._call(base, part)
        is_last = message.get("stop_reason") == "end_turn"
        if text and is_last and "parent_agent" not in base:
            prompt = str(line.get("promptId") or "")
            reply_id = (
                event_id(session, prompt, "Stop") if prompt else event_id(session, uuid, "reply")
            )
            yield {
                **base,
                "event": "agent_response",
                "content": text,
                "role": "assistant",
                "id": reply_id,
            }

    def _call(self, base: dict[str, Any], part: Mapping[str, Any]) -> dict[str, Any]:
        session, key = base["session_id"], str(part.get("id") or "")
        tool, given = str(part.get("name") or "tool"), part.get("input")
        if isinstance(given, Mapping) and given.get("subagent_type"):
            self._agents[key] = str(given["subagent_type"])
        return {
            **base,
            "event": "tool_invocation",
            "tool": tool,
            "input": given,
            "tool_use_id": key,
            "span_id": span_id(session, key),
            "id": event_id(session, key, "start"),
        }

    def _heard(
        self, base: dict[str, Any], line: Mapping[str, Any], parts: list[Mapping[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        uuid, session = str(line.get("uuid") or ""), base["session_id"]
        for part in parts:
            if part.get("type") == "tool_result":
                yield self._result(base, line, part)
        text = "\n".join(str(part.get("text", "")) for part in parts if part.get("type") == "text")
        if not text or line.get("isMeta") or text.startswith(NOISE) or "parent_agent" in base:
            return
        prompt = str(line.get("promptId") or "")
        said_id = (
            event_id(session, prompt, "UserPromptSubmit")
            if prompt
            else event_id(session, uuid, "user")
        )
        yield {**base, "event": "user_message", "content": text, "role": "user", "id": said_id}

    def _result(
        self, base: dict[str, Any], line: Mapping[str, Any], part: Mapping[str, Any]
    ) -> dict[str, Any]:
        session, key = base["session_id"], str(part.get("tool_use_id") or "")
        output = part.get("content")
        event = {
            **base,
            "event": "tool_result",
            "output": output,
            "tool_use_id": key,
            "span_id": span_id(session, key),
            "id": event_id(session, key, "end"),
        }
        told = line.get("toolUseResult")
        if isinstance(told, Mapping) and isinstance(told.get("totalDurationMs"), (int, float)):
            event["duration_ms"] = told["totalDurationMs"]
        if key in self._agents:
            event["sub_agent"] = self._agents.pop(key)
        if part.get("is_error"):
            event |= {
                "level": "error",
                "error": {"type": "tool_error", "message": str(output)[:2000]},
            }
        return event

    def _titled(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        title = str(line.get("summary") or line.get("aiTitle") or line.get("customTitle") or "")
        if title and title != self._title:
            self._title = title
            self._session = str(line.get("sessionId") or self._session)
            if self._begun_ns:
                yield from self._named()

    def _named(self) -> Iterator[dict[str, Any]]:
        """The title, as far as it is known, at the session's beginning."""
        if self._title:
            yield {
                "timestamp": format_ns(self._begun_ns - BEFORE_NS),
                "agent": AGENT,
                "event": "session_title",
                "content": self._title,
                "session_id": self._session,
                "id": event_id(self._session, self._title, "title"),
                "source": "transcript",
            }


def _tokens(usage: Mapping[str, Any]) -> dict[str, int]:
    found = {
        ours: usage[name]
        for name, ours in USAGE.items()
        if isinstance(usage.get(name), int) and usage[name] >= 0
    }
    cached = sum(usage[name] for name in CACHED if isinstance(usage.get(name), int))
    if "input_tokens" in found:
        found["input_tokens"] += cached
    return found
