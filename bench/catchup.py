"""An index that is built from a whole log, by one process and by one for each core.

    python -m bench.catchup [EVENTS]

400,000 events of `bench.query` in eight segments, of which all but the last are sealed. Told are events a
second by the clock, which only a quiet machine can tell, and the processor time of an event in all processes,
which any can. The last segment is followed as ever, at twice the price of the others: of a log of ten million
events that is a thirtieth, and not an eighth.
"""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from bench import query
from bench.process import cpu_s
from bench.table import machine, show, sized
from laneway.base.settings import resolve
from laneway.hub import builder
from laneway.hub.hub import reindex

EVENTS = sized(400_000, 4_000)
SEGMENTS = 8
LEAST_BYTES = sized(builder.BUILD_BYTES, 1)

WAYS = {"one after the other": 2**62, "side by side": LEAST_BYTES}
"""What a segment must have to be built by a process of its own."""


def build(folder: str, least_bytes: int, told: Connection) -> None:
    """In a process of its own: the seconds by the clock, and of processor time."""
    builder.BUILD_BYTES = least_bytes
    settings = resolve({"home": f"{folder}/home", "log_path": f"{folder}/log", "port": 0}, env={})
    before_s, begun_s = cpu_s(), time.monotonic()
    count = reindex(settings, lambda events, left: None)
    told.send((count, time.monotonic() - begun_s, cpu_s() - before_s))


def measure(folder: str, least_bytes: int) -> tuple[int, float, float]:
    ours, theirs = get_context("spawn").Pipe()
    process = get_context("spawn").Process(target=build, args=(folder, least_bytes, theirs))
    process.start()
    theirs.close()
    told: tuple[int, float, float] = ours.recv()
    process.join()
    return told


def run(folder: str, count: int, note: Callable[[str], None]) -> list[dict[str, object]]:
    query.SEGMENT_EVENTS = -(-count // SEGMENTS)
    query.write_log(Path(folder), count)
    rows: list[dict[str, object]] = []
    for way, least_bytes in WAYS.items():
        events, wall_s, spent_s = measure(folder, least_bytes)
        if events != count:
            raise RuntimeError(f"{events:,} of {count:,} events are in the index")
        rows.append(
            {
                "built": way,
                "events/s": round(events / wall_s),
                "CPU us an event": round(spent_s / events * 1e6, 1),
                "cores at work": round(spent_s / wall_s, 2),
                "load": round(os.getloadavg()[0], 1),
            }
        )
        note(str(rows[-1]))
        shutil.rmtree(f"{folder}/log/.index")
    return rows


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    with tempfile.TemporaryDirectory() as folder:
        rows = run(folder, count, lambda line: print(line, file=sys.stderr))
    show(f"An index of {count:,} events, built anew ({machine()})", rows)


if __name__ == "__main__":
    main()
