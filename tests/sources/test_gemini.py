"""Gemini CLI's telemetry file: written by the loggers and exporters of its own core (0.61), trimmed."""

from pathlib import Path
from typing import Any

import orjson

from laneway.cli.import_ import iter_documents
from laneway.model.event import normalise
from laneway.sources.gemini import Outfile

WRITTEN = Path(__file__).with_name("gemini_outfile.json").read_bytes()


def events() -> list[dict[str, Any]]:
    reader = Outfile("x")
    documents = map(orjson.loads, iter_documents(WRITTEN.splitlines(keepends=True)))
    return [event for document in documents for event in reader.events(document)]


def test_each_kind_of_record_is_an_event() -> None:
    found = {event["event"]: event for event in events()}
    for event in found.values():
        normalise(event)
    assert {event["session_id"] for event in found.values()} == {"session-1"}
    said = found["user_message"]
    assert (said["agent"], said["content"], said["prompt_id"]) == ("gemini-cli", "List files.", "prompt-1")  # fmt: skip
    answer = found["llm_response"]
    assert (answer["model"], answer["input_tokens"], answer["output_tokens"], answer["cache_read_tokens"]) == ("gemini-2.5-pro", 120, 9, 100)  # fmt: skip
    assert (answer["content"], answer["duration_ms"]) == ("Two files.", 812)
    tool = found["tool_result"]
    assert (tool["tool"], tool["input"]) == ("list_directory", {"path": "/tmp"})
    assert tool["error"] == {"type": "not_found", "message": "no such directory"}
    assert found["error"]["error"]["message"] == "quota exceeded"
    assert "process.command" not in said


def test_a_sub_agent_has_a_lane_below_the_main_one() -> None:
    begun, ended = (event for event in events() if event["event"].startswith("agent_"))
    assert (begun["agent"], begun["parent_agent"]) == ("codebase_investigator", "gemini-cli")
    assert begun["span_id"] == ended["span_id"]
    assert ended["duration_ms"] == 900


def test_metrics_are_passed_over() -> None:
    assert b"scopeMetrics" in WRITTEN
    assert "metric" not in {event["event"] for event in events()}


def test_a_document_that_is_being_written_waits() -> None:
    lines = WRITTEN.splitlines(keepends=True)
    whole = [*iter_documents(lines)]
    assert b"".join(whole) == WRITTEN
    assert [*iter_documents([*lines, b"{\n", b'  "hrTime": [1,'])] == whole
    assert [*iter_documents([b'{"a": 1}\n', b"{\n", b"}\n"])] == [b'{"a": 1}\n', b"{\n}\n"]
