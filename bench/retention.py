"""Retention of a tenth of a log and its index: the oldest segments, by the clock and in processor time.

    python -m bench.retention [EVENTS]

Over the log and the index that `bench.query` made, sealed (``seal``), of which nothing is changed: the oldest
segments are copied, and the others linked. Done as a hub does it: the files of the log go, then the index
forgets each of them.
"""

import os
import shutil
import sys
import tempfile
import time
from pathlib import Path

from bench.query import EVENTS, home_of
from bench.table import machine, show
from laneway.log.retention import apply_retention
from laneway.log.segment import PACKED, LogPath
from laneway.store.sqlite.store import SqliteStore

SHARE = 0.1


def mirror(source: Path, target: Path, copied: list[str]) -> None:
    """Hard links, but for files whose names begin with one of ``copied``."""
    target.mkdir()
    for file in source.iterdir():
        if file.is_dir():
            continue
        if any(file.name.startswith(name) for name in copied) or file.suffix != ".db":
            shutil.copy2(file, target)
        else:
            os.link(file, target / file.name)


def main() -> None:
    count = int(sys.argv[1]) if len(sys.argv) > 1 else EVENTS
    home = home_of(count, is_real=False)
    names = sorted(file.name for file in (home / "log").glob("*.jsonl*"))
    oldest = [name.removesuffix(PACKED) for name in names[: max(round(len(names) * SHARE), 1)]]
    with tempfile.TemporaryDirectory(dir=home) as folder:
        log, index = Path(folder, "log"), Path(folder, "index")
        mirror(home / "log", log, oldest)
        mirror(home / "index", index, oldest)
        os.sync()  # else the copies are still on their way to the disk
        kept = sum((log / name).stat().st_size for name in names[len(oldest) :])
        store = SqliteStore(index)
        store.forget_answers()
        began_s, began_cpu_s = time.perf_counter(), time.process_time()
        removed = apply_retention(
            LogPath.parse(str(log)), total_bytes=kept, index_bytes=lambda segment: 0
        )
        log_s = time.perf_counter() - began_s
        for segment in removed:
            store.forget(segment)
        took_s, cpu_s = time.perf_counter() - began_s, time.process_time() - began_cpu_s
        store.close()
    row: dict[str, object] = {
        "segments": f"{len(removed)} of {len(names)}",
        "ms by the clock": round(took_s * 1e3, 1),
        "of them the log's": round(log_s * 1e3, 1),
        "CPU ms": round(cpu_s * 1e3, 1),
        "load": round(os.getloadavg()[0], 1),
    }
    show(f"Retention of a tenth of {count:,} events ({machine()})", [row])


if __name__ == "__main__":
    main()
