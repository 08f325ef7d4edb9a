"""The compressed form of a sealed segment: ordinary zstd that can be entered at any line.

```
NAME-000001.jsonl.zst
  head          skippable frame: size, lines and fingerprint of the text: opening reads 60 bytes
  frame …       independent zstd frames of whole lines, each with its content checksum (XXH64)
  facts         skippable frame: lines of each frame, digest of the text, digest of the seek table
  seek table    skippable frame of the published seekable format: sizes and checksum of each frame
```

`zstdcat`, `rg -z` and DuckDB read the text and skip the rest; tools that know the seekable format
find the seek table where they expect it (the head stands in it as a frame of no text). Offsets are
always those of the uncompressed text. Where the table or the facts are damaged, the frames are
found by walking over them, and past damage by their magic number.

Format: https://github.com/facebook/zstd/blob/dev/contrib/seekable_format/zstd_seekable_compression_format.md
"""

import os
import struct
import sys
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from errno import ESTALE
from hashlib import blake2b
from typing import IO, NamedTuple

import orjson

from laneway.base.errors import LogError
from laneway.base.limits import BODY_BYTES, KIB, MIB
from laneway.log.segment import PACKED
from laneway.log.text import Damage, Lines, fingerprint_of

if sys.version_info >= (3, 14):
    from compression import zstd
else:
    from backports import zstd

FRAME_BYTES = 128 * KIB
"""Text of one frame. 64 KiB compresses 4 % worse and 256 KiB 3 % better, while one line read alone
costs the whole frame: about 0.15 ms (docs/log.md)."""

LEVEL = 6
"""Of zstd: level 9 saves 1.5 % and takes half as long again, level 3 costs 6 % of the bytes."""

MOST_FRAME_BYTES = 2 * BODY_BYTES
"""No frame of ours holds more text, so none that claims to is opened."""

MAGIC = b"\x28\xb5\x2f\xfd"
TABLE_MAGIC = 0x184D2A5E
OWN_MAGIC = 0x184D2A5D
"""Skippable frames have numbers from ``0x184D2A50``; the last but one is the seek table's."""

SEEKABLE_MAGIC = 0x8F92EAB1
HAS_CHECKSUMS = 0x80

SKIPPABLE = struct.Struct("<II")  # magic, size of what follows
FOOTER = struct.Struct("<IBI")  # number of frames, descriptor, magic
ENTRY = struct.Struct("<III")  # compressed size, size of the text, checksum
HEAD = struct.Struct("<IIQQ16s")  # skippable header, size of the text, lines, fingerprint
CHECK_BYTES = 16
HEAD_BYTES = HEAD.size + CHECK_BYTES
EMPTY_CHECKSUM = 0x51D8E999
"""Low half of the XXH64 of nothing: what the seek table says of the head."""


class Frame(NamedTuple):
    """``size`` bytes at ``place`` of the file stand for ``length`` bytes of text at ``offset``."""

    place: int
    size: int
    offset: int
    length: int
    line_count: int
    """-1 where the facts that tell it are damaged."""

    @property
    def end(self) -> int:
        return self.offset + self.length


class DamageError(LogError):
    """A frame's checksum does not match, or its bytes are gone: its text is lost."""

    code = "log_damaged"
    status = 404

    def __init__(self, path: str, number: int, frame: Frame, reason: str) -> None:
        segment = os.path.basename(path).removesuffix(PACKED)
        self.damage = Damage(segment, frame.offset, frame.end, frame.line_count, reason, number)
        super().__init__(
            str(self.damage),
            hint="the other frames are whole and are read; a back-up of this file brings it back",
        )


class Head(NamedTuple):
    """What the file says of its text at once."""

    size: int
    line_count: int
    fingerprint: str


@dataclass(slots=True)
class Layout:
    """Where the frames of a file are. ``fault`` says what is wrong with the file's own tables."""

    size: int
    fingerprint: str
    frames: list[Frame] = field(default_factory=list)
    text_digest: str = ""
    fault: str = ""


def digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def write(source: int, size: int, fingerprint: str, target: IO[bytes]) -> str:
    """Compress the first ``size`` bytes of the file ``source`` into ``target``; the text's digest."""
    options: dict[int, int] = {
        zstd.CompressionParameter.compression_level: LEVEL,
        zstd.CompressionParameter.checksum_flag: 1,
    }
    compressor = zstd.ZstdCompressor(options=options)
    whole = blake2b(digest_size=16)
    target.seek(HEAD_BYTES)
    entries = [ENTRY.pack(HEAD_BYTES, 0, EMPTY_CHECKSUM)]
    line_counts = []
    for piece in _iter_pieces(source, size):
        compressor.set_pledged_input_size(len(piece))
        data = compressor.compress(piece, compressor.FLUSH_FRAME)
        target.write(data)
        whole.update(piece)
        # A frame ends in the low half of the XXH64 of its text, which is what the table wants.
        entries.append(ENTRY.pack(len(data), len(piece), int.from_bytes(data[-4:], "little")))
        line_counts.append(_count_lines(piece))
    table = b"".join(entries)
    facts = {
        "size": size,
        "fingerprint": fingerprint,
        "text": whole.hexdigest(),
        "table": digest(table),
        "lines": line_counts,
    }
    target.write(_facts(orjson.dumps(facts)))
    target.write(SKIPPABLE.pack(TABLE_MAGIC, len(table) + FOOTER.size) + table)
    target.write(FOOTER.pack(len(entries), HAS_CHECKSUMS, SEEKABLE_MAGIC))
    target.seek(0)
    target.write(_head(Head(size, sum(line_counts), fingerprint)))
    return whole.hexdigest()


def _count_lines(piece: bytes) -> int:
    """Lines that hold something: blank ones, such as the mark of a sealed segment, are none."""
    is_plain = piece[-1:] == b"\n" and piece[:1] != b"\n" and b"\n\n" not in piece
    if is_plain and b"\r" not in piece:
        return piece.count(b"\n")
    return sum(1 for line in piece.split(b"\n") if line.rstrip(b"\r"))


def _iter_pieces(source: int, size: int) -> Iterator[bytes]:
    """Whole lines, about `FRAME_BYTES` at a time; a longer line is a frame of its own."""
    offset = 0
    while offset < size:
        piece = _pread(source, min(FRAME_BYTES, size - offset), offset)
        if offset + len(piece) < size:
            cut = piece.rfind(b"\n") + 1
            piece = piece[:cut] if cut else _long_line(source, size, offset, piece)
        yield piece
        offset += len(piece)


def _long_line(source: int, size: int, offset: int, piece: bytes) -> bytes:
    while offset + len(piece) < size and len(piece) < BODY_BYTES:
        more = _pread(source, min(MIB, size - offset - len(piece)), offset + len(piece))
        cut = more.find(b"\n") + 1
        piece += more[: cut or None]
        if cut:
            break
    return piece


def _pread(source: int, length: int, offset: int) -> bytes:
    data = os.pread(source, length, offset)
    if not data:
        raise LogError(f"the segment ends at {offset}: it was cut while it was compressed")
    return data


def _head(head: Head) -> bytes:
    body = HEAD.pack(
        OWN_MAGIC,
        HEAD_BYTES - SKIPPABLE.size,
        head.size,
        head.line_count,
        bytes.fromhex(head.fingerprint),
    )
    return body + blake2b(body, digest_size=CHECK_BYTES).digest()


def _facts(body: bytes) -> bytes:
    payload = blake2b(body, digest_size=CHECK_BYTES).digest() + body
    return SKIPPABLE.pack(OWN_MAGIC, len(payload)) + payload


def read_head(fd: int) -> Head | None:
    """None where it is damaged."""
    data = os.pread(fd, HEAD_BYTES, 0)
    body, check = data[: HEAD.size], data[HEAD.size :]
    if len(data) < HEAD_BYTES or blake2b(body, digest_size=CHECK_BYTES).digest() != check:
        return None
    _, _, size, line_count, fingerprint = HEAD.unpack(body)
    return Head(size, line_count, fingerprint.hex())


def read_layout(fd: int) -> Layout:
    """The frames by the seek table, or by a walk over the file where table or facts are damaged."""
    head = read_head(fd)
    layout = _by_table(fd)
    if layout is None:
        return _by_walk(os.pread(fd, os.fstat(fd).st_size, 0), head)
    if head is None or (head.size, head.fingerprint) != (layout.size, layout.fingerprint):
        layout.fault = "its head is damaged"
    return layout


def _by_table(fd: int) -> Layout | None:
    file_size = os.fstat(fd).st_size
    end = file_size - FOOTER.size
    footer = os.pread(fd, FOOTER.size, max(end, 0))
    if len(footer) < FOOTER.size:
        return None
    count, descriptor, magic = FOOTER.unpack(footer)
    start = end - count * ENTRY.size
    if magic != SEEKABLE_MAGIC or descriptor != HAS_CHECKSUMS or start < HEAD_BYTES:
        return None
    table = os.pread(fd, end - start, start)
    sizes = list(ENTRY.iter_unpack(table))
    facts_at = sum(size for size, _, _ in sizes)
    if not sizes or facts_at > start - SKIPPABLE.size:
        return None
    payload = os.pread(fd, start - SKIPPABLE.size - facts_at, facts_at)[SKIPPABLE.size :]
    check, body = payload[:CHECK_BYTES], payload[CHECK_BYTES:]
    if blake2b(body, digest_size=CHECK_BYTES).digest() != check:
        return None
    facts = orjson.loads(body)
    if facts["table"] != digest(table):
        return None
    frames = list(_iter_frames(sizes, facts["lines"]))
    return Layout(facts["size"], facts["fingerprint"], frames, facts["text"])


def _iter_frames(
    sizes: Sequence[tuple[int, int, int]], line_counts: Sequence[int]
) -> Iterator[Frame]:
    place, offset = sizes[0][0], 0
    for (size, length, _), line_count in zip(sizes[1:], line_counts, strict=True):
        yield Frame(place, size, offset, length, line_count)
        place, offset = place + size, offset + length


class _Step(NamedTuple):
    """What a walk meets: a frame, or a stretch that is none. ``length`` is -1 where unknown."""

    place: int
    size: int
    length: int


def _by_walk(data: bytes, head: Head | None) -> Layout:
    steps = list(_iter_steps(data))
    unknown = [i for i, step in enumerate(steps) if step.length < 0]
    if (
        unknown
    ):  # the offsets behind the last of them are counted from the end, which the head tells
        first, last = unknown[0], unknown[-1]
        known = sum(step.length for i, step in enumerate(steps) if not first <= i <= last)
        place, end = steps[first].place, steps[last].place + steps[last].size
        lost = max(head.size - known, 0) if head else 0
        steps[first : last + 1] = [_Step(place, end - place, lost)] if lost else []
    frames, offset = [], 0
    for place, size, length in steps:
        text = _try_decode(data[place : place + size], length)
        frames.append(
            Frame(place, size, offset, length, -1 if text is None else _count_lines(text))
        )
        offset += length
    fault = "its seek table is damaged"
    if head is None:
        return Layout(offset, _fingerprint_of(data, frames), frames, fault=fault)
    return Layout(head.size, head.fingerprint, _with_lost_lines(frames, head), fault=fault)


def _with_lost_lines(frames: list[Frame], head: Head) -> list[Frame]:
    """What cannot be read is one stretch as a rule, and holds the lines that the head counts and
    nobody finds; where it is several, the first stands for all."""
    left = head.line_count - sum(max(frame.line_count, 0) for frame in frames)
    found = []
    for frame in frames:
        if frame.line_count < 0:
            frame, left = frame._replace(line_count=left), 0
        found.append(frame)
    return found


def _iter_steps(data: bytes) -> Iterator[_Step]:
    place = min(HEAD_BYTES, len(data))
    while place < len(data):
        if int.from_bytes(data[place : place + 4], "little") in (OWN_MAGIC, TABLE_MAGIC):
            return  # the frames end here
        size, length = _frame_at(data, place)
        size = size or _next_frame(data, place) - place
        yield _Step(place, size, length)
        place += size
    yield _Step(place, 0, -1)  # the file was cut: who knows what followed


def _frame_at(data: bytes, place: int) -> tuple[int, int]:
    """Size and length of the text of the frame at ``place``: size 0 where it cannot be stepped over,
    length -1 where its header cannot be read."""
    view = data[place : place + MOST_FRAME_BYTES]
    try:
        length = zstd.get_frame_info(view).decompressed_size
        if view[:4] != MAGIC or not length or length > MOST_FRAME_BYTES:
            return 0, -1
    except zstd.ZstdError:
        return 0, -1
    try:
        return zstd.get_frame_size(view), length
    except zstd.ZstdError:
        return 0, length


def _next_frame(data: bytes, place: int) -> int:
    """Where the next whole frame begins after ``place``, or the end of the data."""
    while (place := data.find(MAGIC, place + 1)) >= 0:
        size, length = _frame_at(data, place)
        if size and _try_decode(data[place : place + size], length) is not None:
            return place
    return len(data)


def _fingerprint_of(data: bytes, frames: Sequence[Frame]) -> str:
    """From the first line, or nothing where that is lost."""
    if not frames or frames[0].place > HEAD_BYTES:
        return ""
    text = _try_decode(data[HEAD_BYTES:][: frames[0].size], frames[0].length)
    return "" if text is None else fingerprint_of(text)


def _try_decode(data: bytes, length: int) -> bytes | None:
    try:
        return decode(data, length)
    except (ValueError, zstd.ZstdError):
        return None


def decode(data: bytes, length: int) -> bytes:
    """The text of one frame.

    Raises:
        ZstdError, ValueError: it is damaged.
    """
    decompressor = zstd.ZstdDecompressor()
    text = decompressor.decompress(data, max_length=length + 1)
    if len(text) != length or not decompressor.eof or decompressor.unused_data:
        raise ValueError(f"{len(text)} bytes instead of {length}")
    return text


class SeekableFile:
    """One compressed segment. Holds no descriptor and needs no `close`. Thread-safe.

    Raises:
        OSError: it cannot be opened.
    """

    def __init__(self, path: str) -> None:
        self.path = path
        self._layout: Layout | None = None
        self._offsets: list[int] = []
        fd = self._open()
        try:
            self._identity = _identity_of(fd)
            head = read_head(fd)
        finally:
            os.close(fd)
        known = head or self.layout
        self.size, self.fingerprint = known.size, known.fingerprint

    @property
    def layout(self) -> Layout:
        """Read when it is first needed: what is wholly indexed is opened by its head alone."""
        if self._layout is None:
            fd = self._open()
            try:
                layout = read_layout(fd)
            finally:
                os.close(fd)
            self._offsets = [frame.offset for frame in layout.frames]
            self._layout = layout
        return self._layout

    def number_at(self, offset: int) -> int:
        """The frame that holds the text at ``offset``; the number of frames past the end."""
        frames = self.layout.frames
        number = bisect_right(self._offsets, offset) - 1
        return number if number >= 0 and offset < frames[number].end else len(frames)

    def read_frame(self, number: int) -> bytes:
        """
        Raises:
            DamageError: its bytes are not those that were written.
            OSError: it cannot be read, or is not the file that was opened.
        """
        frame = self.layout.frames[number]
        fd = self._open()
        try:
            if _identity_of(fd) != self._identity:
                raise OSError(ESTALE, "was written anew")
            data = os.pread(fd, frame.size, frame.place)
        finally:
            os.close(fd)
        try:
            return decode(data, frame.length)
        except (ValueError, zstd.ZstdError) as error:
            reason = str(error).removeprefix("Unable to decompress Zstandard data: ")
            raise DamageError(self.path, number, frame, reason) from None

    def read_lines(self, offset: int, max_bytes: int) -> Lines:
        """Whole frames from ``offset``, about ``max_bytes``; a damaged one comes alone."""
        pieces: list[bytes] = []
        number, end = self.number_at(offset), offset
        while number < len(self.layout.frames) and end - offset < max_bytes:
            frame = self.layout.frames[number]
            try:
                text = self.read_frame(number)
            except DamageError as damage:
                return (
                    Lines(b"".join(pieces), end) if pieces else Lines(b"", frame.end, damage.damage)
                )
            pieces.append(text[end - frame.offset :])
            number, end = number + 1, frame.end
        return Lines(b"".join(pieces), end)

    def read(self, offset: int, length: int) -> bytes:
        """The text there."""
        data = self.read_lines(offset, length).data
        return data[:length]

    def iter_damage(self) -> Iterator[DamageError]:
        """Read all of it, and tell what is lost."""
        for number in range(len(self.layout.frames)):
            try:
                self.read_frame(number)
            except DamageError as damage:
                yield damage

    def _open(self) -> int:
        return os.open(
            self.path, os.O_RDONLY | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOFOLLOW", 0)
        )


def _identity_of(fd: int) -> tuple[int, int, int]:
    facts = os.fstat(fd)
    return facts.st_dev, facts.st_ino, facts.st_size
