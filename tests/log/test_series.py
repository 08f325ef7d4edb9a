"""Where locks do not hold, each process writes a file of its own, and nothing else changes."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from laneway.base.clock import NS_PER_DAY, now_ns
from laneway.log import append, mount, series
from laneway.log.append import Appender
from laneway.log.retention import apply_retention
from laneway.log.segment import LogPath
from laneway.log.series import list_private, list_segments, place_series, private_series
from laneway.log.tail import Tail
from tests.waiting import eventually

WRITER = """
import sys
from laneway.log.append import Appender
from laneway.log.segment import LogPath
directory, name, count, shared = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
appender = Appender(LogPath(directory), segment_bytes=1 << 20, shared=shared)
for i in range(count):
    pad = b"x" * (i * 331 % 3_000)
    appender.append([b'{"w":"%s","i":%d,"pad":"%s"}' % (name.encode(), i, pad)])
"""
WRITERS, LINES = 4, 2_000


def read_lines(directory: Path) -> list[bytes]:
    files = sorted(p for p in directory.glob("*.jsonl") if not p.is_symlink())
    return [line for file in files for line in file.read_bytes().split(b"\n") if line]


def test_the_name_tells_host_place_and_process(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path)), shared="no")
    appender.append([b"{}"])

    (name,) = os.listdir(tmp_path)
    assert appender.segment == name
    assert series.PRIVATE_FILE.fullmatch(name)
    assert name.startswith("events.")
    assert name.endswith(f".{os.getpid()}-000001.jsonl")


def test_strange_host_names_make_plain_file_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(series, "_host_name", lambda: "../../ä b." + "x" * 300)
    name = private_series(LogPath(str(tmp_path))).segment_name(1)

    assert os.path.basename(name) == name
    assert series.PRIVATE_FILE.fullmatch(name)


def test_auto_goes_by_the_file_system(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mount, "kind_of", lambda path: "nfs4")
    Appender(LogPath(str(tmp_path))).append([b'{"own":1}'])
    Appender(LogPath(str(tmp_path)), shared="yes").append([b'{"shared":1}'])
    monkeypatch.setattr(mount, "kind_of", lambda path: "ext4")
    Appender(LogPath(str(tmp_path))).append([b'{"shared":2}'])

    assert (tmp_path / "events-000001.jsonl").read_bytes() == b'{"shared":1}\n{"shared":2}\n'
    assert [own.segment_name(1) for own in list_private(LogPath(str(tmp_path)))] == [
        private_series(LogPath(str(tmp_path))).segment_name(1)
    ]


def test_the_link_is_left_alone(tmp_path: Path) -> None:
    log_path = LogPath.parse(str(tmp_path / "observability.jsonl"))
    Appender(log_path).append([b"{}"])
    Appender(log_path, shared="no").append([b"{}"])

    assert os.readlink(tmp_path / "observability.jsonl") == "observability-000001.jsonl"


def test_a_forked_child_has_a_series_of_its_own(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path)), shared="no")
    appender.append([b'{"parent":1}'])
    pid = os.fork()
    if not pid:
        try:
            appender.append([b'{"child":1}'])
        finally:
            os._exit(0)
    os.waitpid(pid, 0)
    appender.append([b'{"parent":2}'])

    assert len(list_private(LogPath(str(tmp_path)))) == 2
    assert sorted(read_lines(tmp_path)) == [b'{"child":1}', b'{"parent":1}', b'{"parent":2}']


def test_the_tail_follows_private_segments_over_their_rotation(tmp_path: Path) -> None:
    tail = Tail(LogPath(str(tmp_path)), {})
    appender = Appender(LogPath(str(tmp_path)), segment_bytes=40, shared="no")
    for n in range(6):
        appender.append([b'{"n":%d,"pad":"xxxxxxxx"}' % n])
    found: list[bytes] = []

    def is_read() -> bool:
        found.extend(line for chunk in tail.poll() for _, line in chunk.lines)
        return len(found) >= 6

    eventually(is_read, "six lines")
    tail.close()

    assert [json.loads(line)["n"] for line in found] == list(range(6))
    assert len(os.listdir(tmp_path)) > 2


def touch(path: Path, days_old: float) -> None:
    mtime_ns = now_ns() - int(days_old * NS_PER_DAY)
    os.utime(path, ns=(mtime_ns, mtime_ns))


def test_retention_removes_sealed_ones_and_those_whose_writer_is_gone(tmp_path: Path) -> None:
    for name, days in (
        ("events.a-0f0f0f.7-000001.jsonl", 5),
        ("events.a-0f0f0f.7-000002.jsonl", 0.5),
        ("events.b-0f0f0f.7-000001.jsonl", 5),
        ("events.copy.jsonl", 5),
        ("events-000001.jsonl", 5),
    ):
        (tmp_path / name).write_bytes(b"{}\n")
        touch(tmp_path / name, days)
    removed = apply_retention(LogPath(str(tmp_path)), age_s=3_600)

    assert sorted(removed) == ["events.a-0f0f0f.7-000001.jsonl", "events.b-0f0f0f.7-000001.jsonl"]


def test_a_writer_that_comes_back_after_retention_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(append, "RECHECK_NS", 10**18)
    appender = Appender(LogPath(str(tmp_path)), shared="no")
    appender.append([b'{"n":1}'])
    touch(tmp_path / appender.segment, 3)
    assert apply_retention(LogPath(str(tmp_path)), age_s=3_600) == [appender.segment]
    appender.append([b'{"n":2}'])

    assert read_lines(tmp_path) == [b'{"n":2}']


@pytest.fixture
def two_mounts(tmp_path: Path) -> Iterator[tuple[Path, Path]]:
    """One directory seen through two FUSE mounts, as two virtual machines see a shared folder."""
    unmount = shutil.which("fusermount3") or shutil.which("fusermount")
    if not shutil.which("bindfs") or not unmount:
        pytest.skip("bindfs is not installed")
    (tmp_path / "real").mkdir()
    points = (tmp_path / "one", tmp_path / "two")
    done: list[Path] = []
    try:
        for point in points:
            point.mkdir()
            made = subprocess.run(
                ["bindfs", str(tmp_path / "real"), str(point)], capture_output=True, text=True
            )
            if made.returncode:
                pytest.skip(f"FUSE cannot be mounted here: {made.stderr.strip()}")
            done.append(point)
        yield points
    finally:
        for point in done:
            subprocess.run([unmount, "-u", "-z", str(point)], check=False)


def write_from_two_mounts(two_mounts: tuple[Path, Path], shared: str) -> list[tuple[str, int]]:
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(two_mounts[n % 2]), f"w{n}", str(LINES), shared])
        for n in range(WRITERS)
    ]  # fmt: skip
    assert [writer.wait(180) for writer in writers] == [0] * WRITERS
    found = []
    for line in read_lines(two_mounts[0].parent / "real"):
        try:
            event = json.loads(line)
            found.append((event["w"], event["i"]))
        except (ValueError, TypeError, KeyError):
            continue
    return found


def test_two_fuse_mounts_of_one_directory_lose_and_tear_nothing(
    two_mounts: tuple[Path, Path],
) -> None:
    found = write_from_two_mounts(two_mounts, "auto")

    assert len(found) == len(set(found)) == WRITERS * LINES
    assert len(list_private(LogPath(str(two_mounts[0].parent / "real")))) == WRITERS


def test_what_comes_from_elsewhere_has_a_series_that_is_kept_like_a_process_s(
    tmp_path: Path,
) -> None:
    log_path = LogPath(str(tmp_path))
    place = place_series(log_path, "bus", "laneway")
    appender = Appender(place, shared="yes", segment_bytes=100)
    for n in range(3):
        appender.append([b'{"agent":"a","event":"x","n":%d,"content":"%s"}' % (n, b"x" * 60)])
    appender.close()
    assert [one.name for one in list_private(log_path)] == [place.name]
    names = [file.name for file in list_segments(log_path)]
    assert names == [place.segment_name(number) for number in (1, 2, 3)]
    assert apply_retention(log_path, total_bytes=1) == names[:2]
    assert place_series(log_path, "bus", "other").name != place.name
