"""Fixtures for the examples."""

from collections.abc import Iterator

import pytest
from example_process import Processes


@pytest.fixture(scope="module")
def processes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Processes]:
    started = Processes(tmp_path_factory.mktemp("processes"))
    yield started
    started.stop()
