"""`laneway doctor DIR`: trials with real processes, on a local disk and on FUSE."""

import errno
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from laneway.base.settings import Settings, resolve
from laneway.cli.check import FAIL, NOTE, OK, WARN, disk, trial
from laneway.log import mount

from .conftest import Run


@pytest.fixture
def settings(home: Path, tmp_path: Path) -> Settings:
    (tmp_path / "log").mkdir(mode=0o700)
    return resolve({"log_path": tmp_path / "log"})


@pytest.fixture
def fuse(tmp_path: Path) -> Iterator[Path]:
    """A folder seen through FUSE."""
    if not shutil.which("bindfs"):
        pytest.skip("bindfs is not installed")
    below, point = tmp_path / "below", tmp_path / "fuse"
    below.mkdir()
    point.mkdir()
    done = subprocess.run(["bindfs", str(below), str(point)], capture_output=True, text=True)
    if done.returncode:
        pytest.skip(f"FUSE is not to be had here: {done.stderr.strip()}")
    yield point
    subprocess.run(["umount", "--lazy", str(point)], check=True)


def test_a_directory_is_tried_by_itself(run: Run, tmp_path: Path) -> None:
    ended = run("doctor", str(tmp_path))
    names = [line[8:21].strip() for line in ended.out.splitlines() if line.startswith("  ")]
    assert {"log", "owner", "file system", "disk", "locks", "appends", "sync"} <= set(names)
    assert "python" not in names
    assert "hub" not in names
    assert list(tmp_path.glob(".laneway-doctor-*")) == []


def test_locks_between_processes_hold_on_a_local_disk(settings: Settings) -> None:
    if not mount.can_share(settings.log_path):
        pytest.skip("the temporary folder is on no local file system")
    found = trial.check_locks(settings)
    assert found.state == OK
    assert "share one file" in found.value


def test_locks_that_do_not_hold_are_broken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(trial, "HOLDER", "print('held', flush=True); input()")
    assert trial.check_locks(settings).state == FAIL


def test_a_sync_is_timed(settings: Settings) -> None:
    found = trial.check_sync(settings)
    assert found.state in (OK, NOTE, WARN)
    assert " ms" in found.value


def test_a_disk_that_cannot_sync_is_broken(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(fd: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(trial, "sync_file", fail)
    found = trial.check_sync(settings)
    assert found.state == FAIL
    assert "Input/output error" in found.value


def test_a_directory_that_everybody_may_write_is_told(settings: Settings) -> None:
    assert trial.check_owner(settings).state == OK
    os.chmod(settings.log_path, 0o777)
    found = trial.check_owner(settings)
    assert found.state == WARN
    assert "mode 0777" in found.value


def test_on_fuse_each_process_gets_a_file_of_its_own_and_the_trial_says_so(
    home: Path, fuse: Path
) -> None:
    settings = resolve({"log_path": fuse})
    assert "fuse" in disk.check_file_system(settings).value
    found = trial.check_locks(settings)
    assert found.state == NOTE
    assert "a file of its own" in found.value
    assert disk.check_appends(settings).state == OK
