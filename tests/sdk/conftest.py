"""A log to write to, and what stands in it."""

from collections.abc import Callable
from pathlib import Path

import orjson
import pytest

import laneway

Events = Callable[[], list[dict[str, object]]]


@pytest.fixture
def events(tmp_path: Path) -> Events:
    """Configures the SDK for a log of its own; the call reads all events from it."""
    laneway.configure(log_path=str(tmp_path / "log"), strict=True)

    def read() -> list[dict[str, object]]:
        files = sorted((tmp_path / "log").glob("*-0*.jsonl"))
        return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]

    return read
