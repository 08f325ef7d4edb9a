"""Log records: the coding agents' own, and what our own export wrote."""

from typing import Any

from laneway.model.event import normalise
from laneway.sinks.otlp import encode
from laneway.sources.otlp import json
from laneway.sources.otlp.binding import Place
from laneway.sources.otlp.log import log_event, log_facts
from laneway.sources.otlp.record import LogRecord, Origin


def event_of(name: str, service: str, body: Any = None, severity: int = 9, **attributes: Any) -> dict[str, Any]:  # fmt: skip
    given = {key.replace("__", "."): value for key, value in attributes.items()}
    record = LogRecord(Origin({"service.name": service}, {}), "", "", name, 10**18, severity, body, given)  # fmt: skip
    facts = log_facts(record)
    place = Place(facts.agent or service, "", facts.session)
    return dict(normalise(log_event(record, facts, place))[0])


def test_claude_code_reports_its_turns() -> None:
    common = {"session__id": "s1", "prompt__id": "p1"}
    said = event_of("", "claude-code", "claude_code.user_prompt", event__name="user_prompt", prompt="fix it", prompt_length="6", **common)  # fmt: skip
    assert (said["event"], said["content"], said["session_id"]) == ("user_message", "fix it", "s1")
    assert (said["prompt.id"], said["prompt_length"]) == ("p1", "6")
    call = event_of("", "claude-code", "claude_code.api_request", event__name="api_request", model="claude-x",
                    input_tokens="12", output_tokens=3, cache_read_tokens="100", cost_usd="0.25", duration_ms="812", **common)  # fmt: skip
    assert (call["event"], call["model"], call["input_tokens"], call["output_tokens"]) == ("llm_response", "claude-x", 12, 3)  # fmt: skip
    assert (call["cache_read_tokens"], call["cost_usd"], call["duration_ms"]) == (100, 0.25, 812.0)
    tool = event_of("", "claude-code", "claude_code.tool_result", event__name="tool_result", tool_name="Bash", success="false",
                    error="exit 1", duration_ms="5", tool_input='{"command": "ls"}', agent__name="Explore", **common)  # fmt: skip
    assert (tool["event"], tool["tool"], tool["input"], tool["agent"]) == ("tool_result", "Bash", {"command": "ls"}, "Explore")  # fmt: skip
    assert (tool["level"], tool["error"]["message"]) == ("error", "exit 1")
    other = event_of("", "claude-code", "claude_code.auth", event__name="auth", action="login")
    assert (other["event"], other["action"]) == ("claude_code.auth", "login")


def test_codex_and_gemini_report_theirs() -> None:
    codex = event_of("codex.sse_event", "codex_cli_rs", event__kind="response.completed", conversation__id="c1",
                     input_token_count=9, output_token_count=2, cached_token_count=4, model="gpt")  # fmt: skip
    assert (codex["event"], codex["input_tokens"], codex["session_id"]) == ("llm_response", 9, "c1")
    tool = event_of("codex.tool_result", "codex_cli_rs", tool_name="shell", arguments='{"a": 1}', output="ok", success="true", duration_ms=3)  # fmt: skip
    assert (tool["event"], tool["tool"], tool["output"]) == ("tool_result", "shell", "ok")
    gemini = event_of("gemini_cli.tool_call", "gemini-cli", function_name="read", function_args='{"p": 1}', duration_ms=1, success=True)  # fmt: skip
    assert (gemini["event"], gemini["tool"], gemini["input"]) == ("tool_result", "read", {"p": 1})


def test_any_programs_lines_are_logs() -> None:
    event = event_of("", "shop", "disk is full", 17, level="x", code__lineno=7)
    assert (event["event"], event["content"], event["level"]) == ("log", "disk is full", "error")
    assert (event["otel.level"], event["code.lineno"]) == ("x", 7)


def test_an_exception_record_is_an_error() -> None:
    event = event_of("gen_ai.client.operation.exception", "shop", None, 13, exception__type="E", exception__message="m")  # fmt: skip
    assert (event["event"], event["error"]) == ("error", {"type": "E", "message": "m"})


def test_what_we_export_comes_back() -> None:
    sent = {"timestamp": "2026-11-23T18:22:33.000123Z", "agent": "planner", "event": "decision", "id": "1",
            "content": "left", "session_id": "s1", "level": "info", "weight": 3}  # fmt: skip
    [line] = encode([sent])
    [record] = json.read("logs", line).logs
    facts = log_facts(record)
    event = log_event(record, facts, Place(facts.agent, "", facts.session))
    assert (event["event"], event["content"], event["agent"], event["session_id"], event["timestamp"]) == (
        "decision", "left", "planner", "s1", sent["timestamp"])  # fmt: skip
    assert event["weight"] == 3
