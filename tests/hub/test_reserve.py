"""The space set aside beside the log: who may have it, and when it comes back."""

import os
from pathlib import Path

import pytest

from laneway.base.errors import LogError
from laneway.hub import reserve
from laneway.hub.reserve import RESERVE_FILE, Reserve
from laneway.log.append import NO_SPACE_STATUS

SIZE_BYTES = 1 << 20

pytestmark = pytest.mark.skipif(
    not hasattr(os, "posix_fallocate"), reason="no reserve is made on this system"
)


@pytest.fixture
def free(monkeypatch: pytest.MonkeyPatch) -> dict[str, int]:
    """What the disk has left, to be set; looks are never put off."""
    left = {"bytes": 100 * SIZE_BYTES}
    monkeypatch.setattr(Reserve, "free_bytes", lambda self: left["bytes"])
    monkeypatch.setattr(reserve, "VOLATILE", ())
    monkeypatch.setattr(reserve, "LOOK_S", 0.0)
    return left


def test_senders_get_nothing_of_a_reserve_that_the_indexer_gave_up(
    tmp_path: Path, free: dict[str, int]
) -> None:
    senders, indexer = (Reserve(str(tmp_path), SIZE_BYTES) for _ in range(2))
    assert senders.keep()
    assert indexer.keep()
    senders.check()

    free["bytes"] = 0
    assert indexer.give_up_if_full()
    free["bytes"] = SIZE_BYTES + SIZE_BYTES // 8  # a write-ahead log was folded

    with pytest.raises(LogError) as caught:
        senders.check()
    assert caught.value.status == NO_SPACE_STATUS
    assert not (tmp_path / RESERVE_FILE).exists()


def test_a_reserve_that_was_given_up_is_made_again_when_there_is_room(
    tmp_path: Path, free: dict[str, int]
) -> None:
    one = Reserve(str(tmp_path), SIZE_BYTES)
    assert one.keep()
    one.give_up()

    free["bytes"] = 2 * SIZE_BYTES  # enough for senders, too little to set some aside
    one.check()
    assert not (tmp_path / RESERVE_FILE).exists()

    free["bytes"] = 100 * SIZE_BYTES
    one.check()
    assert (tmp_path / RESERVE_FILE).stat().st_size == SIZE_BYTES


def test_where_none_was_made_senders_may_have_all(tmp_path: Path, free: dict[str, int]) -> None:
    free["bytes"] = SIZE_BYTES
    one = Reserve(str(tmp_path), SIZE_BYTES)
    assert not one.keep()
    free["bytes"] = 10
    one.check()
