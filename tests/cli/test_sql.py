"""``laneway sql`` over a log, compressed segments included."""

import csv
import io
from pathlib import Path

import orjson
import pytest
from rich.cells import cell_len

from laneway.log.compress import compress
from tests.cli.conftest import Run, Show, Write
from tests.sinks.events import run as sample


@pytest.fixture(autouse=True)
def log(home: Path, write: Write) -> None:
    """One segment compressed, and a live one."""
    write(*sample())
    path = home / "logs" / "events-000001.jsonl"
    path.write_bytes(path.read_bytes() + b"\n")
    write(
        {"id": "e9", "content": "evil\x1b[2J", "customer": {"tier": "gold"}},
        name="events-000002.jsonl",
    )
    assert compress(str(home / "logs"), path.name)


def test_the_log_is_a_table_with_typed_columns(run: Run) -> None:
    ended = run(
        "sql",
        "select agent, count(*) n, sum(input_tokens) tokens from events group by 1 order by 1",
    )

    assert ended.out.splitlines() == [
        "agent       n  tokens",
        "planner     5      12",
        "researcher  5",
    ]


def test_fields_without_a_column_are_in_the_lines(run: Run) -> None:
    ended = run(
        "sql", "--jsonl", "select json->>'$.customer.tier' as tier, segment from lines order by all"
    )

    rows = [orjson.loads(line) for line in ended.out.splitlines()]
    assert {"tier": "gold", "segment": "events-000002.jsonl"} in rows
    assert len(rows) == 10


def test_csv_has_a_heading_and_payloads_as_json(run: Run) -> None:
    ended = run("sql", "--csv", "select id, input from events where tool = 'search' order by id")

    assert list(csv.reader(io.StringIO(ended.out))) == [
        ["id", "input"],
        ["e2", '{"q":"lanes"}'],
        ["e4", ""],
    ]


def test_what_an_event_holds_plays_no_tricks(run: Run) -> None:
    for form in ((), ("--jsonl",)):
        assert "\x1b" not in run("sql", "select content from events where id = 'e9'", *form).out


def test_a_statement_comes_through_a_pipe(run: Run) -> None:
    assert run("sql", "-", stdin="select max(cost_usd) as cost from events").out.splitlines() == [
        "cost",
        "0.25",
    ]


def test_no_rows_are_exit_code_1(run: Run) -> None:
    assert run("sql", "select 1 from events where false").code == 1


def test_columns_are_as_wide_as_wide_characters(run: Run) -> None:
    ended = run("sql", "select '日本' as \"名\", 1 as n")

    assert ended.out.splitlines() == ["名    n", "日本  1"]


def test_in_a_narrow_window_columns_shrink_and_the_last_ones_go(show: Show) -> None:
    screen = show(
        "--no-color", "--no-pager", "sql", "select agent, event, content from events", COLUMNS="40"
    )
    assert screen.end() == 0
    titles = screen.text.splitlines()[0].split()
    assert titles == ["agent", "event", "content"]
    assert all(cell_len(line) <= 40 for line in screen.text.splitlines())

    screen = show("--no-color", "--no-pager", "sql", "select * from events", COLUMNS="40")
    assert screen.end() == 0
    *lines, told = screen.text.splitlines()
    count = len(lines[0].split())
    assert 2 <= count <= 4
    assert told.startswith(f"only {count} of ")
    assert told.endswith(" columns are shown; --jsonl and --csv write all")


def test_a_pipe_gets_whole_values(run: Run) -> None:
    ended = run("sql", "select repeat('long ', 200) || 'end' as text, 1 as n")

    assert ended.out.splitlines()[1] == "long " * 200 + "end  1"


def test_a_fault_is_shown_at_its_place_in_the_statement(run: Run) -> None:
    ended = run("sql", "selec agent")

    first, statement, place = ended.err.splitlines()
    assert first.startswith("error: Parser Error: syntax error")
    assert "describe events" in first
    assert statement[place.index("^") :] == "selec agent"


@pytest.mark.parametrize(
    "statement",
    [
        "select nothing from events",
        "select 1; select 2",
        "copy (select 1) to 'out.csv'",
        "copy (select 1) to '{logs}/events-000002.jsonl'",
        "set threads = 1",
        "install httpfs",
        "attach 'other.db'",
        "select * from read_text('/etc/hostname')",
        "",
    ],
)
def test_what_does_not_read_the_log_is_refused(run: Run, home: Path, statement: str) -> None:
    before = (home / "logs" / "events-000002.jsonl").read_bytes()
    ended = run("sql", statement.format(logs=home / "logs"))

    assert (ended.code, ended.out) == (2, "")
    told, *beneath = ended.err.splitlines()
    assert told.startswith("error: ")
    assert len(beneath) in (0, 2)
    assert all(line.startswith("  ") for line in beneath)
    assert (home / "logs" / "events-000002.jsonl").read_bytes() == before


def test_an_empty_place_says_so(run: Run, tmp_path: Path) -> None:
    ended = run("sql", "select 1", "--log", str(tmp_path / "none"))

    assert ended.code == 3
    assert "there is no log yet" in ended.err
