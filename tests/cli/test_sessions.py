"""`laneway sessions`, from a hub and without one."""

from typing import get_args

import orjson
import pytest

from laneway.cli.sessions import STATES
from laneway.hub.session import State

from .conftest import Run, Show, StartHub, Write
from .history import HOSTILE, OTHER, SESSION

LIST = """\
STATE    SESSION                            START                DURATION  EVENTS  ERR  AGENTS  TOKENS   COST  TITLE
· idle   s1                                 2026-11-23 12:00:00       9 s      11    1       3    1280  $0.02  Plan a weekend in Hamburg, please.
✓ ended  s0                                 2026-11-23 11:00:01      0 ms       1    -       1       -      -
· idle   a\\x1b]0;title\\x07b\\u202ec\\x9b31md  2026-11-23 11:00:00      0 ms       1    -       1       3      -
"""  # noqa: E501 - a pipe gets all of it
TRANSCRIPT = """\
s1  · idle  Plan a weekend in Hamburg, please.
2026-11-23 12:00:00, 9 s   11 events   1 error   1200→80 tokens   $0.02
user  planner  coder

── 2026-11-23 ────────
12:00:00.000  user      · user_message
          │ Plan a weekend
          │ in Hamburg, please.

12:00:01.000  planner   → agent_start      plan
12:00:02.000  planner   → llm_request      local-8b
12:00:03.000  planner   ← llm_response     local-8b  1 s  1200→80 tok  I look it up.
12:00:03.500  coder     → tool_invocation  grep  q=tide
12:00:04.000  coder     · log              half way
12:00:04.500  coder     ✗ tool_result      grep  1 s  TimeoutError: no answer
12:00:05.000  coder     → tool_invocation  read  path=x
12:00:06.000  coder     · log              whose child am I?
12:00:07.000  planner   · decision         no ferry

12:00:09.000  planner   · agent_response
          │ On Saturday you take the harbour tour, and on Sunday you go to the
          │ zoo, if it is dry.
"""


@pytest.fixture
def history(write: Write) -> None:
    write(*OTHER, *SESSION)


@pytest.mark.usefixtures("history")
def test_sessions_are_listed_the_latest_first(run: Run) -> None:
    assert run("sessions", "--utc").out == LIST


@pytest.mark.usefixtures("history")
def test_a_query_picks_sessions_and_counts_only_its_events(call: Run) -> None:
    (found,) = orjson.loads(call("sessions", "has:error", "--json").out)
    assert (found["name"], found["events"], found["errors"]) == ("s1", 1, 1)
    assert found["title"] == "Plan a weekend in Hamburg, please."
    names = [orjson.loads(line)["name"] for line in call("sessions", "--jsonl").out.splitlines()]
    assert names == ["s1", "s0", HOSTILE]
    assert orjson.loads(call("sessions", "--json", "-n", "1").out)[0]["name"] == "s1"
    assert (
        orjson.loads(call("sessions", "--json", "--until", "2026-11-23T11:30Z").out)[0]["name"]
        == "s0"
    )
    assert call("sessions", "--json", "event:nothing") == (1, "[]\n", "")


@pytest.mark.usefixtures("history")
def test_one_session_reads_like_a_transcript(run: Run) -> None:
    assert run("sessions", "s1", "--utc").out == TRANSCRIPT


@pytest.mark.usefixtures("history")
def test_one_session_as_json_has_its_events(call: Run) -> None:
    found = orjson.loads(call("sessions", "s1", "--json").out)
    assert (found["state"], len(found["log"])) == ("idle", len(SESSION))
    lines = call("sessions", "s1", "--jsonl", "-n", "2").out.splitlines()
    assert [orjson.loads(line)["event"] for line in lines] == ["decision", "agent_response"]


@pytest.mark.usefixtures("history")
def test_what_was_left_out_of_a_session_is_told(call: Run) -> None:
    assert (
        f"… {len(SESSION) - 2} earlier events; --limit shows more"
        in call("sessions", "s1", "-n", "2").out
    )
    assert "shows more" not in call("sessions", "s1").out


def test_a_long_answer_is_cut_unless_it_is_wanted_in_full(call: Run, write: Write) -> None:
    said = "\n".join(f"line {n}" for n in range(30))
    write({"session_id": "long", "event": "user_message", "content": said})
    assert "│ +18 lines; --full shows all" in call("sessions", "long").out
    assert "│ line 29" in call("sessions", "long", "--full").out


@pytest.mark.usefixtures("history")
def test_the_beginning_of_an_id_will_do_where_it_means_one(call: Run, write: Write) -> None:
    write({"session_id": "trip-1"}, {"session_id": "trip-2"})
    assert orjson.loads(call("sessions", "trip-1", "--json").out)["name"] == "trip-1"
    ended = call("sessions", "trip")
    assert ended.code == 2
    assert '"trip" may mean several sessions' in ended.err
    assert len(orjson.loads(call("sessions", "session:trip*", "--json").out)) == 2
    assert call("sessions", "s1", "--since", "1h").code == 2


@pytest.mark.usefixtures("history")
def test_a_hub_answers_the_same_as_the_index(call: Run, start_hub: StartHub) -> None:
    alone = call("sessions", "--utc").out, call("sessions", "s1", "--json").out
    start_hub()
    assert (call("sessions", "--utc").out, call("sessions", "s1", "--json").out) == alone


@pytest.mark.usefixtures("history")
def test_the_list_fits_80_columns_and_hostile_text_is_spelled_out(show: Show, run: Run) -> None:
    screen = show("sessions", "--no-color")
    assert screen.end() == 0
    shown = screen.text.rpartition("\r\x1b[K")[2]  # behind the bar, which a slow machine shows
    assert max(map(len, shown.splitlines())) <= 80
    out = run("sessions").out + run("sessions", f'session:"{HOSTILE}"', "--jsonl").out
    assert "\\x1b]0;title" in out
    assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(out + shown)


def test_where_there_are_no_sessions_it_says_how_there_would_be(show: Show, write: Write) -> None:
    write({"content": "alone"})
    screen = show("sessions", "--no-color", COLUMNS="200")
    assert screen.end() == 1
    assert "no sessions found; no event has a session_id; `laneway.bind(" in screen.text


def test_every_state_has_its_mark() -> None:
    assert set(get_args(State)) == set(STATES)


def test_times_at_the_ends_of_the_calendar_are_shown(run: Run, write: Write) -> None:
    ends = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z")
    ids = {"session_id": "old", "trace_id": "a" * 32, "span_id": "b" * 16}
    write(*({"timestamp": text, "duration_ms": 1e12, **ids} for text in ends))
    for args in (("sessions",), ("sessions", "old"), ("trace", "aaaa"), ("stats",)):
        ended = run(*args, TZ="America/New_York")
        assert (ended.code, ended.err) == (0, ""), args
