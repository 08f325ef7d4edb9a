"""Writers are killed and the log rotates under them; nobody else loses a line (P2, P5)."""

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import orjson
import pytest

from laneway.log.segment import LogPath
from tests.torture.harness import Writer

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
KILLS = 1_000 if IS_LONG else 18
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


def test_a_killed_writer_harms_no_other(tmp_path: Path) -> None:
    seed = int(os.environ.get("LANEWAY_SEED", "0")) or random.randrange(1, 10**6)
    draw = random.Random(seed)
    env = {**os.environ, "LOG_PATH": str(tmp_path / "log"), "LANEWAY_SEGMENT_BYTES": "16MiB"}
    done: list[Writer] = []
    alive: list[Writer] = []
    kills = 0
    while kills < KILLS:
        while len(alive) < AT_ONCE:
            number = len(done) + len(alive)
            alive.append(Writer(f"w{number}", env, 10**6, 200_000, seed + number))
        time.sleep(draw.uniform(0.02, 0.3))
        victim = alive.pop(draw.randrange(len(alive)))
        if not victim.acknowledged:
            time.sleep(0.3)  # it was still starting
        victim.kill()
        victim.join()
        done.append(victim)
        kills += 1
    for writer in alive:
        writer.process.send_signal(signal.SIGKILL)
        writer.join()
        kills += 1
    done += alive
    events, fragments = read(tmp_path / "log")

    acknowledged = {(writer.name, i) for writer in done for i in writer.acknowledged}
    found = [(event["agent"], event["i"]) for event in events]
    missing = acknowledged - set(found)
    print(
        f"seed {seed}: {kills} kills, {len(acknowledged)} events acknowledged, {len(found)} found, "
        f"{len(missing)} lost, {fragments} fragments"
    )
    assert acknowledged
    assert not missing
    assert len(found) == len(set(found))
    assert fragments <= kills


def test_rotation_under_many_writers_loses_and_repeats_nothing(tmp_path: Path) -> None:
    writers = [
        subprocess.Popen([sys.executable, "-c", BUSY, str(tmp_path), f"w{n}", str(ROTATION_LINES)])
        for n in range(ROTATION_WRITERS)
    ]
    assert [writer.wait(600) for writer in writers] == [0] * ROTATION_WRITERS
    events, fragments = read(tmp_path)
    rotations = len(LogPath(str(tmp_path)).numbers()) - 1

    print(f"{rotations} rotations under {ROTATION_WRITERS} writers, {len(events)} lines")
    assert rotations >= 90
    assert fragments == 0
    assert sorted((event["w"], event["i"]) for event in events) == [
        (f"w{n}", i) for n in range(ROTATION_WRITERS) for i in range(ROTATION_LINES)
    ]
