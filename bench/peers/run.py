"""Installs the peers, sends the same events through each, and tells what came of it: ``make bench-peers``.

    python -m bench.peers.run [NAME …] [--tables call files servers] [--smoke] [--out FILE]

``NAME`` is the beginning of a peer's name: only those run, beside Laneway. ``--smoke`` takes small sizes and
the peers that start at once, and keeps no result. docs/comparison-method.md says what is measured and how. A
peer that cannot be installed, started or asked is told with its reason, and nothing fails for it.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from bench.peers import call, question
from bench.peers.caller import CONTESTANTS
from bench.peers.drive import drive
from bench.peers.install import install, versions
from bench.peers.server import SERVERS
from bench.result import PEERS, Result, circumstances, machine, write
from bench.table import print_columns


class Size(NamedTuple):
    rounds: int
    calls: int
    """Of each peer in a round, for its cost and until it is killed."""
    single: int
    batches: int
    """Of 500, to each server in a round."""
    log_events: int
    """In the log that the programs are asked about."""


FULL = Size(rounds=2, calls=1_500, single=300, batches=10, log_events=200_000)
SMOKE = Size(rounds=1, calls=60, single=5, batches=1, log_events=2_000)
HEAVY = ("Phoenix", "MLflow", "mlflow", "langfuse", "logfire")
"""Take tens of seconds to start, or many packages: not in a smoke run."""

TABLES = {
    "call": "calls, in turns",
    "files": "questions to one log, in turns",
    "servers": "servers, one at a time",
}


class Run:
    """Results by table, and why others have none."""

    def __init__(self, size: Size, wanted: Callable[[str], bool]) -> None:
        self.size = size
        self.wanted = wanted
        self.absent: dict[str, str] = {}
        self.tables: dict[str, list[dict[str, Any]]] = {}

    def each(self, names: list[str], measure: Callable[[str, Path], Any]) -> dict[str, list[Any]]:
        """In turns: every round takes each peer once. Who fails once is out, with its reason."""
        found: dict[str, list[Any]] = {}
        for number in range(self.size.rounds):
            for name in [name for name in names if self.wanted(name) and name not in self.absent]:
                print(f"  round {number + 1}: {name}", flush=True)
                try:
                    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
                        found.setdefault(name, []).append(measure(name, Path(folder)))
                except Exception as problem:  # a peer may fail in any way
                    self.absent[name] = f"{type(problem).__name__}: {problem}"[:300]
                    print(f"  {name}: {self.absent[name]}", flush=True)
        return {name: rounds for name, rounds in found.items() if rounds}

    def call(self) -> None:
        costs = self.each(
            list(CONTESTANTS), lambda name, folder: call.cost(name, folder, self.size.calls)
        )
        kept = self.each(list(costs), lambda name, folder: call.kept(name, folder, self.size.calls))
        self.tables["call"] = [call.row(name, costs[name], kept.get(name, [])) for name in costs]

    def servers(self) -> None:
        size = self.size
        found = self.each(
            list(SERVERS),
            lambda name, folder: drive(SERVERS[name](folder), size.single, size.batches),
        )
        self.tables["servers"] = [row_of_server(name, rounds) for name, rounds in found.items()]

    def files(self) -> None:
        with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
            rows, absent = question.ask_all(
                Path(folder), self.size.log_events, self.size.rounds, self.wanted
            )
        self.tables["files"] = rows
        self.absent |= absent


def row_of_server(name: str, rounds: list[dict[str, Any]]) -> dict[str, Any]:
    merged: dict[str, Any] = {"peer": name, "promise": SERVERS[name].promise}
    for key in rounds[0]:
        values = sorted(one[key] for one in rounds if one[key] is not None)
        merged[key] = values[len(values) // 2] if values else None
    merged["stored/s of rounds"] = call.span_of([one["batch, stored/s"] for one in rounds])
    return merged


def figures_of(tables: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    """Those of `bench.goal` that need a peer which is measured here."""
    servers = {row["peer"]: row for row in tables.get("servers", [])}
    ours, phoenix = servers.get("laneway, POST /log"), servers.get("Phoenix, OTLP")
    if not ours or not phoenix:
        return {}
    rates = ours["batch, stored/s"], phoenix["batch, stored/s"]
    told = {
        "value": rates[0] / rates[1],
        "runs": 1,
        "peer": "Phoenix, until stored",
        "peer_value": 1.0,
    }
    return {"peers.batch_of_phoenix": told | {"events": 0}}


def absent_rows(absent: dict[str, str]) -> list[dict[str, Any]]:
    return [{"peer": name, "reason": reason} for name, reason in absent.items()]


def measure(run: Run, tables: list[str]) -> Result:
    began, began_s = circumstances(), time.monotonic()
    for name in tables:
        print(TABLES[name], flush=True)
        getattr(run, name)()
    after = {"load_after": circumstances()["load"], "seconds": round(time.monotonic() - began_s)}
    return {
        "machine": machine(),
        "versions": versions(),
        "run": began | after | {"rounds": run.size.rounds, "sizes": run.size._asdict()},
        "tables": run.tables,
        "figures": figures_of(run.tables),
        "absent": absent_rows(run.absent),
    }


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench-peers")
    parser.add_argument("names", nargs="*", metavar="NAME", help="beginnings of peers' names")
    parser.add_argument(
        "--smoke", action="store_true", help="small sizes, light peers; keeps no result"
    )
    parser.add_argument("--tables", nargs="+", choices=TABLES, default=list(TABLES))
    parser.add_argument("--out", type=Path, help="the file of results")
    options = parser.parse_args()

    def wanted(name: str) -> bool:
        if name.startswith("laneway"):
            return True
        if options.names:
            return name.startswith(tuple(options.names))
        return not (options.smoke and name.startswith(HEAVY))

    run = Run(SMOKE if options.smoke else FULL, wanted)
    run.absent |= install()
    result = measure(run, options.tables)
    for name, rows in result["tables"].items():
        if rows:
            print_columns(name, rows)
    if result["absent"]:
        print_columns("not measured", result["absent"])
    path = options.out or (
        None if options.smoke or options.names or len(options.tables) < len(TABLES) else PEERS
    )
    if path:
        write(path, result)
        print(f"\nkept in {path}; documents: python -m bench.report --write")
    return 0


if __name__ == "__main__":
    sys.exit(main())
