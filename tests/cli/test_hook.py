"""Hooks as Claude Code runs them: a process each, and nothing ever goes wrong for the agent."""

import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from laneway.cli import main
from laneway.cli.connect import hook_command
from laneway.log.segment import LogPath
from tests.torture.harness import Hub
from tests.waiting import eventually

SECRET = "sk-ant-api03-" + "a1B2c3D4e5" * 9
PAYLOAD = orjson.dumps({
    "hook_event_name": "PreToolUse", "session_id": "s1", "tool_name": "Bash", "tool_use_id": "t1",
    "tool_input": {"command": f"curl -H 'Authorization: Bearer {SECRET}'"},
})  # fmt: skip


def run_hook(command: str, body: bytes = PAYLOAD) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        shlex.split(command), input=body, capture_output=True, timeout=180, check=False
    )


def stored(directory: Path) -> bytes:
    return b"".join(path.read_bytes() for path in directory.glob("*-0*.jsonl"))


@pytest.fixture
def hub(home: Path) -> Iterator[Hub]:
    hub = Hub(home, home / "logs")
    hub.start()
    yield hub
    hub.stop()


def test_a_hook_reaches_the_hub_that_runs(hub: Hub) -> None:
    done = run_hook(hook_command())
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    log = stored(hub.home / "logs")
    assert orjson.loads(log)["event"] == "tool_invocation"
    assert SECRET.encode() not in log


def test_without_a_hub_the_hook_writes_the_log(home: Path) -> None:
    for command in (hook_command(), f"{sys.executable} -m laneway hook claude-code"):
        done = run_hook(command)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")
    lines = [orjson.loads(line) for line in stored(home / "logs").splitlines()]
    assert [line["tool"] for line in lines] == ["Bash", "Bash"]
    assert lines[0]["id"] == lines[1]["id"], "told twice, it counts once"
    assert SECRET.encode() not in stored(home / "logs")


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"hook_event_name": 7}', b"null"])
def test_a_hook_never_fails(home: Path, body: bytes) -> None:
    for command in (hook_command(), f"{sys.executable} -m laneway hook claude-code"):
        done = run_hook(command, body)
        assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_a_hook_never_fails_where_nothing_can_be_written(home: Path) -> None:
    command = shlex.split(hook_command())
    done = run_hook(shlex.join([*command[:-2], "/proc/nowhere", "/proc/nowhere"]))
    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_the_quick_hook_imports_nothing_of_laneway(hub: Hub) -> None:
    command = shlex.split(hook_command())
    done = run_hook(shlex.join([command[0], "-X", "importtime", *command[1:]]))
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert not {name for name in loaded if name.startswith("laneway")}
    assert not loaded & {"site", "json", "re", "socket", "orjson", "typing"}


def test_without_a_hub_the_hook_loads_no_more_than_it_needs(home: Path) -> None:
    command = shlex.split(hook_command())
    harmless = PAYLOAD.replace(SECRET.encode(), b"")  # a secret is marked by a keyed hash
    done = run_hook(shlex.join([command[0], "-X", "importtime", *command[1:]]), harmless)
    loaded = {line.rpartition("|")[2].strip() for line in done.stderr.decode().splitlines()}
    assert b"Bash" in stored(home / "logs")
    assert not loaded & {"site", "orjson", "typing", "dataclasses", "inspect", "hashlib", "uuid"}


def test_without_a_hub_the_log_is_synced_before_the_process_is_gone(home: Path) -> None:
    """It leaves without what the interpreter does at its end."""
    command = shlex.split(hook_command())
    place = command.index(next(word for word in command if word.endswith("quick_hook.py")))
    program = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("quick_hook", sys.argv[1])
hook = importlib.util.module_from_spec(spec)
spec.loader.exec_module(hook)
is_long = hook.main(sys.argv[2:])
from laneway.log.syncer import shared
print(is_long, shared.synced, len(shared._queue))
"""
    words = [*command[:place], "-c", program, *command[place:]]
    done = subprocess.run(words, input=PAYLOAD, capture_output=True, timeout=180, check=True)
    assert done.stdout == b"True 1 0\n"


def test_without_a_hub_rules_of_one_s_own_are_kept(home: Path) -> None:
    home.mkdir()
    rule = '[[redact_rules]]\nname = "ticket"\npattern = "TICKET-[0-9]+"\n'
    (home / "config.toml").write_text(rule)
    body = PAYLOAD.replace(b"curl", b"TICKET-12345")
    assert run_hook(hook_command(), body).returncode == 0
    [line] = stored(home / "logs").splitlines()
    assert b"TICKET-12345" not in line
    assert orjson.loads(line)["tool"] == "Bash", "and the rest is not withheld"


def test_connect_shows_writes_and_takes_back(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text('{"model": "x"}')
    assert main(["connect", "claude-code", "--file", str(settings)]) == 1, "nobody was asked"
    assert orjson.loads(settings.read_bytes()) == {"model": "x"}
    assert main(["connect", "claude-code", "--file", str(settings), "--yes"]) == 0
    assert "+" in capsys.readouterr().out
    tree = orjson.loads(settings.read_bytes())
    command = tree["hooks"]["Stop"][0]["hooks"][0]["command"]
    assert run_hook(command).returncode == 0
    assert main(["connect", "claude-code", "--file", str(settings), "--remove", "--yes"]) == 0
    assert orjson.loads(settings.read_bytes()) == {"model": "x"}


def test_connect_leaves_a_file_that_it_cannot_read(tmp_path: Path) -> None:
    settings = tmp_path / "settings.json"
    settings.write_text("{ // mine\n}")
    assert main(["connect", "claude-code", "--file", str(settings), "--yes"]) == 2
    assert settings.read_text() == "{ // mine\n}"


def test_transcripts_are_imported_once_and_followed(home: Path, tmp_path: Path) -> None:
    project = tmp_path / "projects" / "-garden"
    project.mkdir(parents=True)
    transcript = project / "s1.jsonl"

    def say(text: str) -> bytes:
        return orjson.dumps({"type": "user", "uuid": text, "sessionId": "s1", "timestamp": "2026-11-26T10:00:00Z",
                             "message": {"role": "user", "content": text}}) + b"\n"  # fmt: skip

    transcript.write_bytes(say("one") + b'{"type": "us')
    command = [sys.executable, "-m", "laneway", "import", "claude-code", str(tmp_path / "projects")]
    for _ in range(2):
        subprocess.run(command, check=True, timeout=180, capture_output=True)
    log = LogPath.parse(str(home / "logs"))
    assert stored(Path(log.directory)).count(b'"user_message"') == 1

    with subprocess.Popen([*command, "--follow"], stdout=subprocess.PIPE) as follower:
        assert follower.stdout
        follower.stdout.readline()
        with transcript.open("ab") as file:
            file.write(b'er"}\n' + say("two"))
        try:
            eventually(lambda: b'"two"' in stored(Path(log.directory)), "the second line")
            time.sleep(0.5)
        finally:
            follower.terminate()
    assert stored(Path(log.directory)).count(b'"user_message"') == 2
