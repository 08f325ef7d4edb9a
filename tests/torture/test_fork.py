"""Forks while threads log, multiprocessing by fork and spawn, workers forked ahead (P11)."""

import multiprocessing
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import orjson
import pytest

from tests.torture.conftest import Report

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
FORKS = 1_000 if IS_LONG else 60

FORKING = """
import faulthandler, os, sys, threading, warnings
import laneway
warnings.simplefilter("ignore")
forks = int(sys.argv[1])
is_over = threading.Event()
counts = [0] * 4
def write(number):
    while not is_over.is_set():
        laneway.log_event(f"thread{number}", "log", "x" * 200, n=counts[number])
        counts[number] += 1
threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
for thread in threads: thread.start()
for child in range(forks):
    pid = os.fork()
    if not pid:
        faulthandler.dump_traceback_later(20, exit=True)  # where it hangs, if it does
        laneway.log_event("child", "log", n=child)
        os._exit(0)
    if os.waitpid(pid, 0)[1]:
        os._exit(1)
is_over.set()
for thread in threads: thread.join()
assert laneway.flush(180)
print(*counts)
"""

POOL = """
import multiprocessing, sys
import laneway
def work(n):
    laneway.log_event("worker", "log", n=n)
    return n
if __name__ == "__main__":
    laneway.log_event("parent", "log", n=0)
    with multiprocessing.get_context(sys.argv[1]).Pool(4) as pool:
        assert sorted(pool.map(work, range(100))) == list(range(100))
        pool.close()
        pool.join()
    laneway.log_event("parent", "log", n=1)
    assert laneway.flush(180)
"""

PREFORK = """
import os, laneway
laneway.configure()
laneway.log_event("master", "log", n=0)
pids = []
for worker in range(4):
    pid = os.fork()
    if not pid:
        for n in range(200):
            assert laneway.log_event(f"worker{worker}", "log", n=n)
        os._exit(0)
    pids.append(pid)
assert [os.waitpid(pid, 0)[1] for pid in pids] == [0] * 4
"""


def run(tmp_path: Path, code: str, *arguments: str) -> tuple[str, Counter[tuple[str, int]]]:
    """What the program said, and its events."""
    script = tmp_path / "program.py"
    script.write_text(code)
    env = {**os.environ, "LOG_PATH": str(tmp_path / "log"), "LANEWAY_SEGMENT_BYTES": "64KiB"}
    done = subprocess.run(
        [sys.executable, str(script), *arguments],
        env=env,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert done.returncode == 0, done.stderr
    paths = (tmp_path / "log").glob("*-0*.jsonl")
    lines = [line for path in paths for line in path.read_bytes().split(b"\n") if line]
    events = map(orjson.loads, lines)
    return done.stdout, Counter((event["agent"], event["n"]) for event in events)


def test_forks_while_threads_log_hang_lose_and_repeat_nothing(
    tmp_path: Path, report: Report
) -> None:
    said, found = run(tmp_path, FORKING, str(FORKS))
    counts = list(map(int, said.split()))

    wanted = {(f"thread{number}", n) for number, count in enumerate(counts) for n in range(count)}
    wanted |= {("child", n) for n in range(FORKS)}
    assert set(found) == wanted
    assert set(found.values()) == {1}
    report("fork", forks=FORKS, events=len(found), hung=0, lost=0, twice=0)


@pytest.mark.parametrize("method", multiprocessing.get_all_start_methods())
def test_a_pool_of_processes_logs_each_event_once(tmp_path: Path, method: str) -> None:
    _, found = run(tmp_path, POOL, method)

    assert found == Counter([("worker", n) for n in range(100)] + [("parent", 0), ("parent", 1)])


def test_workers_that_were_forked_ahead_log_each_event_once(tmp_path: Path) -> None:
    _, found = run(tmp_path, PREFORK)

    wanted = [(f"worker{worker}", n) for worker in range(4) for n in range(200)]
    assert found == Counter([*wanted, ("master", 0)])
