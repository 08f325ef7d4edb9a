"""Logs that several users write: a directory that was made for a group."""

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.log.side import DIRECTORY

pytestmark = pytest.mark.skipif(os.name != "posix", reason="file modes are POSIX's")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def write(directory: Path) -> Path:
    appender = Appender(LogPath(str(directory), "events"))
    appender.append([b'{"agent":"a","event":"x"}'])
    appender.close()
    return directory / "events-000001.jsonl"


def test_a_log_is_its_owners_alone(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    assert mode(write(directory)) == 0o600
    assert mode(directory) == 0o700


def test_the_group_of_a_shared_directory_may_write_its_segments(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    directory.mkdir()
    directory.chmod(0o2770)
    old = os.umask(0o077)
    try:
        assert mode(write(directory)) == 0o660
    finally:
        os.umask(old)


def test_a_group_that_may_only_read_the_directory_may_read_its_segments(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    directory.mkdir()
    directory.chmod(0o2750)
    assert mode(write(directory)) == 0o640


def test_a_directory_that_is_writable_by_accident_is_not_shared(tmp_path: Path) -> None:
    directory = tmp_path / "log"
    directory.mkdir()
    directory.chmod(0o775)
    assert mode(write(directory)) == 0o600


AS_USER = """
import os, sys, laneway
mine, shared, user, group, length = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
laneway.configure(log_path=mine, home=mine)
laneway.log_event("a", "x", "y" * 300_000)  # all is imported: the other user may not reach the library
os.setgroups([])
os.setgid(group)
os.setuid(user)
laneway.configure(log_path=shared, home=f"{shared}/home{user}")
laneway.log_event("a", "x", "y" * length)
print(laneway.stats())
"""


@pytest.mark.skipif(os.name != "posix" or os.getuid() != 0, reason="takes root, to be two others")
def test_two_users_of_one_group_write_and_read_one_log(tmp_path: Path) -> None:
    for folder in (tmp_path, *tmp_path.parents):
        if folder != folder.parent and not mode(folder) & 0o001:
            folder.chmod(mode(folder) | 0o011)
    directory = tmp_path / "log"
    directory.mkdir()
    os.chown(directory, 31_001, 31_000)
    directory.chmod(0o2770)
    for user, length in ((31_001, 10), (31_002, 400_000), (31_001, 300_000)):
        done = subprocess.run(
            [sys.executable, "-c", AS_USER, str(tmp_path / "own"), str(directory), str(user), "31000",
             str(length)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert "'lost': {}" in done.stdout, done.stdout + done.stderr
    assert (directory / "events-000001.jsonl").read_bytes().count(b"\n") == 3
    assert mode(directory / "events-000001.jsonl") == 0o660
    kept = [path for path in (directory / DIRECTORY).rglob("*") if path.is_file()]
    assert len(kept) == 2
    assert {mode(path) for path in kept} == {0o660}
