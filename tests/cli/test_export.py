"""``laneway export`` into files and pipes."""

import csv
import io
from pathlib import Path

import orjson
import pytest

from tests.cli.conftest import Run, Show, Write
from tests.sinks.events import run as sample


@pytest.fixture(autouse=True)
def log(write: Write) -> None:
    write(*sample())


def test_json_lines_go_to_the_pipe_oldest_first(run: Run) -> None:
    ended = run("export")

    assert ended.code == 0
    assert [orjson.loads(line)["id"] for line in ended.out.splitlines()] == [
        f"e{n}" for n in range(9)
    ]


def test_a_filter_and_a_limit_choose(run: Run) -> None:
    ended = run("export", "--agent", "researcher", "--limit", "2", "--format", "csv")

    rows = list(csv.DictReader(io.StringIO(ended.out)))
    assert [row["id"] for row in rows] == ["e2", "e3"]


@pytest.mark.parametrize("form", ["jsonl", "csv", "parquet", "otlp", "perfetto"])
def test_each_format_goes_into_a_file_whole(run: Run, tmp_path: Path, form: str) -> None:
    path = tmp_path / f"events.{form}"
    ended = run("export", "--format", form, "--output", str(path))

    assert (ended.code, ended.out) == (0, "")
    assert "9 events in" in ended.err
    assert path.stat().st_size > 100
    assert [p.name for p in tmp_path.iterdir() if "part" in p.name] == []


def test_nothing_found_is_exit_code_1_and_an_empty_file_that_can_be_read(
    run: Run, tmp_path: Path
) -> None:
    ended = run(
        "export", "--agent", "nobody", "--format", "perfetto", "--output", str(tmp_path / "x")
    )

    assert ended.code == 1
    assert orjson.loads((tmp_path / "x").read_bytes())["traceEvents"] == []


@pytest.mark.parametrize(
    ("args", "said"),
    [
        (("--format", "xml"), "jsonl, csv, parquet, otlp, perfetto"),
        (("--format", "parquet"), "--output events.parquet"),
        (("--output", "/no/such/folder/x"), "/no/such/folder/x"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_work(
    run: Run, args: tuple[str, ...], said: str
) -> None:
    ended = run("export", *args)

    assert ended.code in (2, 3)
    assert said in ended.err
    assert ended.err.count("\n") == 1


def test_a_terminal_sees_how_far_it_is(show: Show, tmp_path: Path) -> None:
    screen = show("export", "--output", str(tmp_path / "x.jsonl"))

    assert screen.end() == 0
    assert "9 events in" in screen.text


def test_on_a_terminal_lines_are_those_of_a_file(show: Show, run: Run, write: Write) -> None:
    write({"content": "words " * 30, "id": "long"})
    screen = show("export", "--format", "csv")

    assert screen.end() == 0
    assert screen.text.replace("\r\n", "\n") == run("export", "--format", "csv").out.replace(
        "\r\n", "\n"
    )
