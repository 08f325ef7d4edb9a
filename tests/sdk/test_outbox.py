"""Lines that the disk refuses: they wait, in order, and are written without another call of the host."""

import os
import resource
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from laneway.base.errors import LogError
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.sdk import outbox
from laneway.sdk.outbox import Outbox
from tests.torture.volume import fill, mount, mounted
from tests.waiting import eventually


class Disk:
    """Stands in for the appender: refuses for as long as it is told to."""

    def __init__(self) -> None:
        self.lines: list[bytes] = []
        self.is_full = False

    def append(self, lines: Sequence[bytes]) -> None:
        if self.is_full:
            raise LogError("no space")
        self.lines += lines

    def close(self) -> None:
        pass


@pytest.fixture
def disk() -> Disk:
    return Disk()


@pytest.fixture
def box(disk: Disk, monkeypatch: pytest.MonkeyPatch) -> Outbox:
    monkeypatch.setattr(outbox, "RETRY_S", 0.02)
    return Outbox(disk, lambda message: None)  # type: ignore[arg-type]


def read_lines(directory: Path) -> list[bytes]:
    files = sorted(p for p in directory.glob("*.jsonl") if not p.is_symlink())
    return [line for file in files for line in file.read_bytes().split(b"\n") if line]


def test_what_waits_is_written_though_the_host_says_nothing_more(box: Outbox, disk: Disk) -> None:
    disk.is_full = True
    assert box.keep(b"1")
    assert box.waiting == 1
    disk.is_full = False

    eventually(lambda: not box.waiting, "the waiting line")
    assert disk.lines == [b"1"]
    assert box.recorded == 1


def test_the_order_is_kept(box: Outbox, disk: Disk) -> None:
    for n in range(30):
        disk.is_full = 5 < n < 25
        box.keep(b"%d" % n)
    box.write_waiting(now=True)

    assert disk.lines == [b"%d" % n for n in range(30)]


def test_past_the_limit_lines_are_lost_and_counted(
    box: Outbox, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbox, "WAITING_BYTES", 10)
    disk.is_full = True
    kept = [box.keep(b"four") for _ in range(5)]

    assert kept == [True, True, False, False, False]
    assert box.lost == {"log_unwritable": 3}


def test_what_still_waits_at_the_end_is_counted_and_said(disk: Disk) -> None:
    said: list[str] = []
    box = Outbox(disk, said.append)  # type: ignore[arg-type]
    disk.is_full = True
    box.keep(b"1")
    box.close()

    assert box.lost == {"log_unwritable": 1}
    assert "1 event lost" in said[-1]


def test_ctrl_c_while_waiting_lines_are_written_loses_none(
    box: Outbox, disk: Disk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Outbox, "_start_thread", lambda self: None)
    disk.is_full = True
    for n in range(3):
        box.keep(b"%d" % n)

    def interrupt(lines: Sequence[bytes]) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(disk, "append", interrupt)
    with pytest.raises(KeyboardInterrupt):
        box.write_waiting(now=True)
    monkeypatch.undo()
    disk.is_full = False
    box.write_waiting(now=True)

    assert disk.lines == [b"0", b"1", b"2"]


def test_a_signal_handler_that_logs_while_lines_wait_does_not_hang(box: Outbox, disk: Disk) -> None:
    disk.is_full = True
    handled = 0

    def log_too(*_: object) -> None:
        nonlocal handled
        handled += 1
        box.keep(b"signal")

    signal.signal(signal.SIGALRM, log_too)
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        until = time.monotonic() + 0.5
        count = 0
        while time.monotonic() < until:
            box.keep(b"main")
            count += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
    disk.is_full = False
    eventually(lambda: not box.waiting, "the waiting lines")

    assert handled > 0
    assert len(disk.lines) == count + handled - box.lost.get("log_unwritable", 0)


def test_threads_that_lose_lines_at_once_count_each_one(disk: Disk) -> None:
    box = Outbox(disk, lambda message: None)  # type: ignore[arg-type]

    def lose() -> None:
        for _ in range(20_000):
            box.lose("spool_full")

    threads = [threading.Thread(target=lose) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert box.lost == {"spool_full": 80_000}


def new_box(directory: Path) -> Outbox:
    return Outbox(Appender(LogPath(str(directory)), segment_bytes=4_000), lambda message: None)


def test_a_full_disk_leaves_a_fragment_that_costs_no_line(tmp_path: Path) -> None:
    with mounted(tmp_path / "volume", "256k") as volume:
        box = new_box(volume / "log")
        box.keep(b'{"n":0}')
        neighbour = new_box(volume / "log")
        filler = fill(volume)
        long = b'{"n":1,"pad":"' + b"x" * 60_000 + b'"}'
        box.keep(long)
        neighbour.keep(b'{"n":2}')
        assert box.waiting == 1
        filler.unlink()
        eventually(lambda: not box.waiting + neighbour.waiting, "both to recover")

        lines = read_lines(volume / "log")
        assert {b'{"n":0}', long, b'{"n":2}'} <= set(lines)


def test_a_file_system_that_became_read_only_is_used_again_when_it_is_not(tmp_path: Path) -> None:
    with mounted(tmp_path / "volume", "1m") as volume:
        (volume / "log").mkdir()
        mount(["-o", "remount,ro", str(volume)])
        box = new_box(volume / "log")
        box.keep(b'{"n":0}')
        box.keep(b'{"n":1}')
        assert box.waiting == 2
        mount(["-o", "remount,rw", str(volume)])
        eventually(lambda: not box.waiting, "the log to be writable")

        assert read_lines(volume / "log") == [b'{"n":0}', b'{"n":1}']


@contextmanager
def without_rights(directory: Path) -> Iterator[None]:
    """Nobody may write there; a superuser becomes somebody else for the while."""
    directory.chmod(0o500)
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(65_534)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
        directory.chmod(0o700)


def test_a_directory_without_rights_keeps_lines_waiting(tmp_path: Path) -> None:
    log = tmp_path / "log"
    log.mkdir()
    box = new_box(log)
    with without_rights(log):
        box.keep(b'{"n":0}')
        assert box.waiting == 1
    eventually(lambda: not box.waiting, "the rights to be used")

    assert read_lines(log) == [b'{"n":0}']


def test_a_directory_that_was_removed_is_made_again_at_once(tmp_path: Path) -> None:
    box = new_box(tmp_path / "log")
    box.keep(b'{"n":0}')
    for path in (tmp_path / "log").iterdir():
        path.unlink()
    (tmp_path / "log").rmdir()
    box.keep(b'{"n":1}')

    assert box.waiting == 0
    assert read_lines(tmp_path / "log") == [b'{"n":1}']


def test_without_a_free_descriptor_the_old_segment_goes_on(tmp_path: Path) -> None:
    box = new_box(tmp_path / "log")
    line = b'{"pad":"' + b"x" * 2_000 + b'"}'
    box.keep(line)
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    held = os.open(os.devnull, os.O_RDONLY)
    resource.setrlimit(resource.RLIMIT_NOFILE, (held + 1, hard))
    try:
        for _ in range(4):
            box.keep(line)
        assert box.waiting == 0
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        os.close(held)

    assert read_lines(tmp_path / "log") == [line] * 5


STARVED = """
import os, resource, laneway
from laneway import log_event
resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
taken = []
try:
    while True:
        taken.append(os.open(os.devnull, os.O_RDONLY))
except OSError:
    pass
early = log_event("a", "log", n=0)
for fd in taken:
    os.close(fd)
late = log_event("a", "log", n=1)
assert late and laneway.flush(180)
lost = sum(laneway.stats()["lost"].values())
assert laneway.stats()["recorded"] == 2 - lost and bool(early) == (not lost), laneway.stats()
"""


def test_a_process_that_starts_without_descriptors_counts_and_goes_on(tmp_path: Path) -> None:
    env = {**os.environ, "LOG_PATH": str(tmp_path / "log")}
    done = subprocess.run(
        [sys.executable, "-c", STARVED], env=env, capture_output=True, text=True, timeout=180
    )

    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
