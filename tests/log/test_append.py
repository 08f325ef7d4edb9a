"""The append beside other writers, killed writers, sealed segments, forks and stopped lock holders."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from laneway.base.errors import LogError
from laneway.log import append
from laneway.log.append import Appender
from laneway.log.segment import LogPath

WRITER = """
import json, sys
from laneway.log.append import Appender
from laneway.log.segment import LogPath
directory, name, count, segment_bytes = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])
appender = Appender(LogPath(directory), segment_bytes=segment_bytes)
for i in range(count):
    size = 200_000 if i % 97 == 0 else (i * 37) % 4000
    line = json.dumps({"w": name, "i": i, "pad": "x" * size}).encode()
    appender.append([line])
    sys.stdout.write(f"{i}\\n")
    sys.stdout.flush()
"""


def start_writer(directory: Path, name: str, count: int, segment_bytes: int = 1 << 28):
    return subprocess.Popen(
        [sys.executable, "-c", WRITER, str(directory), name, str(count), str(segment_bytes)],
        stdout=subprocess.PIPE,
        text=True,
    )


def read_lines(directory: Path) -> list[bytes]:
    files = sorted(p for p in directory.glob("*.jsonl") if not p.is_symlink())
    return [line for file in files for line in file.read_bytes().split(b"\n") if line]


def test_lines_come_back_as_they_were_given(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path)))
    appender.append([b'{"a":1}'])
    appender.append([b'{"b":2}', '{"c":"ü"}'.encode()])

    assert (
        tmp_path / "events-000001.jsonl"
    ).read_bytes() == '{"a":1}\n{"b":2}\n{"c":"ü"}\n'.encode()


def test_no_lines_write_nothing(tmp_path: Path) -> None:
    Appender(LogPath(str(tmp_path))).append([])

    assert list(tmp_path.iterdir()) == []


def test_the_directory_is_made_private(tmp_path: Path) -> None:
    Appender(LogPath(str(tmp_path / "a" / "logs"))).append([b"{}"])

    assert (tmp_path / "a" / "logs").stat().st_mode & 0o077 == 0
    assert (tmp_path / "a" / "logs" / "events-000001.jsonl").stat().st_mode & 0o077 == 0


def test_a_torn_line_takes_no_innocent_line_with_it(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path)))
    appender.append([b'{"a":1}'])
    with (tmp_path / "events-000001.jsonl").open("ab") as file:
        file.write(b'{"torn":"by a kill')
    appender.append([b'{"b":2}'])

    assert read_lines(tmp_path) == [b'{"a":1}', b'{"torn":"by a kill', b'{"b":2}']


def test_the_link_follows_the_live_segment(tmp_path: Path) -> None:
    log_path = LogPath.parse(str(tmp_path / "observability.jsonl"))
    appender = Appender(log_path, segment_bytes=20)
    for i in range(3):
        appender.append([b'{"number":%d}' % i])

    assert os.readlink(tmp_path / "observability.jsonl") == "observability-000003.jsonl"
    assert (tmp_path / "observability.jsonl").read_bytes() == b'{"number":2}\n'


def test_a_foreign_file_of_the_links_name_is_left_alone(tmp_path: Path) -> None:
    foreign = tmp_path / "observability.jsonl"
    foreign.write_text('{"agent":"naive"}\n')
    Appender(LogPath.parse(str(foreign))).append([b"{}"])

    assert foreign.read_text() == '{"agent":"naive"}\n'
    assert not foreign.is_symlink()


def test_a_sealed_segment_ends_in_an_empty_line_and_gets_no_more(tmp_path: Path) -> None:
    first = Appender(LogPath(str(tmp_path)), segment_bytes=20)
    second = Appender(LogPath(str(tmp_path)), segment_bytes=20)
    second.append([b'{"second":0}'])
    first.append([b'{"first":10}'])
    second.append([b'{"second":1}'])

    assert (tmp_path / "events-000001.jsonl").read_bytes() == b'{"second":0}\n\n'
    assert len(read_lines(tmp_path)) == 3


def test_an_empty_line_without_a_successor_is_no_seal(tmp_path: Path) -> None:
    (tmp_path / "events-000001.jsonl").write_bytes(b'{"a":1}\n\n')
    Appender(LogPath(str(tmp_path))).append([b'{"b":2}'])

    assert LogPath(str(tmp_path)).numbers() == [1]
    assert read_lines(tmp_path) == [b'{"a":1}', b'{"b":2}']


def test_a_segment_of_an_earlier_day_is_sealed(tmp_path: Path) -> None:
    old = tmp_path / "events-000001.jsonl"
    old.write_bytes(b'{"timestamp":"2026-01-31T23:59:59.000000Z"}\n')
    Appender(LogPath(str(tmp_path))).append([b"{}"])

    assert old.read_bytes().endswith(b"\n\n")
    assert (tmp_path / "events-000002.jsonl").read_bytes() == b"{}\n"


def test_a_deleted_segment_is_made_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(append, "RECHECK_NS", 0)
    appender = Appender(LogPath(str(tmp_path)))
    appender.append([b'{"a":1}'])
    (tmp_path / "events-000001.jsonl").unlink()
    appender.append([b'{"b":2}'])

    assert read_lines(tmp_path) == [b'{"b":2}']


def test_an_unwritable_directory_is_a_log_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    appender = Appender(LogPath(str(tmp_path / "file" / "logs")))

    with pytest.raises(LogError, match="is not a directory") as caught:
        appender.append([b"{}"])
    assert "name the directory of a log" in caught.value.hint


def test_a_stopped_lock_holder_stops_nobody(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path)))
    appender.append([b'{"a":1}'])
    holder = os.open(tmp_path / "events-000001.jsonl", os.O_RDWR)
    fcntl.flock(holder, fcntl.LOCK_EX)
    try:
        appender.append([b'{"b":2}'])
    finally:
        os.close(holder)
    appender.append([b'{"c":3}'])

    assert read_lines(tmp_path) == [b'{"a":1}', b'{"b":2}', b'{"c":3}']


def test_an_append_from_a_signal_handler_inside_an_append_does_not_hang(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path)))
    signal.signal(signal.SIGALRM, lambda *_: appender.append([b'{"signal":1}']))
    signal.setitimer(signal.ITIMER_REAL, 0.001, 0.001)
    try:
        until = time.monotonic() + 1
        count = 0
        while time.monotonic() < until:
            appender.append([b'{"main":1}'])
            count += 1
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)

    lines = read_lines(tmp_path)
    assert lines.count(b'{"main":1}') == count
    assert lines.count(b'{"signal":1}') > 0
    assert set(lines) == {b'{"main":1}', b'{"signal":1}'}


def test_threads_and_their_forked_children_neither_hang_nor_repeat(tmp_path: Path) -> None:
    appender = Appender(LogPath(str(tmp_path)))
    is_done = threading.Event()
    counts = [0] * 3

    def write(number: int) -> None:
        while not is_done.is_set():
            appender.append([b'{"thread":%d,"i":%d}' % (number, counts[number])])
            counts[number] += 1

    threads = [threading.Thread(target=write, args=(n,)) for n in range(3)]
    for thread in threads:
        thread.start()
    for child in range(40):
        pid = os.fork()
        if not pid:
            try:
                appender.append([b'{"child":%d}' % child])
            finally:
                os._exit(0)
        os.waitpid(pid, 0)
    is_done.set()
    for thread in threads:
        thread.join()

    lines = [json.loads(line) for line in read_lines(tmp_path)]
    assert sum("child" in line for line in lines) == 40
    assert sum("thread" in line for line in lines) == sum(counts)
    assert len({json.dumps(line) for line in lines}) == len(lines)


def test_many_writers_over_many_segments_lose_and_tear_nothing(tmp_path: Path) -> None:
    writers = [start_writer(tmp_path, f"w{n}", 400, 1 << 20) for n in range(4)]
    for writer in writers:
        writer.communicate(timeout=180)

    lines = [json.loads(line) for line in read_lines(tmp_path)]
    assert len(LogPath(str(tmp_path)).numbers()) > 3
    assert sorted((line["w"], line["i"]) for line in lines) == [
        (f"w{n}", i) for n in range(4) for i in range(400)
    ]


def test_killed_writers_lose_nothing_that_they_reported(tmp_path: Path) -> None:
    reported: dict[str, int] = {}
    for round_ in range(8):
        writers = {
            f"w{round_}.{n}": start_writer(tmp_path, f"w{round_}.{n}", 10**6) for n in range(3)
        }
        first = [writer.stdout.readline() for writer in writers.values() if writer.stdout]
        assert all(first)
        time.sleep(0.05)  # let them run on: any moment is a good one to be killed at
        for name, writer in writers.items():
            writer.send_signal(signal.SIGKILL)
            out = writer.communicate()[0].split("\n")[:-1]  # begins where the first read ended
            reported[name] = int(out[-1] or 0) if out else 0

    found: dict[str, int] = {}
    fragments = 0
    for line in read_lines(tmp_path):
        try:
            event = json.loads(line)
        except ValueError:
            fragments += 1
            continue
        assert event["i"] == found.get(event["w"], -1) + 1
        found[event["w"]] = event["i"]
    assert sum(reported.values()) > 0
    assert all(found.get(name, -1) >= last for name, last in reported.items())
    assert fragments <= len(reported)
