"""`laneway trace`, from a hub and without one."""

import orjson
import pytest
from rich.cells import cell_len

from laneway.cli.waterfall import DEEP, _branches

from .conftest import Run, Show, StartHub, Write
from .history import HOSTILE, OTHER, SESSION, TRACE

PICTURE = """\
trace 4bf92f3577b34da6a3ce929d0e0e4736
2026-11-23 12:00:01.000  8 s  5 spans  10 events  2 agents  1 error  2 open
a parent span was never seen: not sent, lost, or removed by retention

                    ╷0              ╷2.7 s          ╷5.3 s      8 s╷
planner agent_start ━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌      open
├ local-8b planner        ━━━━━━                                           1 s
├ grep coder                       ━━━◆━━                                  1 s ✗
└ read coder                                ━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌      open
? ffffffffffffffff                                                     missing
└ coder log                                       ◆                       0 ms

in no span
  planner                                               ◆ decision  no ferry
  planner           agent_response  On Saturday you take the harb… ◆
"""


@pytest.fixture
def history(write: Write) -> None:
    write(*OTHER, *SESSION)


@pytest.mark.usefixtures("history")
def test_a_trace_is_a_waterfall_of_80_columns(run: Run) -> None:
    assert run("trace", TRACE, "--utc").out == PICTURE
    assert max(map(cell_len, PICTURE.splitlines())) <= 80


@pytest.mark.usefixtures("history")
def test_events_within_spans_get_lines_of_their_own_when_asked_for(run: Run) -> None:
    lines = run("trace", TRACE, "--events", COLUMNS="100").out.splitlines()
    place = next(i for i, line in enumerate(lines) if "half way" in line)
    assert "grep" in lines[place - 1]
    assert "◆ log  half way" in lines[place]


@pytest.mark.parametrize(
    "name", [TRACE[:6], TRACE.upper(), "c" * 16, "cccc", "@6", TRACE[:6] + "…"]
)
@pytest.mark.usefixtures("history")
def test_a_trace_is_found_by_any_of_its_ids_and_their_beginnings(call: Run, name: str) -> None:
    ended = call("trace", name, "--json")
    assert orjson.loads(ended.out)["trace_id"] == TRACE


@pytest.mark.usefixtures("history")
def test_a_hub_answers_the_same_as_the_index(call: Run, start_hub: StartHub) -> None:
    alone = call("trace", TRACE, "--json").out
    start_hub()
    assert call("trace", TRACE[:8], "--json").out == alone
    assert call("trace", "0" * 32).code == 1


def test_a_beginning_of_several_traces_is_refused_with_their_ids(call: Run, write: Write) -> None:
    write(*({"trace_id": f"abcdef{n:026d}", "id": f"e{n}"} for n in range(9)))
    ended = call("trace", "abcdef")
    assert ended.code == 2
    assert '"abcdef" may mean several traces' in ended.err
    assert ended.err.count("abcdef0000") == 5
    assert call("trace", "abcdef" + "0" * 25 + "3", "--json").code == 0


@pytest.mark.usefixtures("history")
def test_a_beginning_that_takes_too_long_to_look_for_is_told(
    call: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    from laneway.reader.local import IndexSource
    from laneway.reader.source import Found

    call("trace", TRACE)
    monkeypatch.setattr(IndexSource, "page", lambda *args: Found([], False))
    ended = call("trace", "abcdef")
    assert ended.code == 2
    assert "as far back as there was time to look" in ended.err


@pytest.mark.usefixtures("history")
def test_an_event_without_a_trace_is_told_apart_from_no_event(call: Run) -> None:
    ended = call("trace", "@3")
    assert ended.code == 2
    assert "belongs to no trace" in ended.err
    assert call("trace", "@99") == (1, "", "")
    assert call("trace", "abc").code == 1


@pytest.mark.usefixtures("history")
def test_a_terminal_gets_red_for_failures_and_a_word_where_nothing_is(show: Show) -> None:
    screen = show("trace", TRACE)
    assert screen.end() == 0
    assert "\x1b[31m━━━◆━━" in screen.text
    nothing = show("trace", "nothing")
    assert nothing.end() == 1
    assert "there is no such trace" in nothing.text


@pytest.mark.usefixtures("history")
def test_hostile_ids_and_names_reach_no_terminal_raw(run: Run) -> None:
    out = run("trace", HOSTILE, "--events").out + run("trace", HOSTILE, "--json").out
    assert "\\x1b]0;title" in out
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out)


def test_a_tree_is_drawn_with_rails_and_deep_ones_by_number() -> None:
    assert _branches([0, 1, 2, 2, 1, 2, 0]) == ["", "├ ", "│ ├ ", "│ └ ", "└ ", "  └ ", ""]
    deep = _branches(list(range(10_000)))
    assert deep[DEEP].endswith("└ ")
    assert deep[9_999] == "⋯9999 "
