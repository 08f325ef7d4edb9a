"""A rollout of Codex CLI (``~/.codex/sessions/…/rollout-*.jsonl``) as events, line by line."""

from collections.abc import Iterator, Mapping
from typing import Any

from laneway.sources.claude.hook import event_id, make_id, span_id
from laneway.sources.otlp.message import parse_json

AGENT = "codex"
SAID = {"user_message": ("user_message", "user"), "agent_message": ("agent_response", "assistant")}
CALLS = ("function_call", "custom_tool_call", "local_shell_call")
RESULTS = ("function_call_output", "custom_tool_call_output")


class Rollout:
    """One file's lines in their order; ``path`` tells whose they are."""

    def __init__(self, path: str) -> None:
        name = path.replace("\\", "/").rpartition("/")[2].removesuffix(".jsonl")
        self._session = name[-36:]
        self._facts: dict[str, Any] = {}
        self._model = ""
        self._place = 0

    def events(self, line: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
        """What one line tells; mostly one event, or none."""
        self._place += 1
        payload = line.get("payload")
        if not isinstance(payload, Mapping):
            return
        kind, inner = line.get("type"), str(payload.get("type") or "")
        if kind == "session_meta":
            self._session = str(payload.get("id") or self._session)
            cwd = str(payload.get("cwd") or "").replace("\\", "/")
            self._facts = {"cwd": cwd, "project": cwd.rpartition("/")[2]} if cwd else {}
            yield self._event(line, "session_start", "meta", cli_version=payload.get("cli_version"))
        elif kind == "turn_context":
            self._model = str(payload.get("model") or self._model)
        elif kind == "event_msg":
            yield from self._told(line, inner, payload)
        elif kind == "response_item" and inner in CALLS:
            yield self._call(line, payload)
        elif kind == "response_item" and inner in RESULTS:
            key = str(payload.get("call_id"))
            output = parse_json(payload.get("output"))
            yield self._event(line, "tool_result", f"{key} end", output=output, call_id=key,
                              span_id=span_id(self._session, key))  # fmt: skip

    def _told(
        self, line: Mapping[str, Any], inner: str, payload: Mapping[str, Any]
    ) -> Iterator[dict[str, Any]]:
        if inner in SAID:
            event, role = SAID[inner]
            yield self._event(line, event, inner, content=payload.get("message"), role=role)
        elif inner == "token_count":
            info = payload.get("info")
            last = info.get("last_token_usage") if isinstance(info, Mapping) else None
            if isinstance(last, Mapping):
                yield self._event(
                    line, "llm_response", inner, model=self._model, provider="openai",
                    input_tokens=last.get("input_tokens"), output_tokens=last.get("output_tokens"),
                    cache_read_tokens=last.get("cached_input_tokens"),
                )  # fmt: skip
        elif inner in ("error", "stream_error"):
            message = str(payload.get("message") or inner)
            yield self._event(line, "error", inner, error={"type": inner, "message": message})

    def _call(self, line: Mapping[str, Any], payload: Mapping[str, Any]) -> dict[str, Any]:
        key = str(payload.get("call_id"))
        given = payload.get("arguments", payload.get("input", payload.get("action")))
        tool = str(payload.get("name") or "shell")
        return self._event(line, "tool_invocation", f"{key} start", tool=tool, input=parse_json(given),
                           call_id=key, span_id=span_id(self._session, key))  # fmt: skip

    def _event(
        self, line: Mapping[str, Any], event: str, part: str, **fields: Any
    ) -> dict[str, Any]:
        made = event_id(self._session, f"{self._place}", part)
        return {
            "timestamp": line.get("timestamp"),
            "agent": AGENT,
            "event": event,
            "session_id": self._session,
            "trace_id": make_id(16, self._session),
            "id": made,
            "source": "rollout",
            **self._facts,
            **{name: value for name, value in fields.items() if value not in (None, "")},
        }
