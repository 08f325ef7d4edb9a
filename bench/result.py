"""What a run found, as a file that documents are made from: where, when, and in which noise."""

import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "bench" / "results" / "figures.json"
PEERS = ROOT / "bench" / "results" / "peers.json"

SEED = 7
"""Of the random texts of every bench: two runs have the same events."""

PARTS = (
    "laneway",
    "orjson",
    "starlette",
    "uvicorn",
    "uvloop",
    "duckdb",
    "structlog",
    "loguru",
    "opentelemetry-sdk",
)

Result = dict[str, Any]


def machine() -> dict[str, object]:
    return {
        "cores": os.cpu_count(),
        "processor": _processor(),
        "memory_gib": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
    }


def circumstances() -> dict[str, object]:
    """Of one run; ``load`` is the number of processes that wanted a core in the minute before."""
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "load": round(os.getloadavg()[0], 1),
        "commit": commit(),
        "seed": SEED,
    }


def versions(names: tuple[str, ...] = PARTS) -> dict[str, str]:
    found = {}
    for name in names:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit() -> str:
    command = ["git", "rev-parse", "--short", "HEAD"]
    try:
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    except OSError:
        return ""
    return done.stdout.strip()


def read(path: Path) -> Result:
    return dict(json.loads(path.read_text())) if path.exists() else {}


def write(path: Path, result: Result) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(_rounded(result), indent=1, ensure_ascii=False) + "\n"
    path.write_text(text, encoding="utf-8")


def _rounded(value: Any) -> Any:
    """Four digits are more than any of these figures is good for."""
    if isinstance(value, float):
        return float(f"{value:.4g}")
    if isinstance(value, dict):
        return {key: _rounded(one) for key, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list) else value


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.machine()
    names = (line.partition(": ")[2] for line in lines if line.startswith("model name"))
    return next(names, platform.machine())
