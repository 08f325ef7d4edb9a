"""Where the frames of a compressed segment are, in a whole file and in a damaged one."""

import os
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import NamedTuple

import orjson

from laneway.base.limits import BODY_BYTES
from laneway.log.frame import (
    CHECK_BYTES,
    ENTRY,
    FOOTER,
    HAS_CHECKSUMS,
    HEAD,
    HEAD_BYTES,
    MAGIC,
    OWN_MAGIC,
    SEEKABLE_MAGIC,
    SKIPPABLE,
    TABLE_MAGIC,
    Frame,
    Head,
    Layout,
    count_lines,
    decode,
    digest,
    zstd,
)
from laneway.log.text import fingerprint_of

MOST_FRAME_BYTES = 2 * BODY_BYTES
"""No frame of ours holds more text, so none that claims to is opened."""


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
    return Layout(facts["size"], facts["fingerprint"], frames)


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
        frames.append(Frame(place, size, offset, length, -1 if text is None else count_lines(text)))
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
