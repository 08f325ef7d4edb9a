"""The real logrotate rotates a foreign log under its writer: what can be kept is kept, and what
copytruncate loses is told."""

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

from tests.torture.conftest import Report
from tests.torture.harness import Hub, wait_for

pytestmark = [
    pytest.mark.torture,
    pytest.mark.skipif(not shutil.which("logrotate"), reason="logrotate is not installed"),
]

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
ROTATIONS = 40 if IS_LONG else 5
PAUSE_S = 0.5 if IS_LONG else 0.3
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


def lag_bytes(hub: Hub) -> int:
    return int(hub.get("/health")["index"]["lag_bytes"])


def broken(hub: Hub) -> int:
    """How many cuts and losses of files were told."""
    return int(hub.get("/health")["index"]["broken"])


def read(log: Path) -> Counter[int]:
    """The numbers of the lines that stand in readable files."""
    found: Counter[int] = Counter()
    for path in log.glob("app.jsonl*"):
        if path.suffix != ".gz":
            found.update(orjson.loads(line)["n"] for line in path.read_bytes().split(b"\n") if line)
    return found


@pytest.mark.parametrize("name", CONFIGURATIONS)
def test_a_rotation_by_logrotate_costs_nothing_that_the_files_still_hold(
    tmp_path: Path, name: str, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    how, options = CONFIGURATIONS[name]
    log = tmp_path / "log"
    log.mkdir(mode=0o700)
    path, conf = log / "app.jsonl", tmp_path / "rotate.conf"
    conf.write_text(f"{path} {{\nrotate 1000\nmissingok\n{options}\n}}\n")
    conf.chmod(0o600)
    hub = Hub(tmp_path / "home", log)
    hub.start()
    writer = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path), how],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        wait_for(lambda: path.exists() and path.stat().st_size, "the writer")
        for rotation in range(ROTATIONS):
            time.sleep(PAUSE_S * draw.uniform(0.5, 1.5))
            wait_for(lambda: lag_bytes(hub) < NEAR_BYTES, "the index to come near")
            if name == "copytruncate":
                wait_for(lambda: broken(hub) == rotation, "the last cut to be told")  # noqa: B023
                # A cut of a file of which nothing was read yet is none: it is told once something was.
                wait_for(lambda: lag_bytes(hub) < path.stat().st_size, "the new lines to be read")
            state = str(tmp_path / "state")
            if name == "dateext":
                time.sleep(1.1)  # the date of its names has seconds
            subprocess.run(["logrotate", "--force", "--state", state, str(conf)], check=True)
        time.sleep(PAUSE_S)
        said, _ = writer.communicate("", timeout=60)
        in_files = read(log)
        time.sleep(0.6)  # the directory is listed every half second
        wait_for(lambda: lag_bytes(hub) == 0, "the index")
        in_index = Counter(event["n"] for event in hub.iter_events("&agent=app"))
        if name == "copytruncate":
            wait_for(lambda: broken(hub) == ROTATIONS, "the last cut to be told")
        told = broken(hub)
    finally:
        writer.kill()
        writer.communicate()
        hub.stop()

    written, lost = int(said), int(said) - len(in_files)
    report(
        f"rotation_{name}", rotations=ROTATIONS, written=written, in_files=len(in_files),
        missing=len(in_files - in_index), twice=in_index.total() - len(in_index), told=told,
    )  # fmt: skip
    assert in_index == in_files
    assert set(in_files.values()) == {1}
    if name in ("create", "dateext"):
        assert (lost, told) == (0, 0)
    if name == "copytruncate":
        assert told == ROTATIONS
