"""`laneway stats`, from a hub and without one."""

import orjson
import pytest

from .conftest import Run, Show, StartHub, Write
from .history import HOSTILE, OTHER, SESSION

FIGURES = """\
11 events   1 failed (9.1%)   3 agents   1 session   1200→80 tokens   $0.02

events  ▄▄▄██▄▄▄ ▄
failed      █
        2026-11-23 12:00:00 – 12:00:10
        a bar is 1 s, the highest 2 events

AGENT    EVENTS  ERR  TOK IN  TOK OUT   COST  OVER TIME
coder         5    1       -        -      -     ▄█▄▄
planner       5    -    1200       80  $0.02   ███   █ █
user          1    -       -        -      -  █

EVENT            EVENTS  ERR  P50  P95  P99  OVER TIME
log                   2    -    -    -    -      █ █
tool_invocation       2    -    -    -    -     █ █
agent_response        1    -    -    -    -           █
agent_start           1    -    -    -    -   █
decision              1    -    -    -    -         █
llm_request           1    -    -    -    -    █
llm_response          1    -  1 s  1 s  1 s     █
tool_result           1    1  1 s  1 s  1 s      █
user_message          1    -    -    -    -  █

TOOL  EVENTS  ERR  P50  P95  P99  OVER TIME
grep       2    1  1 s  1 s  1 s     ██
read       1    -    -    -    -       █

MODEL     EVENTS  ERR  P50  P95  P99  TOK IN  TOK OUT   COST
local-8b       2    -  1 s  1 s  1 s    1200       80  $0.02
"""
BY_LEVEL = """\
11 events   1 failed (9.1%)   3 agents   1 session   1200→80 tokens   $0.02

events  ▄▄▄██▄▄▄ ▄
failed      █
        2026-11-23 12:00:00 – 12:00:10
        a bar is 1 s, the highest 2 events

LEVEL  EVENTS  ERR  P50  P95  P99  TOK IN  TOK OUT   COST  OVER TIME
info       10    -  1 s  1 s  1 s    1200       80  $0.02  ▄▄▄█▄▄▄▄ ▄
… and 1 more; --limit shows them

INPUT.Q  EVENTS  ERR
tide          1    -

no event has attr.none
"""


@pytest.fixture
def history(write: Write) -> None:
    write(*OTHER, *SESSION)


@pytest.mark.usefixtures("history")
def test_the_figures_of_one_session_stand_in_80_columns(run: Run) -> None:
    assert run("stats", "session:s1", "--utc").out == FIGURES


@pytest.mark.usefixtures("history")
def test_a_table_by_any_field_has_all_that_is_known_of_it(run: Run) -> None:
    args = ("--by", "level", "--by", "attr.input.q", "--by", "attr.none", "-n", "1")
    assert run("stats", "session:s1", "--utc", *args).out == BY_LEVEL


@pytest.mark.usefixtures("history")
def test_json_has_totals_buckets_and_values(call: Run) -> None:
    found = orjson.loads(call("stats", "session:s1", "--json", "--by", "tool").out)
    assert (found["events"], found["errors"], found["agents"], found["sessions"]) == (11, 1, 3, 1)
    assert (found["input_tokens"], found["cost_usd"]) == (1200, 0.02)
    assert found["buckets"][0] == [1795435200000, 1, 0]
    grep, read = found["by"]["tool"]["values"]
    assert (grep["value"], grep["events"], grep["errors"], grep["max_ms"]) == ("grep", 2, 1, 1000)
    assert "p95_ms" not in read


@pytest.mark.usefixtures("history")
def test_a_hub_answers_the_same_as_the_index(call: Run, start_hub: StartHub) -> None:
    alone = call("stats", "--json").out
    start_hub()
    assert call("stats", "--json").out == alone


@pytest.mark.usefixtures("history")
def test_wide_windows_show_two_tables_side_by_side(run: Run) -> None:
    lines = run("stats", "session:s1", COLUMNS="170").out.splitlines()
    (heads,) = [line for line in lines if line.startswith("AGENT")]
    assert "  EVENT  " in heads
    assert max(map(len, lines)) <= 170


@pytest.mark.parametrize("width", ["40", "80", "120", "200"])
@pytest.mark.usefixtures("history")
def test_no_width_is_exceeded_and_hostile_text_is_spelled_out(run: Run, width: str) -> None:
    out = run("stats", COLUMNS=width, FORCE_COLOR="").out
    assert "a\\x1b]0" in out
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out + run("stats", "--json").out)
    assert max(map(len, out.splitlines())) <= int(width)


@pytest.mark.usefixtures("history")
def test_nothing_found_is_an_exit_code_and_for_people_a_hint(call: Run, show: Show) -> None:
    assert call("stats", "agent:nobody") == (1, "", "")
    screen = show("stats", "agent:nobody", "--no-color")
    assert screen.end() == 1
    assert "nothing to count; a longer time or fewer conditions may find more" in screen.text
    assert call("stats", "--by", "colour").code == 2
    assert HOSTILE not in call("stats").out


def test_an_empty_log_says_how_to_begin(show: Show, write: Write) -> None:
    write()
    screen = show("stats", "--no-color", COLUMNS="100")
    assert screen.end() == 1
    assert (
        "nothing to count; the log is empty; `laneway emit me hello` records a first event"
        in screen.text
    )


def test_counts_that_are_not_complete_say_so(
    call: Run, write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    from laneway.cli import stats

    write(*SESSION)
    gather = stats.gather
    hurried = lambda *args: {**gather(*args), "accuracy": "at_least"}  # noqa: E731
    monkeypatch.setattr(stats, "gather", hurried)
    assert "at least: the time was over before all was counted" in call("stats").out
