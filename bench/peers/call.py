"""Starts each peer in a process of its own, reads what it measured, kills it, and counts what is there."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.peers.caller import CONTESTANTS, WARM_UP
from bench.peers.event import marks_in
from bench.peers.install import PYTHON
from bench.peers.server import LanewayEvents
from bench.result import ROOT
from bench.table import middle, quantile

PATIENCE_S = 300.0
SETTLE_S = 1.0
"""For what was on its way to the sink when its sender was killed."""

Numbers = dict[str, Any]


def environment(folder: Path) -> dict[str, str]:
    given = {name: text for name, text in os.environ.items() if not name.startswith("LANEWAY_")}
    own = {"PYTHONPATH": f"{ROOT / 'src'}:{ROOT}", "HOME": str(folder), "DO_NOT_TRACK": "1"}
    return given | own | {"LANEWAY_HOME": str(folder / "home"), "MLFLOW_DISABLE_TELEMETRY": "true"}


@contextmanager
def target(kind: str, folder: Path) -> Iterator[str]:
    """The address of what a peer sends to; empty where it writes files."""
    if kind == "file":
        yield ""
    elif kind == "sink":
        (folder / "sink").mkdir()
        command = [PYTHON, "-m", "bench.peers.sink", folder / "sink"]
        with subprocess.Popen(
            command, env=environment(folder), stdout=subprocess.PIPE, text=True
        ) as sink:
            assert sink.stdout
            try:
                yield sink.stdout.readline().strip()
            finally:
                sink.kill()
    else:
        hub = folder / "hub"
        hub.mkdir()
        server = LanewayEvents(hub)
        try:
            server.start()
            yield server.url
        finally:
            server.kill()


def command(name: str, mode: str, count: int, folder: Path, address: str) -> list[str]:
    return [
        str(PYTHON),
        "-m",
        "bench.peers.caller",
        name,
        mode,
        str(count),
        str(folder),
        address or "-",
    ]


def calls_of(name: str, count: int) -> int:
    return max(10, int(count * CONTESTANTS[name].part))


def cost(name: str, folder: Path, count: int) -> Numbers:
    """Times of each call in µs, processor time of an event, and what it took on disk or wire."""
    count = calls_of(name, count)
    with target(CONTESTANTS[name].target, folder) as address:
        done = subprocess.run(
            command(name, "cost", count, folder, address), env=environment(folder), cwd=folder,
            capture_output=True, text=True, timeout=PATIENCE_S, check=False,
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])
        time.sleep(SETTLE_S)
        found: Numbers = json.loads(done.stdout.splitlines()[-1])
        return found | {"bytes": size_of(folder) / (count + WARM_UP)}


def kept(name: str, folder: Path, count: int) -> float:
    """The part of the events that is there after a kill, once every call had returned."""
    count = calls_of(name, count)
    with target(CONTESTANTS[name].target, folder) as address:
        process = subprocess.Popen(
            command(name, "kill", count, folder, address), env=environment(folder), cwd=folder,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        try:
            assert process.stdout
            said = process.stdout.readline()
            process.send_signal(signal.SIGKILL)
            errors = process.communicate()[1]
        finally:
            process.kill()
        if said.strip() != "done":
            raise RuntimeError((errors.strip().splitlines() or ["it ended early"])[-1])
        time.sleep(SETTLE_S)
    return min(1.0, marks_in(folder) / count)


def size_of(folder: Path) -> float:
    """Bytes that a sink got over the wire, or of the files that were written."""
    wire = folder / "sink" / "wire.txt"
    if wire.exists():
        return sum(map(int, wire.read_text().split()))
    logs = [*folder.rglob("*.jsonl"), *folder.rglob("*.db")]
    return sum(
        path.stat().st_size for path in logs if not path.is_symlink() and ".index" not in str(path)
    )


def span_of(values: list[float]) -> str:
    """How far the rounds were apart: the noise."""
    return f"{min(values):,.3g} – {max(values):,.3g}"


def row(name: str, costs: list[Numbers], parts: list[float]) -> dict[str, Any]:
    times = [us for one in costs for us in one["times_us"]]
    return {
        "peer": name,
        "promise": CONTESTANTS[name].promise,
        "calls": len(times),
        "p50 µs": middle(times),
        "p99 µs": quantile(times, 0.99),
        "p50 of rounds": span_of([middle(one["times_us"]) for one in costs]),
        "CPU µs": middle([one["cpu_us"] for one in costs]),
        "flush ms": middle([one["flush_ms"] for one in costs]),
        "bytes an event": middle([one["bytes"] for one in costs]),
        "kept %": 100 * min(parts) if parts else None,
    }
