"""The log and the index that the questions are asked of."""

from pathlib import Path

import pytest

from bench import query
from laneway.base.settings import resolve
from laneway.hub.hub import Hub
from tests.waiting import DEADLINE_S

EVENTS = 60


@pytest.mark.parametrize("is_sealed", [False, True])
def test_a_hub_takes_over_what_the_bench_has_built(
    is_sealed: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query, "SEGMENT_EVENTS", 25)
    query.write_log(tmp_path, EVENTS)
    query.fill_index(tmp_path)
    if is_sealed:
        query.seal(tmp_path)
    place = {"log_path": tmp_path / "log", "index_path": tmp_path / "index"}
    hub = Hub(resolve({"home": tmp_path / "home", "port": 0, **place}, env={}), in_process=True)
    try:
        assert hub.follower.wait_level(DEADLINE_S)
        assert sum(state.event_count for state in hub.store.segments()) == EVENTS
        assert hub.metric.indexed.total == 0, "it reads lines that are indexed already"
    finally:
        hub.close()
