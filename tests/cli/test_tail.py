"""`laneway tail` on a terminal and in a pipe."""

import os
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from laneway.cli.backlog import end_positions, iter_back
from laneway.log.segment import LogPath
from laneway.log.tail import Tail
from tests.waiting import eventually

from .conftest import COMMAND, Run, Show, Write, environment
from .test_escape import HOSTILE

DAY = "── 2026-11-23 " + "─" * 8


def test_a_log_looks_like_this(run: Run, write: Write) -> None:
    write(
        {"event": "user_message", "content": "Plan a trip\nto Kraków"},
        {"event": "llm_request", "model": "small", "content": "Plan"},
        {
            "event": "llm_response",
            "model": "small",
            "duration_ms": 834.2,
            "input_tokens": 12,
            "output_tokens": 7,
        },
        {"agent": "researcher", "event": "tool_invocation", "tool": "grep", "input": {"q": "a b"}},
        {
            "agent": "researcher",
            "event": "tool_result",
            "tool": "grep",
            "error": {"type": "OSError", "message": "no such file"},
        },
        {"agent": "researcher", "event": "log", "level": "warning", "content": {"n": [1, 2]}},
    )
    ended = run("tail", "--no-follow")
    assert ended.err == ""
    lines = ended.out.splitlines()
    if lines[0].startswith("──"):  # unless the clock of the machine says it is that day
        assert lines.pop(0) == DAY
    assert lines == [
        "12:00:00.000  planner     · user_message     Plan a trip\\nto Kraków",
        "12:00:00.000  planner     → llm_request      small  Plan",
        "12:00:00.000  planner     ← llm_response     small  834 ms  12→7 tok",
        "12:00:00.000  researcher  → tool_invocation  grep  q=a b",
        "12:00:00.000  researcher  ✗ tool_result      grep  OSError: no such file",
        '12:00:00.000  researcher  ! log              {"n":[1,2]}',
    ]


@pytest.mark.parametrize("options", [[], ["--full"], ["--json"]])
def test_hostile_content_reaches_no_terminal(show: Show, write: Write, options: list[str]) -> None:
    for text in HOSTILE:
        if "\ud800" not in text:
            write({"content": text, "agent": text, "tool": text, "input": {text: [text]}})
    write({"event": "last", "error": {"message": "\x1b[2J\x9b"}})
    screen = show(
        "tail", "--no-follow", "-n", "0" if not options else "100", *options, "--no-color"
    )
    assert screen.end() == 0
    shown = screen.text.replace("\r\n", "\n")
    assert all(char == "\n" or char.isprintable() for char in shown)


def test_a_line_fits_a_window_of_80_columns(show: Show, write: Write) -> None:
    write({"content": "word " * 200, "tool": "t" * 100}, {"content": "a\n" * 50})
    screen = show("tail", "--no-follow", "--no-color")
    assert screen.end() == 0
    assert max(map(len, screen.text.splitlines())) <= 80


def test_it_follows_what_comes_and_ends_with_ctrl_c(show: Show, write: Write) -> None:
    write({"content": "before"})
    screen = show("tail", "--no-color")
    screen.wait_for("before")
    write({"content": "after"})
    screen.wait_for("after")
    write({"content": "in the next segment"}, name="events-000002.jsonl")
    screen.wait_for("in the next segment")
    screen.press_ctrl_c()
    assert screen.end() == 0
    assert "Traceback" not in screen.text
    assert screen.text.count("before") == screen.text.count("after") == 1


def test_an_empty_log_is_waited_for_and_the_first_event_shown(show: Show, write: Write) -> None:
    screen = show("tail", "--no-color")
    screen.wait_for("holds no events yet")
    screen.wait_for("laneway emit")
    write({"content": "the first"})
    screen.wait_for("the first")


def test_a_foreign_log_is_followed_beside_ours(run: Run, write: Write) -> None:
    write({"content": "ours", "timestamp": "2026-11-23T12:00:02Z"})
    write({"content": "theirs", "timestamp": "2026-11-23T12:00:01Z"}, name="observability.jsonl")
    out = run("tail", "--no-follow").out
    assert out.index("theirs") < out.index("ours")


def test_the_last_events_come_first_by_time_over_segments(run: Run, write: Write) -> None:
    for number in range(1, 5):
        for second in range(3):
            when = f"2026-11-23T12:0{number}:0{second}Z"
            write(
                {"content": f"<{number}{second}>", "timestamp": when},
                name=f"events-00000{number}.jsonl",
            )
    out = run("tail", "--no-follow", "-n", "5").out
    assert [word for word in out.replace("<", " <").split() if word.startswith("<")] == [
        "<31>", "<32>", "<40>", "<41>", "<42>",
    ]  # fmt: skip


def test_none_of_the_past_when_asked_for_none(run: Run, write: Write) -> None:
    write({"content": "x"})
    assert run("tail", "--no-follow", "-n", "0").out == ""


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        (["--agent", "coder"], ["b"]),
        (["-a", "coder", "-a", "planner"], ["a", "b", "c", "d"]),
        (["--not-agent", "coder"], ["a", "c", "d"]),
        (["--event", "error"], ["c"]),
        (["--not-event", "log"], ["c"]),
        (["--session", "s1"], ["a"]),
        (["--tool", "grep"], ["d"]),
        (["--level", "warning+"], ["b", "c"]),
        (["--level", "info"], ["a", "d"]),
        (["--grep", "b|d$"], ["b", "d"]),
        (["--agent", "nobody"], []),
    ],
)
def test_filters_narrow(call: Run, write: Write, options: list[str], wanted: list[str]) -> None:
    write(
        {"content": "a", "session_id": "s1"},
        {"content": "b", "agent": "coder", "level": "warning"},
        {"content": "c", "event": "error"},
        {"content": "d", "tool": "grep"},
    )
    out = call("tail", "--no-follow", "--json", *options).out
    assert [orjson.loads(line)["content"] for line in out.splitlines()] == wanted


def test_json_is_one_object_a_line_and_says_the_same(run: Run, write: Write) -> None:
    write({"content": "\u202e\x9b日本\n", "n": 1.5})
    (event,) = map(orjson.loads, run("tail", "--no-follow", "--json").out.splitlines())
    assert event["content"] == "\u202e\x9b日本\n"
    assert event["n"] == 1.5


def test_raw_lines_go_to_a_pipe_and_not_to_a_terminal(
    run: Run, show: Show, write: Write, home: Path
) -> None:
    write({"content": "\x1b[31m"})
    assert (
        run("tail", "--no-follow", "--raw").out == (home / "logs/events-000001.jsonl").read_text()
    )
    screen = show("tail", "--raw")
    assert screen.end() == 2
    assert "pipe it into a file" in screen.text


def test_a_line_that_is_no_event_is_shown_to_whoever_filters_nothing(
    run: Run, write: Write, home: Path
) -> None:
    write({"content": "a"})
    with open(home / "logs/events-000001.jsonl", "ab") as file:
        file.write(b'{"torn\x1b": \n')
    write({"content": "b"})
    lines = run("tail", "--no-follow").out.splitlines()
    assert "not an event" in lines[-2]
    assert "\\x1b" in lines[-2]
    assert "not an event" not in run("tail", "--no-follow", "--agent", "planner").out
    assert len(run("tail", "--no-follow", "--json").out.splitlines()) == 2


def test_a_foreign_writers_secret_is_not_shown(run: Run, write: Write) -> None:
    write({"content": "key ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"}, name="foreign.jsonl")
    assert "ghp_a1B2" not in run("tail", "--no-follow").out


def test_a_closed_pipe_ends_it_quietly(home: Path, write: Write) -> None:
    write(*({"content": "x" * 200} for _ in range(5_000)))
    command = f"{sys.executable} -m laneway tail -n 5000 --no-follow | head -n 1"
    done = subprocess.run(
        ["bash", "-c", f"set -o pipefail; {command}"], capture_output=True, env=environment(home)
    )
    assert done.stderr == b""
    assert done.returncode == 0


def test_times_are_local_unless_utc_is_asked_for(run: Run, write: Write) -> None:
    write({"content": "x"})
    assert "21:00:00.000" in run("tail", "--no-follow", TZ="Asia/Tokyo").out
    assert "12:00:00.000" in run("tail", "--no-follow", "--utc", TZ="Asia/Tokyo").out


def test_a_tail_goes_on_exactly_where_the_backlog_ended(tmp_path: Path) -> None:
    path = tmp_path / "events-000001.jsonl"
    path.write_bytes(b'{"n":1}\n{"n":2}\n{"n":3')
    log_path = LogPath.parse(str(tmp_path))
    tail = Tail(log_path, end_positions(log_path))
    assert tail.poll() == []
    with open(path, "ab") as file:
        file.write(b"}\n")
    (chunk,) = eventually(tail.poll)
    assert [line for _, line in chunk.lines] == [b'{"n":3}']
    assert tail.take_changes() == []
    tail.close()


@pytest.mark.parametrize("block", [1, 2, 7, 64, 1 << 20])
def test_lines_are_read_backwards_whole_with_their_offsets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, block: int
) -> None:
    monkeypatch.setattr("laneway.cli.backlog.BLOCK_BYTES", block)
    data = b"first\n\nsecond line\r\n\xff\n" + b"x" * 100 + b"\n"
    path = tmp_path / "a.jsonl"
    path.write_bytes(data)
    found = list(iter_back(os.fspath(path), len(data)))
    assert [line for _, line in found] == [b"x" * 100, b"\xff", b"second line", b"first"]
    assert all(data[offset:].startswith(line) for offset, line in found)


def test_a_broken_pattern_is_wrong_usage(run: Run) -> None:
    ended = run("tail", "--grep", "(")
    assert ended.code == 2
    assert ended.err.startswith('error: grep: "(" is not a regular expression')


def test_nothing_is_written_where_one_only_looks(run: Run, home: Path) -> None:
    assert run("tail", "--no-follow").code == 0
    assert not (home / "logs").exists()


def test_a_flood_is_shown_whole(home: Path) -> None:
    count = 20_000
    (home / "logs").mkdir(parents=True)
    with subprocess.Popen(
        [*COMMAND, "tail", "--json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment(home),
    ) as tail:
        assert tail.stdout
        assert tail.stderr
        assert b"holds no events yet" in tail.stderr.readline()
        lines = "".join(f'{{"agent":"a","event":"b","n":{i}}}\n' for i in range(count))
        (home / "logs" / "events-000001.jsonl").write_text(lines)
        seen = [orjson.loads(tail.stdout.readline())["n"] for _ in range(count)]
        tail.terminate()
    assert seen == list(range(count))


def test_a_query_and_options_must_all_hold(run: Run, write: Write) -> None:
    write(
        {"agent": "coder", "event": "log", "level": "error", "content": "disk full"},
        {"agent": "coder", "event": "log", "content": "disk empty"},
        {"agent": "planner", "event": "log", "level": "error", "content": "disk full"},
    )
    ended = run("tail", "--no-follow", "--json", "disk level>=warning OR empty", "--agent", "coder")
    found = [orjson.loads(line)["content"] for line in ended.out.splitlines()]
    assert found == ["disk full", "disk empty"]


def test_a_fault_in_the_query_is_shown_beneath_its_column(run: Run, write: Write) -> None:
    write({"content": "x"})
    ended = run("tail", "--no-follow", "x agnet:y")
    assert ended.code != 0
    assert "did you mean agent?" in ended.err
    assert "x agnet:y" in ended.err


def test_what_the_files_cannot_tell_is_said(call: Run, write: Write) -> None:
    write({"agent": "coder", "event": "tool_invocation", "span_id": "s1"})
    ended = call("tail", "--no-follow", "seq>5")
    assert (ended.code, ended.out) == (2, "")
    assert "`laneway query` asks the index" in ended.err
    ended = call("tail", "--no-follow", "--json", "is:open")
    assert len(ended.out.splitlines()) == 1
    assert "every beginning is open when it comes" in ended.err
