"""What an event of a megabyte costs its caller, by what the megabyte holds. ``python -m bench.side``

Beside it, in the same run: the naive writer of the founding document, which keeps such a line whole and
unredacted, and what `log_event` costs without side files (the beginning and the hash only).
"""

import json
import os
import tempfile
from collections.abc import Callable
from time import perf_counter_ns

from bench.redact import large
from bench.table import machine, middle, quantile, show

ROUNDS = 7


def timed(call: Callable[[], object]) -> float:
    began = perf_counter_ns()
    call()
    return (perf_counter_ns() - began) / 1e6


def times(call: Callable[[], object]) -> list[float]:
    call()
    return [timed(call) for _ in range(ROUNDS)]


def naive(path: str, text: str) -> None:
    with open(path, "a") as file:
        file.write(json.dumps({"agent": "a", "event": "tool_result", "output": text}) + "\n")


def main() -> None:
    import laneway

    with tempfile.TemporaryDirectory() as folder:
        found: dict[str, dict[str, object]] = {}
        texts = {**large(), "50 MB of text": "The whole of it. " * 3_000_000}
        rows = [{"n": n, "name": f"row {n}", "ok": True} for n in range(25_000)]
        payloads: dict[str, object] = {**texts, "25,000 rows as objects": rows}
        for side_bytes, column in (("16MiB", "kept whole"), ("0", "head and hash")):
            home, log = os.path.join(folder, "home"), os.path.join(folder, f"log{side_bytes}")
            laneway.configure(log_path=log, home=home, side_bytes=side_bytes)
            for name, payload in payloads.items():
                size = len(payload) if isinstance(payload, str) else len(json.dumps(payload))
                spent = times(lambda: laneway.log_event("a", "tool_result", output=payload))  # noqa: B023
                row = found.setdefault(name, {"payload": name, "MB": size / 1e6})
                row[column] = middle(spent)
                if column == "kept whole":
                    row["p90"] = quantile(spent, 0.9)
        for name, payload in payloads.items():
            path = os.path.join(folder, "naive.jsonl")
            found[name]["naive, unredacted"] = middle(times(lambda: naive(path, payload)))  # type: ignore[arg-type] # noqa: B023
        show(f"One large event, ms in the caller ({machine()})", list(found.values()))


if __name__ == "__main__":
    main()
