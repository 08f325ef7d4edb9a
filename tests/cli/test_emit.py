"""`laneway emit` as shells and hooks run it."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .conftest import COMMAND, PATIENCE_S, Run, StartHub, environment

Lines = Callable[[], list[dict[str, object]]]


def test_an_event_is_on_disk_when_the_command_returns(run: Run, lines: Lines) -> None:
    ended = run("emit", "shell", "decision", "use the cache", "tool=make", "duration_ms:=12.5")
    assert ended == (0, "", "")
    (event,) = lines()
    assert event["agent"] == "shell"
    assert event["event"] == "decision"
    assert event["content"] == "use the cache"
    assert event["tool"] == "make"
    assert event["duration_ms"] == 12.5


def test_the_id_is_printed_when_asked_for(run: Run, lines: Lines) -> None:
    ended = run("emit", "a", "b", "--id")
    assert ended.out.strip() == lines()[0]["id"]


def test_content_comes_from_stdin(run: Run, lines: Lines) -> None:
    assert run("emit", "a", "b", "--stdin", stdin="one\ntwo\n").code == 0
    assert lines()[0]["content"] == "one\ntwo"


def test_stdin_that_is_no_utf8_is_recorded_all_the_same(run: Run, lines: Lines) -> None:
    assert run("emit", "a", "b", "--stdin", stdin=b"caf\xe9").code == 0
    assert lines()[0]["content"] == "caf\ufffd"


def test_whole_events_come_as_lines_an_object_or_an_array(run: Run, lines: Lines) -> None:
    assert (
        run("emit", "--json", stdin='{"agent":"a","event":"1"}\n\n{"agent":"a","event":"2"}').code
        == 0
    )
    assert run("emit", "--json", stdin='{\n "agent": "a",\n "event": "3"\n}\n').code == 0
    assert (
        run("emit", "--json", stdin='[{"agent":"a","event":"4"},\n {"agent":"a","event":"5"}]').code
        == 0
    )
    assert [event["event"] for event in lines()] == ["1", "2", "3", "4", "5"]


def test_names_and_fields_fill_in_what_events_lack(run: Run, lines: Lines) -> None:
    stdin = '{"event":"own","x":1}\n{"y":2}\n'
    assert run("emit", "hook", "note", "--json", "session_id=s1", stdin=stdin).code == 0
    first, second = lines()
    assert (first["agent"], first["event"], first["x"]) == ("hook", "own", 1)
    assert (second["event"], second["session_id"]) == ("note", "s1")


def test_the_time_and_the_id_of_an_event_are_kept(run: Run, lines: Lines) -> None:
    own = "01a209c5-4f04-7c08-abe8-2ac177394a7c"
    run("emit", "--json", f"id={own}", stdin='{"agent":"a","event":"b","timestamp":1795425712}')
    assert lines()[0]["timestamp"] == "2026-11-23T09:21:52.000000Z"
    assert lines()[0]["id"] == own


def test_an_id_of_something_else_does_not_make_two_events_one(run: Run, lines: Lines) -> None:
    run("emit", "--json", "agent=a", "id=call-1", stdin='{"event":"1"}\n{"event":"2"}')
    first, second = lines()
    assert first["given_id"] == second["given_id"] == "call-1"
    assert first["id"] != second["id"]


def test_a_refused_event_is_told_by_field_and_the_others_are_kept(run: Run, lines: Lines) -> None:
    stdin = '{"agent":"a","event":"1"}\n{"agent":"a"}\nnonsense\n7\n{"agent":"a","event":"2"}\n'
    ended = run("emit", "--json", stdin=stdin)
    assert ended.code == 1
    assert "event 2: event: is missing" in ended.err
    assert 'event 3: "nonsense' in ended.err
    assert "event 4: 7 is not a JSON object" in ended.err
    assert [event["event"] for event in lines()] == ["1", "2"]


def test_a_wrong_field_refuses_the_event(run: Run, lines: Lines) -> None:
    ended = run("emit", "a", "b", "timestamp=yesterday")
    assert ended.code == 1
    assert 'timestamp: "yesterday" is not ISO 8601' in ended.err
    assert "Traceback" not in ended.err


def test_no_input_is_nothing_to_record(run: Run, home: Path) -> None:
    assert run("emit", "--json").code == 0
    assert not (home / "logs").exists()


def test_wrong_usage_exits_with_2_and_shows_it(run: Run) -> None:
    ended = run("emit", "only-agent")
    assert ended.code == 2
    assert 'AGENT and EVENT are wanted, and "only-agent" was given' in ended.err
    assert "Usage: laneway emit" in ended.err


def test_help_goes_to_stdout(run: Run) -> None:
    ended = run("emit", "--help")
    assert ended.code == 0
    assert "Record one event" in ended.out
    assert max(map(len, ended.out.splitlines())) <= 80


def test_a_log_that_cannot_be_written_exits_with_3(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ended = run("emit", "a", "b", "--log", str(tmp_path / "file" / "log"))
    assert ended.code == 3
    assert "not recorded: " in ended.err
    assert "is not a directory" in ended.err
    assert len(ended.err.splitlines()) == 1


def test_quiet_says_nothing_and_the_code_tells(run: Run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    for args in (["a"], ["a", "b", "timestamp=x"], ["a", "b", "--log", str(tmp_path / "file/log")]):
        ended = run("emit", "-q", *args)
        assert ended.code in (1, 2, 3)
        assert ended.out + ended.err == ""


def test_a_log_named_here_wins_over_a_hub_in_the_environment(run: Run, tmp_path: Path) -> None:
    ended = run(
        "emit", "a", "b", "--log", str(tmp_path / "log"), LOGGING_URL="http://127.0.0.1:9/log"
    )
    assert ended.code == 0
    assert (tmp_path / "log" / "events-000001.jsonl").exists()


def test_without_a_hub_the_event_waits_in_the_spool(run: Run, home: Path) -> None:
    ended = run("emit", "a", "b", "--timeout", "0.1", LOGGING_URL="http://127.0.0.1:9/log")
    assert ended.code == 0
    assert "kept in the spool" in ended.err
    (spool,) = home.glob("spool/*/spool-000001.jsonl")
    assert b'"event":"b"' in spool.read_bytes()


def test_a_hub_that_refuses_the_token_is_told_as_that(
    start_hub: StartHub, run: Run, tmp_path: Path
) -> None:
    hub = start_hub()
    ended = run(
        "emit",
        "a",
        "b",
        LANEWAY_HOME=str(tmp_path / "other"),
        LOGGING_URL=f"{hub.url}/log",
        LANEWAY_TOKEN="not-a-token-of-this-hub",
    )
    assert ended.code == 0
    assert (
        "did not take it: the hub answered 401: a token is missing or wrong (LANEWAY_TOKEN"
        in ended.err
    )


def test_an_address_that_is_none_is_told_without_the_name_of_a_class(run: Run) -> None:
    ended = run("emit", "a", "b", LOGGING_URL="htp://x")
    assert ended.code == 3
    assert 'not recorded: logging_url: "htp://x" is not an http' in ended.err


def test_a_switched_off_laneway_records_nothing_and_succeeds(run: Run, home: Path) -> None:
    assert run("emit", "a", "b", LANEWAY_DISABLED="1") == (0, "", "")
    assert not (home / "logs").exists()


def test_a_secret_is_redacted_before_the_write(run: Run, home: Path) -> None:
    run("emit", "a", "b", "token is ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8", "password=hunter2hunter2")
    text = (home / "logs" / "events-000001.jsonl").read_text()
    assert "ghp_a1B2" not in text
    assert "hunter2hunter2" not in text


@pytest.mark.skipif(sys.platform == "win32", reason="processes are slow to start there")
def test_many_processes_at_once_lose_nothing(home: Path, lines: Lines) -> None:
    count = 24
    started = [
        subprocess.Popen(
            [*COMMAND, "emit", f"a{i % 3}", "b", "x" * (i * 900), f"n:={i}"], env=environment(home)
        )
        for i in range(count)
    ]
    assert [process.wait(PATIENCE_S) for process in started] == [0] * count
    assert sorted(int(str(event["n"])) for event in lines()) == list(range(count))


def test_events_are_recorded_as_they_arrive_and_not_at_the_end(home: Path, lines: Lines) -> None:
    with subprocess.Popen(
        [*COMMAND, "emit", "--json", "--id"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=environment(home),
    ) as process:
        assert process.stdin
        assert process.stdout
        process.stdin.write(b'{"agent":"a","event":"1"}\n')
        process.stdin.flush()
        assert process.stdout.readline().decode().strip() == lines()[0]["id"]
        process.stdin.close()
        assert process.wait(PATIENCE_S) == 0


HEAVY = {"typer", "click", "rich", "pydantic", "fastapi", "starlette", "asyncio", "sqlite3"} | {
    "http.client",
    "logging",
    "argparse",
    "subprocess",
    "threading",
    "laneway.web",
    "laneway.hub",
    "laneway.store",
}

MODULES = 135
"""Of a whole `emit` with fields: bare Python has about 45, orjson brings 51, the standard library's
`re` and `datetime` the most of the rest."""


def test_emit_imports_nothing_heavy(home: Path) -> None:
    code = (
        "import sys\n"
        "from laneway.cli import main\n"
        "assert main(['emit', 'a', 'b', 'c', 'n:=1']) == 0\n"
        "print(*sorted(sys.modules))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, env=environment(home), text=True
    )
    loaded = done.stdout.split()
    assert done.returncode == 0, done.stderr
    assert HEAVY.isdisjoint(loaded)
    assert len(loaded) <= MODULES, len(loaded)


def test_output_to_a_closed_pipe_is_no_error(home: Path) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        [*COMMAND, "emit", "a", "b", "--id"],
        stdout=writer,
        stderr=subprocess.PIPE,
        env=environment(home),
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (0, b"")
