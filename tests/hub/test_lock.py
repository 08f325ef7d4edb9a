import os
from pathlib import Path

import pytest

from laneway.base.errors import HubError
from laneway.hub.lock import LOCK_FILE, HubLock


def test_a_second_hub_is_told_who_has_the_log(tmp_path: Path) -> None:
    lock = HubLock(str(tmp_path))
    lock.tell("http://127.0.0.1:8001")
    with pytest.raises(HubError) as caught:
        HubLock(str(tmp_path))
    assert f"process {os.getpid()}, http://127.0.0.1:8001" in caught.value.message
    assert caught.value.hint
    lock.release()


def test_a_released_log_is_free(tmp_path: Path) -> None:
    HubLock(str(tmp_path)).release()
    HubLock(str(tmp_path)).release()


def test_a_lock_file_without_holder_is_no_hindrance(tmp_path: Path) -> None:
    (tmp_path / LOCK_FILE).write_text('{"pid": 1, "url": "gone"}')
    HubLock(str(tmp_path)).release()


@pytest.mark.parametrize("text", ["", "[]", "null", '{"pid":', '{"url":"x"}'])
def test_a_strange_lock_file_still_gives_a_clear_word(tmp_path: Path, text: str) -> None:
    lock = HubLock(str(tmp_path))
    (tmp_path / LOCK_FILE).write_text(text)
    with pytest.raises(HubError, match="another hub serves this log already"):
        HubLock(str(tmp_path))
    lock.release()


def test_a_log_directory_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("x")
    with pytest.raises(HubError, match="log"):
        HubLock(str(tmp_path / "log"))
