"""Write the compressed form of a segment (`laneway.log.frame`)."""

import os
from collections.abc import Iterator
from hashlib import blake2b
from typing import IO

import orjson

from laneway.base.errors import LogError
from laneway.base.limits import BODY_BYTES, KIB, MIB
from laneway.log.frame import (
    CHECK_BYTES,
    EMPTY_CHECKSUM,
    ENTRY,
    FOOTER,
    HAS_CHECKSUMS,
    HEAD,
    HEAD_BYTES,
    OWN_MAGIC,
    SEEKABLE_MAGIC,
    SKIPPABLE,
    TABLE_MAGIC,
    Head,
    count_lines,
    digest,
    zstd,
)

FRAME_BYTES = 256 * KIB
"""Text of one frame. 128 KiB takes 5 to 11 % more bytes for what agents write, while one line read alone
costs the whole frame: about 0.24 ms (docs/adr/0029-frames.md)."""

LEVEL = 6
"""Of zstd: level 9 saves 1.5 % and takes half as long again, level 3 costs 6 % of the bytes."""


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
        line_counts.append(count_lines(piece))
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
