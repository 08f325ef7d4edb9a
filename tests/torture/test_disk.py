"""The disk fills up in mid-run, again and again, under several writers (P6, P14)."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.torture.conftest import Report
from tests.torture.volume import fill, mounted
from tests.waiting import DEADLINE_S, eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
ROUNDS = 20 if IS_LONG else 2
FULL_S = 1.0 if IS_LONG else 0.4
RECOVERY_S = 2.0 if IS_LONG else DEADLINE_S
"""The promise is 2 s; a test among others on a busy machine gives it more."""

WRITER = """
import json, sys, threading, time
import laneway
name = sys.argv[1]
is_over = threading.Event()
threading.Thread(target=lambda: (sys.stdin.read(), is_over.set()), daemon=True).start()
emitted, acknowledged = 0, []
while not is_over.is_set():
    size = 60_000 if emitted % 50 == 0 else emitted * 37 % 900
    if laneway.log_event(name, "log", "x" * size, n=emitted):
        acknowledged.append(emitted)
    emitted += 1
    time.sleep(0.001)
is_flushed = laneway.flush(180)
print(json.dumps({"emitted": emitted, "acknowledged": acknowledged, "is_flushed": is_flushed,
                  **laneway.stats()}))
"""


def start_writer(name: str, home: Path, log: Path) -> subprocess.Popen[str]:
    env = {**os.environ, "LANEWAY_HOME": str(home), "LOG_PATH": str(log)}
    env["LANEWAY_SEGMENT_BYTES"] = "256KiB"
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, name], env=env, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip


def log_bytes(log: Path) -> int:
    return sum(path.stat().st_size for path in log.glob("*.jsonl") if not path.is_symlink())


def read_log(log: Path) -> tuple[set[tuple[str, int]], int]:
    """(agent, n) of every event, and the number of fragments."""
    found, fragments = set(), 0
    for path in log.glob("*.jsonl"):
        if path.is_symlink():
            continue
        for line in filter(None, path.read_bytes().split(b"\n")):
            try:
                event = json.loads(line)
                found.add((event["agent"], event["n"]))
            except ValueError:
                fragments += 1
    return found, fragments


def test_a_disk_that_fills_up_again_and_again_loses_nothing(tmp_path: Path, report: Report) -> None:
    with mounted(tmp_path / "volume", "512m" if IS_LONG else "24m") as volume:
        log = volume / "log"
        writers = {f"w{n}": start_writer(f"w{n}", tmp_path / "home", log) for n in range(3)}
        slowest_s = 0.0
        for _ in range(ROUNDS):
            eventually(lambda: log_bytes(log), "the first events")
            time.sleep(FULL_S / 2)
            filler = fill(volume)
            time.sleep(FULL_S)
            full_bytes = log_bytes(log)
            filler.unlink()
            free_s = time.monotonic()
            eventually(lambda: log_bytes(log) > full_bytes, "the log to grow again", RECOVERY_S)  # noqa: B023
            slowest_s = max(slowest_s, time.monotonic() - free_s)
        reports = {}
        for name, writer in writers.items():
            out, errors = writer.communicate("", timeout=180)
            assert writer.returncode == 0, errors
            assert "Traceback" not in errors
            reports[name] = json.loads(out)
        found, fragments = read_log(log)

    emitted = sum(told["emitted"] for told in reports.values())
    lost = sum(sum(told["lost"].values()) for told in reports.values())
    for name, told in reports.items():
        missing = {(name, n) for n in told["acknowledged"]} - found
        assert not missing, f"{len(missing)} acknowledged events are gone"
        assert told["is_flushed"]
    assert len(found) == emitted - lost
    report(
        "disk", times_full=ROUNDS, emitted=emitted, in_log=len(found), counted=lost,
        fragments=fragments, slowest_s=round(slowest_s, 2),
    )  # fmt: skip
