"""A log that is written for long with a limit on its size stays within it, its index included (P19)."""

import os
import threading
import time
from pathlib import Path

import pytest

from laneway.hub.reserve import RESERVE_FILE
from tests.torture.conftest import Report
from tests.torture.harness import Hub, Writer
from tests.waiting import eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
LIMIT_BYTES = (64 if IS_LONG else 8) << 20
SEGMENT_BYTES = LIMIT_BYTES // 16
MOST_BYTES = LIMIT_BYTES + (SEGMENT_BYTES if IS_LONG else LIMIT_BYTES // 2)
"""The promise is one segment; a test among others on a busy machine gives it more."""
WRITERS = 4
TIMES = 4 if IS_LONG else 2
"""So many times the limit is written."""


def size_of(directory: Path) -> int:
    """Bytes of all its files, whatever they are, but for the reserve: that has a setting of its own."""
    total = 0
    for path in directory.rglob("*"):
        if path.name == RESERVE_FILE:
            continue
        try:
            total += path.lstat().st_size
        except OSError:  # removed since it was listed
            continue
    return total


class Gauge:
    """Looks at a directory's size all the time."""

    def __init__(self, directory: Path) -> None:
        self.most_bytes = 0
        self.looks = 0
        self._directory = directory
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        while not self._is_over.wait(0.02):
            self.most_bytes = max(self.most_bytes, size_of(self._directory))
            self.looks += 1

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()


def test_a_log_with_a_limit_never_takes_more_than_it_and_one_segment(
    tmp_path: Path, seed: int, report: Report
) -> None:
    log = tmp_path / "log"
    hub = Hub(tmp_path / "home", log)
    hub.env |= {
        "LANEWAY_RETENTION_BYTES": str(LIMIT_BYTES),
        "LANEWAY_SEGMENT_BYTES": str(SEGMENT_BYTES),
    }
    hub.start()
    gauge = Gauge(log)
    begun_s = time.monotonic()
    rate = 1_500 if IS_LONG else 600
    writers = [
        Writer(f"w{n}", {**hub.env, "LOGGING_URL": ""}, 10**9, 100_000, seed + n, rate)
        for n in range(WRITERS)
    ]
    try:
        eventually(lambda: written(log) >= TIMES * LIMIT_BYTES, "enough to be written", 400)
    finally:
        for writer in writers:
            writer.kill()
        for writer in writers:
            writer.join()
    acknowledged = sum(len(writer.acknowledged) for writer in writers)
    hub.wait_level()
    gauge.stop()
    # a segment goes from the log first, and from the index a moment later
    eventually(
        lambda: hub.get("/health")["index"]["events"] == count_lines(log), "the index as the log"
    )
    assert hub.stop() == 0
    report(
        "soak", limit_mb=LIMIT_BYTES >> 20, segment_mb=SEGMENT_BYTES / 2**20,
        written_mb=written(log) >> 20, acknowledged=acknowledged,
        most_mb=round(gauge.most_bytes / 2**20, 1), looks=gauge.looks,
        seconds=round(time.monotonic() - begun_s),
    )  # fmt: skip
    assert gauge.most_bytes <= MOST_BYTES


def count_lines(log: Path) -> int:
    return sum(path.read_bytes().count(b'"agent":"w') for path in log.glob("*-0*.jsonl"))


def written(log: Path) -> int:
    """Bytes ever written, by the number of the newest segment."""
    numbers = [int(path.stem.rpartition("-")[2]) for path in log.glob("events-0*.jsonl")]
    return max(numbers, default=0) * SEGMENT_BYTES
