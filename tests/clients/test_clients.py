"""Clients of other languages, each by its own toolchain, against a real hub; skipped only where there is none."""

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.torture.harness import Hub
from tests.waiting import eventually

ROOT = Path(__file__).parents[2]
CLIENTS = ROOT / "clients"
SECRET = "sk-ant-api03-" + "a1B2c3D4e5" * 9


def tool(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path=str(Path(sys.executable).parent))
    if not found:
        pytest.skip(f"there is no {name} on this machine")
    version = "version" if name == "go" else "--version"
    asked = subprocess.run([found, version], capture_output=True, text=True, check=False)
    if asked.returncode:  # rustup without a toolchain, say
        pytest.skip(f"{found} does not run: {asked.stderr.strip()[:200]}")
    return found


@pytest.fixture
def hub(tmp_path: Path, home: Path) -> Iterator[Hub]:
    hub = Hub(home, tmp_path / "log")
    hub.start()
    yield hub
    hub.stop()


def environment(hub: Hub) -> dict[str, str]:
    token = (hub.home / "ingest.token").read_text().strip()
    return {**os.environ, "LOGGING_URL": f"{hub.url}/log", "LANEWAY_TOKEN": token}


def events(hub: Hub, agent: str) -> list[dict[str, Any]]:
    token = (hub.home / "access.token").read_text().strip()
    ask = urllib.request.Request(
        f"{hub.url}/api/events?agent={agent}&order=oldest",
        headers={"Authorization": f"Bearer {token}"},
    )
    with urllib.request.urlopen(ask, timeout=180) as answer:
        found: list[dict[str, Any]] = json.load(answer)["events"]
        return found


def run(command: list[str], hub: Hub, **options: Any) -> str:
    """What it printed; it must end well."""
    done = subprocess.run(
        command,
        env=environment(hub),
        capture_output=True,
        text=True,
        timeout=500,
        check=False,
        **options,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    said: str = done.stdout
    return said


def check_journey(hub: Hub, agent: str) -> None:
    eventually(lambda: len(events(hub, agent)) == 3, "three events")
    decided, asked, answered = sorted(events(hub, agent), key=lambda event: event["event"])
    assert (decided["content"], decided["session_id"]) == ("go by train", "s1")
    assert (asked["tool"], asked["input"]) == ("timetable", {"to": "Bergen"})
    assert (answered["output"], answered["duration_ms"]) == ("08:25", 12)


def test_curl(hub: Hub) -> None:
    tool("curl")
    run(["sh", str(CLIENTS / "curl" / "emit.sh")], hub)
    check_journey(hub, "curl")


def test_go(hub: Hub, tmp_path: Path) -> None:
    run([tool("go"), "run", "."], hub, cwd=CLIENTS / "go")
    check_journey(hub, "go")


def test_rust(hub: Hub, tmp_path: Path) -> None:
    program = str(tmp_path / "client")
    run(
        [
            tool("rustc"),
            "--edition",
            "2021",
            "-o",
            program,
            str(CLIENTS / "rust" / "src" / "main.rs"),
        ],
        hub,
    )
    run([program], hub)
    check_journey(hub, "rust")


PROGRAM = """
import { Laneway } from "./laneway.js";
const log = new Laneway({ agent: "ts" });
log.logEvent(null, "user_message", "hi", { session_id: "s1", token: SECRET });
const ring = {}; ring.ring = ring;
log.logEvent("ts", "log", ring);
await log.tool("ts", "search", { words: "tide" }, async () => ["11:52"]);
await log.tool("ts", "search", {}, () => { throw new TypeError("no tide"); }).catch(() => undefined);
for (let i = 0; i < 1200; i++) log.logEvent("many", "log", `${i}`);
if (!(await log.flush(600_000))) process.exit(4);
console.log(JSON.stringify(log.stats));
"""


@pytest.fixture
def built(tmp_path: Path) -> Path:
    """The TypeScript client, compiled as it would be published."""
    compiler = ROOT / "ui" / "node_modules" / ".bin" / "tsc"
    if not compiler.exists():
        pytest.skip("there is no TypeScript compiler: `make ui` installs it")
    command = [str(compiler), "-p", str(CLIENTS / "typescript"), "--outDir", str(tmp_path / "dist")]
    env = {**os.environ, "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}"}
    done = subprocess.run(command, capture_output=True, text=True, env=env, check=False)
    assert done.returncode == 0, done.stdout
    (tmp_path / "dist" / "package.json").write_text('{"type": "module"}')
    (tmp_path / "dist" / "program.js").write_text(PROGRAM.replace("SECRET", json.dumps(SECRET)))
    return tmp_path / "dist"


def test_typescript(hub: Hub, built: Path) -> None:
    run([tool("node"), str(built / "program.js")], hub)
    eventually(lambda: len(events(hub, "ts")) == 6, "the events")
    said, ring, *calls = events(hub, "ts")
    assert (said["content"], said["session_id"]) == ("hi", "s1")
    assert SECRET not in json.dumps(said)
    assert "not JSON" in ring["content"]
    assert [call["event"] for call in calls] == ["tool_invocation", "tool_result"] * 2
    assert calls[0]["span_id"] == calls[1]["span_id"] != calls[2]["span_id"]
    assert calls[1]["output"] == ["11:52"]
    assert (calls[3]["error"]["type"], calls[3]["error"]["message"]) == ("TypeError", "no tide")


def test_typescript_sends_again_what_a_hub_that_was_away_did_not_get(hub: Hub, built: Path) -> None:
    hub.stop()
    with subprocess.Popen(
        [tool("node"), str(built / "program.js")],
        env=environment(hub),
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        hub.start()
        stats = json.loads(process.stdout.readline())
        assert process.wait(180) == 0
    assert stats == {"sent": 1206, "rejected": 0, "dropped": 0}
    eventually(lambda: len({event["id"] for event in events(hub, "ts")}) == 6, "the events")


OVERFULL = """
import { Laneway } from "./laneway.js";
const log = new Laneway({ agent: "full", limit: 5 });
const real = globalThis.fetch;
globalThis.fetch = async (...args) => {
  const answer = await real(...args);
  if (!log.stats.sent) for (let i = 5; i < 15; i++) log.logEvent("full", "log", `${i}`); // while a batch is on its way
  return answer;
};
for (let i = 0; i < 5; i++) log.logEvent("full", "log", `${i}`);
if (!(await log.flush(600_000))) process.exit(4);
console.log(JSON.stringify(log.stats));
"""


def test_typescript_counts_what_it_drops_and_drops_nothing_else(hub: Hub, built: Path) -> None:
    """Sent and dropped are all that was logged, though the queue overflows while a batch is on its way."""
    (built / "overfull.js").write_text(OVERFULL)
    said = run([tool("node"), str(built / "overfull.js")], hub)
    stats = json.loads(said)
    assert stats == {"sent": 10, "rejected": 0, "dropped": 5}
    eventually(lambda: len(events(hub, "full")) == 10, "the events")
    assert [event["content"] for event in events(hub, "full")] == [
        str(n) for n in (*range(5), *range(10, 15))
    ]


ALONE = """
import { Laneway } from "./laneway.js";
const log = new Laneway({ agent: "alone" });
log.logEvent(null, "log", "to nobody");
const isSent = await log.flush(700); // after the second try
console.log(isSent, JSON.stringify(log.stats));
"""


def test_typescript_keeps_no_program_alive_while_the_hub_is_away(hub: Hub, built: Path) -> None:
    hub.stop()
    (built / "alone.js").write_text(ALONE)
    said = run([tool("node"), str(built / "alone.js")], hub)
    assert said == 'false {"sent":0,"rejected":0,"dropped":0}\n'
