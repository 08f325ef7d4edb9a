"""Has a hot path become slower? ``make bench-check``; ``ARGS=--write`` makes what it finds the baseline.

Counts the instructions of each path of `bench.hot` under valgrind, which no other load on the machine
changes: of twice as many calls less those of half of them, so that the start falls out. Without valgrind, or
with ``ARGS=cpu``, it takes processor time, in turns with the yardstick. Either way a figure is a ratio to the
naive writer of the founding document in the same run, and is compared with ``baseline.json``.

It tells and never fails: what is slower may be meant.
"""

import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from time import process_time_ns

from bench.hot import BATCH_EVENTS, PATHS, YARDSTICK
from bench.table import machine, middle, show

BASELINE = Path(__file__).with_name("baseline.json")

CALLS = 2 * BATCH_EVENTS
"""Counted per run; the other run makes twice as many."""

ROUNDS = 40
"""Slices of processor time of each path, and as many of the yardstick."""

TOLERANCE = {"instructions": 0.03, "cpu": 0.15}
"""Two counts differ by a hundredth (threads, hashes); two times on a busy machine by a tenth."""


def count_instructions(name: str) -> float:
    """Of one call."""
    few, many = (_count(name, calls) for calls in (CALLS, 2 * CALLS))
    return (many - few) / CALLS


def _count(name: str, calls: int) -> int:
    command = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null"]
    command += [sys.executable, "-m", "bench.hot", name, str(calls)]
    env = {**os.environ, "PYTHONHASHSEED": "0"}
    done = subprocess.run(command, capture_output=True, text=True, env=env)
    found = re.search(r"Collected : (\d+)", done.stderr)
    if done.returncode or not found:
        raise RuntimeError(done.stderr[-2000:])
    return int(found[1])


def ratios_of_instructions() -> dict[str, float]:
    counts = {name: count_instructions(name) for name in PATHS}
    return {name: count / counts[YARDSTICK] for name, count in counts.items()}


def ratios_of_cpu() -> dict[str, float]:
    found: dict[str, list[float]] = {name: [] for name in PATHS}
    with tempfile.TemporaryDirectory() as folder:
        runs = {}
        for number, (name, make) in enumerate(PATHS.items()):
            os.mkdir(own := f"{folder}/{number}")
            runs[name] = make(own)
            runs[name](CALLS)
        for _ in range(ROUNDS):
            for name, run in runs.items():
                found[name].append(_spend(run) / _spend(runs[YARDSTICK]))
    return {name: middle(ratios) for name, ratios in found.items()}


def _spend(run: object) -> int:
    assert callable(run)
    began_ns = process_time_ns()
    run(CALLS)
    return process_time_ns() - began_ns


def key_of(kind: str) -> str:
    """Other interpreters and processors take other numbers of instructions."""
    version = ".".join(platform.python_version_tuple()[:2])
    return f"{kind}, {platform.python_implementation()} {version}, {platform.machine()}"


def compare(now: dict[str, float], before: dict[str, float], kind: str) -> list[dict[str, object]]:
    rows: list[dict[str, object]] = []
    for name, ratio in now.items():
        old = before.get(name)
        change = ratio / old - 1 if old else 0.0
        is_slower, is_faster = change > TOLERANCE[kind], change < -TOLERANCE[kind]
        verdict = "slower" if is_slower else "faster" if is_faster else "" if old else "new"
        rows.append({"path": name, "of naive": ratio, "baseline": old or "-",
                     "change": f"{change:+.1%}", "": verdict})  # fmt: skip
    return rows


def main() -> None:
    kind = "cpu" if "cpu" in sys.argv or not shutil.which("valgrind") else "instructions"
    kept = json.loads(BASELINE.read_text()) if BASELINE.exists() else {}
    before = kept.get(key_of(kind), {})
    now = ratios_of_instructions() if kind == "instructions" else ratios_of_cpu()
    rows = compare(now, before, kind)
    show(f"Hot paths by {kind} ({machine()})", rows)
    slower = [str(row["path"]) for row in rows if row[""] == "slower"]
    print(f"\nslower than the baseline: {', '.join(slower) or 'none'}")
    if not before:
        print(f"there is no baseline for {key_of(kind)}: ARGS=--write keeps this one")
    if "--write" in sys.argv:
        kept[key_of(kind)] = {name: round(ratio, 4) for name, ratio in now.items()}
        BASELINE.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")


if __name__ == "__main__":
    main()
