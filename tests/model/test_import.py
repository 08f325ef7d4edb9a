"""The modules that run in the user's process load next to nothing."""

import subprocess
import sys
from pathlib import Path

import pytest

import laneway

DEAR = {
    "typing", "dataclasses", "inspect", "asyncio", "uuid", "secrets", "logging", "json", "orjson", "hashlib",
    "hmac", "datetime", "traceback", "laneway.model.event", "laneway.model.readable", "laneway.model.cut",
}  # fmt: skip


@pytest.mark.parametrize("module", ["encode", "redact", "wire"])
def test_a_module_of_the_hot_path_loads_nothing_dear(module: str) -> None:
    code = f"import sys; import laneway.model.{module}; print(*sys.modules)"
    source = str(Path(laneway.__file__).parents[1])
    command = [
        sys.executable,
        "-S",
        "-c",
        code,
    ]  # -S: a virtual environment's own hooks load modules too
    env = {"PYTHONPATH": source}
    run = subprocess.run(command, capture_output=True, text=True, check=True, env=env)

    assert DEAR.isdisjoint(run.stdout.split())
