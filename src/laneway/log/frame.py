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
from dataclasses import dataclass, field
from hashlib import blake2b
from typing import NamedTuple

from laneway.base.errors import LogError
from laneway.log.segment import PACKED
from laneway.log.text import Damage

if sys.version_info >= (3, 14):
    from compression import zstd as zstd
else:
    from backports import zstd as zstd

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
    fault: str = ""


def digest(data: bytes) -> str:
    return blake2b(data, digest_size=16).hexdigest()


def count_lines(piece: bytes) -> int:
    """Lines that hold something: blank ones, such as the mark of a sealed segment, are none."""
    is_plain = piece[-1:] == b"\n" and piece[:1] != b"\n" and b"\n\n" not in piece
    if is_plain and b"\r" not in piece:
        return piece.count(b"\n")
    return sum(1 for line in piece.split(b"\n") if line.rstrip(b"\r"))


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
