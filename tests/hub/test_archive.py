"""What the log says of the past, read back through the index."""

import pytest

from laneway.hub import archive as archive_module
from laneway.hub.archive import Archive
from laneway.hub.hub import Hub
from laneway.store.query.parse import parse
from tests.waiting import eventually

from .event import event

RED = parse("pod:red")


def fill(hub: Hub, count: int, *, every: int) -> None:
    """Of ``every`` so many events one is of the pod red. The later one comes, the older it says it is."""
    events = [
        event(
            seq,
            pod="blue" if seq % every else "red",
            timestamp=f"2026-11-23T10:{59 - seq // 60:02d}:{59 - seq % 60:02d}Z",
        )
        for seq in range(1, count + 1)
    ]
    hub.append(hub.intake.take(events).lines)
    eventually(lambda: hub.store.last_seq == count)


@pytest.mark.parametrize("every", [1, 2, 7, 150])
@pytest.mark.parametrize("count", [1, 5, 40, 1000])
def test_the_past_of_some_has_no_hole_from_where_it_begins(
    hub: Hub, count: int, every: int
) -> None:
    fill(hub, 300, every=every)
    since, rows = hub.archive.past(281, count, RED)
    assert [row.seq for row in rows] == [seq for seq in range(since, 281) if seq % every == 0]
    there_are = 280 // every
    assert since == 1 or len(rows) >= min(count, there_are)
    assert all(row.entry.agent for row in rows)


def test_a_past_that_takes_too_long_ends_where_it_stands(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(hub, 300, every=7)
    monkeypatch.setattr(archive_module, "PAST_S", -1.0)
    assert isinstance(hub.archive, Archive)
    assert hub.archive.past(281, 10, RED) == (281, [])
