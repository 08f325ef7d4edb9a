"""The thread that syncs behind the writers: soon, once for many, and never believed after a failure."""

import errno
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from laneway.log import append, sync, syncer
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.log.syncer import Source, Syncer
from laneway.log.tail import Tail
from tests.waiting import eventually


class Disk:
    """Notes (inode, size) of each sync; holds them up or fails them on demand."""

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder)
        self.synced: list[tuple[int, int]] = []
        self.directories: list[str] = []
        self.failures = 0
        self.is_open = threading.Event()
        self.is_open.set()
        self.has_begun = threading.Event()

    def sync_file(self, fd: int) -> None:
        """For the files of this test; what other tests wrote is synced behind them still."""
        if not os.path.realpath(f"/proc/self/fd/{fd}").startswith(self._folder):
            return
        facts = os.fstat(fd)
        self.has_begun.set()
        assert self.is_open.wait(180)
        if self.failures:
            self.failures -= 1
            raise OSError(errno.EIO, "Input/output error")
        self.synced.append((facts.st_ino, facts.st_size))

    def has(self, path: Path) -> bool:
        """Whether the whole file is on the disk."""
        facts = path.stat()
        return (facts.st_ino, facts.st_size) in self.synced


@pytest.fixture
def disk(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Disk:
    disk = Disk(tmp_path)
    monkeypatch.setattr(sync, "sync_file", disk.sync_file)
    monkeypatch.setattr(sync, "sync_directory", disk.directories.append)
    monkeypatch.setattr(sync, "REST_NS", (0, 0))
    monkeypatch.setattr(syncer, "PERIOD_S", 0.05)
    return disk


@pytest.fixture
def behind(monkeypatch: pytest.MonkeyPatch) -> Syncer:
    """A syncer of this test alone."""
    own = Syncer()
    monkeypatch.setattr(append, "syncer", own)
    return own


def segment(directory: Path, number: int = 1) -> Path:
    return directory / f"events-{number:06d}.jsonl"


def test_a_line_is_synced_soon_without_another_call(
    tmp_path: Path, disk: Disk, behind: Syncer
) -> None:
    appender = Appender(LogPath(str(tmp_path)))
    appender.append([b'{"n":1}'])
    eventually(lambda: disk.has(segment(tmp_path)), "the sync")
    appender.append([b'{"n":2}'])
    eventually(lambda: disk.has(segment(tmp_path)), "the next one")

    assert [size for _, size in disk.synced] == [8, 16]


def test_many_lines_share_a_sync(tmp_path: Path, disk: Disk, behind: Syncer) -> None:
    disk.is_open.clear()
    appender = Appender(LogPath(str(tmp_path)))
    for _ in range(500):
        appender.append([b"{}"])
    disk.is_open.set()
    eventually(lambda: disk.has(segment(tmp_path)), "the sync")

    assert len(disk.synced) <= 2


def test_a_disk_that_hangs_in_a_sync_holds_up_no_append(
    tmp_path: Path, disk: Disk, behind: Syncer
) -> None:
    disk.is_open.clear()
    appender = Appender(LogPath(str(tmp_path)))
    appender.append([b"{}"])
    assert disk.has_begun.wait(180)
    for _ in range(100):
        appender.append([b"{}"])
    assert segment(tmp_path).stat().st_size == 303
    disk.is_open.set()

    eventually(lambda: disk.has(segment(tmp_path)), "the lines written meanwhile")


def test_a_segment_is_synced_after_it_was_left(tmp_path: Path, disk: Disk, behind: Syncer) -> None:
    appender = Appender(LogPath(str(tmp_path)), segment_bytes=20)
    for n in range(6):
        appender.append([b'{"n":%d}' % n])
    numbers = LogPath(str(tmp_path)).numbers()
    assert len(numbers) == 3

    eventually(lambda: all(disk.has(segment(tmp_path, n)) for n in numbers), "all three")


def test_new_names_are_synced_up_to_the_folder_that_was_there(
    tmp_path: Path, disk: Disk, behind: Syncer
) -> None:
    Appender(LogPath(str(tmp_path / "a" / "log"))).append([b"{}"])

    def own() -> list[str]:
        return [name for name in disk.directories if name.startswith(str(tmp_path))]

    eventually(lambda: len(own()) >= 3, "the folders")
    eventually(lambda: disk.synced, "the sync")
    assert own() == [str(tmp_path), str(tmp_path / "a"), str(tmp_path / "a" / "log")]


def test_after_a_failed_sync_the_writer_says_so_and_goes_on_elsewhere(
    tmp_path: Path, disk: Disk, behind: Syncer
) -> None:
    disk.failures = 1
    told: list[str] = []
    appender = Appender(LogPath(str(tmp_path)))
    appender.on_sync_fault = told.append
    appender.append([b'{"n":1}'])
    eventually(lambda: told, "the failure")
    appender.append([b'{"n":2}'])
    eventually(lambda: disk.synced, "the next sync")

    assert told == ["Input/output error"]
    assert behind.faults == 1
    assert segment(tmp_path, 2).read_bytes() == b'{"n":2}\n'
    assert not disk.has(segment(tmp_path, 1))  # a later sync of it would be believed by nobody


def test_a_file_system_that_cannot_sync_is_asked_once(
    tmp_path: Path, disk: Disk, behind: Syncer, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[int] = []

    def refuse(fd: int) -> None:
        calls.append(fd)
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(sync, "sync_file", refuse)
    appender = Appender(LogPath(str(tmp_path)))
    appender.append([b"{}"])
    eventually(lambda: calls, "the sync")
    eventually(lambda: behind.faults, "its failure")
    for _ in range(3):
        appender.append([b"{}"])
        behind.settle()

    assert len(calls) == 1
    assert LogPath(str(tmp_path)).numbers() == [1]


def test_a_failed_sync_is_followed_by_a_longer_and_longer_rest(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sync, "REST_NS", (1, 8))
    behind, source, rests = Syncer(), Source(), []
    monkeypatch.setattr(behind, "_start", lambda: True)
    disk.failures = 5
    fd = os.open(tmp_path, os.O_RDONLY)
    for _ in range(6):
        behind.hand_over(source, fd)
        behind.settle()
        rests.append(behind._rest_ns)
    os.close(fd)

    assert rests == [1, 2, 4, 8, 8, 0]


def test_descriptors_run_out_neither_for_the_host_nor_for_us(
    tmp_path: Path, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    behind = Syncer()
    monkeypatch.setattr(behind, "_start", lambda: True)
    monkeypatch.setattr(append, "syncer", behind)
    appender = Appender(LogPath(str(tmp_path)), segment_bytes=1)
    for _ in range(syncer.FULL_AT + 10):
        appender.append([b"{}"])

    assert len(behind._queue) == syncer.FULL_AT
    assert behind.settle()
    assert behind._queue == []


def test_a_child_has_a_thread_of_its_own(tmp_path: Path) -> None:
    script = f"""
import os, time
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.log.syncer import shared
appender = Appender(LogPath({str(tmp_path)!r}))
appender.append([b"{{}}"])
if os.fork() == 0:
    assert shared._queue == []
    appender.append([b"{{}}"])
    while not shared.synced:
        time.sleep(0.01)
    os._exit(7)
assert os.waitstatus_to_exitcode(os.wait()[1]) == 7
while not shared.synced:
    time.sleep(0.01)
"""
    subprocess.run([sys.executable, "-c", script], check=True, timeout=180)


def test_a_process_that_ends_syncs_what_it_wrote(tmp_path: Path) -> None:
    script = f"""
import os, laneway
from laneway.log import sync, syncer
syncer.PERIOD_S = 60.0
sync.sync_file = lambda fd: print(os.fstat(fd).st_size)
laneway.configure(home={str(tmp_path / "home")!r}, log_path={str(tmp_path / "log")!r})
laneway.log_event("a", "log", "the last words")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, timeout=180, capture_output=True, text=True
    )

    assert int(done.stdout) == segment(tmp_path / "log").stat().st_size


def test_a_follower_syncs_what_others_wrote(tmp_path: Path, disk: Disk, behind: Syncer) -> None:
    path = tmp_path / "foreign.jsonl"
    path.write_bytes(b"{}\n")
    tail = Tail(LogPath(str(tmp_path)), {}, syncer=behind)
    assert len(tail.poll()) == 1
    eventually(lambda: disk.has(path), "the sync")
    with path.open("ab") as file:
        file.write(b"{}\n{}")
    assert len(tail.poll()) == 1
    eventually(lambda: disk.has(path), "the next one, of an unfinished line, too")
    tail.close()
