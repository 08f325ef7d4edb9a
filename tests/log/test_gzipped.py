"""A gzip of somebody else's is read as its text, from any place."""

import gzip
import os
import random
from pathlib import Path

import pytest

from laneway.base.errors import LogError
from laneway.log import gzipped
from laneway.log.gzipped import GzipFile
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.log.text import fingerprint_of


@pytest.fixture(autouse=True)
def _small_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gzipped, "FRAME_BYTES", 1_000)
    monkeypatch.setattr(gzipped, "POINTS", 4)
    monkeypatch.setattr(gzipped, "READ_BYTES", 64)


TEXT = b"".join(b'{"n":%d,"x":"%s"}\n' % (n, b"ab" * (n % 90)) for n in range(300))


def test_every_place_of_it_is_what_was_compressed(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl.1.gz"
    path.write_bytes(gzip.compress(TEXT))
    file = GzipFile(str(path))
    assert (file.size, file.fingerprint) == (len(TEXT), fingerprint_of(TEXT))
    draw = random.Random(7)
    for _ in range(200):
        start, length = draw.randrange(len(TEXT)), draw.randrange(3_000)
        assert file.read(start, length) == TEXT[start : start + length]
    assert file.has_before(500, TEXT[400:500])
    assert not file.has_before(501, TEXT[400:500])


def test_its_lines_come_whole_and_each_once(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl.1.gz"
    path.write_bytes(gzip.compress(TEXT + b'{"no end'))
    file = GzipFile(str(path))
    found, place = b"", 0
    while (lines := file.read_lines(place, 100)).data:
        assert lines.data.endswith(b"\n")
        found, place = found + lines.data, lines.end
    assert (found, place) == (TEXT, len(TEXT))


def test_several_in_one_file_are_one_text(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl.1.gz"
    path.write_bytes(gzip.compress(TEXT[:5_000]) + gzip.compress(TEXT[5_000:]))
    file = GzipFile(str(path))
    assert file.read(0, len(TEXT)) == TEXT
    assert file.read(4_990, 30) == TEXT[4_990:5_020]
    assert file.size == len(TEXT)


@pytest.mark.parametrize("cut", ["end", "middle"])
def test_what_is_damaged_ends_there_and_hangs_nobody(tmp_path: Path, cut: str) -> None:
    path = tmp_path / "app.jsonl.1.gz"
    data = gzip.compress(TEXT)
    middle = len(data) // 2
    bad = data[:middle] if cut == "end" else data[:middle] + b"\xff" * 40 + data[middle + 40 :]
    path.write_bytes(bad)
    file = GzipFile(str(path))
    found = file.read(0, len(TEXT))
    assert 0 < len(found) < len(TEXT)
    assert cut == "middle" or TEXT.startswith(found)


def test_a_line_without_an_end_takes_bounded_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gzipped, "BODY_BYTES", 5_000)
    path = tmp_path / "app.jsonl.1.gz"
    path.write_bytes(gzip.compress(b"x" * 100_000 + b"\n{}\n"))
    file, place, longest = GzipFile(str(path)), 0, 0
    while (lines := file.read_lines(place, 100)).data:
        place, longest = lines.end, max(longest, len(lines.data))
    assert place == 100_004
    assert longest < 7_000


def test_what_is_none_and_what_is_not_there_are_errors_or_empty(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl.1.gz"
    path.write_bytes(b"rubbish")
    assert GzipFile(str(path)).read(0, 10) == b""
    path.write_bytes(b"")
    assert GzipFile(str(path)).fingerprint == ""
    with pytest.raises(FileNotFoundError):
        GzipFile(str(tmp_path / "none.gz"))


def test_a_reader_gives_single_lines_of_it_and_notices_another_file(tmp_path: Path) -> None:
    path = tmp_path / "app.jsonl.1.gz"
    path.write_bytes(gzip.compress(TEXT))
    reader = Reader(LogPath(str(tmp_path)))
    start = TEXT.index(b'{"n":200,')
    line = TEXT[start : TEXT.index(b"\n", start)]
    assert reader.read("app.jsonl.1", start, len(line)) == line
    assert reader.read_text("app.jsonl.1", 900, 5_100) == TEXT[900:5_100]
    other = tmp_path / "other"
    other.write_bytes(gzip.compress(b"{}\n"))
    os.replace(other, path)
    with pytest.raises(LogError):
        reader.read("app.jsonl.1", len(TEXT) - 10, 9)
    assert reader.read("app.jsonl.1", 0, 2) == b"{}"
    reader.close()
