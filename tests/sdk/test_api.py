"""`log_event` as the founding document calls it, and what it does with everything else."""

import os
import re
import signal
import subprocess
import sys
import threading
from decimal import Decimal
from pathlib import Path

import pytest

import laneway
from laneway import log_event
from laneway.base.errors import SettingError
from laneway.model.event import normalise


def test_the_founding_calls_make_the_founding_lines(events) -> None:
    log_event("PlannerAgent", "user_message", content="Schedule a meeting tomorrow at 10am.")
    log_event("PlannerAgent", "tool_invocation", tool="CalendarAPI", input={"title": "Meeting"})
    log_event("PlannerAgent", "tool_result", tool="CalendarAPI", output="Event created.")
    log_event("PlannerAgent", "agent_response", "I've scheduled it.")

    first, call, result, answer = events()
    assert first["agent"] == "PlannerAgent"
    assert first["event"] == "user_message"
    assert first["content"] == "Schedule a meeting tomorrow at 10am."
    assert (call["tool"], call["input"]) == ("CalendarAPI", {"title": "Meeting"})
    assert result["output"] == "Event created."
    assert answer["content"] == "I've scheduled it."


def test_a_line_begins_with_time_agent_and_event(events, tmp_path: Path) -> None:
    log_event("a", "log", "x")

    line = next((tmp_path / "log").glob("*-0*.jsonl")).read_text()
    assert re.match(
        r'\{"timestamp":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z","agent":"a","event":"log","content":"x"',
        line,
    )


def test_ids_are_uuid7_in_order_and_returned(events) -> None:
    ids = [log_event("a", "log") for _ in range(50)]

    assert [event["id"] for event in events()] == ids
    assert len(set(ids)) == 50
    assert all(
        re.fullmatch(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", i)
        for i in ids
    )
    assert [i[:13] for i in ids] == sorted(i[:13] for i in ids)


def test_it_says_where_it_ran(events) -> None:
    log_event("a", "log")

    assert events()[0]["pid"] == os.getpid()
    assert events()[0]["host"] == os.uname().nodename


def test_an_id_of_the_callers_own_is_kept_beside_ours(events) -> None:
    log_event("a", "log", id=7)
    log_event("a", "log", id=7)

    assert [event["given_id"] for event in events()] == [7, 7]
    assert len({event["id"] for event in events()}) == 2


@pytest.mark.parametrize(
    ("field", "value"),
    [("duration_ms", -1), ("input_tokens", 1.5), ("level", "loud"), ("tool", ["a"]), ("timestamp", "never"),
     ("cost_usd", "$3"), ("session_id", "s" * 257), ("pid", "me")],
)  # fmt: skip
def test_what_a_field_cannot_hold_is_kept_beside_it_and_told_once(
    events, field: str, value: object, capfd: pytest.CaptureFixture[str]
) -> None:
    log_event("a", "log", "kept", **{field: value})
    log_event("a", "log", "kept", **{field: value})

    first, second = events()
    assert (first["content"], first[f"given_{field}"]) == ("kept", value)
    assert first.get(field) != value
    assert second[f"given_{field}"] == value
    assert normalise(first)[0] == first
    told = capfd.readouterr().err
    assert told.count(f"`given_{field}`") == 1
    assert str(value) not in told  # which may be a secret


def test_what_a_context_gives_is_held_to_the_same(events) -> None:
    with laneway.bind(session_id="s" * 257):
        log_event("a", "log")
        log_event("a", "log")
    with laneway.bind(session_id="s1"):
        log_event("a", "log")
        log_event("a", "log")

    assert [len(event.get("given_session_id", "")) for event in events()] == [257, 257, 0, 0]
    assert [event.get("session_id") for event in events()] == [None, None, "s1", "s1"]


def test_a_number_of_a_kind_of_its_own_stays_a_number(events) -> None:
    log_event("a", "log", cost_usd=Decimal("0.25"))

    assert normalise(events()[0])[0]["cost_usd"] == 0.25


def test_a_blank_name_is_as_none(events, capfd: pytest.CaptureFixture[str]) -> None:
    log_event("", " ", session_id="", tool=" ")

    (event,) = events()
    assert (event["agent"], event["event"]) == ("unknown", "unknown")
    assert not {"session_id", "tool", "given_session_id", "given_tool"} & set(event)
    assert capfd.readouterr().err == ""


def test_of_a_name_that_is_too_long_the_beginning_stays(events) -> None:
    log_event("ä" * 300, "x" * 300)

    (event,) = events()
    assert (event["agent"], event["event"]) == ("ä" * 256, "x" * 256)
    assert (event["given_agent"], event["given_event"]) == ("ä" * 300, "x" * 300)


def test_a_uuid_given_as_id_is_the_id(events) -> None:
    given = "01890a5d-ac96-774b-bcce-b302099a8057"

    assert log_event("a", "log", id=given) == given
    assert events()[0]["id"] == given


def test_names_that_are_no_text_become_text(events) -> None:
    log_event(None, 42)  # type: ignore[arg-type]

    assert (events()[0]["agent"], events()[0]["event"]) == ("unknown", "42")


@pytest.mark.parametrize("given", [None, (1, 2), {1}, range(3), object(), b"x", float("nan")])
def test_a_name_of_the_event_that_is_none_does_not_take_its_place(events, given: object) -> None:
    log_event("a", "log", "x", event=given)

    (event,) = events()
    assert isinstance(event["agent"], str)
    assert isinstance(event["event"], str)
    assert event["content"] == "x"
    assert laneway.stats()["lost"] == {}


WEIRD = (None, True, -1, 2**70, float("inf"), "", " ", "x" * 300, b"x", (1,), [], {}, {1}, range(3),
         object(), Decimal("2.5"), Path("/x"), print)  # fmt: skip


@pytest.mark.parametrize("field", ["timestamp", "event", "id", "session_id", "trace_id", "tool",
                                   "level", "duration_ms", "input_tokens", "pid", "error"])  # fmt: skip
def test_whatever_a_field_is_given_the_line_is_an_event(events, field: str) -> None:
    for value in WEIRD:
        log_event("a", "log", **{field: value})

    lines = events()
    assert len(lines) == len(WEIRD)
    for line in lines:
        assert normalise(dict(line))[0]["agent"] == line["agent"]


def test_odd_values_are_written_readably(events) -> None:
    class Broken:
        def __repr__(self) -> str:
            raise RuntimeError("no")

    cycle: list[object] = []
    cycle.append(cycle)
    log_event("a", "log", path=Path("/x"), when={1, 2}, broken=Broken(), cycle=cycle, bad="\ud800")

    assert len(events()) == 1
    assert events()[0]["path"] == "/x"
    assert laneway.stats()["lost"] == {}


def test_a_secret_is_redacted_before_the_first_byte(events, tmp_path: Path) -> None:
    secret = "ghp_" + "a1B2" * 9
    log_event("a", "tool_invocation", f"use {secret}", input={"password": "hunter2"})

    on_disk = b"".join(p.read_bytes() for p in (tmp_path / "log").iterdir())
    assert secret.encode() not in on_disk
    assert b"hunter2" not in on_disk
    assert "[redacted:" in events()[0]["content"]
    assert sum(laneway.stats()["redacted"].values()) == 2


def test_log_path_from_the_environment_names_a_file(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("LOG_PATH", str(tmp_path / "vol" / "observability.jsonl"))
    log_event("a", "log")

    assert (tmp_path / "vol" / "observability.jsonl").read_text().count("\n") == 1


def test_with_nothing_set_it_writes_to_the_home(home: Path) -> None:
    log_event("a", "log")

    assert (home / "logs" / "events.jsonl").exists()


def test_configure_names_the_nearest_setting() -> None:
    with pytest.raises(SettingError, match="there is no setting") as caught:
        laneway.configure(log_pth="x")
    assert "log_path" in caught.value.hint


def test_a_disabled_sdk_writes_nothing(home: Path) -> None:
    laneway.configure(disabled=True)

    assert log_event("a", "log") == ""
    assert not home.exists()


def test_a_bad_setting_in_the_environment_harms_nobody(monkeypatch, capfd) -> None:
    monkeypatch.setenv("LANEWAY_PORT", "many")

    assert log_event("a", "log") == ""
    assert log_event("a", "log") == ""
    assert laneway.stats()["faults"] == 2
    assert capfd.readouterr().err.count("laneway:") == 1


def test_an_unwritable_log_keeps_events_until_it_is_mended(tmp_path: Path, capfd) -> None:
    (tmp_path / "blocked").write_text("a file where the folder should be")
    laneway.configure(log_path=str(tmp_path / "blocked" / "logs"))
    for i in range(5):
        assert log_event("a", "log", n=i)
    assert laneway.stats()["waiting"] == 5
    (tmp_path / "blocked").unlink()

    assert laneway.flush()
    assert laneway.stats()["waiting"] == 0
    assert laneway.stats()["recorded"] == 5
    assert capfd.readouterr().err.count("laneway:") == 1


def test_what_memory_cannot_hold_is_counted(tmp_path: Path, monkeypatch, capfd) -> None:
    from laneway.sdk import outbox

    monkeypatch.setattr(outbox, "WAITING_BYTES", 1000)
    (tmp_path / "blocked").write_text("")
    laneway.configure(log_path=str(tmp_path / "blocked" / "logs"))
    kept = [bool(log_event("a", "log", "x" * 300)) for _ in range(5)]

    assert kept.count(False) > 0
    assert laneway.stats()["lost"] == {"log_unwritable": kept.count(False)}


def test_threads_lose_nothing(events) -> None:
    threads = [
        threading.Thread(target=lambda n=n: [log_event(f"t{n}", "log", i=i) for i in range(200)])
        for n in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted((e["agent"], e["i"]) for e in events()) == [
        (f"t{n}", i) for n in range(8) for i in range(200)
    ]


def test_a_forked_child_writes_under_its_own_pid(events) -> None:
    log_event("parent", "log")
    pid = os.fork()
    if not pid:
        try:
            log_event("child", "log")
        finally:
            os._exit(0)
    os.waitpid(pid, 0)

    assert [(e["agent"], e["pid"]) for e in events()] == [("parent", os.getpid()), ("child", pid)]


def test_what_was_logged_survives_a_kill(tmp_path: Path) -> None:
    code = (
        "import os, signal; from laneway import log_event\n"
        "for i in range(100): log_event('a', 'log', i=i)\n"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    env = {**os.environ, "LOG_PATH": str(tmp_path / "log")}
    done = subprocess.run([sys.executable, "-c", code], env=env, check=False)

    assert done.returncode == -signal.SIGKILL
    assert (tmp_path / "log" / "events.jsonl").read_bytes().count(b"\n") == 100


def test_an_event_from_a_destructor_inside_an_event_is_kept(events) -> None:
    class Talkative:
        def __str__(self) -> str:
            log_event("inner", "log")
            return "outer"

    log_event(Talkative(), "log")  # type: ignore[arg-type]

    assert sorted(str(e["agent"]) for e in events()) == ["inner", "outer"]
