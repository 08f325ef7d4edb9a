"""The demo as `make demo` runs it: every piece a real process, all of them gone afterwards."""

import os
import re
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from example_process import Processes, clean_environment

from tests.waiting import eventually

pytestmark = pytest.mark.timeout(600)  # real processes, on a machine that may be busy


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Processes]:
    started = Processes(tmp_path)
    yield started
    started.stop()


def start(demo: Processes, **more: str) -> subprocess.Popen[bytes]:
    env = clean_environment(Path("unset"), HOME=str(demo.folder), **more)
    if "LANEWAY_HOME" not in more:
        del env["LANEWAY_HOME"]
    return demo.start(env, "examples.assistant", "--port", "0")


def children_of(pid: int) -> list[int]:
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def link(demo: Processes) -> re.Match[str] | None:
    return re.search(r"(http://127\.0\.0\.1:\d+)/logs#code=(\S+)", demo.output())


def test_the_dashboard_opens_on_history_and_nothing_is_left_running(demo: Processes) -> None:
    process = start(demo)
    eventually(lambda: link(demo) or process.poll() is not None, "the link")
    shown = link(demo)
    assert shown, demo.output()
    with httpx.Client(base_url=shown[1], trust_env=False) as browser:
        origin = {"Origin": shown[1]}
        entry = browser.post("/auth/exchange", json={"code": shown[2]}, headers=origin)
        assert entry.is_success, entry.text
        eventually(lambda: len(browser.get("/api/agents").json()["agents"]) == 6, "six lanes")
    children = children_of(process.pid)
    assert len(children) == 4
    process.send_signal(signal.SIGTERM)
    assert process.wait(180) == 0
    eventually(lambda: not any(map(is_alive, children)), "the children are gone")
    assert (demo.folder / ".demo" / "logs").is_dir()
    assert "your agents' log is not touched" in demo.output()


def test_it_says_which_piece_died_and_why(demo: Processes, tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "config.toml").write_text("colour = 7\n")
    process = start(demo, LANEWAY_HOME=str(home))
    assert process.wait(180) == 1
    assert "The demo cannot go on: the hub" in demo.output()
    assert "colour" in demo.output()
    assert "Traceback" not in demo.output()
