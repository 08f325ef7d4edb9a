"""One line of text for an event: what a lane's tooltip and the stream show of it.

The tool or model is not repeated: it stands beside the line as the event's label.

Answers are plain text of at most `SUMMARY_CHARS` characters without control
characters; nothing in them is markup.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import orjson

from laneway.model.field import AMOUNT_FIELDS, COUNT_FIELDS, HEX_FIELDS, NAME_FIELDS

SUMMARY_CHARS = 200
"""A line of the stream at the widest; the whole event is one click away."""

VALUE_CHARS = 2_000
"""A value is looked at only this far: what follows could not appear in the line."""

HEAD_CHARS = SUMMARY_CHARS + 56
"""As a rule this much of a value fills the line, and the rest needs no look: each space costs one."""

MAIN_ARGUMENTS = (
    "task",
    "request",
    "goal",
    "command",
    "cmd",
    "query",
    "q",
    "pattern",
    "file_path",
    "path",
    "file",
    "url",
    "expression",
    "sql",
    "prompt",
    "question",
    "text",
    "message",
    "title",
    "name",
)
"""The argument that says most about a call, by preference; the page has the same, held so by spec/vectors."""

KNOWN_FIELDS = frozenset(
    {"timestamp", "agent", "event", "id", "level", "seq", "tool", "pid", "trace_id", "span_id"}
).union(NAME_FIELDS, HEX_FIELDS, COUNT_FIELDS, AMOUNT_FIELDS)
"""What the line does not repeat: it stands in columns of its own."""

_GAPS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_CODES = re.compile(
    r"\x1b(?:\[[0-9:;<=>?]*[ -/]*[@-~]?|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[ -/]*[0-~]?)"
)
"""Of a terminal: CSI with its final byte, OSC up to its end, any other escape of two signs (ECMA-48)."""
_BIDI = re.compile(r"[\u202a-\u202e\u2066-\u2069\u200b-\u200f\ufeff]")


def summarise(event: Mapping[str, Any]) -> str:
    """The line for ``event``; never empty."""
    kind = str(event.get("event", ""))
    line = SUMMARISERS.get(kind, _any)(event)
    return _one_line(line) or _one_line(kind) or "event"


def _one_line(text: str) -> str:
    head = text[:HEAD_CHARS]
    if head.isascii() and head.isprintable() and "  " not in head:  # as a rule
        line = head.strip(" ")
        if len(line) > SUMMARY_CHARS:
            return f"{line[: SUMMARY_CHARS - 1]}…"
        if len(text) <= HEAD_CHARS:
            return line
    text = text[:VALUE_CHARS]
    if "\x1b" in text:
        text = _CODES.sub("", text)
    if not text.isascii():
        text = _BIDI.sub("", text)
    line = _close_gaps(text[:HEAD_CHARS])
    if len(line) <= SUMMARY_CHARS and len(text) > HEAD_CHARS:
        line = _close_gaps(text)
    return line if len(line) <= SUMMARY_CHARS else f"{line[: SUMMARY_CHARS - 1]}…"


def _close_gaps(text: str) -> str:
    """One space for each run of white space and control characters. Splitting takes a third of the time; a
    look whether there is anything to do, a tenth: of white space only the space itself is printable."""
    if text.isprintable() and "  " not in text:
        return text.strip(" ")
    line = " ".join(text.split())
    return line if line.isprintable() else _GAPS.sub(" ", text).strip()


def _text(value: object) -> str:
    """Any JSON value as text: prose where there is some in it, else compact JSON."""
    if value is None:
        return ""
    if isinstance(value, str):
        return value[:VALUE_CHARS]
    if isinstance(value, (bool, int, float)):
        return str(value)
    if isinstance(value, Mapping):
        prose = _first_text(value, ("text", "content", "message", "summary", "result", "output"))
        return prose or _compact(value)
    if isinstance(value, list):
        parts = [
            _first_text(part, ("text", "content")) for part in value[:20] if isinstance(part, dict)
        ]
        return " ".join(filter(None, parts)) or _compact(value)
    return str(value)[:VALUE_CHARS]


def _first_text(value: Mapping[str, Any], names: Iterable[str]) -> str:
    return next((value[name] for name in names if isinstance(value.get(name), str)), "")


def _compact(value: object) -> str:
    try:
        return orjson.dumps(value)[: VALUE_CHARS * 4].decode(errors="ignore")
    except orjson.JSONEncodeError:  # deeper than orjson writes
        return "…"


def _join(*parts: str) -> str:
    return " ".join(filter(None, parts))


def _any(event: Mapping[str, Any]) -> str:
    """Text of an event without a rule of its own."""
    content = event.get("content")
    if content and type(content) is str:  # as a rule
        return content[:VALUE_CHARS]
    for name in ("content", "message", "error", "input", "output"):
        if not _is_empty(value := event.get(name)):
            return _error(value) if name == "error" else _text(value)
    rest = ((name, value) for name, value in event.items() if name not in KNOWN_FIELDS)
    return _join(*(f"{name}={_text(value)}" for name, value in rest if not _is_empty(value)))


def _is_empty(value: object) -> bool:
    return value is None or value in ("", [], {})


def _error(value: object) -> str:
    if not isinstance(value, Mapping):
        return _text(value)
    kind, message = value.get("type"), value.get("message")
    return ": ".join(_text(part) for part in (kind, message) if part) or _text(value)


def _argument(value: object) -> str:
    """The main argument of a tool call."""
    if not isinstance(value, Mapping):
        return _text(value)
    for name in MAIN_ARGUMENTS:
        if isinstance(value.get(name), (str, int, float)):
            return _text(value[name])
    scalar = next((item for item in value.values() if isinstance(item, (str, int, float))), None)
    return _text(scalar) if scalar is not None else (_compact(value) if value else "")


def _tool_call(event: Mapping[str, Any]) -> str:
    argument = _argument(event.get("input")) or _text(event.get("content"))
    return argument or str(event.get("tool", ""))


def _tool_result(event: Mapping[str, Any]) -> str:
    if event.get("error"):
        return _join("✗", _error(event["error"]))
    output = _text(event.get("output")) or _text(event.get("content"))
    return _join("→", output) if output else str(event.get("tool", ""))


def _llm_request(event: Mapping[str, Any]) -> str:
    said = _text(event.get("content"))
    if not said and event.get("input"):
        value = event["input"]
        messages = value.get("messages", value) if isinstance(value, Mapping) else value
        last = messages[-1] if isinstance(messages, list) and messages else messages
        said = _text(last)
    return said or str(event.get("model", ""))


def _llm_response(event: Mapping[str, Any]) -> str:
    if event.get("error"):
        return _join("✗", _error(event["error"]))
    said = _text(event.get("content")) or _calls(event.get("output")) or _text(event.get("output"))
    return _join(said, _tokens(event)) or str(event.get("model", ""))


def _calls(value: object) -> str:
    """``search(main.py), calculate(2 + 3)`` where a model asks for tools, else nothing."""
    if isinstance(value, Mapping):
        value = value.get("tool_calls")
    if not isinstance(value, list):
        return ""
    calls = [call.get("function", call) for call in value[:20] if isinstance(call, Mapping)]
    named = [call for call in calls if isinstance(call, Mapping) and call.get("name")]
    return ", ".join(
        f"{call['name']}({_argument(_object(call.get('arguments', call.get('input'))))})"
        for call in named
    )


def _object(value: object) -> object:
    """Arguments come as an object, or as its JSON text."""
    try:
        return orjson.loads(value) if isinstance(value, str) else value
    except ValueError:
        return value


def _tokens(event: Mapping[str, Any]) -> str:
    counts = (event.get("input_tokens"), event.get("output_tokens"))
    if counts == (None, None):
        return ""
    return f"({'→'.join('?' if count is None else str(count) for count in counts)} tokens)"


def _agent_start(event: Mapping[str, Any]) -> str:
    return _argument(event.get("input")) or _any(event)


def _failure(event: Mapping[str, Any]) -> str:
    return _error(event.get("error")) or _any(event)


def _handoff(event: Mapping[str, Any]) -> str:
    target = event.get("to") or event.get("target") or event.get("to_agent")
    said, name = _text(event.get("content")), _text(target)
    if name and f"{said}:".startswith(f"{name}:"):  # it says itself whom it is for
        said = said[len(name) + 1 :].lstrip()
    return _join(f"→ {name}" if name else "", said) or _any(event)


SUMMARISERS: dict[str, Callable[[Mapping[str, Any]], str]] = {
    "agent_start": _agent_start,
    "session_start": _agent_start,
    "tool_invocation": _tool_call,
    "tool_result": _tool_result,
    "permission_request": _tool_call,
    "llm_request": _llm_request,
    "llm_response": _llm_response,
    "error": _failure,
    "handoff": _handoff,
}
