"""The tail hands out every complete line once, whatever happens to the files."""

import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.base.limits import MIB
from laneway.log import tail as tail_module
from laneway.log.segment import LogPath
from laneway.log.tail import Chunk, Tail


@pytest.fixture(autouse=True)
def _scan_always(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tail_module, "SCAN_S", 0)


def follow(directory: Path, positions: dict[str, tuple[str, int]] | None = None) -> Tail:
    return Tail(LogPath(str(directory)), positions or {})


def texts(chunks: list[Chunk]) -> list[bytes]:
    return [line for chunk in chunks for _, line in chunk.lines]


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_lines_come_once_with_their_offsets(tmp_path: Path) -> None:
    path = tmp_path / "events-000001.jsonl"
    append(path, b'{"a":1}\n\n{"b":2}\r\n')
    tail = follow(tmp_path)

    (chunk,) = tail.poll()
    assert chunk.lines == [(0, b'{"a":1}'), (9, b'{"b":2}')]
    assert chunk.end == 18
    assert tail.poll() == []


def test_an_unfinished_line_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "events-000001.jsonl"
    append(path, b'{"a":1}\n{"b"')
    tail = follow(tmp_path)

    assert texts(tail.poll()) == [b'{"a":1}']
    assert tail.poll() == []
    append(path, b":2}\n")
    assert texts(tail.poll()) == [b'{"b":2}']


def test_a_file_without_a_finished_first_line_is_waited_for(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a"')
    tail = follow(tmp_path)

    assert tail.poll() == []
    append(path, b":1}\n")
    assert texts(tail.poll()) == [b'{"a":1}']


def test_it_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "events-000001.jsonl"
    append(path, b'{"a":1}\n')
    (chunk,) = follow(tmp_path).poll()
    append(path, b'{"b":2}\n')
    (again,) = follow(tmp_path, {chunk.segment: (chunk.fingerprint, chunk.end)}).poll()

    assert texts([again]) == [b'{"b":2}']
    assert not again.is_replaced


def test_another_file_of_the_same_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a":1}\n')
    (chunk,) = follow(tmp_path).poll()
    path.unlink()
    append(path, b'{"other":1}\n{"b":2}\n')
    (again,) = follow(tmp_path, {chunk.segment: (chunk.fingerprint, chunk.end)}).poll()

    assert texts([again]) == [b'{"other":1}', b'{"b":2}']
    assert again.is_replaced


def test_a_file_replaced_while_followed_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a":1}\n')
    tail = follow(tmp_path)
    tail.poll()
    os.rename(path, tmp_path / "naive.jsonl.1")
    append(tmp_path / "naive.jsonl.1", b'{"late":1}\n')
    append(path, b'{"b":2}\n')
    chunks = {chunk.segment: chunk for chunk in tail.poll()}

    assert texts([chunks["naive.jsonl"]]) == [b'{"b":2}']
    assert chunks["naive.jsonl"].is_replaced
    assert texts([chunks["naive.jsonl.1"]]) == [b'{"a":1}', b'{"late":1}']
    assert chunks["naive.jsonl.1"].is_moved


def test_a_truncated_file_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a":1}\n{"b":2}\n')
    tail = follow(tmp_path)
    tail.poll()
    os.truncate(path, 0)
    append(path, b'{"c":3}\n')
    (chunk,) = tail.poll()

    assert texts([chunk]) == [b'{"c":3}']
    assert chunk.is_replaced


def test_links_hidden_files_and_other_kinds_are_left_alone(tmp_path: Path) -> None:
    append(tmp_path / "events-000001.jsonl", b"{}\n")
    (tmp_path / "events.jsonl").symlink_to("events-000001.jsonl")
    append(tmp_path / ".hidden.jsonl", b"{}\n")
    append(tmp_path / "notes.txt", b"{}\n")
    append(tmp_path / "app.jsonl.zst", b"{}\n")
    (tmp_path / "folder.jsonl").mkdir()

    assert [chunk.segment for chunk in follow(tmp_path).poll()] == ["events-000001.jsonl"]


def test_a_vanished_file_is_told_once(tmp_path: Path) -> None:
    path = tmp_path / "events-000001.jsonl"
    append(path, b"{}\n")
    tail = follow(tmp_path, {"events-000000.jsonl": ("f", 10)})
    tail.poll()
    assert tail.take_vanished() == ["events-000000.jsonl"]
    path.unlink()
    tail.poll()

    assert tail.take_vanished() == ["events-000001.jsonl"]
    assert tail.take_vanished() == []


def test_the_lag_counts_what_was_not_handed_out_and_what_is_in_work(tmp_path: Path) -> None:
    path = tmp_path / "events-000001.jsonl"
    append(path, b"{}\n")
    tail = follow(tmp_path)
    tail.poll()
    assert tail.lag_bytes() == 3
    tail.poll()
    append(path, b"{}\n{}\n")

    assert tail.lag_bytes() == 6
    tail.poll()
    assert tail.lag_bytes() == 6
    tail.poll()
    assert tail.lag_bytes() == 0


def test_a_line_longer_than_a_chunk_comes_whole(tmp_path: Path) -> None:
    line = b'{"a":"' + b"x" * (3 << 20) + b'"}'
    append(tmp_path / "naive.jsonl", line + b"\n{}\n")
    tail = follow(tmp_path)

    assert texts(tail.poll() + tail.poll()) == [line, b"{}"]


def test_a_wait_ends_when_a_line_comes(tmp_path: Path) -> None:
    path = tmp_path / "events-000001.jsonl"
    append(path, b"{}\n")
    tail = follow(tmp_path)
    tail.poll()
    append(path, b"{}\n")
    tail.wait(60)

    assert texts(tail.poll()) == [b"{}"]


def test_a_line_longer_than_is_read_at_a_time_comes_whole(tmp_path: Path) -> None:
    tail = follow(tmp_path)
    for size in (63, 64, 65, 3 * MIB):
        append(tmp_path / "events-000001.jsonl", b"x" * size + b"\n")
        (chunk,) = tail.poll(max_bytes=64)
        assert [len(line) for _, line in chunk.lines] == [size]
    tail.close()


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["events-000001.jsonl", "events-000002.jsonl", "other.jsonl"]),
            st.binary(min_size=1, max_size=40).map(
                lambda b: b.replace(b"\n", b"n").replace(b"\r", b"r")
            ),
            st.booleans(),
            st.sampled_from(["poll", "restart", "none"]),
        ),
        max_size=25,
    )
)
def test_any_mix_of_appends_polls_and_restarts_gives_each_line_once(
    tmp_path_factory, steps
) -> None:
    directory = tmp_path_factory.mktemp("log")
    tail = follow(directory)
    positions: dict[str, tuple[str, int]] = {}
    written: dict[str, bytes] = {}
    read: dict[str, list[bytes]] = {}

    def take() -> None:
        for chunk in tail.poll(max_bytes=64):
            assert not chunk.is_replaced
            positions[chunk.segment] = (chunk.fingerprint, chunk.end)
            read.setdefault(chunk.segment, []).extend(line for _, line in chunk.lines)

    for name, line, is_finished, then in steps:
        data = line + (b"\n" if is_finished else b"")
        written[name] = written.get(name, b"") + data
        append(directory / name, data)
        if then == "restart":
            tail.close()
            tail = follow(directory, positions)
        if then != "none":
            take()
    for _ in range(100):
        take()
    tail.close()

    for name, data in written.items():
        lines = [part for part in data.split(b"\n")[:-1] if part]
        assert read.get(name, []) == lines


def test_a_look_tells_the_lag_before_the_first_poll_and_takes_nothing(tmp_path: Path) -> None:
    read, unread = tmp_path / "events-000001.jsonl", tmp_path / "events-000002.jsonl"
    append(read, b'{"a":1}\n{"b":2}\n')
    (first,) = follow(tmp_path).poll()
    append(read, b'{"c":3}\n')
    append(unread, b'{"d":4}\n')

    tail = follow(tmp_path, {first.segment: (first.fingerprint, first.end)})
    assert tail.lag_bytes() == 0
    tail.look()
    assert tail.lag_bytes() == 16
    assert texts(tail.poll()) == [b'{"c":3}', b'{"d":4}']
    assert texts(tail.poll()) == []
    assert tail.lag_bytes() == 0
