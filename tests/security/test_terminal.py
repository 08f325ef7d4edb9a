"""Content of events on a real terminal, by every command that shows some: nothing is obeyed or hidden."""

import unicodedata
from pathlib import Path

import pytest

from tests.cli.conftest import (
    Run,
    Show,
    StartHub,
    Write,
    call,
    environment,
    run,
    show,
    start_hub,
    write,
)
from tests.security.payload import ESCAPES

__all__ = ["call", "environment", "run", "show", "start_hub", "write"]

OWN = {"\x1b", "\r", "\n", "\t"}
"""What Laneway itself writes to a terminal: colours and line ends."""


def hostile_events() -> list[dict[str, object]]:
    """Each text in every field that some command may print."""
    events: list[dict[str, object]] = []
    for n, text in enumerate(ESCAPES):
        name = f"n{n}{text}"
        names = {"agent": name, "event": name, "tool": name, "session_id": name, "model": name}
        names |= {"role": name, "pod": name, "host": name, "parent_agent": name, "provider": name}
        error = {"type": name, "message": text, "stack": text}
        payload = {text: text, "nested": [text, {text: text}]}
        events.append(
            {**names, "content": text, "input": payload, "output": text, "error": error, text: text}
        )
        events.append({"agent": "plain", "event": "log", "content": payload, "trace_id": name})
    return events


def unsafe(shown: str) -> list[str]:
    """Characters that no command of ours has a reason to write."""
    kinds = {"Cc", "Cf", "Cs", "Zl", "Zp"}
    return [c for c in shown if unicodedata.category(c) in kinds and c not in OWN]


COMMANDS = [
    ("tail", "--no-follow", "-n", "1000"),
    ("tail", "--no-follow", "-n", "1000", "--full"),
    ("tail", "--no-follow", "-n", "1000", "--json"),
    ("query", "--limit", "1000"),
    ("query", "--limit", "1000", "--full"),
    ("query", "--limit", "1000", "--json"),
]


@pytest.mark.parametrize("args", COMMANDS, ids=" ".join)
def test_no_content_reaches_the_terminal_as_an_order(
    write: Write,
    show: Show,
    args: tuple[str, ...],
) -> None:
    write(*hostile_events())
    screen = show(*args, NO_COLOR="1", PAGER="cat")
    screen.end()
    text = screen.text
    assert "n0" in text
    assert "\x1b" not in text
    assert unsafe(text) == []


@pytest.mark.parametrize("args", COMMANDS[:2], ids=" ".join)
def test_with_colours_the_only_orders_are_our_colours(
    write: Write,
    show: Show,
    args: tuple[str, ...],
) -> None:
    import re

    write(*hostile_events())
    screen = show(*args, FORCE_COLOR="1")
    screen.end()
    rest = re.sub(r"\x1b\[[0-9;]*m", "", screen.text)
    assert "\x1b" not in rest
    assert unsafe(rest) == []


def test_a_running_hub_s_answers_are_shown_as_safely(
    write: Write,
    start_hub: StartHub,
    show: Show,
) -> None:
    write(*hostile_events())
    start_hub()
    for args in (("query", "--limit", "1000", "--full"), ("tail", "--no-follow", "-n", "1000")):
        screen = show(*args, NO_COLOR="1", PAGER="cat")
        screen.end()
        assert "\x1b" not in screen.text
        assert unsafe(screen.text) == []


@pytest.mark.parametrize(
    "args",
    [("query", "--agent"), ("query", "--id"), ("query",), ("config",), ("emit", "a", "b", "c")],
)
def test_arguments_come_back_as_safely_in_errors(
    run: Run,
    args: tuple[str, ...],
) -> None:
    for text in ("\x1b]52;c;AAAA\x07", "\x9b31m", "\u202etxt.exe"):
        ended = run(*args, f"x{text}")
        assert "\x1b" not in ended.out + ended.err
        assert unsafe(ended.out + ended.err) == []


def test_names_of_files_are_as_safe(
    write: Write,
    show: Show,
    home: Path,
) -> None:
    write({"content": "x"})
    for n, text in enumerate(text for text in ESCAPES if "/" not in text and "\0" not in text):
        (home / "logs" / f"f{n}{text}.jsonl").write_text('{"agent":"a","event":"x"}\nno event\n')
    for args in (("tail", "--no-follow", "-n", "1000"), ("doctor",)):
        screen = show(*args, NO_COLOR="1", PAGER="cat")
        screen.end()
        assert "\x1b" not in screen.text
        assert unsafe(screen.text) == []
