"""The compressed form: other tools read it, every line is found, and damage is told and bounded."""

import os
import random
import shutil
import struct
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.log.frame import HEAD_BYTES, DamageError
from laneway.log.pack import write
from laneway.log.seekable import SeekableFile
from laneway.log.text import fingerprint_of

from .sealed import make_lines


def pack(path: Path, text: bytes) -> SeekableFile:
    raw = path.with_suffix("")
    raw.write_bytes(text)
    fd = os.open(raw, os.O_RDONLY)
    with path.open("wb") as target:
        write(fd, len(text), fingerprint_of(text) or "00" * 16, target)
    os.close(fd)
    return SeekableFile(str(path))


def unpack(packed: SeekableFile) -> bytes:
    return b"".join(packed.read_frame(n) for n in range(len(packed.layout.frames)))


@pytest.fixture
def text() -> bytes:
    return b"\n".join(make_lines(3_000)) + b"\n\n"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "events-000001.jsonl.zst"


def test_the_text_comes_back_with_its_size_and_fingerprint(path: Path, text: bytes) -> None:
    packed = pack(path, text)

    assert unpack(packed) == text
    assert (packed.size, packed.fingerprint) == (len(text), fingerprint_of(text))
    assert packed.layout.fault == ""
    assert len(packed.layout.frames) > 5
    assert sum(frame.line_count for frame in packed.layout.frames) == 3_000
    assert path.stat().st_size < len(text) / 3


@pytest.mark.skipif(not shutil.which("zstd"), reason="the zstd program is not installed")
def test_the_zstd_program_reads_it(path: Path, text: bytes) -> None:
    pack(path, text)
    command = ["zstd", "-dc", str(path)]
    assert subprocess.run(command, capture_output=True, check=True).stdout == text
    assert subprocess.run(["zstd", "-qt", str(path)], check=True).returncode == 0


def test_the_seek_table_is_that_of_the_published_format(path: Path, text: bytes) -> None:
    packed = pack(path, text)
    data = path.read_bytes()
    count, descriptor, magic = struct.unpack("<IBI", data[-9:])
    assert (magic, descriptor) == (0x8F92EAB1, 0x80)
    table = data[-9 - 12 * count - 8 : -9]
    assert struct.unpack("<II", table[:8]) == (0x184D2A5E, 12 * count + 9)
    entries = list(struct.iter_unpack("<III", table[8:]))
    place = offset = 0
    for (size, length, checksum), frame in zip(entries[1:], packed.layout.frames, strict=True):
        place += entries[0][0] if not place else 0
        assert (place, offset) == (frame.place, frame.offset)
        assert data[place : place + 4] == b"\x28\xb5\x2f\xfd"
        assert data[place + size - 4 : place + size] == checksum.to_bytes(4, "little")
        place, offset = place + size, offset + length
    assert offset == len(text)


def test_frames_end_with_a_line_and_a_long_line_has_one_of_its_own(path: Path) -> None:
    long = b'{"a":"' + os.urandom(300_000).hex().encode() + b'"}'
    text = b"{}\n" * 9 + long + b"\n" + b"{}\n" * 9
    packed = pack(path, text)

    assert all(packed.read_frame(n).endswith(b"\n") for n in range(len(packed.layout.frames)))
    assert unpack(packed) == text


@settings(max_examples=40, deadline=None)
@given(st.lists(st.binary(max_size=90).map(lambda b: b.replace(b"\n", b"n")), max_size=60))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    path = tmp_path_factory.mktemp("any") / "events-000001.jsonl.zst"
    text = b"".join(line + b"\n" for line in lines)
    packed = pack(path, text)
    assert unpack(packed) == text
    filled = [line for line in lines if line.rstrip(b"\r")]
    assert sum(frame.line_count for frame in packed.layout.frames) == len(filled)


def test_lines_are_read_on_from_any_of_them(path: Path, text: bytes) -> None:
    packed = pack(path, text)
    place = text.index(b"\n", len(text) // 2) + 1
    data, end, damage = packed.read_lines(place, 1)

    assert damage is None
    assert data == text[place:end]
    assert packed.read_lines(len(text), 1) == (b"", len(text), None)


def damage_at(path: Path, place: int, length: int = 1) -> None:
    data = bytearray(path.read_bytes())
    for i in range(place, min(place + length, len(data))):
        data[i] = data[i] ^ 0x10 if length == 1 else 0
    path.write_bytes(data)


def found_again(packed: SeekableFile) -> tuple[dict[int, bytes], list[DamageError]]:
    """Text by offset of the frames that can be read, and what cannot."""
    found, lost = {}, list(packed.iter_damage())
    bad = {error.damage.frame for error in lost}
    for number, frame in enumerate(packed.layout.frames):
        if number not in bad:
            found[frame.offset] = packed.read_frame(number)
    return found, lost


def test_a_damaged_frame_is_told_with_its_lines_and_costs_no_other(path: Path, text: bytes) -> None:
    frames = pack(path, text).layout.frames
    damage_at(path, frames[2].place + frames[2].size // 2)
    found, (lost,) = found_again(SeekableFile(str(path)))

    damage = lost.damage
    assert (damage.segment, damage.frame) == ("events-000001.jsonl", 2)
    assert (damage.start, damage.end) == (frames[2].offset, frames[2].end)
    assert damage.line_count == text[damage.start : damage.end].count(b"\n")
    assert len(found) == len(frames) - 1
    assert all(text[offset : offset + len(part)] == part for offset, part in found.items())


def test_whatever_single_place_is_damaged_only_its_frame_is_lost(path: Path, text: bytes) -> None:
    frames = pack(path, text).layout.frames
    whole = path.read_bytes()
    draw = random.Random(5)
    places = [draw.randrange(len(whole)) for _ in range(60)]
    places += [draw.randrange(frames[-1].place + frames[-1].size, len(whole)) for _ in range(30)]
    unused = 0
    for place in [*range(60), *places]:
        path.write_bytes(whole)
        damage_at(path, place)
        packed = SeekableFile(str(path))
        found, lost = found_again(packed)
        hit = [f for f in frames if f.place <= place < f.place + f.size]
        told = [(error.damage.start, error.damage.end) for error in lost]
        if hit and not told and b"".join(found.values()) == text:
            unused += 1  # padding between streams of bits: what was written reads back whole
            continue
        assert told == [(f.offset, f.end) for f in hit], place
        assert packed.size == len(text)
        assert packed.fingerprint == fingerprint_of(text)
        assert all(text[offset : offset + len(part)] == part for offset, part in found.items())
        assert sum(map(len, found.values())) == len(text) - sum(f.length for f in hit), place
    assert unused <= 3


def test_a_file_that_was_cut_gives_what_is_left_and_tells_the_rest(path: Path, text: bytes) -> None:
    frames = pack(path, text).layout.frames
    whole = path.read_bytes()
    draw = random.Random(6)
    for size in [0, 10, 60, *(draw.randrange(len(whole)) for _ in range(40))]:
        path.write_bytes(whole[:size])
        packed = SeekableFile(str(path))
        found, lost = found_again(packed)
        kept = [f for f in frames if f.place + f.size <= size]
        assert sorted(found) == [f.offset for f in kept], size
        if size >= HEAD_BYTES:
            assert packed.size == len(text)
            end = kept[-1].end if kept else 0
            assert [(e.damage.start, e.damage.end) for e in lost][:1] in (
                [],
                [(end, frames[len(kept)].end if len(kept) < len(frames) else 0)],
                [(end, len(text))],
            )
            assert sum(e.damage.end - e.damage.start for e in lost) == len(text) - end


def test_a_file_written_anew_is_not_mistaken_for_the_one_that_was_opened(
    path: Path, text: bytes
) -> None:
    packed = pack(path, text)
    assert packed.read_frame(0)
    pack(path.with_name("other.jsonl.zst"), text[:5_000] + b"\n")
    os.replace(path.with_name("other.jsonl.zst"), path)
    with pytest.raises(OSError, match="written anew"):
        packed.read_frame(0)
