"""Power cuts: the disk's image is copied while the writer is stopped, so that the copy holds what had
reached the disk and nothing else (P3). The copy is mounted, and compared with the acknowledgements."""

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.torture.harness import wait_for
from tests.torture.volume import mount

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
CUTS = 40 if IS_LONG else 2
IMAGE_BYTES = 32 << 20

WRITER = """
import laneway, threading, sys
def write(name):
    n = 0
    while True:
        if laneway.log_event(name, "log", "x" * (n * 37 % 900), n=n):
            sys.stdout.write(f"{name} {n}\\n")
            sys.stdout.flush()
        n += 1
for name in ("a", "b", "c"):
    threading.Thread(target=write, args=(name,)).start()
"""


@contextmanager
def disk(image: Path, point: Path) -> Iterator[Path]:
    point.mkdir()
    mount(["-o", "loop", str(image), str(point)])
    try:
        yield point
    finally:
        subprocess.run(["umount", "--lazy", str(point)], check=True)


def make_image(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(IMAGE_BYTES)
    try:
        subprocess.run(["mkfs.ext4", "-q", "-F", str(path)], check=True, capture_output=True)
    except FileNotFoundError:
        pytest.skip("mkfs.ext4 is not installed")


def cut(directory: Path, run_s: float) -> tuple[set[tuple[str, int]], set[tuple[str, int]]]:
    """(acknowledged, found after the cut)."""
    image, copy = directory / "disk.img", directory / "copy.img"
    make_image(image)
    acknowledged: set[tuple[str, int]] = set()
    with disk(image, directory / "disk") as volume:
        env = {**os.environ, "LANEWAY_HOME": str(directory / "home"), "LOG_PATH": str(volume / "log"),
               "LANEWAY_DURABILITY": "durable", "LANEWAY_SEGMENT_BYTES": "128KiB"}  # fmt: skip
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER], env=env, stdout=subprocess.PIPE, text=True
        )

        def read() -> None:
            assert writer.stdout
            for line in writer.stdout:
                name, n = line.split()
                acknowledged.add((name, int(n)))

        reader = threading.Thread(target=read)
        reader.start()
        try:
            wait_for(lambda: len(acknowledged) > 5, "the writer")
            time.sleep(run_s)
            writer.send_signal(signal.SIGSTOP)
            wait_for(lambda: is_stopped(writer.pid), "all threads to stand still")
            subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
        finally:
            writer.kill()
            writer.wait()
            reader.join()
            assert writer.stdout
            writer.stdout.close()
    with disk(copy, directory / "after") as volume:
        return acknowledged, set(iter_events(volume / "log"))


def is_stopped(pid: int) -> bool:
    states = [
        path.read_text().rpartition(")")[2].split()[0]
        for path in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return set(states) == {"T"}


def iter_events(log: Path) -> Iterator[tuple[str, int]]:
    for path in log.glob("*.jsonl"):
        if path.is_symlink():
            continue
        for line in filter(None, path.read_bytes().split(b"\n")):
            try:
                event = json.loads(line)
                yield event["agent"], event["n"]
            except ValueError:
                continue


def test_a_power_cut_loses_nothing_that_was_acknowledged_as_durable(tmp_path: Path) -> None:
    seed = int(os.environ.get("LANEWAY_SEED", "0")) or random.randrange(1, 10**6)
    draw = random.Random(seed)
    acknowledged_count = 0
    for number in range(CUTS):
        directory = tmp_path / f"{number}"
        directory.mkdir()
        acknowledged, found = cut(directory, draw.uniform(0.1, 1.5))
        missing = acknowledged - found
        assert not missing, f"cut {number}: {len(missing)} of {len(acknowledged)} lost"
        acknowledged_count += len(acknowledged)
    print(f"seed {seed}: {CUTS} power cuts, {acknowledged_count} events acknowledged, 0 lost")
