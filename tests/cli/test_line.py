"""One event as one line."""

import io

import pytest
from rich.cells import cell_len

from laneway.cli.line import Layout, crop
from laneway.cli.terminal import Terminal
from laneway.model.moment import parse_timestamp_ns

NOON_NS = parse_timestamp_ns("2026-11-23T12:00:00.123456Z")


def event(**fields: object) -> dict[str, object]:
    return {"agent": "planner", "event": "log", **fields}


def layout(monkeypatch: pytest.MonkeyPatch, width: int = 0) -> Layout:
    monkeypatch.setenv("COLUMNS", str(width or 80))
    return Layout(Terminal(io.StringIO()), is_utc=True, is_cropped=bool(width))


def line(monkeypatch: pytest.MonkeyPatch, width: int = 0, **fields: object) -> str:
    return layout(monkeypatch, width).line(event(**fields), NOON_NS)


def test_time_agent_mark_type_and_text_stand_in_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(monkeypatch, content="hello")
    assert shown == "12:00:00.123  planner   · log          hello"


def test_a_start_an_end_and_an_error_have_their_marks(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "  → tool_invocation" in line(monkeypatch, event="tool_invocation")
    assert "  ← tool_result" in line(monkeypatch, event="tool_result")
    assert "  ✗ tool_result" in line(monkeypatch, event="tool_result", error={"message": "no"})
    assert "  ! log" in line(monkeypatch, level="warning")


def test_a_result_shows_tool_duration_and_output(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(
        monkeypatch, event="tool_result", tool="search", duration_ms=834.2, output={"hits": [3]}
    )
    assert shown.endswith('tool_result  search  834 ms  {"hits":[3]}')


def test_an_answer_shows_model_and_tokens(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(
        monkeypatch, event="llm_response", model="small", input_tokens=812, output_tokens=64
    )
    assert shown.endswith("small  812→64 tok")


def test_a_conversation_shows_its_last_message(monkeypatch: pytest.MonkeyPatch) -> None:
    messages = [{"role": "system", "content": "Be brief."}, {"role": "user", "content": "Hi?"}]
    assert line(monkeypatch, event="llm_request", input=messages).endswith("  user: Hi?")
    said = line(monkeypatch, event="llm_request", input={"messages": messages})
    assert said.endswith("  user: Hi?")


def test_a_few_plain_arguments_show_without_braces(monkeypatch: pytest.MonkeyPatch) -> None:
    plain = line(monkeypatch, event="tool_invocation", input={"path": "a b", "deep": True, "n": 3})
    assert plain.endswith("  path=a b  deep=true  n=3")
    nested = line(monkeypatch, event="tool_invocation", input={"a": {"b": 1}})
    assert nested.endswith('  {"a":{"b":1}}')


def test_an_error_shows_its_type_and_message(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(monkeypatch, event="error", error={"type": "OSError", "message": "disk full"})
    assert shown.endswith("OSError: disk full")


def test_a_long_text_is_cropped_to_the_window(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(monkeypatch, 80, content="word " * 100)
    assert cell_len(shown) <= 80
    assert shown.endswith("…")


def test_many_lines_are_folded_into_one(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(monkeypatch, 80, content="\n\nfirst line\n\nsecond\nthird\n")
    assert shown.endswith("  first line ⏎ second ⏎ third")


def test_lines_that_do_not_fit_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(monkeypatch, 80, content="word " * 100 + "\nmore")
    assert cell_len(shown) <= 80
    assert shown.endswith("…  +1 line")


def test_in_a_pipe_the_whole_text_stands_on_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(monkeypatch, content="first\nsecond " + "x" * 500)
    assert shown.endswith("first\\nsecond " + "x" * 500)


def test_wide_letters_count_as_two_cells(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(monkeypatch, 80, agent="研究者", content="日本語" * 40)
    assert cell_len(shown) <= 80


SLIM = """\
12:00:00  planner     · plan the trip t…
12:00:00  研究者エ…   → gpt-x  考える
12:00:00  研究者エ…   ← gpt-x  1.2 s  5…
12:00:00  🚀 rocket   → search_files_ev…
12:00:00  🚀 rocket   ✗ search_files_ev…
12:00:00  عميل البح…  ! تم العثور
12:00:00  a-very-lo…  · decision"""


def test_a_window_of_40_columns_shows_what_events_are_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    tool, model = "search_files_everywhere", "gpt-x"
    events = [
        event(event="user_message", content="plan the trip to Zürich and back"),
        event(agent="研究者エージェント", event="llm_request", model=model, content="考える"),
        event(
            agent="研究者エージェント", event="llm_response", model=model, duration_ms=1234.5,
            input_tokens=5000, output_tokens=300, content="東京タワーは高い",
        ),
        event(agent="🚀 rocket", event="tool_invocation", tool=tool, input={"path": "x"}),
        event(agent="🚀 rocket", event="tool_result", tool=tool, error={"message": "late"}),
        event(agent="عميل البحث الطويل", level="warning", content="تم العثور"),
        event(agent="a-very-long-agent-name", event="decision"),
    ]  # fmt: skip
    lines = layout(monkeypatch, 40)
    lines.widen(events)
    assert "\n".join(lines.line(one, NOON_NS) for one in events) == SLIM


@pytest.mark.parametrize("width", [20, 40, 79, 80, 100, 200])
@pytest.mark.parametrize("content", ["x" * 300, "日" * 300, "\x1b[31m" * 80, "a\n" * 90, None])
def test_a_line_never_wraps(monkeypatch: pytest.MonkeyPatch, width: int, content: object) -> None:
    shown = line(monkeypatch, width, agent="a" * 60, event="e" * 60, tool="t" * 90, content=content)
    assert cell_len(shown) <= width


def test_hostile_names_are_spelled_out(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = line(
        monkeypatch,
        agent="\x1b]0;owned\x07",
        event="\x9b2J",
        tool="\u202eevil",
        model="\r",
        content={"k\x1b": "\x1b[0m"},
        input_tokens=1,
        duration_ms="\x1b",
    )
    assert shown.isprintable()


def test_columns_grow_with_what_was_seen_and_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    wide = layout(monkeypatch)
    wide.line(event(agent="long-name-here", event="permission_request"), NOON_NS)
    shown = wide.line(event(content="x"), NOON_NS)
    assert shown == "12:00:00.123  planner         · log                 x"


def test_a_new_day_gets_a_line_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = layout(monkeypatch)
    day = 86_400 * 10**9
    assert "2026-11-24" in str(lines.day_line(NOON_NS + day))
    assert lines.day_line(NOON_NS + day) is None
    assert "2026-11-25" in str(lines.day_line(NOON_NS + 2 * day))


def test_a_time_before_1970_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layout(monkeypatch).line(event(), -1).startswith("23:59:59.999")


def test_a_full_payload_keeps_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = list(layout(monkeypatch).full_lines(event(content="one\ntwo\x1b", input={"a": 1})))
    assert shown == [
        "  content │ one",
        "          │ two\\x1b",
        "  input   │ {",
        '          │   "a": 1',
        "          │ }",
    ]


def test_the_stack_of_an_error_keeps_its_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    error = {"type": "KeyError", "message": "'x'", "stack": "Traceback\n  File a\n"}
    assert list(layout(monkeypatch).full_lines(event(error=error))) == [
        "  error   │ KeyError: 'x'",
        "          │ Traceback",
        "          │   File a",
    ]


def test_crop_marks_what_is_gone() -> None:
    assert crop("abcdef", 6) == "abcdef"
    assert crop("abcdef", 4) == "abc…"
    assert crop("日本語", 4) == "日…"
    assert crop("abc", 0) == ""
