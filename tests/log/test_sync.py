"""Durable appends: one sync for many, and none that is believed after one has failed."""

import errno
import os
import threading
from pathlib import Path

import pytest

from laneway.base.errors import LogError
from laneway.log import sync
from laneway.log.append import Appender
from laneway.log.segment import LogPath


class SlowDisk:
    """Counts syncs, holds the first one up until it is told, and fails on demand."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.sizes: list[int] = []
        self.failures = 0
        self.is_open = threading.Event()
        self.is_open.set()
        self.has_begun = threading.Event()

    def sync_file(self, fd: int) -> None:
        """For the files of this test; what other tests wrote is synced behind them still."""
        if not os.path.realpath(f"/proc/self/fd/{fd}").startswith(self.folder):
            return
        size = os.fstat(fd).st_size
        self.has_begun.set()
        assert self.is_open.wait(180)
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, "Input/output error")
        self.sizes.append(size)


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> SlowDisk:
    slow = SlowDisk(str(tmp_path))
    monkeypatch.setattr(sync, "sync_file", slow.sync_file)
    monkeypatch.setattr(sync, "REST_NS", (0, 0))
    return slow


def test_a_line_is_synced_before_the_call_returns(tmp_path: Path, disk: SlowDisk) -> None:
    appender = Appender(LogPath(str(tmp_path)), durable=True)
    appender.append([b'{"n":1}'])
    appender.append([b'{"n":2}'])

    assert disk.sizes == [8, 16]


def test_without_durable_nothing_is_synced_before_the_call_returns(
    tmp_path: Path, disk: SlowDisk
) -> None:
    disk.is_open.clear()  # the thread that syncs behind the writer is held up
    Appender(LogPath(str(tmp_path))).append([b"{}"])

    assert disk.sizes == []
    disk.is_open.set()


def test_many_threads_share_a_sync(tmp_path: Path, disk: SlowDisk) -> None:
    appender = Appender(LogPath(str(tmp_path)), durable=True)
    disk.is_open.clear()
    threads = [threading.Thread(target=appender.append, args=([b"{}"],)) for _ in range(20)]
    threads[0].start()
    assert disk.has_begun.wait(180)
    for thread in threads[1:]:
        thread.start()
    while (tmp_path / "events-000001.jsonl").stat().st_size < 20 * 3:
        threading.Event().wait(0.005)
    disk.is_open.set()
    for thread in threads:
        thread.join()

    assert disk.sizes[-1] == 20 * 3
    assert len(disk.sizes) <= 3


def test_after_a_failed_sync_the_lines_go_to_a_new_segment(tmp_path: Path, disk: SlowDisk) -> None:
    appender = Appender(LogPath(str(tmp_path)), durable=True)
    appender.append([b'{"n":1}'])
    disk.failures = 1
    with pytest.raises(LogError, match="Input/output error"):
        appender.append([b'{"n":2}'])
    appender.append([b'{"n":2}'])

    assert (tmp_path / "events-000002.jsonl").read_bytes() == b'{"n":2}\n'
    assert disk.sizes == [8, 8]  # the second one of the new file


def test_those_who_waited_for_a_failed_sync_are_not_told_that_all_is_well(
    tmp_path: Path, disk: SlowDisk
) -> None:
    appender = Appender(LogPath(str(tmp_path)), durable=True)
    disk.is_open.clear()
    disk.failures = 1
    outcomes: list[str] = []

    def append() -> None:
        try:
            appender.append([b"{}"])
            outcomes.append("written")
        except LogError:
            outcomes.append("refused")

    threads = [threading.Thread(target=append) for _ in range(5)]
    for thread in threads:
        thread.start()
    path = tmp_path / "events-000001.jsonl"
    while not path.exists() or path.stat().st_size < 5 * 3:
        threading.Event().wait(0.005)
    disk.is_open.set()
    for thread in threads:
        thread.join()

    assert outcomes == ["refused"] * 5
    assert disk.sizes == []


def test_a_disk_that_failed_is_given_a_rest(
    tmp_path: Path, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "REST_NS", (10**12, 10**12))
    appender = Appender(LogPath(str(tmp_path)), durable=True)
    disk.failures = 1
    for _ in range(3):
        with pytest.raises(LogError):
            appender.append([b"{}"])

    assert LogPath(str(tmp_path)).numbers() == [1]
    assert disk.failures == 0


def test_a_new_name_is_synced_too(
    tmp_path: Path, disk: SlowDisk, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    monkeypatch.setattr(sync, "sync_directory", synced.append)
    appender = Appender(LogPath(str(tmp_path / "log")), segment_bytes=10, durable=True)
    appender.append([b'{"n":1}'])
    appender.append([b'{"n":2}'])

    # what other tests wrote is synced behind them still
    synced = [directory for directory in synced if directory.startswith(str(tmp_path))]
    assert synced == [str(tmp_path), str(tmp_path / "log"), str(tmp_path / "log")]


def test_the_real_calls_work(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path / "log")), segment_bytes=100, durable=True)
    for n in range(20):
        appender.append([b'{"n":%d}' % n])

    assert len(LogPath(str(tmp_path / "log")).numbers()) > 1
