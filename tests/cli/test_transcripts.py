"""What every command prints, to the letter: each file in `transcripts/` is a session at a prompt.

A line ``$ laneway …`` is run, and what follows it is what it printed: on stdout, then on stderr
(``2> ``), and its exit code where that is not 0 (``[2]``). What no two runs share stands as a name in
capitals. The first line says what there is: a log, and whether a hub runs over it.

``LANEWAY_TRANSCRIPTS=write`` writes the files anew: read what changed before it is kept.
"""

import json
import os
import re
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.cli.conftest import Run, StartHub, Write, is_level
from tests.cli.history import OTHER, SESSION
from tests.sinks.events import run as small_run
from tests.waiting import eventually

HERE = Path(__file__).parent / "transcripts"
WRITES = (
    os.environ.get("LANEWAY_TRANSCRIPTS") == "write"
)  # read before the tests' environment is emptied
PROMPT = "$ laneway "
SECRET = "sk-ant-api03-" + "h7Gk2Lm9" * 11
SECRETS = [
    {"id": "1", "agent": "coder", "content": f"export ANTHROPIC_API_KEY={SECRET}"},
    {"id": "2", "agent": "coder", "content": "nothing here"},
    {
        "id": "3",
        "agent": "mailer",
        "input": {"password": "correct horse"},
        "event": "tool_invocation",
    },
]
FAILURES = [
    {"timestamp": time.time() - 7200 + n, "agent": "coder", "event": "log", "level": "error"}
    for n in range(3)
]
LOGS = {
    "failures": FAILURES,
    "history": SESSION + OTHER,
    "run": small_run(),
    "secrets": SECRETS,
    "nothing": [],
}
RULES = [{"name": "failures", "q": "has:error", "limit": 1, "window": "1h"}]

VARYING = (
    (re.compile(r"http://127\.0\.0\.1:\d+"), "http://127.0.0.1:PORT"),
    (re.compile(r"#code=[\w-]+"), "#code=CODE"),
    (re.compile(r"(\[redacted:\w+):[0-9a-f]{6}\]"), r"\1:MARK]"),  # each log has a key of its own
    (re.compile(r"indexed in \d+\.\d s"), "indexed in N s"),
    (re.compile(r"laneway_[\w-]{40,}"), "TOKEN"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?= |$)", re.MULTILINE), "TIME"),
)
"""Times to the second are those of now: events have microseconds."""


def varying(home: Path, folder: Path) -> Callable[[str], str]:
    """Puts names for what no two runs share."""

    def name(text: str) -> str:
        for path, told in ((home, "HOME"), (folder, "FOLDER")):
            text = text.replace(str(path), told)
        for pattern, told in VARYING:
            text = pattern.sub(told, text)
        return text

    return name


def play(command: str, call: Run, name: Callable[[str], str]) -> list[str]:
    """The lines that a command prints, as a transcript has them."""
    ended = call(*shlex.split(command.replace("FOLDER", ".")))
    lines = name(ended.out).splitlines()
    lines += [f"2> {line}" for line in name(ended.err).splitlines()]
    return lines + ([f"[{ended.code}]"] if ended.code else [])


def has_looked(alerts: str) -> bool:
    """Whether the hub has looked at what its rules watch."""
    return all(rule["value"] is not None for rule in json.loads(alerts)["rules"])


@pytest.fixture
def in_utc(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as within:
        within.setenv("TZ", "UTC")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("in_utc")
@pytest.mark.parametrize("file", sorted(HERE.glob("*.txt")), ids=lambda file: file.stem)
def test_a_command_prints_what_its_transcript_says(
    file: Path,
    call: Run,
    write: Write,
    start_hub: StartHub,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    head, *said = file.read_text().splitlines()
    log, _, beside = head.removeprefix("# ").partition(", ")
    write(*LOGS[log])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")
    hub = start_hub(LANEWAY_ALERTS=json.dumps(RULES)) if beside else None
    if hub:
        monkeypatch.setenv("LANEWAY_PORT", hub.url.rpartition(":")[2])
        eventually(lambda: not LOGS[log] or is_level(hub))
        eventually(lambda: has_looked(call("alerts", "--json").out))
    name = varying(home, tmp_path)
    shown = [head]
    for line in said:
        if line == f"{PROMPT}up" and hub:
            shown += ["", line, *name(hub.text).splitlines()]
        elif line.startswith(PROMPT):
            shown += ["", line, *play(line.removeprefix(PROMPT), call, name)]
    if WRITES:
        file.write_text("\n".join(shown) + "\n")
    assert shown == [head, *said]
