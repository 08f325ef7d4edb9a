"""What an event of a megabyte costs its caller, by what the megabyte holds. ``python -m bench.side``

Beside it, in turns in the same run: the naive writer of the founding document, which keeps such a line
whole and unredacted, and `log_event` without side files (the beginning and the hash only). Every call has
a payload that was never seen before, so that its file is really written. Processor time of this process:
a busy machine blurs it least; the wall time that the caller waits stands beside it.
"""

import json
import os
import tempfile
from collections.abc import Callable
from time import perf_counter_ns, process_time_ns

import laneway
from bench.redact import large
from bench.table import machine, middle, show, sized

ROUNDS = sized(7, 1)
KEPT, HEAD, NAIVE = "kept whole", "head and hash", "naive"
Write = Callable[[object], object]
Times = dict[str, list[tuple[float, float]]]


def payloads() -> dict[str, object]:
    rows = [{"n": n, "name": f"row {n}", "ok": True} for n in range(25_000)]
    return {**large(), "15 MB of text": "The whole of it. " * 900_000, "rows as objects": rows}


def unseen(payload: object, number: int) -> object:
    if isinstance(payload, list):
        return [{"number": number}, *payload]
    return f"{number} {payload}"


def timed_ms(write: Write, payload: object) -> tuple[float, float]:
    """Processor and wall time of one call."""
    wall_ns, cpu_ns = perf_counter_ns(), process_time_ns()
    write(payload)
    return (process_time_ns() - cpu_ns) / 1e6, (perf_counter_ns() - wall_ns) / 1e6


def writers(folder: str) -> dict[str, tuple[Callable[[], None], Write]]:
    """What prepares each writer, and one call of it."""

    def configure(side_bytes: str) -> None:
        log = os.path.join(folder, f"log{side_bytes}")
        laneway.configure(log_path=log, home=folder, side_bytes=side_bytes)
        laneway.log_event("a", "log", "the start costs more")

    def log(payload: object) -> None:
        laneway.log_event("a", "tool_result", output=payload)

    def naive(payload: object) -> None:
        with open(os.path.join(folder, "naive.jsonl"), "a") as file:
            file.write(json.dumps({"agent": "a", "event": "tool_result", "output": payload}) + "\n")

    return {
        KEPT: (lambda: configure("16MiB"), log),
        HEAD: (lambda: configure("0"), log),
        NAIVE: (lambda: None, naive),
    }


def measure(payload: object, folder: str) -> Times:
    times: Times = {KEPT: [], HEAD: [], NAIVE: []}
    for number in range(ROUNDS + 1):
        for name, (prepare, write) in writers(folder).items():
            prepare()
            took = timed_ms(write, unseen(payload, number))
            if number:  # the first one warms up
                times[name].append(took)
    return times


def main() -> None:
    table = []
    with tempfile.TemporaryDirectory() as folder:
        for name, payload in payloads().items():
            size = len(payload) if isinstance(payload, str) else len(json.dumps(payload))
            times = measure(payload, folder)
            cpu = {who: middle([ms for ms, _ in taken]) for who, taken in times.items()}
            row: dict[str, object] = {"payload": name, "MB": size / 1e6}
            row |= {f"{who}, CPU ms": ms for who, ms in cpu.items()}
            row["of naive"] = cpu[KEPT] / cpu[NAIVE]
            row["kept whole, ms"] = middle([ms for _, ms in times[KEPT]])
            table.append(row)
        assert laneway.stats()["faults"] == 0
    show(f"One large event in the caller ({machine()})", table)


if __name__ == "__main__":
    main()
