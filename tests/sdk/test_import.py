"""Importing Laneway costs nothing that a user would notice. Counted in modules, equal on every machine."""

import subprocess
import sys
from pathlib import Path

SRC = Path(__file__).parents[2] / "src"
HEAVY = {"asyncio", "typing", "dataclasses", "inspect", "logging", "uuid", "secrets", "json", "orjson",
         "http.client", "threading", "importlib.metadata"}  # fmt: skip


def loaded_by(statement: str) -> set[str]:
    probe = (
        f"import sys; before = set(sys.modules); {statement}; print(*(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", probe],
        capture_output=True, text=True, check=True, env={"PYTHONPATH": str(SRC)},
    )  # fmt: skip
    return set(done.stdout.split())


def test_the_package_loads_one_module() -> None:
    assert loaded_by("import laneway") == {"laneway"}


def test_log_event_loads_few_modules_and_no_heavy_one() -> None:
    loaded = loaded_by("from laneway import log_event")

    assert loaded & HEAVY == set()
    assert len(loaded) <= 30, sorted(loaded)


def test_the_facade_offers_what_it_says() -> None:
    import laneway

    assert all(callable(getattr(laneway, name)) for name in laneway.__all__)
    assert set(laneway.__all__) <= set(dir(laneway))
