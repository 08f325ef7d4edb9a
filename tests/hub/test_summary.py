import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.hub.summary import MAIN_ARGUMENTS, SUMMARY_CHARS, _close_gaps, summarise


def line(kind: str, **fields: Any) -> str:
    return summarise({"agent": "a", "event": kind, **fields})


@pytest.mark.parametrize(
    ("event", "wanted"),
    [
        ({"event": "user_message", "content": "hello\n  there"}, "hello there"),
        (
            {"event": "tool_invocation", "tool": "search", "input": {"limit": 3, "query": "tide"}},
            "tide",
        ),
        ({"event": "tool_invocation", "tool": "bash", "input": "ls -l"}, "ls -l"),
        ({"event": "tool_invocation", "tool": "f", "input": {"xs": [1]}}, '{"xs":[1]}'),
        ({"event": "tool_result", "tool": "search", "output": "3 files"}, "→ 3 files"),
        (
            {"event": "tool_result", "tool": "sql", "error": {"type": "Busy", "message": "locked"}},
            "✗ Busy: locked",
        ),
        ({"event": "error", "error": {"message": "no route"}}, "no route"),
        ({"event": "error", "content": "it broke"}, "it broke"),
        ({"event": "error", "tool": "grep", "error": "no such file"}, "no such file"),
        ({"event": "log", "tool": "grep", "content": "42 lines"}, "42 lines"),
        (
            {"event": "llm_request", "model": "m1", "input": {"messages": [{"content": "why?"}]}},
            "why?",
        ),
        (
            {"event": "llm_response", "model": "m1", "input_tokens": 12, "output_tokens": 3},
            "(12→3 tokens)",
        ),
        (
            {
                "event": "llm_response",
                "model": "m1",
                "output": [{"name": "f", "arguments": '{"q": 1}'}],
            },
            "f(1)",
        ),
        ({"event": "agent_start", "input": {"task": "find it"}}, "find it"),
        ({"event": "tool_invocation", "tool": "now"}, "now"),
        ({"event": "handoff", "to": "coder", "content": "fix it"}, "→ coder fix it"),
        ({"event": "handoff", "to": "coder", "content": "coder: fix it"}, "→ coder fix it"),
        ({"event": "handoff", "to": "coder", "content": "coder"}, "→ coder"),
        ({"event": "decision", "chosen": "b", "agent": "x"}, "chosen=b"),
        ({"event": "session_start"}, "session_start"),
        (
            {
                "event": "agent_response",
                "content": [{"type": "text", "text": "one"}, {"text": "2"}],
            },
            "one 2",
        ),
        ({"event": "log", "content": False}, "False"),
    ],
)
def test_an_event_is_told_in_one_line(event: dict[str, Any], wanted: str) -> None:
    assert summarise({"agent": "a", **event}) == wanted


def test_the_main_argument_is_chosen_as_the_page_chooses_it() -> None:
    vector = Path(__file__).parents[2] / "spec" / "vectors" / "main_arguments.json"
    assert json.loads(vector.read_bytes()) == list(MAIN_ARGUMENTS)


def test_events_are_told_as_the_page_tells_those_that_it_fetched() -> None:
    vector = Path(__file__).parents[2] / "spec" / "vectors" / "summaries.json"
    for one in json.loads(vector.read_bytes()):
        assert summarise(one["event"]) == one["line"]


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    text = line("user_message", content="x" * 5000)
    assert len(text) == SUMMARY_CHARS
    assert text.endswith("…")


@pytest.mark.parametrize("gap", [" ", "\n" * 20, " \x00\t" * 7, "\u2028" * 15])
def test_a_text_is_the_same_line_however_wide_its_gaps_are(gap: str) -> None:
    words = [f"word{n:03}" for n in range(70)]
    assert line("log", content=gap.join(words)) == line("log", content=" ".join(words))


@given(
    st.text(
        st.characters(max_codepoint=0x2100) | st.sampled_from(" \t\x00\x1f\x85\u2028a"), max_size=40
    )
)
def test_every_gap_is_one_space_whatever_it_is_made_of(text: str) -> None:
    gaps = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
    assert _close_gaps(text) == gaps.sub(" ", text).strip()


def test_control_and_direction_characters_do_not_survive() -> None:
    text = line("user_message", content="a\x1b[31mred\x07\u202eevil\u2066\x9bz\u2028end")
    assert text == "ared evil z end"


@pytest.mark.parametrize(
    ("said", "wanted"),
    [
        ("\x1b[1;31mFAILED\x1b[0m tests/a.py", "FAILED tests/a.py"),
        ("\x1b]0;title\x07\x1b[2K\x1b(Bbuild \x1b[38;5;208mdone\x1b[m", "build done"),
        ("cut off\x1b[3", "cut off"),
        ("\x1b[" * 20_000, "log"),
        ("x" * 180 + "\x1b[0m" * 40 + "y" * 30, "x" * 180 + "y" * 19 + "…"),
    ],
)
def test_of_a_terminals_codes_nothing_is_left(said: str, wanted: str) -> None:
    assert line("log", content=said) == wanted


@pytest.mark.parametrize(
    "value", [None, 0, "", [], {}, [[[]]], {"a": {"b": [None]}}, [1, "x", None], "\ud800", 1e300]
)
@pytest.mark.parametrize("field", ["content", "input", "output", "error", "tool", "to", "model"])
@pytest.mark.parametrize(
    "kind",
    ["tool_invocation", "tool_result", "llm_request", "llm_response", "error", "handoff", "x"],
)
def test_any_value_in_any_field_gives_some_line(kind: str, field: str, value: object) -> None:
    assert line(kind, **{field: value})
