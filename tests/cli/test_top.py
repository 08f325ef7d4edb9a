"""``laneway top`` on a real terminal, over a real log."""

import os

from tests.cli.conftest import Run, Show, Write


def test_it_shows_the_log_and_what_comes_and_q_ends_it(show: Show, write: Write) -> None:
    write({"agent": "planner", "content": "from before"})
    screen = show("top", "--interval", "0.1")
    screen.wait_for("planner")
    write({"agent": "newcomer", "content": "just now", "timestamp": "2026-11-23T12:00:01Z"})
    screen.wait_for("newcomer")
    os.write(screen.master, b"q")

    assert screen.end() == 0


def test_what_an_event_holds_plays_no_tricks_on_the_terminal(show: Show, write: Write) -> None:
    write({"agent": "evil\x1b]0;owned\x07", "content": "\x1b[2Jcleared \x9b31m \u202e"})
    screen = show("top", "--interval", "0.1")
    screen.wait_for("cleared")
    os.write(screen.master, b"q")
    screen.end()

    assert "\x1b]0;owned" not in screen.text
    assert "\x1b[2Jcleared" not in screen.text
    assert not {"\x9b", "\u202e"} & set(screen.text)


def test_a_pipe_is_no_place_for_it(run: Run) -> None:
    ended = run("top")

    assert ended.code == 2
    assert "laneway tail" in ended.err
