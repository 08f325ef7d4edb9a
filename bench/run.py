"""Runs every bench, in a process each, and puts each figure beside its goal: ``make bench``.

    python -m bench.run [NAME …] [--events N] [--alone] [--smoke] [--out FILE]

``NAME`` is a bench: only those run, and the rest of the results stay as they were. ``--events`` is the size
of the log for the questions and for the start (1,000,000 and 200,000; the goals are for 10,000,000).
``--alone`` asks no peer the questions. ``LANEWAY_BENCH_DIR`` names a place that has log and index already.
``--smoke`` takes small sizes: it shows that all of it runs, keeps no result, and its figures mean nothing.

Nothing here fails on a time; a bench that fails is told, and what it should have measured is not measured.
Run it on a quiet machine: two cores that do something else halve every figure.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from bench.report import figure_rows, with_peers
from bench.result import FIGURES, PEERS, Result, circumstances, machine, read, versions, write
from bench.table import print_columns

BENCHES = {
    "append": "bench.append",
    "hook": "bench.hook",
    "imports": "bench.imports",
    "redact": "bench.redact",
    "middleware": "bench.middleware",
    "otlp": "bench.otlp",
    "ingest": "bench.ingest",
    "index": "bench.index",
    "sustained": "bench.sustained",
    "query": "bench.query",
    "disk": "bench.disk",
    "side": "bench.side",
    "live": "bench.live",
    "painted": "bench.painted",
    "burst": "bench.burst",
    "cost": "bench.cost",
    "bus": "bench.bus",
    "start": "bench.start",
    "frames": "bench.ui.frames",
}

SIZED = ("query", "start")
"""Take the number of events as an argument."""

PATIENCE_S = 3_600


def run_bench(name: str, arguments: list[str], *, is_smoke: bool) -> Result:
    """What it handed over, and how it went."""
    with tempfile.TemporaryDirectory() as folder:
        handed = Path(folder, "handed.jsonl")
        env = {**os.environ, "LANEWAY_BENCH_JSON": str(handed)}
        if is_smoke:
            env |= {"LANEWAY_BENCH_SMOKE": "1", "LANEWAY_BENCH_DIR": folder}
        run, began_s = circumstances(), time.monotonic()
        failure = _failure_of([sys.executable, "-m", BENCHES[name], *arguments], env)
        run |= {"seconds": round(time.monotonic() - began_s), "failure": failure}
        lines = handed.read_text().splitlines() if handed.exists() else []
    entries = [json.loads(line) for line in lines]
    figures = {entry.pop("figure"): entry for entry in entries if "figure" in entry}
    return {"run": run, "figures": figures, "tables": [e for e in entries if "title" in e]}


def _failure_of(command: list[str], env: dict[str, str]) -> str:
    """Empty where it went well, else the last that it said."""
    try:
        done = subprocess.run(
            command, env=env, stderr=subprocess.PIPE, text=True, timeout=PATIENCE_S, check=False
        )
    except subprocess.TimeoutExpired:
        return f"not over after {PATIENCE_S} s"
    sys.stderr.write(done.stderr)
    last = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    return last[0][:300] if done.returncode else ""


def merge(result: Result, name: str, found: Result) -> None:
    """What was measured anew in place of what was; the rest stays."""
    figures = result.setdefault("figures", {})
    for figure in [figure for figure in figures if figure.startswith(f"{name}.")]:
        del figures[figure]
    figures |= found["figures"]
    result.setdefault("runs", {})[name] = found["run"]
    result.setdefault("tables", {})[name] = found["tables"]


def begin(path: Path | None) -> Result:
    """Earlier results of this machine, or none."""
    kept = read(path) if path else {}
    result = kept if kept.get("machine") == machine() else {"machine": machine()}
    return result | {"versions": versions()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="make bench")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHES)}")
    parser.add_argument("--events", type=int, default=0, help="in the log of query and start")
    parser.add_argument("--alone", action="store_true", help="ask the questions of no peer")
    parser.add_argument("--smoke", action="store_true", help="small sizes; keeps no result")
    parser.add_argument("--out", type=Path, help="the file of results")
    options = parser.parse_args()
    if unknown := [name for name in options.names if name not in BENCHES]:
        print(
            f"error: no bench {', '.join(unknown)}; there are {', '.join(BENCHES)}", file=sys.stderr
        )
        return 2
    path = options.out or (None if options.smoke else FIGURES)
    result = begin(path)
    for name in options.names or BENCHES:
        arguments = [str(options.events)] if options.events and name in SIZED else []
        arguments += ["alone"] if options.alone and name == "query" else []
        print(f"\n== {name}", flush=True)
        merge(result, name, run_bench(name, arguments, is_smoke=options.smoke))
        if path:
            write(path, result)
    chosen = set(options.names or [*BENCHES])
    rows = figure_rows(with_peers(result, {} if options.names or options.smoke else read(PEERS)))
    rows = [row for row in rows if not options.names or row["bench"] in chosen]
    if rows:
        shown = ("figure", "measured", "goal", "verdict", "beside it", "note")
        print_columns("Figures and goals", [{key: row[key] for key in shown} for row in rows])
    if path:
        print(f"\nkept in {path}; documents: python -m bench.report --write")
    failed = [name for name in chosen if result["runs"][name]["failure"]]
    for name in failed:
        print(f"{name} did not finish: {result['runs'][name]['failure']}")
    return bool(failed)


if __name__ == "__main__":
    sys.exit(main())
