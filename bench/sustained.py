"""Events indexed, their text with them, while a hub follows a log that grows and grows.

    python -m bench.sustained [EVENTS_S ...]

One writer appends events of about 700 bytes (`bench.index`), in batches, for `SECONDS`: 25,000 a second, and
then more than can be indexed. Hub, indexer and writer share the machine. Told are what was indexed a second
while the writer wrote (the first `WARM_S` left out), how far the index was behind at the end, and the
processor time of an event in the indexer and in the hub.
"""

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.burst import indexed, lag_of
from bench.process import cpu_ms, family
from bench.table import machine, show, sized, tell
from tests.torture.harness import Hub

RATES = (25_000, 45_000)
SECONDS = sized(20.0, 2.0)
WARM_S = sized(3.0, 0.5)
LOOK_S = 0.1
LEVEL_S = 300.0

WRITER = """
import itertools, sys, time
import orjson
from bench.index import iter_records
from laneway.base.clock import format_ns, now_ns
from laneway.base.ids import new_event_id
from laneway.log.append import Appender
from laneway.log.segment import LogPath
path, rate, seconds = sys.argv[1], float(sys.argv[2]), float(sys.argv[3])
samples = itertools.cycle([record.event for record in iter_records(10_000)])
appender, written, began_s = Appender(LogPath.parse(path)), 0, time.perf_counter()
print("begins", flush=True)
began_s = time.perf_counter()
while time.perf_counter() - began_s < seconds:
    time.sleep(max(0, began_s + written / rate - time.perf_counter()))
    lines = []
    for sample in itertools.islice(samples, 250):
        ts_ns = now_ns()
        lines.append(orjson.dumps(sample | {"timestamp": format_ns(ts_ns), "id": new_event_id(ts_ns)}))
    appender.append(lines)
    written += len(lines)
print(written, flush=True)
"""


def measure(rate: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder) / "home", Path(folder) / "log")
        hub.start()
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, hub.env["LOG_PATH"], str(rate), str(SECONDS)],
            stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert hub.process
        assert writer.stdout
        try:
            writer.stdout.readline()
            time.sleep(WARM_S)
            processes = family(hub.process.pid)
            known, known_ms, known_s = indexed(hub), [*map(cpu_ms, processes)], time.monotonic()
            written = int(writer.stdout.readline())
            count, took_s = indexed(hub) - known, time.monotonic() - known_s
            spent_ms = [
                now - then for now, then in zip(map(cpu_ms, processes), known_ms, strict=True)
            ]
            lag_bytes, ended_s = lag_of(hub), time.monotonic()
            while indexed(hub) < written:
                if time.monotonic() - ended_s > LEVEL_S:
                    raise TimeoutError(f"{written:,} events are not indexed after {LEVEL_S:.0f} s")
                time.sleep(LOOK_S)
            level_s = time.monotonic() - ended_s
        finally:
            writer.kill()
            writer.wait()
            hub.stop()
    return {
        "offered/s": rate,
        "written/s": round(written / SECONDS),
        "indexed/s": round(count / took_s),
        "lag at the end, MB": round(lag_bytes / 1e6, 1),
        "level after s": round(level_s, 1),
        "hub us an event": round(spent_ms[0] / count * 1e3, 1),
        "indexer us an event": round(sum(spent_ms[1:]) / count * 1e3, 1),
        "load": round(os.getloadavg()[0], 1),
    }


def main() -> None:
    rows = [measure(rate) for rate in [*map(int, sys.argv[1:])] or RATES]
    tell("sustained.per_s", float(max(int(str(row["indexed/s"])) for row in rows)), runs=1)
    show(f"Indexed beside the writer ({machine()})", rows)


if __name__ == "__main__":
    main()
