"""Answers that exceed the screen go through the pager; what it gets, and when."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from .conftest import Run, Screen, Show, Write

MARK = "PAGED"


@pytest.fixture
def pager(tmp_path: Path) -> str:
    """A pager that marks each line that goes through it, and tells its environment."""
    path = tmp_path / "my pager"
    path.write_text(f"#!/bin/sh\necho less is $LESS\nexec sed 's/^/{MARK} /'\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return f"'{path}'"


@pytest.fixture
def history(write: Write) -> None:
    write(*({"content": f"n{number}", "level": "error"} for number in range(40)))


@pytest.mark.usefixtures("history")
def test_an_answer_longer_than_the_screen_is_paged_in_colour(show: Show, pager: str) -> None:
    screen = show("query", PAGER=pager, LINES="20")
    assert screen.end() == 0
    assert screen.text.count(MARK) == 41
    assert "less is FRX" in screen.text
    assert "\x1b[31m" in screen.text


@pytest.mark.usefixtures("history")
def test_an_answer_that_fits_is_not_paged(show: Show, pager: str) -> None:
    screen = show("query", "-n", "10", PAGER=pager, LINES="20")
    assert screen.end() == 0
    assert "n39" in screen.text
    assert MARK not in screen.text


@pytest.mark.parametrize("args", [["--no-pager", "query"], ["query", "--no-pager"]])
@pytest.mark.usefixtures("history")
def test_no_pager_may_stand_anywhere(show: Show, pager: str, args: list[str]) -> None:
    screen = show(*args, PAGER=pager, LINES="20")
    assert screen.end() == 0
    assert MARK not in screen.text
    assert screen.text.count("log") == 40


@pytest.mark.usefixtures("history")
def test_a_pipe_is_never_paged(run: Run, pager: str) -> None:
    assert MARK not in run("query", PAGER=pager, LINES="20").out


@pytest.mark.parametrize("name", ["/nowhere/pager", "cat", "", "'"])
@pytest.mark.usefixtures("history")
def test_without_a_usable_pager_the_answer_comes_as_it_is(show: Show, name: str) -> None:
    screen = show("query", PAGER=name, LINES="20")
    assert screen.end() == 0
    assert screen.text.count("log") == 40


def test_leaving_the_pager_early_ends_well(show: Show, write: Write) -> None:
    write(*({"content": "long " * 200} for _ in range(500)))  # more than a pipe holds
    screen = show("query", "--jsonl", "-n", "500", PAGER="head -n 1", LINES="10")
    assert screen.end() == 0
    assert "Traceback" not in screen.text
    assert "error:" not in screen.text


@pytest.mark.usefixtures("history")
def test_less_shows_a_screen_and_ends_with_q(show: Show) -> None:
    if not shutil.which("less"):
        pytest.skip("less is not installed")
    screen: Screen = show("query", LINES="10", PAGER="less")
    screen.wait_for("n35")
    os.write(screen.master, b"q")
    assert screen.end() == 0
    assert "n0" not in screen.text.split()
