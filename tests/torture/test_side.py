"""Writers of long payloads are killed; every acknowledged one reads back whole (P1)."""

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from hashlib import sha256
from pathlib import Path

import orjson
import pytest

from laneway.log.reference import References
from laneway.log.segment import LogPath
from laneway.log.side import SideFiles
from laneway.log.sweep import sweep
from laneway.model.cut import put_back
from tests.torture.conftest import Report
from tests.waiting import eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
KILLS = 60 if IS_LONG else 10
AT_ONCE = 2

WRITER = """
import random, sys
from hashlib import sha256
import laneway
name, seed = sys.argv[1], int(sys.argv[2])
draw = random.Random(seed)
prose = "The planner asks the researcher for three sources on tidal power.\\n" * 20_000
for i in range(10**6):
    text = f"{name} {i}\\n" + prose[: draw.randrange(270_000, 1_200_000)]
    shared = prose[: draw.choice([300_000, 400_000])]
    if laneway.log_event(name, "tool_result", input=shared, output=text, i=i):
        print(i, sha256(text.encode()).hexdigest(), sha256(shared.encode()).hexdigest(), flush=True)
"""

CRASH = """
import os, signal, sys
import laneway
from laneway.log import side
point = sys.argv[1]

def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

laneway.log_event("w", "log", "first")
if point == "draft open":
    side.os.write = die
elif point == "half a draft":
    write = os.write
    side.os.write = lambda fd, data: (write(fd, data[:1000]), die())
elif point == "before the name":
    side.os.rename = die
elif point == "before the line":
    from laneway.sdk.recorder import shared
    shared._outbox.keep = die
laneway.log_event("w", "tool_result", output="a long text " * 50_000)
"""


def env_of(log: Path) -> dict[str, str]:
    return {**os.environ, "LOG_PATH": str(log), "LANEWAY_SEGMENT_BYTES": "16MiB"}


def read_events(log: Path) -> dict[tuple[str, int], dict]:
    found = {}
    for path in sorted(log.glob("*-0*.jsonl")):
        for line in filter(None, path.read_bytes().split(b"\n")):
            try:
                event = orjson.loads(line)
            except orjson.JSONDecodeError:  # what a killed writer left of its last line
                continue
            found[event["agent"], event.get("i", -1)] = event
    return found


def files_of(log: Path, suffix: str) -> list[Path]:
    return [path for path in (log / "side").rglob(f"*{suffix}") if path.is_file()]


def test_every_acknowledged_payload_reads_back_whole(
    tmp_path: Path, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    log, total = tmp_path / "log", Counter[str]()
    alive: list[tuple[str, subprocess.Popen[bytes]]] = []
    acknowledged: dict[tuple[str, int], tuple[str, str]] = {}
    started = 0
    while started < KILLS or alive:
        while len(alive) < AT_ONCE and started < KILLS:
            name = f"w{started}"
            command = [sys.executable, "-c", WRITER, name, str(draw.randrange(10**6))]
            out = (tmp_path / name).open("wb")
            alive.append((name, subprocess.Popen(command, env=env_of(log), stdout=out)))
            out.close()
            started += 1
        name, process = alive.pop(0)
        eventually(lambda path=tmp_path / name: path.stat().st_size, "its first event")
        time.sleep(draw.uniform(0, 0.6))
        process.send_signal(signal.SIGKILL)
        process.wait()
        for line in (tmp_path / name).read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                i, output, shared = line.split()
                acknowledged[name, int(i)] = output, shared

    events = read_events(log)
    side = SideFiles(str(log))
    for key, (output, shared) in acknowledged.items():
        event = events[key]
        assert put_back(event, side.read) == 0
        assert sha256(event["output"].encode()).hexdigest() == output
        assert sha256(event["input"].encode()).hexdigest() == shared
    for path in files_of(log, ".txt"):
        assert sha256(path.read_bytes()).hexdigest() == path.stem, (
            "a half file under its final name"
        )

    drafts = len(files_of(log, ".draft"))
    swept = sweep(side, References(LogPath(str(log))).all, age_ns=0)
    events = read_events(log)
    assert all(put_back(events[key], side.read) == 0 for key in acknowledged)
    total.update(kills=KILLS, acknowledged=len(acknowledged), drafts=drafts, orphans=swept - drafts)
    report("side", **total, lost=0, damaged=0)
    assert len(acknowledged) >= KILLS
    assert drafts <= KILLS
    assert swept <= 3 * KILLS


@pytest.mark.parametrize(
    "point", ["draft open", "half a draft", "before the name", "before the line"]
)
def test_a_kill_in_between_leaves_at_most_an_orphan(tmp_path: Path, point: str) -> None:
    log = tmp_path / "log"
    process = subprocess.run([sys.executable, "-c", CRASH, point], env=env_of(log), check=False)

    assert process.returncode == -signal.SIGKILL
    assert list(read_events(log)) == [("w", -1)]
    assert len(files_of(log, ".draft")) + len(files_of(log, ".txt")) == 1
    assert len(files_of(log, ".txt")) == (point == "before the line")

    side = SideFiles(str(log))
    references = References(LogPath(str(log)))
    assert sweep(side, references.all) == 0  # it is not a day old
    assert sweep(side, references.all, age_ns=0) == 1
    assert not files_of(log, "")
