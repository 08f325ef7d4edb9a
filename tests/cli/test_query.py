"""`laneway query`, from a hub and without one, and `laneway reindex`."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

from .conftest import Run, Show, StartHub, Write

Prepare = Callable[[], None]

EVENTS: list[dict[str, object]] = [
    {"content": "plan the trip", "session_id": "s1", "timestamp": "2026-11-23T12:00:00Z"},
    {
        "agent": "coder",
        "event": "tool_result",
        "tool": "grep",
        "error": {"message": "disk full"},
        "timestamp": "2026-11-23T12:00:01Z",
        "trace_id": "4bf92f3577b34da6a3ce929d0e0e4736",
    },
    {
        "agent": "coder",
        "content": "full disk\nof many lines",
        "level": "warning",
        "timestamp": "2026-11-23T12:00:02Z",
        "id": "01a209c5-4f04-7c08-abe8-2ac177394a7c",
    },
]


@pytest.fixture(params=["hub", "index"])
def events(request: pytest.FixtureRequest, write: Write, start_hub: StartHub) -> None:
    """Three events, and who answers: a hub, or the command itself."""
    write(*EVENTS)
    if request.param == "hub":
        start_hub()


def contents(call: Run, *args: str) -> list[object]:
    ended = call("query", "--utc", "--jsonl", *args)
    assert ended.code == (0 if ended.out else 1), ended.err
    found = map(orjson.loads, ended.out.splitlines())
    return [event.get("content") or event["error"]["message"] for event in found]


def wait_until_indexed(call: Run) -> None:
    while len(contents(call)) < len(EVENTS):
        pass


@pytest.mark.usefixtures("events")
def test_filters_and_words_find_the_same_with_and_without_a_hub(call: Run) -> None:
    wait_until_indexed(call)
    plan, grep, disk = "plan the trip", "disk full", "full disk\nof many lines"
    assert contents(call) == [disk, grep, plan]
    assert contents(call, "--order", "oldest") == [plan, grep, disk]
    assert contents(call, "-n", "1") == [disk]
    assert contents(call, "--agent", "coder", "--event", "tool_result") == [grep]
    assert contents(call, "--not-agent", "coder") == [plan]
    assert contents(call, "--not-event", "log") == [grep]
    assert contents(call, "--session", "s1") == [plan]
    assert contents(call, "--tool", "grep", "--error") == [grep]
    assert contents(call, "--no-error") == [disk, plan]
    assert contents(call, "--level", "warning+", "--agent", "planner") == []
    assert contents(call, "--trace", "4bf92f3577b34da6a3ce929d0e0e4736") == [grep]
    assert contents(call, "full", "disk") == [disk, grep]
    assert contents(call, '"disk full"') == [grep]
    assert contents(call, "agent:coder level>=error OR plan") == [grep, plan]
    assert contents(call, '~"ISK F" agent:coder') == [grep]
    assert contents(call, "-event:log") == [grep]
    assert contents(call, "-has:session") == [disk, grep]
    assert contents(call, '-"full disk"') == [grep, plan]
    assert contents(call, "-(plan OR grep)", "-~many", "-e", "log") == []
    assert contents(call, "-acoder", "-n1", "-event:log") == [grep]
    assert contents(call, "pla*") == [plan]
    assert contents(call, "--since", "2026-11-23T12:00:01Z") == [disk, grep]
    assert contents(call, "--until", "2026-11-23 12:00:01") == [plan]
    assert contents(call, "--since", "1s", "--until", "2020-01-01") == []
    assert contents(call, "--id", "01a209c5-4f04-7c08-abe8-2ac177394a7c") == [disk]
    assert contents(call, "--id", "@1") == [plan]
    assert contents(call, "--id", "@99") == []


def test_json_is_one_valid_array_whatever_is_found(run: Run, write: Write) -> None:
    write(*EVENTS, {"content": "\u202e\x9b"})
    found = orjson.loads(run("query", "--json").out)
    assert len(found) == 4
    assert {"seq", "id", "timestamp"} <= found[0].keys()
    assert "\x9b" not in run("query", "--json").out
    nothing = run("query", "--json", "absent")
    assert (nothing.code, nothing.out) == (1, "[]\n")


def test_lines_are_those_of_tail_and_fit_80_columns(show: Show, run: Run, write: Write) -> None:
    write(*EVENTS, {"content": "word " * 100})
    piped = run("query", "--order", "oldest", "--tool", "grep").out.splitlines()
    assert piped[-1] == "12:00:01.000  coder     ✗ tool_result  grep  disk full"
    screen = show("query", "--no-color")
    assert screen.end() == 0
    assert max(map(len, screen.text.splitlines())) <= 80
    assert "full disk ⏎ of many lines" in screen.text


def test_one_event_is_shown_in_full(run: Run, write: Write) -> None:
    write(*EVENTS)
    lines = run("query", "--id", "01a209c5-4f04-7c08-abe8-2ac177394a7c").out.splitlines()
    assert lines[-2:] == ["  content │ full disk", "          │ of many lines"]


def test_more_than_a_page_comes_when_asked_for(run: Run, write: Write) -> None:
    write(*({"content": f"n{i}"} for i in range(2_345)))
    assert len(run("query", "-n", "5000", "--jsonl").out.splitlines()) == 2_345
    assert len(run("query", "-n", "1500", "--jsonl").out.splitlines()) == 1_500


def test_a_hub_is_asked_page_by_page(run: Run, write: Write, start_hub: StartHub) -> None:
    write(*({"content": f"n{i}"} for i in range(2_345)))
    start_hub()
    while len(run("query", "-n", "5000", "--jsonl").out.splitlines()) < 2_345:
        pass
    seqs = [orjson.loads(x)["seq"] for x in run("query", "-n", "5000", "--jsonl").out.splitlines()]
    assert seqs == list(range(2_345, 0, -1))


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (["--since", "yesterday"], 'since: "yesterday" is not ISO 8601'),
        (["--order", "up"], 'order: "up" is not newest or oldest'),
        (["--level", "loud"], 'level: "loud" is not one of'),
        (["--json", "--jsonl"], "choose one"),
        (["--limit", "0"], "limit"),
        (["--id", "@x"], '"@x" is not @ and a number'),
    ],
)
@pytest.mark.usefixtures("events")
def test_a_wrong_filter_is_wrong_usage(call: Run, args: list[str], said: str) -> None:
    ended = call("query", *args)
    assert ended.code == 2
    assert said in " ".join(ended.err.replace("│", " ").split())


def test_a_hub_that_is_named_must_answer(run: Run, write: Write) -> None:
    write(*EVENTS)
    ended = run("query", "--port", "9")
    assert ended.code == 3
    assert "no hub answers at http://127.0.0.1:9" in ended.err


def test_without_a_log_there_is_nothing_to_ask(run: Run, home: Path) -> None:
    ended = run("query")
    assert ended.code == 3
    assert "there is no log yet" in ended.err
    assert not (home / "logs").exists()


def test_a_log_that_is_named_is_read_though_another_hub_runs(
    run: Run, call: Run, write: Write, start_hub: StartHub, tmp_path: Path
) -> None:
    write(*EVENTS)
    start_hub()
    run("emit", "a", "b", "elsewhere", "--log", str(tmp_path / "other"))
    assert contents(call, "--log", str(tmp_path / "other")) == ["elsewhere"]


def test_nothing_says_so_to_a_person_only(run: Run, show: Show, write: Write) -> None:
    write(*EVENTS)
    assert run("query", "absent") == (1, "", "")
    screen = show("query", "absent")
    assert screen.end() == 1
    assert "nothing found" in screen.text


def test_reindex_gives_the_same_answers(run: Run, write: Write, home: Path) -> None:
    write(*EVENTS, *({"content": f"n{i}"} for i in range(500)))
    before = run("query", "--jsonl", "-n", "1000").out
    ended = run("reindex")
    assert ended.code == 0
    assert ended.out.startswith("503 events indexed in ")
    assert ended.out.endswith(f"{home / 'logs' / '.index'}\n")
    assert run("query", "--jsonl", "-n", "1000").out == before


def test_reindex_mends_a_broken_index(run: Run, call: Run, write: Write, home: Path) -> None:
    write(*EVENTS)
    run("query")
    for path in (home / "logs" / ".index").glob("*.db"):
        path.write_bytes(b"nonsense" * 1000)
    assert run("reindex").code == 0
    assert len(contents(call)) == 3


def test_reindex_is_refused_while_a_hub_runs(run: Run, start_hub: StartHub) -> None:
    hub = start_hub()
    ended = run("reindex")
    assert ended.code == 3
    assert f"{hub.url}) serves this log already" in ended.err
    assert "stop it first" in ended.err


def test_a_log_that_cannot_be_written_is_asked_through_a_temporary_index(
    write: Write, home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from laneway.cli import main
    from laneway.reader import local

    write(*EVENTS)
    monkeypatch.setattr(local, "is_writable", lambda settings: False)
    assert main(["query", "--jsonl", "--tool", "grep"]) == 0
    assert "disk full" in capsys.readouterr().out
    assert [path.name for path in (home / "logs").iterdir()] == ["events-000001.jsonl"]


def test_a_long_indexing_shows_its_progress_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    import io

    from laneway.cli.progress import Bar
    from laneway.cli.terminal import Terminal

    class Tty(io.StringIO):
        def isatty(self) -> bool:
            return True

    for stream, wanted in (
        (io.StringIO(), "indexing 10 MiB of the log first …\n"),
        (Tty(), " 75% of 10 MiB"),
    ):
        bar = Bar(Terminal(stream), "indexing")
        bar._begun_s -= 10
        bar.show(10 * 2**20)
        bar.show(10 * 2**18)
        bar.finish()
        assert wanted in stream.getvalue()


@pytest.mark.usefixtures("events")
def test_a_plan_tells_the_query_in_one_spelling_and_what_it_costs(call: Run) -> None:
    wait_until_indexed(call)
    ended = call("query", "--explain", "level=error AND Agent:coder", "--tool", "grep")
    lines = ended.out.splitlines()
    assert lines[0] == "query     level:error agent:coder tool:grep"
    assert lines[1] == "cost      index: answered from the index"
    assert lines[2].startswith("reach     1 of 1 segment, 3 events, ")
    assert lines[3] == "steps     time and ids leave 1 of 1 segment"
    scanned = call("query", "--explain", '~"isk"').out.splitlines()
    assert scanned[1] == "cost      scan: answered from the log itself"
    assert [line.strip() for line in scanned[-2:]] == [
        'lines without "isk" are passed by',
        'read from the log and checked: ~"isk"',
    ]
