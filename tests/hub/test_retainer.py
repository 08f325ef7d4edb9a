"""Retention bounds the disk, whatever the follower does."""

import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from laneway.base.errors import StoreError
from laneway.base.settings import Settings
from laneway.hub import follower as follower_module
from laneway.hub.hub import Hub
from laneway.store.api import Added, Query
from laneway.store.sqlite.store import SqliteStore
from tests.waiting import DEADLINE_S, eventually

from .event import event

LIMIT_BYTES = 1_000_000
SEGMENT_BYTES = 40_000


@pytest.fixture
def bounded(settings: Settings) -> Settings:
    settings.segment_bytes = SEGMENT_BYTES
    settings.retention_bytes = LIMIT_BYTES
    return settings


def fill(hub: Hub, count: int) -> None:
    for number in range(1, count + 1):
        hub.append(hub.intake.take([event(number, content=f"{number} " + "x" * 5_000)]).lines)


def size_of(directory: str) -> int:
    """Of segments and their indexes, while files come and go."""
    total = 0
    for path in Path(directory).rglob("*-0*"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total


def test_old_segments_leave_log_and_index(make_hub: Callable[[], Hub], bounded: Settings) -> None:
    hub = make_hub()
    fill(hub, 300)
    eventually(lambda: b'"299 x' in b"".join(hub.archive.page(Query(limit=1)).lines))
    directory = Path(hub.log_path.directory)
    eventually(lambda: size_of(str(directory)) <= LIMIT_BYTES + SEGMENT_BYTES)
    eventually(lambda: {one.segment for one in hub.store.segments()} <= set(os.listdir(directory)))


def test_an_index_that_cannot_follow_does_not_let_the_log_grow(
    make_hub: Callable[[], Hub], bounded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)

    def refuse(*_: object) -> None:
        raise StoreError("no")

    monkeypatch.setattr(SqliteStore, "add", refuse)
    hub = make_hub()
    fill(hub, 300)
    eventually(lambda: hub.log_bytes() <= LIMIT_BYTES)
    eventually(lambda: hub.health()["status"] == "failing")


def test_what_went_before_it_was_indexed_is_counted(
    make_hub: Callable[[], Hub], bounded: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The index is held up with one event in hand; the others of its segment nobody has read."""
    is_held, may_go, add = threading.Event(), threading.Event(), SqliteStore.add

    def hold(*arguments: Any) -> Added:
        is_held.set()
        may_go.wait(DEADLINE_S)
        return add(*arguments)

    monkeypatch.setattr(SqliteStore, "add", hold)
    hub = make_hub()
    try:
        fill(hub, 1)
        assert is_held.wait(DEADLINE_S)
        fill(hub, 300)
        eventually(lambda: hub.log_bytes() <= LIMIT_BYTES)
    finally:
        may_go.set()
    eventually(lambda: hub.lag_bytes() == 0 and hub.metric.broken.total > 0)
    assert hub.metric.broken.values.keys() == {("gone",)}
    assert hub.metric.broken_bytes.total > 0
