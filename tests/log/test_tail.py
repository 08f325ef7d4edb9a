"""The tail hands out every complete line once, whatever happens to the files."""

import gzip
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.base.limits import MIB
from laneway.log import tail as tail_module
from laneway.log.position import Moved, Vanished
from laneway.log.rename import IsSame, cannot_tell
from laneway.log.segment import LogPath
from laneway.log.tail import Break, Chunk, Tail


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
    tail = follow(tmp_path, {chunk.segment: (chunk.fingerprint, chunk.end)})

    assert texts(tail.poll()) == [b'{"b":2}']
    assert tail.take_changes() == []


def test_another_file_of_the_same_name_is_read_from_its_beginning(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a":1}\n')
    (chunk,) = follow(tmp_path).poll()
    path.unlink()
    append(path, b'{"other":1}\n{"b":2}\n')
    tail = follow(tmp_path, {chunk.segment: (chunk.fingerprint, chunk.end)})

    assert texts(tail.poll()) == [b'{"other":1}', b'{"b":2}']
    assert tail.take_changes() == [Vanished("naive.jsonl")]


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
    assert tail.take_changes() == [Moved({"naive.jsonl": "naive.jsonl.1"})]
    assert tail.take_breaks() == []
    assert texts([chunks["naive.jsonl.1"]]) == [b'{"late":1}']


def test_a_truncated_file_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a":1}\n{"b":2}\n')
    tail = follow(tmp_path)
    tail.poll()
    os.truncate(path, 0)
    append(path, b'{"c":3}\n')

    assert texts(tail.poll()) == [b'{"c":3}']
    assert tail.take_changes() == [Vanished("naive.jsonl")]
    assert tail.take_breaks() == [Break("naive.jsonl", "cut", 0)]


HEADER = b'{"log":"begins"}\n'
"""The first line of each of a naive program's files: they cannot be told apart by it."""


def test_a_file_cut_and_grown_past_the_old_place_begins_again(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, HEADER + b'{"a":1}\n')
    tail = follow(tmp_path)
    tail.poll()
    os.truncate(path, 0)
    append(path, HEADER + b'{"b":2}\n{"c":3}\n')

    assert texts(tail.poll()) == [HEADER[:-1], b'{"b":2}', b'{"c":3}']
    assert tail.take_changes() == [Vanished("naive.jsonl")]
    assert tail.take_breaks() == [Break("naive.jsonl", "cut", 0)]


def test_another_file_that_begins_with_the_same_line_is_read_whole(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, HEADER + b'{"a":1}\n')
    tail = follow(tmp_path)
    tail.poll()
    path.rename(tmp_path / "naive.jsonl.1")
    append(path, HEADER + b'{"b":2}\n{"c":3}\n')
    chunks = {chunk.segment: chunk for chunk in tail.poll()}

    assert texts([chunks["naive.jsonl"]]) == [HEADER[:-1], b'{"b":2}', b'{"c":3}']
    assert chunks["naive.jsonl"].seen_bytes == 0
    assert list(chunks) == ["naive.jsonl"]


def test_a_chain_of_renames_moves_what_is_known_and_reads_nothing_again(tmp_path: Path) -> None:
    new, old, older = (tmp_path / f"naive.jsonl{end}" for end in ("", ".1", ".2"))
    append(old, b'{"a":1}\n')
    append(new, b'{"b":2}\n')
    tail = follow(tmp_path)
    tail.poll()
    tail.take_changes()
    old.rename(older)
    new.rename(old)
    append(old, b'{"late":1}\n')
    append(new, b'{"c":3}\n')
    chunks = {chunk.segment: chunk for chunk in tail.poll()}

    assert {name: texts([chunk]) for name, chunk in chunks.items()} == {
        "naive.jsonl": [b'{"c":3}'],
        "naive.jsonl.1": [b'{"late":1}'],
    }
    moved = Moved({"naive.jsonl": "naive.jsonl.1", "naive.jsonl.1": "naive.jsonl.2"})
    assert tail.take_changes() == [moved]
    assert tail.take_breaks() == []


def test_the_oldest_file_goes_before_another_takes_its_name(tmp_path: Path) -> None:
    new, old = tmp_path / "naive.jsonl", tmp_path / "naive.jsonl.1"
    append(old, b'{"a":1}\n')
    append(new, b'{"b":2}\n')
    tail = follow(tmp_path)
    tail.poll()
    new.replace(old)

    assert tail.poll() == []
    changes = [Vanished("naive.jsonl.1"), Moved({"naive.jsonl": "naive.jsonl.1"})]
    assert tail.take_changes() == changes


def test_two_files_that_change_names_are_followed(tmp_path: Path) -> None:
    one, two, between = (tmp_path / f"{name}.jsonl" for name in ("one", "two", "between"))
    append(one, b'{"a":1}\n')
    append(two, b'{"b":2}\n')
    tail = follow(tmp_path)
    tail.poll()
    one.rename(between)
    two.rename(one)
    between.rename(two)
    append(two, b'{"c":3}\n')

    assert [(chunk.segment, texts([chunk])) for chunk in tail.poll()] == [
        ("two.jsonl", [b'{"c":3}'])
    ]
    assert tail.take_changes() == [Moved({"one.jsonl": "two.jsonl", "two.jsonl": "one.jsonl"})]


def by_text(known: dict[str, bytes]) -> IsSame:
    """What the index does: the line that it read last under a name stands in the file."""
    return lambda name, text: known[name] in text.read(0, MIB)


def test_files_renamed_while_nobody_followed_are_known_by_what_they_hold(tmp_path: Path) -> None:
    lines = {f"naive.jsonl.{n}": b'{"n":%d}\n' % n for n in range(1, 6)}
    for name, line in lines.items():
        append(tmp_path / name, HEADER + line)
    positions = {chunk.segment: (chunk.fingerprint, chunk.end) for chunk in follow(tmp_path).poll()}
    (tmp_path / "naive.jsonl.3").unlink()
    for n in (5, 4, 2, 1):
        (tmp_path / f"naive.jsonl.{n}").rename(tmp_path / f"naive.jsonl.{n + 1}")
    append(tmp_path / "naive.jsonl.2", b'{"late":1}\n')
    append(tmp_path / "naive.jsonl.1", HEADER + b'{"new":1}\n')
    tail = Tail(LogPath(str(tmp_path)), positions, by_text(lines))

    assert [(chunk.segment, texts([chunk])) for chunk in tail.poll()] == [
        ("naive.jsonl.1", [HEADER[:-1], b'{"new":1}']),
        ("naive.jsonl.2", [b'{"late":1}']),
    ]
    names = {f"naive.jsonl.{n}": f"naive.jsonl.{n + 1}" for n in (5, 4, 2, 1)}
    assert tail.take_changes() == [Vanished("naive.jsonl.3"), Moved(names)]


def test_the_place_of_a_file_that_was_emptied_goes_with_its_text(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, HEADER + b'{"a":1}\n')
    positions = {chunk.segment: (chunk.fingerprint, chunk.end) for chunk in follow(tmp_path).poll()}
    path.rename(tmp_path / "naive.jsonl.1")
    path.touch()
    tail = Tail(LogPath(str(tmp_path)), positions, by_text({"naive.jsonl": b'{"a":1}\n'}))

    assert tail.poll() == []
    assert tail.take_changes() == [Moved({"naive.jsonl": "naive.jsonl.1"})]


def test_who_cannot_tell_files_apart_reads_a_renamed_one_again(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, HEADER)
    positions = {chunk.segment: (chunk.fingerprint, chunk.end) for chunk in follow(tmp_path).poll()}
    path.rename(tmp_path / "naive.jsonl.1")
    tail = Tail(LogPath(str(tmp_path)), positions, cannot_tell)

    assert texts(tail.poll()) == [HEADER[:-1]]
    assert tail.take_changes() == [Vanished("naive.jsonl")]


def test_a_new_file_with_the_inode_of_a_removed_one_is_another(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, HEADER + b'{"a":1}\n')
    inode, other = path.stat().st_ino, tmp_path / "other.jsonl"
    tail = follow(tmp_path)
    (chunk,) = tail.poll()
    tail.close()
    positions = {chunk.segment: (chunk.fingerprint, chunk.end)}
    path.unlink()
    append(other, HEADER + b'{"b":2}\n')
    if other.stat().st_ino != inode:
        pytest.skip("this file system does not give inodes away again at once")
    tail = Tail(LogPath(str(tmp_path)), positions, by_text({"naive.jsonl": b'{"a":1}\n'}))

    assert texts(tail.poll()) == [HEADER[:-1], b'{"b":2}']
    assert tail.take_changes() == [Vanished("naive.jsonl")]


def test_a_removed_file_leaves_those_alone_that_only_begin_like_it(tmp_path: Path) -> None:
    for n in (1, 2, 3):
        append(tmp_path / f"naive.jsonl.{n}", HEADER + b'{"n":%d}\n' % n)
    tail = follow(tmp_path)
    tail.poll()
    (tmp_path / "naive.jsonl.2").unlink()

    assert tail.poll() == []
    assert tail.take_changes() == [Vanished("naive.jsonl.2")]


def test_a_copy_is_handed_out_again_when_what_it_was_made_of_is_cut(tmp_path: Path) -> None:
    path, copy = tmp_path / "naive.jsonl", tmp_path / "naive.jsonl.1"
    append(path, b'{"a":1}\n{"b":2}\n')
    tail = follow(tmp_path)
    tail.poll()
    copy.write_bytes(path.read_bytes())
    assert texts(tail.poll()) == [b'{"a":1}', b'{"b":2}']  # the index knows them by their ids
    os.truncate(path, 0)
    append(path, b'{"c":3}\n')
    chunks = {chunk.segment: chunk for chunk in tail.poll()}

    assert texts([chunks["naive.jsonl"]]) == [b'{"c":3}']
    assert texts([chunks["naive.jsonl.1"]]) == [b'{"a":1}', b'{"b":2}']
    assert chunks["naive.jsonl.1"].seen_bytes == 16
    assert sorted(change.segment for change in tail.take_changes()) == [
        "naive.jsonl",
        "naive.jsonl.1",
    ]


def test_bytes_that_were_seen_and_not_read_before_a_cut_are_told(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a":1}\n{"half')
    tail = follow(tmp_path)
    tail.poll()
    os.truncate(path, 0)
    tail.poll()

    assert tail.take_breaks() == [Break("naive.jsonl", "cut", 6)]


def test_a_file_removed_before_it_was_read_is_told(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, b'{"a":1}\n')
    tail = follow(tmp_path)
    tail.poll()
    append(path, b'{"b":2}\n')
    path.unlink()
    tail.poll()

    assert tail.take_breaks() == [Break("naive.jsonl", "gone", 8)]
    assert tail.take_changes() == [Vanished("naive.jsonl")]


def test_a_known_file_that_another_look_finds_changed_is_read_anew(tmp_path: Path) -> None:
    path = tmp_path / "naive.jsonl"
    append(path, HEADER + b'{"a":1}\n')
    (chunk,) = follow(tmp_path).poll()
    positions = {chunk.segment: (chunk.fingerprint, chunk.end)}
    tail = Tail(LogPath(str(tmp_path)), positions, is_same=lambda name, fd: False)

    assert texts(tail.poll()) == [HEADER[:-1], b'{"a":1}']
    assert tail.take_changes() == [Vanished("naive.jsonl")]
    assert tail.take_breaks() == [Break("naive.jsonl", "cut", 0)]


def test_what_logrotate_moves_out_of_its_way_is_read(tmp_path: Path) -> None:
    """A writer was quicker than its ``create``: what it began goes to NAME-YYYYMMDDHH.backup."""
    path = tmp_path / "app.jsonl"
    append(path, b'{"n":1}\n')
    tail = follow(tmp_path)
    assert texts(tail.poll()) == [b'{"n":1}']
    path.rename(tmp_path / "app.jsonl.1")
    append(path, b'{"n":2}\n')
    path.rename(tmp_path / "app.jsonl-2026112704.backup")
    append(path, b'{"n":3}\n')

    assert sorted(texts(tail.poll())) == [b'{"n":2}', b'{"n":3}']
    assert tail.take_breaks() == []


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
    assert tail.take_changes() == [Vanished("events-000000.jsonl")]
    path.unlink()
    tail.poll()

    assert tail.take_changes() == [Vanished("events-000001.jsonl")]
    assert tail.take_changes() == []


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
    assert tail.take_changes() == []
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


def test_of_a_series_one_segment_is_read_to_its_end_before_the_next(tmp_path: Path) -> None:
    """The index has few of them open at a time."""
    for number in (1, 2):
        append(tmp_path / f"events-00000{number}.jsonl", b'{"n":%d}\n' % number * 20)
    append(tmp_path / "other.jsonl", b'{"other":1}\n' * 20)
    tail = follow(tmp_path)
    names = [chunk.segment for _ in range(9) for chunk in tail.poll(max_bytes=64)]
    ours = [name for name in names if name != "other.jsonl"]

    assert ours == ["events-000001.jsonl"] * 3 + ["events-000002.jsonl"] * 3
    assert names[:2] == ["events-000001.jsonl", "other.jsonl"]


def compress(path: Path) -> Path:
    """As gzip does it: the plain file goes when the other is whole."""
    packed = path.with_name(path.name + ".gz")
    packed.write_bytes(gzip.compress(path.read_bytes()))
    path.unlink()
    return packed


@pytest.mark.parametrize("is_followed", [True, False], ids=["followed", "while nobody followed"])
def test_a_file_compressed_after_its_rename_is_not_read_again(
    tmp_path: Path, is_followed: bool
) -> None:
    new, old = tmp_path / "naive.jsonl", tmp_path / "naive.jsonl.1"
    append(old, HEADER + b'{"a":1}\n')
    append(new, HEADER + b'{"b":2}\n')
    tail = follow(tmp_path)
    positions = {chunk.segment: (chunk.fingerprint, chunk.end) for chunk in tail.poll()}
    append(new, b'{"late":1}\n')
    old.rename(tmp_path / "naive.jsonl.2")
    compress(tmp_path / "naive.jsonl.2")
    new.rename(old)
    compress(old)
    append(new, HEADER)
    if not is_followed:
        tail.close()
        known = {"naive.jsonl": b'{"b":2}\n', "naive.jsonl.1": b'{"a":1}\n'}
        tail = Tail(LogPath(str(tmp_path)), positions, by_text(known))

    assert [(chunk.segment, texts([chunk])) for chunk in tail.poll()] == [
        ("naive.jsonl", [HEADER[:-1]]),
        ("naive.jsonl.1", [b'{"late":1}']),
    ]
    names = {"naive.jsonl": "naive.jsonl.1", "naive.jsonl.1": "naive.jsonl.2"}
    assert tail.take_changes() == [Moved(names)]
    assert tail.take_breaks() == []
    assert tail.poll() == []
    assert tail.lag_bytes() == 0


def test_a_compressed_file_that_is_new_is_read_and_one_of_our_own_names_is_not(
    tmp_path: Path,
) -> None:
    append(tmp_path / "naive.jsonl.1", HEADER)
    append(tmp_path / "events-000001.jsonl", HEADER)
    compress(tmp_path / "naive.jsonl.1")
    compress(tmp_path / "events-000001.jsonl")

    assert [chunk.segment for chunk in follow(tmp_path).poll()] == ["naive.jsonl.1"]
