"""Writers are killed and the log rotates under them; nobody else loses a line (P2, P5)."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import orjson
import pytest

from laneway.log.segment import LogPath
from tests.torture.conftest import Report
from tests.torture.harness import Writer
from tests.waiting import eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
ROUNDS = 50 if IS_LONG else 1
KILLS = 20
AT_ONCE = 8 if IS_LONG else 6
ROTATION_WRITERS = 6
ROTATION_LINES = 25_000 if IS_LONG else 1_500

BUSY = """
import sys
from laneway.log.append import Appender
from laneway.log.segment import LogPath
directory, name, count = sys.argv[1], sys.argv[2].encode(), int(sys.argv[3])
appender = Appender(LogPath(directory), segment_bytes=20_000)
for i in range(count):
    appender.append([b'{"w":"%s","i":%d,"pad":"%s"}' % (name, i, b"x" * (i * 37 % 400))])
"""


def read(directory: Path) -> tuple[list[dict], int]:
    """(events, fragments)"""
    events, fragments = [], 0
    for path in sorted(directory.glob("*.jsonl")):
        if path.is_symlink():
            continue
        for line in filter(None, path.read_bytes().split(b"\n")):
            try:
                events.append(orjson.loads(line))
            except orjson.JSONDecodeError:
                fragments += 1
    return events, fragments


def kill_writers(log: Path, draw: random.Random) -> list[Writer]:
    """Start `AT_ONCE` writers again and again, and kill one at a time; all of them, dead."""
    env = {**os.environ, "LOG_PATH": str(log), "LANEWAY_SEGMENT_BYTES": "16MiB"}
    dead: list[Writer] = []
    alive: list[Writer] = []
    while len(dead) < KILLS:
        while len(alive) < min(AT_ONCE, KILLS - len(dead)):
            number = len(dead) + len(alive)
            alive.append(Writer(f"w{number}", env, 10**6, 200_000, draw.randrange(10**6)))
        victim = alive.pop(draw.randrange(len(alive)))
        if not dead or draw.random() < 0.8:  # the others may be starting still
            eventually(lambda: victim.acknowledged, "its first event")  # noqa: B023
        time.sleep(draw.uniform(0.02, 0.3))
        victim.kill()
        victim.join()
        dead.append(victim)
    return dead


def test_a_killed_writer_harms_no_other(tmp_path: Path, seed: int, report: Report) -> None:
    draw = random.Random(seed)
    total: Counter[str] = Counter()
    for round_ in range(ROUNDS):
        log = tmp_path / f"log{round_}"
        dead = kill_writers(log, draw)
        events, fragments = read(log)
        shutil.rmtree(log)
        acknowledged = {(writer.name, i) for writer in dead for i in writer.acknowledged}
        found = [(event["agent"], event["i"]) for event in events]
        missing = acknowledged - set(found)
        assert not missing, f"{len(missing)} lost, such as {sorted(missing)[:3]}"
        assert len(found) == len(set(found))
        assert fragments <= KILLS
        total.update(
            kills=KILLS, acknowledged=len(acknowledged), found=len(found), fragments=fragments
        )
    report("writer_kill", **total, lost=0, twice=0)
    assert total["acknowledged"]


def test_rotation_under_many_writers_loses_and_repeats_nothing(
    tmp_path: Path, report: Report
) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", BUSY, str(tmp_path), f"w{n}", str(ROTATION_LINES)])
        for n in range(ROTATION_WRITERS)
    ]
    assert [writer.wait(600) for writer in writers] == [0] * ROTATION_WRITERS
    events, fragments = read(tmp_path)
    rotations = len(LogPath(str(tmp_path)).numbers()) - 1

    assert rotations >= 90
    assert fragments == 0
    assert sorted((event["w"], event["i"]) for event in events) == [
        (f"w{n}", i) for n in range(ROTATION_WRITERS) for i in range(ROTATION_LINES)
    ]
    report("own_rotation", rotations=rotations, writers=ROTATION_WRITERS, lines=len(events), lost=0)
