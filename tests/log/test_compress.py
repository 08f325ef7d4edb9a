"""Compressing loses and repeats nothing, whenever it is stopped and whoever writes meanwhile."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from laneway.base.errors import LogError
from laneway.log import compress as compress_module
from laneway.log import pack
from laneway.log.append import Appender
from laneway.log.compress import compress, find_sealed, sweep
from laneway.log.read import Reader
from laneway.log.seekable import SeekableFile
from laneway.log.segment import LogPath
from laneway.log.tail import Tail

from .sealed import make_lines, write_segment


@pytest.fixture
def log_path(tmp_path: Path) -> LogPath:
    return LogPath(str(tmp_path / "log"))


@pytest.fixture
def segment(log_path: LogPath) -> Path:
    write_segment(log_path, 2, make_lines(3, 2_000), sealed=False)
    return write_segment(log_path, 1, make_lines(2_000), sealed=True)


def names(log_path: LogPath) -> list[str]:
    return sorted(os.listdir(log_path.directory))


def all_lines(log_path: LogPath) -> list[bytes]:
    tail = Tail(log_path, {})
    found = []
    while chunks := tail.poll():
        found += [line for chunk in chunks for _, line in chunk.lines]
    tail.close()
    return found


def test_a_sealed_segment_becomes_a_compressed_one(log_path: LogPath, segment: Path) -> None:
    raw, mtime = segment.read_bytes(), segment.stat().st_mtime_ns
    before = all_lines(log_path)
    packed = compress(log_path.directory, segment.name)

    assert packed is not None
    assert packed.raw_bytes == len(raw)
    assert names(log_path) == ["events-000001.jsonl.zst", "events-000002.jsonl"]
    file = Path(f"{segment}.zst")
    assert (file.stat().st_mtime_ns, file.stat().st_mode & 0o777) == (mtime, 0o644 & ~0o22 | 0o044)
    assert all_lines(log_path) == before


def test_only_sealed_settled_and_older_segments_are_found(log_path: LogPath) -> None:
    write_segment(log_path, 1, make_lines(2), sealed=True)
    write_segment(log_path, 2, make_lines(2), sealed=False)
    write_segment(log_path, 3, make_lines(2), sealed=True)
    assert find_sealed(log_path, settled_s=0) == ["events-000001.jsonl"]
    assert find_sealed(log_path) == []
    later_ns = time.time_ns() + int(compress_module.SETTLED_S * 1.1e9)
    assert find_sealed(log_path, time_ns=later_ns) == ["events-000001.jsonl"]


def test_the_number_of_a_compressed_segment_is_never_used_again(
    log_path: LogPath, segment: Path
) -> None:
    compress(log_path.directory, segment.name)
    Path(log_path.segment_path(2)).unlink()
    assert log_path.numbers() == [1]
    assert log_path.newest() == 2
    appender = Appender(log_path)
    appender.append([b'{"a":1}'])
    appender.close()
    assert appender.segment == "events-000002.jsonl"
    assert b'{"a":1}' in all_lines(log_path)


def test_a_writer_that_has_the_segment_open_goes_on_in_the_live_one(log_path: LogPath) -> None:
    appender = Appender(log_path, segment_bytes=1_000)
    other = Appender(log_path, segment_bytes=1_000)
    for line in make_lines(3):
        other.append([line])
    assert other.segment != "events-000001.jsonl"
    appender._open(1, time.time_ns())  # as if it had slept since
    assert compress(log_path.directory, "events-000001.jsonl")
    appender.append([b'{"late":1}'])
    assert not os.path.exists(log_path.segment_path(1))
    assert all_lines(log_path)[-1] == b'{"late":1}'
    appender.close()
    other.close()


def test_a_late_append_is_not_lost(
    log_path: LogPath, segment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = pack.write

    def write_and_grow(*args: object) -> str:
        digest = write(*args)  # type: ignore[arg-type]
        with segment.open("ab") as file:
            file.write(b'\n{"late":1}\n')
        return digest

    monkeypatch.setattr(pack, "write", write_and_grow)
    assert compress(log_path.directory, segment.name) is None
    assert names(log_path) == ["events-000001.jsonl", "events-000002.jsonl"]
    assert b'{"late":1}' in all_lines(log_path)


def test_a_writer_that_holds_the_lock_is_waited_for_and_then_left_alone(
    log_path: LogPath, segment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compress_module, "LOCK_WAIT_S", 0.05)
    with segment.open("ab") as holder:
        compress_module.flock(holder.fileno(), compress_module.LOCK_NOW)
        assert compress(log_path.directory, segment.name) is None
    assert names(log_path) == ["events-000001.jsonl", "events-000002.jsonl"]
    assert compress(log_path.directory, segment.name) is not None


def test_what_does_not_read_back_is_not_trusted(
    log_path: LogPath, segment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = pack.write

    def write_badly(*args: object) -> str:
        digest = write(*args)  # type: ignore[arg-type]
        target = args[3]
        target.flush()  # type: ignore[attr-defined]
        with open(target.name, "r+b") as file:  # type: ignore[attr-defined]
            file.seek(5_000)
            file.write(b"\0")
        return digest

    monkeypatch.setattr(pack, "write", write_badly)
    with pytest.raises(LogError, match="does not read back"):
        compress(log_path.directory, segment.name)
    assert names(log_path) == ["events-000001.jsonl", "events-000002.jsonl"]


@pytest.mark.parametrize("harm", ["none", "flip", "cut", "other"])
def test_both_forms_at_the_start_are_decided_by_the_plain_one(
    log_path: LogPath, segment: Path, harm: str
) -> None:
    raw, before = segment.read_bytes(), all_lines(log_path)
    compress(log_path.directory, segment.name)
    packed = Path(f"{segment}.zst")
    data = bytearray(packed.read_bytes())
    if harm == "flip":
        data[len(data) // 3] ^= 1
    packed.write_bytes(data[: len(data) // 2] if harm == "cut" else data)
    segment.write_bytes(raw[:-1] + b'{"more":1}\n\n' if harm == "other" else raw)

    assert len(all_lines(log_path)) == len(before) + (harm == "other")
    assert compress(log_path.directory, segment.name) is not None
    assert names(log_path) == ["events-000001.jsonl.zst", "events-000002.jsonl"]
    assert len(all_lines(log_path)) == len(before) + (harm == "other")


KILLED = """
import os, signal, sys
from laneway.log import compress as module
directory, point = sys.argv[1], int(sys.argv[2])
calls = 0
def counted(function):
    def call(*args, **options):
        global calls
        calls += 1
        if calls == point:
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*args, **options)
    return call
names = "open fstat fchmod utime replace unlink stat close pread fsync fdatasync"
for name in names.split():
    setattr(os, name, counted(getattr(os, name)))
module.flock = counted(module.flock)
module.compress(directory, "events-000001.jsonl")
print("done")
"""


def test_killed_at_any_call_it_loses_and_repeats_nothing(log_path: LogPath) -> None:
    write_segment(log_path, 2, make_lines(1, 2_000), sealed=False)
    segment = write_segment(log_path, 1, make_lines(100), sealed=True)
    before = all_lines(log_path)
    raw = segment.read_bytes()
    for point in range(1, 100):
        command = [sys.executable, "-c", KILLED, log_path.directory, str(point)]
        result = subprocess.run(command, capture_output=True, text=True, timeout=180)
        assert all_lines(log_path) == before, point
        if result.stdout:
            break
        assert result.returncode == -signal.SIGKILL, result.stderr
        if segment.exists():
            assert compress(log_path.directory, segment.name) is not None
        sweep(log_path.directory)
        assert names(log_path) == ["events-000001.jsonl.zst", "events-000002.jsonl"], point
        assert all_lines(log_path) == before, point
        Path(f"{segment}.zst").unlink()
        segment.write_bytes(raw)
    else:
        raise AssertionError("it never ended")
    assert point > 15


def test_every_line_is_read_back_from_either_form(log_path: LogPath, segment: Path) -> None:
    tail = Tail(log_path, {})
    pointers = [(place, line) for chunk in tail.poll(1 << 24)[:1] for place, line in chunk.lines]
    tail.close()
    reader = Reader(log_path)
    place, line = pointers[7]
    assert reader.read(segment.name, place, len(line)) == line
    compress(log_path.directory, segment.name)
    assert reader.read(segment.name, place, len(line)) == line  # by the descriptor that it has
    reader.forget(segment.name)
    assert [reader.read(segment.name, place, len(line)) for place, line in pointers] == [
        line for _, line in pointers
    ]
    with pytest.raises(LogError, match=r"of 9999999 bytes|bytes at offset"):
        reader.read(segment.name, pointers[-1][0], 9_999_999)
    reader.close()


def test_a_tail_goes_on_in_the_compressed_form_without_repeating(
    log_path: LogPath, segment: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("laneway.log.tail.SCAN_S", 0)
    tail = Tail(log_path, {})
    first = tail.poll(20_000)[0]
    compress(log_path.directory, segment.name)
    found = list(first.lines)
    while chunks := [c for c in tail.poll(20_000) if c.segment == segment.name]:
        assert not any(c.is_replaced or c.seen_bytes for c in chunks)
        found += [pair for c in chunks for pair in c.lines]
    assert tail.take_changes() == []
    assert tail.lag_bytes() == 0
    assert len(found) == 2_000
    assert len({line for _, line in found}) == 2_000
    tail.close()


def test_a_tail_hands_out_what_is_whole_and_tells_the_rest(
    log_path: LogPath, segment: Path
) -> None:
    compress(log_path.directory, segment.name)
    path = Path(f"{segment}.zst")
    frames = SeekableFile(str(path)).layout.frames
    data = bytearray(path.read_bytes())
    data[frames[1].place + 99] ^= 1
    path.write_bytes(data)
    tail = Tail(log_path, {})
    chunks = []
    while some := tail.poll():
        chunks += [c for c in some if c.segment == segment.name]
    tail.close()
    (damage,) = [c.damage for c in chunks if c.damage]
    assert (damage.start, damage.end) == (frames[1].offset, frames[1].end)
    assert sum(len(c.lines) for c in chunks) == 2_000 - damage.line_count
