"""Starting the hub: from the command to the first answer of ``/health``, and what it holds at rest.

    python -m bench.start [EVENTS]

With an empty log, and with 200,000 events in log and index; or with those that ``LANEWAY_BENCH_DIR`` has in
its ``log`` and ``index``, as `laneway reindex` made them and ``bench.query`` sealed them. The hub is two
processes: CPU time, modules and memory are sums of both; memory is what is in RAM after two seconds of rest,
each page that they share counted once.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from itertools import islice
from pathlib import Path
from typing import NamedTuple
from urllib.request import urlopen

import orjson

from bench.index import iter_records
from bench.process import cpu_ms, family, proportional_mib
from bench.table import machine, middle, show, sized, tell
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from tests.port import free_port

EVENTS = sized(200_000, 2_000)
BATCH_EVENTS = 500
STARTS = sized(7, 1)
PATIENCE_S = 60.0
REST_S = 2.0
TICK_S = 0.002
IMPORTED = re.compile(rb"import time: +\d+ \|")


class Start(NamedTuple):
    ready_ms: float
    cpu_ms: float
    """Of both processes, until they were ready."""
    rest_mib: float
    """Of both; 0 where nobody waited for them to rest."""


Place = dict[str, str]
"""Settings that say where log and index are; without, they are made in the hub's home."""


def kept_place() -> Place:
    kept = Path(os.environ.get("LANEWAY_BENCH_DIR", "nowhere"))
    if not (kept / "index").is_dir():
        return {}
    return {"LOG_PATH": f"{kept / 'log'}", "LANEWAY_INDEX_PATH": f"{kept / 'index'}"}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "laneway", *arguments]


def environment(home: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "LANEWAY_HOME": str(home), "LOG_PATH": str(home / "log"), **more}


def fill(home: Path, count: int) -> None:
    """``count`` events in the log, and in the index."""
    appender = Appender(LogPath.parse(str(home / "log")))
    records = iter_records(count)
    while batch := list(islice(records, BATCH_EVENTS)):
        appender.append([orjson.dumps(record.event) for record in batch])
    appender.close()
    subprocess.run(command("reindex"), env=environment(home), check=True, capture_output=True)


@contextmanager
def hub(home: Path, port: int, **more: str) -> Iterator[subprocess.Popen[bytes]]:
    """A hub from its start to its end; what it says of its imports is in ``home/stderr``."""
    with open(home / "stderr", "wb") as errors:
        process = subprocess.Popen(
            command("up", "--port", str(port)),
            env=environment(home, **more),
            stdout=subprocess.DEVNULL,
            stderr=errors,
        )
        try:
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait()


def await_health(port: int) -> None:
    until_s = time.monotonic() + PATIENCE_S
    while time.monotonic() < until_s:
        connection = HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)
        try:
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return
        except ConnectionError:
            time.sleep(TICK_S)
        finally:
            connection.close()
    raise TimeoutError("the hub was not ready in time")


def start(home: Path, place: Place, rest_s: float = 0.0) -> Start:
    port = free_port()
    begun_s = time.perf_counter()
    with hub(home, port, **place) as process:
        await_health(port)
        ready_ms = (time.perf_counter() - begun_s) * 1000
        used_ms = sum(map(cpu_ms, family(process.pid)))
        time.sleep(rest_s)
        rest_mib = sum(map(proportional_mib, family(process.pid))) if rest_s else 0.0
    return Start(ready_ms, used_ms, rest_mib)


def count_modules(home: Path, place: Place) -> int:
    port = free_port()
    with hub(home, port, **place, PYTHONPROFILEIMPORTTIME="1"):
        await_health(port)
    return len(IMPORTED.findall((home / "stderr").read_bytes()))


def check_is_level(home: Path, place: Place, count: int) -> None:
    """A hub that has to build the index first would be measured at something else."""
    port = free_port()
    with hub(home, port, **place):
        await_health(port)
        time.sleep(REST_S)
        with urlopen(f"http://127.0.0.1:{port}/health") as answer:
            index = orjson.loads(answer.read())["index"]
    if (index["events"], index["lag_bytes"]) != (count, 0):
        sys.exit(f"bench.start: {count:,} events were promised, and the hub has {index}")


def measure(name: str, home: Path, place: Place) -> dict[str, object]:
    starts = [start(home, place) for _ in range(STARTS)]
    return {
        "log": name,
        "best ms": min(one.ready_ms for one in starts),
        "median ms": middle([one.ready_ms for one in starts]),
        "CPU ms": min(one.cpu_ms for one in starts),
        "modules": count_modules(home, place),
        "at rest MiB": start(home, place, REST_S).rest_mib,
    }


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    rows = []
    for events in (0, count):
        with tempfile.TemporaryDirectory() as folder:
            home, place = Path(folder), kept_place() if events else {}
            if place:
                check_is_level(home, place, events)
            elif events:
                fill(home, events)
            rows.append(measure(f"{events:,} events", home, place))
    fullest = rows[-1]
    tell("start.ready_s", float(str(fullest["median ms"])) / 1000, runs=STARTS, events=count)
    tell("start.rest_mib", float(str(fullest["at rest MiB"])), runs=1, events=count)
    show(f"From `laneway up` to ready ({machine()})", rows)


if __name__ == "__main__":
    main()
