"""A burst: events appended faster than they can be indexed, and what the hub does meanwhile.

Two writers append batches to the log that a hub follows: first as fast as they can, then 50,000 events a
second. Told are the events that were in the log when the appends returned, how far the index lagged as it
tells, how long until it was level again, and the memory of its processes (PSS: each shared page once).
"""

import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

from bench.process import family, proportional_mib
from bench.table import machine, show, sized, tell
from tests.torture.harness import Hub

SECONDS = sized(6.0, 0.5)
WRITERS, BATCH = 2, 200
FAST, STEADY = 0, 50_000
"""Events a second of all writers; 0 for as many as they can."""

LEVEL_S = 600.0
LOOK_S = 0.1

WRITER = """
import sys, time
from itertools import count
from laneway.log.append import Appender
from laneway.log.segment import LogPath
path, name = sys.argv[1:3]
rate, seconds, batch = float(sys.argv[3]), float(sys.argv[4]), int(sys.argv[5])
appender, written, began = Appender(LogPath.parse(path)), 0, time.perf_counter()
text = "The planner asks the researcher for three sources on tidal power. " * 4
while time.perf_counter() - began < seconds:
    if rate:
        time.sleep(max(0, began + written / rate - time.perf_counter()))
    now = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime())
    appender.append([
        f'{{"timestamp":"{now}.{n:06d}Z","agent":"{name}","event":"log","id":"{name}-{written + n}-{began}",'
        f'"content":"{text}"}}'.encode() for n in range(batch)
    ])
    written += batch
print(written, time.perf_counter() - began)
"""


class Watch(threading.Thread):
    """Looks at the hub again and again: its memory, and the lag that it tells."""

    def __init__(self, hub: Hub) -> None:
        super().__init__(daemon=True)
        self.peak_mib = 0.0
        self.lag_bytes = 0
        self._hub = hub
        self._is_over = threading.Event()

    def run(self) -> None:
        assert self._hub.process
        pids = family(self._hub.process.pid)
        while not self._is_over.wait(LOOK_S):
            self.peak_mib = max(self.peak_mib, sum(map(proportional_mib, pids)))
            self.lag_bytes = max(self.lag_bytes, lag_of(self._hub))

    def end(self) -> None:
        self._is_over.set()
        self.join()


def indexed(hub: Hub) -> int:
    return int(hub.get("/health")["index"]["events"])


def lag_of(hub: Hub) -> int:
    return int(hub.get("/health")["index"]["lag_bytes"])


def write(hub: Hub, rate: int) -> tuple[int, float]:
    """Events that were appended, and the seconds it took."""
    numbers = [str(rate / WRITERS), str(SECONDS), str(BATCH)]
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", WRITER, hub.env["LOG_PATH"], f"w{n}-{rate}", *numbers],
            stdout=subprocess.PIPE, text=True,
        )
        for n in range(WRITERS)
    ]  # fmt: skip
    told = [process.communicate()[0].split() for process in processes]
    return sum(int(count) for count, _ in told), max(float(took_s) for _, took_s in told)


def level(hub: Hub, count: int) -> float:
    """Seconds until the index holds so many events."""
    began_s = time.monotonic()
    while indexed(hub) < count:
        if time.monotonic() - began_s > LEVEL_S:
            raise TimeoutError(f"the index held fewer than {count:,} events after {LEVEL_S:.0f} s")
        time.sleep(LOOK_S)
    return time.monotonic() - began_s


def measure(rate: int) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder) / "home", Path(folder) / "log")
        hub.start()
        watch = Watch(hub)
        try:
            watch.start()
            written, took_s = write(hub, rate)
            level_s = level(hub, written)
        finally:
            watch.end()
            hub.stop()
    return {
        "asked events/s": rate or "all it can",
        "accepted events/s": round(written / took_s),
        "most lag told, MB": watch.lag_bytes / 1e6,
        "level after s": level_s,
        "most memory, MiB (PSS)": watch.peak_mib,
    }


def main() -> None:
    fast, steady = measure(FAST), measure(STEADY)
    tell("burst.accepted_per_s", float(str(fast["accepted events/s"])), runs=1)
    peak = max(float(str(row["most memory, MiB (PSS)"])) for row in (fast, steady))
    tell("burst.peak_mib", peak, runs=1)
    show(f"A burst of {SECONDS:g} s into the log of a hub ({machine()})", [fast, steady])


if __name__ == "__main__":
    main()
