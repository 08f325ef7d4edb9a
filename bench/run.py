"""Runs every bench, one after the other, in a process each: ``make bench`` (``ARGS="append live"`` for some).

Nothing here fails on a time. Run it on a quiet machine: two cores that do something else halve every figure.
"""

import os
import subprocess
import sys

BENCHES = (
    "bench.append",
    "bench.imports",
    "bench.redact",
    "bench.middleware",
    "bench.otlp",
    "bench.ingest",
    "bench.index",
    "bench.query",
    "bench.disk",
    "bench.side",
    "bench.live",
    "bench.painted",
    "bench.bus",
    "bench.start",
    "bench.ui.frames",
)


def main() -> int:
    wanted = sys.argv[1:]
    chosen = [name for name in BENCHES if not wanted or name.removeprefix("bench.") in wanted]
    if not chosen:
        names = ", ".join(name.removeprefix("bench.") for name in BENCHES)
        print(f"error: there is no such bench; there are {names}", file=sys.stderr)
        return 2
    print(f"load before: {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
    codes = [
        subprocess.run([sys.executable, "-m", name], check=False).returncode for name in chosen
    ]
    return max(codes)


if __name__ == "__main__":
    sys.exit(main())
