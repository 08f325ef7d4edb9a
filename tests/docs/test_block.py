"""Every command and every piece of Python in the documents is run, here or by the test that is named."""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from .block import ROOT, Block, blocks, commands
from .world import PATIENCE_S, World

ELSEWHERE = {
    "make demo": "tests/e2e/test_demo.py",
    "make test": "tests",
    "docker compose": "tests/docker/test_compose.py",
    "docker run": "tests/docker/test_compose.py",
    "laneway service": "tests/cli/test_service.py",
    "laneway forward": "tests/cli/test_forward.py",
    "laneway mcp-tap --url": "tests/cli/test_mcp_proxy.py",
    "laneway import gemini-cli": "tests/sources/test_gemini.py",
    "laneway up --store": "tests/store/clickhouse/test_hub.py",
    "pip install -e": "tests/packaging",
    "python -m examples.assistant": "tests/examples/test_demo.py",
    "LOG_PATH=logs python -m examples.assistant.app": "tests/examples/test_assistant.py",
    "curl 127.0.0.1:8124": "tests/examples/test_assistant.py",
}
"""Commands that need what a test of their own has: an Engine, the example, a manager of services."""

FOREIGN = (
    "uv tool ",
    "uvx ",
    "pip install ",
    "claude mcp ",
    "tailscale ",
    "some-agent ",
    "duckdb ",
)
"""What other programs do, which this machine need not have: only their grammar is looked at."""

OTHERS = ("jq", "rg", "zstdcat")
"""Used where they are there."""

ENDLESS = re.compile(r"(\w+=\S+ )?laneway (up|top|tail)\b(?!.*--no-follow)|.*--follow")
"""They go on until they are stopped."""

ENDS_WELL = {0, -signal.SIGINT, 128 + signal.SIGINT}
MAY_END_WITH_1 = ("laneway doctor", 'laneway query \'"disk full"', "laneway query retry")
"""1 says that something is not as it should be, or that nothing was found."""

UNKNOWN = ("01a209c5-4f04-7c08-abe8-2ac177394a7c", "trip-038", "c19c1ce0", "9f161d653c443be2")
"""Ids of the history in whose pictures they stand, and not of the one here: there is no such thing."""

PRELUDES = {
    "docs/integrations.md": "import logging, structlog, loguru, fastapi\napp = fastapi.FastAPI()\n"
    "from opentelemetry.sdk.trace import TracerProvider\nprovider = TracerProvider()\n",
    "docs/testing.md": "def run_agent(task): ...\n",
}

SHELL = [block for block in blocks() if commands(block)]
PYTHON = [block for block in blocks() if block.language == "python"]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    world = World(tmp_path_factory.mktemp("world"))
    yield world
    world.close()


@pytest.mark.parametrize("block", SHELL, ids=str)
def test_a_block_of_shell_does_what_it_says(world: World, block: Block) -> None:
    for command in commands(block):
        if is_elsewhere(command):
            subprocess.run(["bash", "-n", "-c", command], check=True)
        elif ENDLESS.match(command):
            run_a_while(world, command)
        else:
            run(world, command, block.page)


def is_elsewhere(command: str) -> bool:
    """Whether only its grammar is looked at here."""
    if any(command.startswith(begin) for begin in (*ELSEWHERE, *FOREIGN)):
        return True
    return any(re.search(rf"\b{name} ", command) and not shutil.which(name) for name in OTHERS)


def run(world: World, command: str, page: str) -> None:
    agreed = re.sub(r"(laneway connect [\w-]+)", r"\1 --yes", command)
    done = world.bash(agreed, folder=world.segments if page == "docs/log.md" else world.folder)
    allowed = {0, 141}  # `head` had enough
    if command.startswith(MAY_END_WITH_1) or any(name in command for name in UNKNOWN):
        allowed |= {1, 3}
    assert done.returncode in allowed, (command, done.stdout, done.stderr)


def run_a_while(world: World, command: str) -> None:
    """On a terminal, until it has said something and then hears Ctrl-C."""
    home = {"LANEWAY_HOME": str(world.root / "other")} if "laneway up" in command else {}
    master, slave = os.openpty()
    process = subprocess.Popen(
        ["bash", "-c", f"exec env {command}"],
        env={**world.env, **home},
        cwd=world.folder,
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    try:
        said = os.read(master, 1 << 16)
        assert process.poll() is None, (command, said)
        os.killpg(process.pid, signal.SIGINT)
        while True:
            try:
                said += os.read(master, 1 << 16)
            except OSError:  # Linux: the other end is closed
                break
        assert process.wait(PATIENCE_S) in ENDS_WELL, (command, said)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
        os.close(master)


@pytest.mark.parametrize("block", PYTHON, ids=str)
def test_a_block_of_python_runs(world: World, block: Block) -> None:
    code = PRELUDES.get(block.page, "") + block.text.replace("processors=[..., ", "processors=[")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**world.env, "LANEWAY_STRICT": "1"},
        cwd=world.folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr


def test_what_is_run_elsewhere_is_there() -> None:
    assert [place for place in ELSEWHERE.values() if not Path(ROOT, place).exists()] == []
