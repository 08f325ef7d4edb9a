"""What `.ci/docker` does where an engine cannot be started. Where it can, it is run by `.ci/run`."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / ".ci/docker"

pytestmark = pytest.mark.skipif(
    sys.platform != "linux" or not shutil.which("timeout"), reason="a script of Linux' shells"
)


class Engine:
    """A program like the one that starts engines, and a `docker` that reaches none."""

    def __init__(self, directory: Path, up: str) -> None:
        self.calls = directory / "calls"
        self.program = directory / "engine"
        self.write(self.program, f'echo "$1" >>"{self.calls}"\n[ "$1" != up ] || {{ {up}; }}')
        self.write(directory / "docker", "exit 1")
        self.env = os.environ | {
            "PATH": f"{directory}:{os.environ['PATH']}", "DOCKER_ENGINE": str(self.program),
            "START_LIMIT_S": "1", "SETTLE_S": "0",
        }  # fmt: skip

    @staticmethod
    def write(path: Path, text: str) -> None:
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o700)

    def called(self) -> list[str]:
        return self.calls.read_text().split() if self.calls.exists() else []

    def run(self) -> str:
        done = subprocess.run(
            [SCRIPT], env=self.env, capture_output=True, text=True, timeout=180, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def test_without_a_program_to_start_one_the_tests_are_not_run(tmp_path: Path) -> None:
    engine = Engine(tmp_path, "exit 0")
    engine.program.unlink()
    told = f"no engine answers, and there is no program {engine.program} to start one"
    assert engine.run() == f"docker: the tests are not run: {told}\n"


@pytest.mark.parametrize(
    ("up", "reason"),
    [
        ("echo no; echo not permitted >&2; exit 1", "could not start one: not permitted"),
        ("sleep 600", "started none within 1 s"),
        ("exit 0", "started an engine that does not answer"),
    ],
    ids=["fails", "hangs", "lies"],
)
def test_an_engine_that_does_not_start_is_taken_down_and_told(
    tmp_path: Path, up: str, reason: str
) -> None:
    engine = Engine(tmp_path, up)
    assert engine.run().splitlines()[-1] == (
        f"docker: the tests are not run: {engine.program} {reason}"
    )
    assert engine.called() == ["env", "up", "down"]


@pytest.mark.parametrize("code", [0, 2])
def test_the_run_fails_with_a_test_and_the_engine_is_taken_down(tmp_path: Path, code: int) -> None:
    engine = Engine(tmp_path, f"touch {tmp_path}/is-up")
    engine.write(tmp_path / "docker", f"[ -e {tmp_path}/is-up ]")
    engine.write(tmp_path / "make", f'echo "make $*"; exit {code}')
    done = subprocess.run(
        [SCRIPT], env=engine.env, capture_output=True, text=True, timeout=180, check=False
    )
    assert done.returncode == code
    assert done.stdout.splitlines()[-1] == "make test-docker FORM=short"
    assert engine.called() == ["env", "up", "down"]


def test_an_engine_that_is_starting_is_taken_down_when_the_run_is_ended(tmp_path: Path) -> None:
    engine = Engine(tmp_path, "sleep 600")
    engine.env["START_LIMIT_S"] = "600"
    process = subprocess.Popen([SCRIPT], env=engine.env, stdout=subprocess.DEVNULL)
    eventually(lambda: "up" in engine.called(), "the engine to be started")
    process.send_signal(signal.SIGTERM)
    assert process.wait(180) == 128 + signal.SIGTERM
    assert engine.called() == ["env", "up", "down"]
