"""The command as its users run it: a process of its own, with a pipe or a terminal for its output."""

import os
import pty
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import orjson
import pytest

from laneway.cli import main
from tests.waiting import eventually

COMMAND = [sys.executable, "-m", "laneway"]
PATIENCE_S = 180.0
"""A machine that is busy has taken 30 s for the start of a command."""

PROGRESS = re.compile(
    r"\r\x1b\[K(indexing [^\r]*)?|^indexing .+ of the log first …\n", re.MULTILINE
)
"""What a command shows of its index where that takes long: of no test's business but its own."""


class Ended(NamedTuple):
    code: int
    out: str
    err: str


Run = Callable[..., Ended]


@pytest.fixture
def run(home: Path, tmp_path: Path) -> Run:
    """Runs ``laneway ARGS`` to its end, in an empty folder, with its output in pipes."""

    def run(*args: str, stdin: str | bytes = b"", **env: str) -> Ended:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        done = subprocess.run(
            [*COMMAND, *args],
            input=data,
            capture_output=True,
            env=environment(home, **env),
            timeout=PATIENCE_S,
            cwd=tmp_path,
        )
        err = PROGRESS.sub("", done.stderr.decode())
        return Ended(done.returncode, done.stdout.decode(), err)

    return run


@pytest.fixture
def call(home: Path, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs ``laneway ARGS`` in this process: the same answers without the start of Python."""

    def call(*args: str) -> Ended:
        code = main(args)
        out, err = capsys.readouterr()
        return Ended(code, out, PROGRESS.sub("", err))

    return call


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    base = {"LANEWAY_HOME": str(home), "TZ": "UTC", "COLUMNS": "80", "TERM": "xterm-256color"}
    return {**kept, **base, "PYTHONUTF8": "1", **more}


class Screen:
    """A process on a terminal of its own; `text` is everything that it wrote so far, without `PROGRESS`."""

    def __init__(self, *args: str, env: dict[str, str]) -> None:
        self.master, slave = pty.openpty()
        self.process = subprocess.Popen(
            [*COMMAND, *args],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
        )
        os.close(slave)
        self._data = b""

    @property
    def text(self) -> str:
        return PROGRESS.sub("", self._data.decode())

    def wait_for(self, what: str) -> str:
        """Read until ``what`` was written."""
        until = time.monotonic() + PATIENCE_S
        while what not in self.text:
            assert time.monotonic() < until, f"waited in vain for {what!r} in {self.text!r}"
            if not self._read(0.2) and self.process.poll() is not None:
                assert what in self.text, f"ended without {what!r}: {self.text!r}"
        return self.text

    def end(self) -> int:
        """Read to the end; the exit code."""
        until = time.monotonic() + PATIENCE_S
        while self._read(0.2) or self.process.poll() is None:
            assert time.monotonic() < until, f"does not end: {self.text!r}"
        return self.process.wait()

    def press_ctrl_c(self) -> None:
        self.process.send_signal(signal.SIGINT)

    def close(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.master)

    def _read(self, timeout_s: float) -> bool:
        if not select.select([self.master], [], [], timeout_s)[0]:
            return False
        try:
            data = os.read(self.master, 65_536)
        except OSError:  # Linux: the other end is closed
            return False
        self._data += data
        return bool(data)


Show = Callable[..., Screen]


@pytest.fixture
def show(home: Path) -> Iterator[Show]:
    """Starts ``laneway ARGS`` on a terminal."""
    screens: list[Screen] = []

    def show(*args: str, **env: str) -> Screen:
        screens.append(Screen(*args, env=environment(home, **env)))
        return screens[-1]

    yield show
    for screen in screens:
        screen.close()


Write = Callable[..., None]


@pytest.fixture
def write(home: Path) -> Write:
    """Writes events into the home's log, one line each, at set times."""
    directory = home / "logs"

    def write(*events: dict[str, object], name: str = "events-000001.jsonl") -> None:
        directory.mkdir(parents=True, exist_ok=True)
        with open(directory / name, "ab") as file:
            for event in events:
                base = {"timestamp": "2026-11-23T12:00:00Z", "agent": "planner", "event": "log"}
                file.write(orjson.dumps({**base, **event}) + b"\n")

    return write


@pytest.fixture
def lines(home: Path) -> Callable[[], list[dict[str, object]]]:
    """What stands in the home's log."""

    def read() -> list[dict[str, object]]:
        files = sorted((home / "logs").glob("events-0*.jsonl"))
        return [
            orjson.loads(line) for file in files for line in file.read_bytes().split(b"\n") if line
        ]

    return read


class RunningHub(NamedTuple):
    """``laneway up`` as a process; ``text`` is its start-up text."""

    url: str
    text: str
    process: "subprocess.Popen[str]"


StartHub = Callable[..., RunningHub]


def is_level(hub: RunningHub) -> bool:
    """Whether it has in its index what the log had before it."""
    index = httpx.get(f"{hub.url}/health", timeout=180, trust_env=False).json()["index"]
    return bool(index["events"]) and not index["lag_bytes"]


@pytest.fixture
def start_hub(home: Path) -> Iterator[StartHub]:
    """Starts ``laneway up`` on a free port and waits until it serves, and has read the log that was there."""
    hubs: list[subprocess.Popen[str]] = []

    def start(*args: str, **env: str) -> RunningHub:
        process = subprocess.Popen(
            [*COMMAND, "up", "--port", "0", *args],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment(home, **env),
        )
        hubs.append(process)
        assert process.stdout
        text = ""
        for line in process.stdout:
            text += line
            if "Ctrl-C stops it" in line:
                break
        assert "http://" in text, text
        hub = RunningHub("http://" + text.split("http://")[1].split("/")[0], text, process)
        if not env and any(path.stat().st_size for path in (home / "logs").glob("*.jsonl")):
            eventually(lambda: is_level(hub))
        return hub

    yield start
    for process in hubs:
        process.terminate()
        process.communicate(timeout=PATIENCE_S)
