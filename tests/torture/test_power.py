"""Power cuts: the disk's image is copied while everybody who writes to it is stopped, so that the copy
holds what had reached the disk and nothing else (P3). The copy is mounted, and compared with the
acknowledgements: of the writers' own log, of a spool, and of a hub over HTTP."""

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
from typing import NamedTuple

import pytest

from tests.port import free_port
from tests.torture.conftest import Report
from tests.torture.harness import Hub
from tests.torture.volume import mount
from tests.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
CUTS = 40 if IS_LONG else 2
IMAGE_BYTES = 64 << 20

WINDOW_S = 1.0 if IS_LONG else 60.0
"""The promise is 1 s; a test among others on a busy machine gives the thread and the disk more."""

LOGGER = """
import laneway, os, sys, threading, time
is_paced = len(sys.argv) > 1
def write(name):
    n = 0
    while True:
        if laneway.log_event(name, "log", "x" * (n * 37 % 900), n=n):
            os.write(1, f"{name} {n} {time.time_ns()}\\n".encode())
        n += 1
        if is_paced:
            time.sleep(0.001)
for name in ("a", "b", "c"):
    threading.Thread(target=write, args=(name,)).start()
"""

SENDER = """
import http.client, json, os, sys, threading, time
port, token = int(sys.argv[1]), sys.argv[2]
def send(name):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=180)
    head = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    n = 0
    while True:
        body = json.dumps({"agent": name, "event": "log", "content": "x" * (n * 37 % 900), "n": n})
        connection.request("POST", "/log", body, head)
        answer = connection.getresponse()
        receipt = json.loads(answer.read())
        if answer.status == 200 and receipt["durability"] == sys.argv[3]:
            os.write(1, f"{name} {n} {time.time_ns()}\\n".encode())
        n += 1
for name in ("a", "b", "c", "d"):
    threading.Thread(target=send, args=(name,)).start()
"""


class Cut(NamedTuple):
    """What one power cut left."""

    acknowledged: dict[tuple[str, int], float]
    """When each event was acknowledged, in Unix seconds."""
    found: set[tuple[str, int]]
    cut_s: float

    @property
    def lost(self) -> dict[tuple[str, int], float]:
        """Seconds before the cut at which what is gone was acknowledged."""
        return {
            key: self.cut_s - at_s
            for key, at_s in self.acknowledged.items()
            if key not in self.found
        }


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


class Load:
    """A process that writes, and what was acknowledged to it, with the time."""

    def __init__(self, command: list[str], env: dict[str, str]) -> None:
        self.acknowledged: dict[tuple[str, int], float] = {}
        self.process = subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True)
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout
        for line in self.process.stdout:
            if line.endswith("\n"):
                name, n, at_ns = line.split()
                self.acknowledged[name, int(n)] = int(at_ns) / 1e9

    def end(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        assert self.process.stdout
        self.process.stdout.close()


def cut_under(
    directory: Path, load: Load, others: list[int], image: Path, run_s: float, log: str
) -> Cut:
    copy = directory / "copy.img"
    pids = [*others, load.process.pid]
    try:
        eventually(lambda: len(load.acknowledged) > 5, "the first events")
        time.sleep(run_s)
        for pid in reversed(pids):
            os.kill(pid, signal.SIGSTOP)
        cut_s = time.time()  # from here on nobody begins a sync
        eventually(lambda: all(map(is_stopped, pids)), "all threads to stand still")
        subprocess.run(["cp", "--sparse=always", str(image), str(copy)], check=True)
    finally:
        load.end()
        for pid in others:
            os.kill(pid, signal.SIGKILL)
    with disk(copy, directory / "after") as volume:
        found = set(iter_events(volume, log))
    copy.unlink()
    return Cut(load.acknowledged, found, cut_s)


def cut_file(directory: Path, run_s: float, level: str, *, url: str = "") -> Cut:
    """A cut under a process that logs to a log, or with ``url`` to its spool."""
    image = directory / "disk.img"
    make_image(image)
    with disk(image, directory / "disk") as volume:
        env = {**os.environ, "LANEWAY_HOME": str(volume / "home"), "LOG_PATH": str(volume / "log"),
               "LANEWAY_DURABILITY": level, "LANEWAY_SEGMENT_BYTES": "128KiB"}  # fmt: skip
        env.pop("LOGGING_URL", None)
        if url:
            env["LOGGING_URL"] = url
        paced = ["paced"] if level == "default" else []
        load = Load([sys.executable, "-c", LOGGER, *paced], env)
        return cut_under(directory, load, [], image, run_s, "home/spool/*" if url else "log")


def cut_hub(directory: Path, run_s: float, level: str) -> Cut:
    """A cut under a hub, its indexer, and four connections that post to it."""
    image = directory / "disk.img"
    make_image(image)
    with disk(image, directory / "disk") as volume:
        hub = Hub(directory / "home", volume / "log")
        hub.env |= {"LANEWAY_DURABILITY": level, "LANEWAY_SEGMENT_BYTES": "256KiB"}
        hub.start()
        assert hub.process
        try:
            pids = [hub.process.pid, *children(hub.process.pid)]
            command = [sys.executable, "-c", SENDER, str(hub.port), hub.access_token, level]
            load = Load(command, dict(os.environ))
            return cut_under(directory, load, pids, image, run_s, "log")
        finally:
            hub.kill()


def children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def is_stopped(pid: int) -> bool:
    states = [
        path.read_text().rpartition(")")[2].split()[0]
        for path in Path(f"/proc/{pid}/task").glob("*/stat")
    ]
    return set(states) == {"T"}


def iter_events(volume: Path, log: str) -> Iterator[tuple[str, int]]:
    for path in volume.glob(f"{log}/*.jsonl"):
        if path.is_symlink():
            continue
        for line in filter(None, path.read_bytes().split(b"\n")):
            try:
                event = json.loads(line)
                yield event["agent"], event["n"]
            except ValueError:
                continue


def run_cuts(tmp_path: Path, seed: int, report: Report, kind: str, level: str) -> list[Cut]:
    """``CUTS`` power cuts after 0.1 to 3 s each."""
    draw = random.Random(seed)
    cuts = []
    count = max(1, CUTS // 2) if kind == "hub" else CUTS  # a hub takes seconds to start
    for number in range(count):
        directory = tmp_path / f"{number}"
        directory.mkdir()
        run_s = draw.uniform(0.1, 3.0 if level == "default" else 1.5)
        if kind == "hub":
            cuts.append(cut_hub(directory, run_s, level))
        else:
            url = f"http://127.0.0.1:{free_port()}/log" if kind == "spool" else ""
            cuts.append(cut_file(directory, run_s, level, url=url))
        (directory / "disk.img").unlink()
    acknowledged, lost = sum(len(cut.acknowledged) for cut in cuts), [cut.lost for cut in cuts]
    oldest_s = max((age_s for ages in lost for age_s in ages.values()), default=0.0)
    report(
        f"power_{level}_{kind}", cuts=count, acknowledged=acknowledged, lost=sum(map(len, lost)),
        oldest_s=round(oldest_s, 2),
    )  # fmt: skip
    return cuts


@pytest.mark.parametrize("kind", ["log", "spool", "hub"])
def test_a_power_cut_loses_nothing_that_was_acknowledged_as_durable(
    tmp_path: Path, seed: int, report: Report, kind: str
) -> None:
    for cut in run_cuts(tmp_path, seed, report, kind, "durable"):
        assert not cut.lost


@pytest.mark.parametrize("kind", ["log", "spool", "hub"])
def test_by_default_a_power_cut_loses_nothing_that_is_older_than_the_window(
    tmp_path: Path, seed: int, report: Report, kind: str
) -> None:
    for cut in run_cuts(tmp_path, seed, report, kind, "default"):
        assert {key: age_s for key, age_s in cut.lost.items() if age_s > WINDOW_S} == {}


def test_the_harness_sees_what_no_sync_has_covered(tmp_path: Path) -> None:
    """Else nothing above means anything: without syncs a short run leaves nothing. In one that takes a busy
    machine longer, the kernel writes by itself what it has held for some seconds."""
    never = "from laneway.log import syncer\nsyncer.PERIOD_S = 1e6\n" + LOGGER
    for number in range(5):
        place = tmp_path / f"{number}"
        place.mkdir()
        make_image(place / "disk.img")
        with disk(place / "disk.img", place / "disk") as volume:
            env = {
                **os.environ,
                "LANEWAY_HOME": str(place / "home"),
                "LOG_PATH": str(volume / "log"),
            }
            load = Load([sys.executable, "-c", never], env)
            cut = cut_under(place, load, [], place / "disk.img", 0.5, "log")
        if (
            max(cut.lost.values(), default=0.0) < 3.0
            and cut.cut_s - min(cut.acknowledged.values()) < 3.0
        ):
            break

    assert len(cut.lost) == len(cut.acknowledged)
