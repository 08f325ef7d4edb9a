"""The events of a test that failed: saved, and told in its report."""

import re
import shutil
from collections.abc import Generator
from hashlib import blake2b
from pathlib import Path

import pytest

from laneway.base.words import number_of
from laneway.testing.capture import Events

PLUGIN = "laneway-report"
KEY = pytest.StashKey[Events]()
NAME_CHARS = 80


def report_events(request: pytest.FixtureRequest, events: Events) -> None:
    """Have them saved and told if the test fails."""
    manager = request.config.pluginmanager
    if not manager.has_plugin(PLUGIN):
        manager.register(Reporter(), PLUGIN)
    request.node.stash[KEY] = events


class Reporter:
    """Registered with the first test that wants events: a run without one has no hook of ours."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        events = item.stash.get(KEY, None)
        if report.failed and report.when == "call" and events is not None:
            report.sections.append(("Laneway events", _tell(item, events)))
        return report


def _tell(item: pytest.Item, events: Events) -> str:
    count = len(events)
    if not count:
        return "none were recorded"
    try:
        place = save(events, _directory(item.config), item.nodeid)
    except OSError as error:
        return f"{events.tell()}\n\n{number_of(count, 'event')}, not saved: {error}"
    return f"{events.tell()}\n\n{number_of(count, 'event')}, saved in {place}\nlaneway up --log {place}"


def save(events: Events, directory: Path, nodeid: str) -> Path:
    """Copy the test's log to a directory of its own, in place of that of an earlier run."""
    readable = re.sub(r"[^\w.-]+", "-", nodeid.rpartition("/")[2])[:NAME_CHARS]
    place = directory / f"{readable}-{blake2b(nodeid.encode(), digest_size=4).hexdigest()}"
    shutil.rmtree(place, ignore_errors=True)
    shutil.copytree(events.directory, place, symlinks=True)
    return place


def _directory(config: pytest.Config) -> Path:
    """``laneway`` in pytest's cache; without one, in the directory in which it was started."""
    cache = getattr(config, "cache", None)
    return cache.mkdir("laneway") if cache else config.invocation_params.dir / ".laneway-tests"
