"""The seed of a run, and the figures that it reached."""

import json
import os
import platform
import random
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

Report = Callable[..., None]


@pytest.fixture
def seed() -> int:
    """Of a run's sizes and moments; printed. LANEWAY_SEED repeats a run. In the short form always the same:
    what it finds is then of the change; the long form looks further."""
    is_long = os.environ.get("LANEWAY_TORTURE") == "long"
    number = int(os.environ.get("LANEWAY_SEED", "0"))
    number = number or (random.randrange(1, 10**6) if is_long else 1)
    print(f"seed {number}")
    return number


@pytest.fixture
def report(request: pytest.FixtureRequest) -> Report:
    """``report("name", kills=100, lost=0)`` prints figures, and adds them to the file that
    LANEWAY_FIGURES names (``make torture`` sets it): ``docs/reliability.md`` is made from that."""

    def report_figures(name: str, **figures: object) -> None:
        if "seed" in request.fixturenames:
            figures["seed"] = request.getfixturevalue("seed")
        print(f"{name}: {figures}")
        path = os.environ.get("LANEWAY_FIGURES")
        if path:
            _keep(Path(path), name, {**figures, **_where()})

    return report_figures


def _keep(path: Path, name: str, figures: dict[str, object]) -> None:
    known = json.loads(path.read_text()) if path.exists() else {}
    known[name] = figures
    new = path.with_suffix(".new")
    new.write_text(json.dumps(dict(sorted(known.items())), indent=1) + "\n")
    new.replace(path)


def _where() -> dict[str, object]:
    version = ".".join(map(str, sys.version_info[:3]))
    kernel = ".".join(platform.release().split(".")[:2])
    machine = f"{os.cpu_count()} cores, {platform.system()} {kernel}, CPython {version}"
    return {
        "form": os.environ.get("LANEWAY_TORTURE", "short"),
        "date": datetime.now(UTC).date().isoformat(),
        "machine": machine,
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
    }
