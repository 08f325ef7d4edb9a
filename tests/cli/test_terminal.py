"""What the terminal is taken for."""

import io
from pathlib import Path

import pytest

from laneway.cli.terminal import AGENT_STYLES_16, AGENT_STYLES_256, Terminal
from tests.cli.conftest import Show, Write


class Tty(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_terminal_has_colour_and_a_pipe_has_not() -> None:
    assert Terminal(Tty()).paint("x", "red") == "\x1b[31mx\x1b[0m"
    assert Terminal(io.StringIO()).paint("x", "red") == "x"


@pytest.mark.parametrize(
    ("name", "value", "has_colour"),
    [("NO_COLOR", "1", False), ("NO_COLOR", "", True), ("TERM", "dumb", False)],
)
def test_the_environment_can_switch_it_off(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, has_colour: bool
) -> None:
    monkeypatch.setenv(name, value)
    assert Terminal(Tty()).has_colour is has_colour


def test_no_color_wins_over_force_color(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert Terminal(io.StringIO()).has_colour
    monkeypatch.setenv("NO_COLOR", "1")
    assert not Terminal(io.StringIO()).has_colour


def test_an_agent_has_the_same_colour_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    assert Terminal(Tty()).agent_style("planner") == AGENT_STYLES_256[1]
    monkeypatch.setenv("TERM", "xterm")
    assert Terminal(Tty()).agent_style("planner") in AGENT_STYLES_16


def test_agents_differ_in_colour() -> None:
    terminal = Terminal(Tty())
    names = ["assistant", "planner", "researcher", "coder", "memory", "watcher"]
    assert len({terminal.agent_style(name) for name in names}) >= 5


def test_a_link_is_escaped() -> None:
    assert "\\x1b" in Terminal(io.StringIO()).link("http://x/\x1b[2J")


EVIL = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202egnp.exe\u200b\x7f"


@pytest.mark.parametrize(
    "args",
    [
        *(("export", "--format", form) for form in ("jsonl", "csv", "otlp", "perfetto")),
        ("redact", "{log}"),
        ("redact", "--explain", "--json", "{log}"),
        ("sql", "from lines"),
        ("sessions",),
        ("stats",),
        ("trace", "e1"),
        ("query", "--full"),
        ("query", "--explain", "agent:" + '"' + EVIL + '"'),
    ],
    ids=" ".join,
)
def test_no_command_lets_an_event_play_with_the_terminal(
    show: Show, write: Write, home: Path, args: tuple[str, ...]
) -> None:
    secret = {EVIL: "password=hunter22!x", "session_id": "s" + EVIL}
    write({"agent": "a" + EVIL, "content": EVIL, "tool": EVIL, "id": "e1", **secret})
    log = str(home / "logs" / "events-000001.jsonl")
    screen = show(*(arg.replace("{log}", log) for arg in args), PAGER="cat")
    screen.end()

    assert screen.text.strip()
    assert not {"\x9b", "\u202e", "\u200b", "\x7f", "\x07"} & set(screen.text)
    assert "\x1b]0;" not in screen.text
    assert "\x1b[2J" not in screen.text
