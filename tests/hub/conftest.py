"""A hub on an empty log of its own."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from laneway.base.settings import Settings, resolve
from laneway.hub.hub import Hub
from tests.web.conftest import running

__all__ = ["running"]


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    return resolve({"home": home, "log_path": tmp_path / "log", "port": 0}, env={})


@pytest.fixture
def make_hub(settings: Settings) -> Iterator[Callable[[], Hub]]:
    """Starts hubs on the same log; the ones left open are closed."""
    made: list[Hub] = []

    def make() -> Hub:
        made.append(Hub(settings, in_process=True))
        return made[-1]

    yield make
    for hub in made:
        hub.close()


@pytest.fixture
def hub(make_hub: Callable[[], Hub]) -> Hub:
    return make_hub()
