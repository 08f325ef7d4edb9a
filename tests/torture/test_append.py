"""Many processes append to one log, on each kind of file system at hand: nothing is torn or lost (P4)."""

import os
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import orjson
import pytest

from tests.torture.conftest import Report
from tests.torture.volume import bound, looped, mounted, overlaid

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
PROCESSES = 8
LINES = 20_000 if IS_LONG else 800
SEGMENT_BYTES = "32MiB" if IS_LONG else "2MiB"

WRITER = """
import random, sys
import laneway
name, count, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
draw = random.Random(seed)
prose = "The planner asks the researcher for three sources on tidal power. " * 4_000
for i in range(count):
    luck = draw.random()
    largest = 1_000 if luck < 0.9 else 4_000 if luck < 0.998 else 200_000
    assert laneway.log_event(name, "log", prose[: draw.randrange(100, largest)], i=i)
assert laneway.stats()["lost"] == {}
"""


@contextmanager
def volume(kind: str, directory: Path) -> Iterator[Path]:
    with ExitStack() as stack:
        if kind == "ext4":
            yield stack.enter_context(looped(directory / "ext4", 1 << 30))
        elif kind == "tmpfs":
            yield stack.enter_context(mounted(directory / "tmpfs", "1g"))
        elif kind == "overlay":
            yield stack.enter_context(overlaid(directory))
        else:
            yield stack.enter_context(bound(directory))


@pytest.mark.parametrize("kind", ["ext4", "tmpfs", "overlay", "bind"])
def test_lines_of_many_processes_are_neither_torn_nor_lost(
    tmp_path: Path, kind: str, seed: int, report: Report
) -> None:
    with volume(kind, tmp_path) as point:
        env = {**os.environ, "LOG_PATH": str(point / "log"), "LANEWAY_SHARED_LOG": "yes",
               "LANEWAY_SEGMENT_BYTES": SEGMENT_BYTES}  # fmt: skip
        writers = [
            subprocess.Popen(
                [sys.executable, "-c", WRITER, f"w{n}", str(LINES), str(seed + n)], env=env
            )
            for n in range(PROCESSES)
        ]
        assert [writer.wait(900) for writer in writers] == [0] * PROCESSES
        found, torn = read(point / "log")

    wanted = {(f"w{n}", i) for n in range(PROCESSES) for i in range(LINES)}
    lost, twice = wanted - set(found), [key for key, count in found.items() if count > 1]
    report(
        f"append_{kind}", lines=len(wanted), processes=PROCESSES,
        torn=torn, lost=len(lost), twice=len(twice),
    )  # fmt: skip
    assert (torn, len(lost), len(twice)) == (0, 0, 0)


def read(log: Path) -> tuple[Counter[tuple[str, int]], int]:
    """Each event's key, and the number of lines that are none."""
    found: Counter[tuple[str, int]] = Counter()
    torn = 0
    for path in log.glob("*-0*.jsonl"):
        for line in filter(None, path.read_bytes().split(b"\n")):
            try:
                event = orjson.loads(line)
                found[event["agent"], event["i"]] += 1
            except (orjson.JSONDecodeError, KeyError):
                torn += 1
    return found, torn
