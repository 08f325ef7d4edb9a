"""The real logrotate rotates a foreign log under its writer: what can be kept is kept, and what
copytruncate loses is told."""

import gzip
import os
import random
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from tests.torture.conftest import Report
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = [
    pytest.mark.torture,
    pytest.mark.timeout(900),
    pytest.mark.skipif(not shutil.which("logrotate"), reason="logrotate is not installed"),
]

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
ROTATIONS = 40 if IS_LONG else 5
PAUSE_S = 1.0 if IS_LONG else 0.3
READ_AGAIN = 1.02
"""Bytes read of bytes written, at most: the hub may die between a read and its transaction."""
NEAR_BYTES = 256 * 1024
"""Of two cuts between two looks only one can be told, so no rotation begins before the last was."""

WRITER = """
import json, sys, threading, time
path, keeps_open = sys.argv[1], sys.argv[2] == "kept open"
is_over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
file = open(path, "a") if keeps_open else None
n = 0
def write(event):
    line = json.dumps({"timestamp": time.time(), "agent": "app", "event": "log", **event}) + "\\n"
    if file:
        file.write(line)
        file.flush()
        return
    with open(path, "a") as one:
        one.write(line)
while not is_over.is_set():
    write({"n": n, "content": "x" * (n * 37 % 400)})
    n += 1
    time.sleep(0.001)
print(n)
"""

CONFIGURATIONS = {
    "create": ("reopened", "create\nnocompress"),
    "dateext": ("reopened", "create\nnocompress\ndateext\ndateformat .%s"),
    "compress": ("reopened", "create\ncompress"),
    "delaycompress": ("reopened", "create\ncompress\ndelaycompress"),
    "copytruncate": ("kept open", "copytruncate\nnocompress"),
}


def read_bytes(hub: Hub) -> int:
    """What the hub has read of the log since it was started."""
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    request = urllib.request.Request(f"{hub.url}/metrics", headers=headers)
    with urllib.request.urlopen(request, timeout=180) as response:
        found = re.search(rb"^laneway_indexed_bytes_total (\d+)$", response.read(), re.MULTILINE)
    assert found
    return int(found[1])


def configure(tmp_path: Path, path: Path, options: str) -> None:
    conf = tmp_path / "rotate.conf"
    conf.write_text(f"{path} {{\nrotate 1000\nmissingok\n{options}\n}}\n")
    conf.chmod(0o600)


def rotate(tmp_path: Path) -> None:
    command = ["logrotate", "--force", "--state", tmp_path / "state", tmp_path / "rotate.conf"]
    subprocess.run(command, check=True)


def broken(hub: Hub) -> int:
    """How many cuts and losses of files were told."""
    return int(hub.get("/health")["index"]["broken"])


def lines_of(log: Path) -> Iterator[bytes]:
    """The lines that stand in the files, compressed ones too."""
    for path in log.glob("app.jsonl*"):
        data = path.read_bytes()
        yield from filter(
            None, (gzip.decompress(data) if path.suffix == ".gz" else data).split(b"\n")
        )


def read(log: Path) -> Counter[int]:
    """Their numbers."""
    return Counter(orjson.loads(line)["n"] for line in lines_of(log))


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_rotation_by_logrotate_costs_nothing_that_the_files_still_hold(
    tmp_path: Path, name: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    how, options = CONFIGURATIONS[name]
    log = tmp_path / "log"
    log.mkdir(mode=0o700)
    path = log / "app.jsonl"
    configure(tmp_path, path, options)
    hub = Hub(tmp_path / "home", log)
    hub.start()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), how],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        eventually(lambda: path.exists() and path.stat().st_size, "the writer")
        for rotation in range(ROTATIONS):
            time.sleep(PAUSE_S * draw.uniform(0.5, 1.5))
            if name == "copytruncate":
                eventually(lambda: hub.lag_bytes() < NEAR_BYTES, "the index to come near")
                eventually(lambda: broken(hub) == rotation, "the last cut to be told")  # noqa: B023
                # A cut of a file of which nothing was read yet is none: it is told once something was.
                eventually(
                    lambda: hub.lag_bytes() < path.stat().st_size, "the new lines to be read"
                )
            if name == "dateext":
                time.sleep(1.1)  # the date of its names has seconds
            rotate(tmp_path)
        time.sleep(PAUSE_S)
        said, _ = writer.communicate("", timeout=180)
        in_files = read(log)
        time.sleep(0.6)  # the directory is listed every half second
        if name == "copytruncate":
            eventually(lambda: broken(hub) == ROTATIONS, "the last cut to be told")
        hub.wait_level()
        size = sum(len(line) for line in lines_of(log))
        was_read = read_bytes(hub)
        in_index = Counter(event["n"] for event in hub.iter_events("&agent=app"))
        told = broken(hub)
    finally:
        writer.kill()
        writer.communicate()
        hub.stop()

    written, lost = int(said), int(said) - len(in_files)
    report(
        f"rotation_{name}", rotations=ROTATIONS, written=written, in_files=len(in_files),
        missing=len(in_files - in_index), twice=in_index.total() - len(in_index), told=told,
        bytes=size, bytes_read=was_read,
    )  # fmt: skip
    assert in_index == in_files
    assert set(in_files.values()) == {1}
    if name != "copytruncate":
        assert (lost, told) == (0, 0)
        assert size <= was_read <= size * READ_AGAIN
    if name == "copytruncate":
        assert told == ROTATIONS


def test_files_renamed_while_the_hub_is_killed_are_not_read_again(
    tmp_path: Path, seed: int, report: Report
) -> None:
    """Among them one that is removed, so that the numbers close up behind it."""
    draw = random.Random(seed)
    log = tmp_path / "log"
    log.mkdir(mode=0o700)
    path = log / "app.jsonl"
    configure(tmp_path, path, CONFIGURATIONS["create"][1])
    hub = Hub(tmp_path / "home", log)
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), "reopened"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    was_read = removed_bytes = rotations = 0
    try:
        eventually(lambda: path.exists() and path.stat().st_size, "the writer")
        for _ in range(10 if IS_LONG else 3):
            hub.start()
            eventually(lambda: hub.lag_bytes() < NEAR_BYTES, "the index to come near")
            time.sleep(draw.uniform(0, 0.3))
            was_read += read_bytes(hub)
            hub.kill()
            for _ in range(draw.randrange(1, 4)):
                time.sleep(0.1)
                rotate(tmp_path)
                rotations += 1
            if not removed_bytes and (log / "app.jsonl.3").exists():
                removed_bytes = len((log / "app.jsonl.3").read_bytes())
                (log / "app.jsonl.3").unlink()
        said, _ = writer.communicate("", timeout=180)
        hub.start()
        hub.wait_level()
        was_read += read_bytes(hub)
        in_index = Counter(event["n"] for event in hub.iter_events("&agent=app"))
        told = broken(hub)
    finally:
        writer.kill()
        writer.communicate()
        hub.stop()

    in_files = read(log)
    size = sum(len(line) for line in lines_of(log)) + removed_bytes
    report(
        "rotation_away", rotations=rotations, written=int(said), in_files=len(in_files),
        missing=len(in_files - in_index), twice=in_index.total() - len(in_index),
        bytes=size, bytes_read=was_read,
    )  # fmt: skip
    assert in_index == in_files
    assert was_read <= size * READ_AGAIN
    assert told == 0
    assert "damaged" not in hub.output.read_text()
