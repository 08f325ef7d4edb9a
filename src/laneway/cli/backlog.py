"""The last lines of a log directory, read backwards, and the place from which a tail goes on."""

import os
import sys
from collections.abc import Callable, Iterator
from typing import TypeVar

from laneway.base.limits import MIB
from laneway.base.settings import Settings
from laneway.cli.escape import escape
from laneway.cli.terminal import Terminal
from laneway.hub.line import LineReader
from laneway.hub.pipeline import Recent
from laneway.log.listing import LOG_FILE, find_unreadable
from laneway.log.segment import PACKED, LogPath
from laneway.log.text import FINGERPRINT_BYTES, fingerprint_of, iter_lines, open_own
from laneway.model.redact import make_redactor

BLOCK_BYTES = MIB
SCAN_BYTES = 256 * MIB
"""How far back a search for the last few lines goes where a filter matches next to nothing."""

Positions = dict[str, tuple[str, int]]

T = TypeVar("T")


def new_line_reader(settings: Settings) -> LineReader:
    """Reads lines as the hub does: normalised, without secrets."""
    return LineReader(make_redactor(settings, os.environ), Recent())


def end_positions(log_path: LogPath) -> Positions:
    """Every log file that this user may read with its fingerprint, and the end of its last complete
    line."""
    positions: Positions = {}
    for name in readable_files(log_path):
        path = os.path.join(log_path.directory, name)
        try:
            positions[name] = _end_of(path)
        except FileNotFoundError:  # compressed since
            positions[name] = _end_of_packed(path)
    return {name: place for name, place in positions.items() if place[0]}


def _end_of(path: str) -> tuple[str, int]:
    with open(path, "rb", opener=open_own) as file:
        head = file.read(FINGERPRINT_BYTES)
        return fingerprint_of(head), _last_newline(file.fileno(), os.fstat(file.fileno()).st_size)


def _end_of_packed(path: str) -> tuple[str, int]:
    from laneway.log.seekable import SeekableFile

    packed = SeekableFile(path + PACKED)
    return packed.fingerprint, packed.size


def log_files(log_path: LogPath) -> list[str]:
    """Names of our segments and of foreign logs beside them, last written first. A compressed
    segment goes by its name without ``.zst``. None where there is no directory yet.

    Raises:
        LogError: it cannot be read.
    """
    try:
        entries = [
            (entry.stat().st_mtime_ns, entry.name.removesuffix(PACKED))
            for entry in os.scandir(log_path.directory)
            if LOG_FILE.fullmatch(entry.name) and entry.is_file(follow_symlinks=False)
        ]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise log_path.explain(error) from error
    return list(dict.fromkeys(name for _, name in sorted(entries, reverse=True)))


def readable_files(log_path: LogPath) -> list[str]:
    """`log_files` without those that this user may not read."""
    unreadable = {name.removesuffix(PACKED) for name in find_unreadable_here(log_path)}
    return [name for name in log_files(log_path) if name not in unreadable]


def find_unreadable_here(log_path: LogPath) -> list[str]:
    """Raises LogError: the directory cannot be read."""
    try:
        return find_unreadable(log_path.directory)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise log_path.explain(error) from error


def say_unreadable(log_path: LogPath) -> None:
    """On stderr, what an answer is without."""
    if names := find_unreadable_here(log_path):
        from laneway.reader.source import tell_unreadable

        Terminal(sys.stderr).print(escape(tell_unreadable(names)))


def last_lines(
    log_path: LogPath, positions: Positions, count: int, pick: Callable[[str, int, bytes], T | None]
) -> list[T]:
    """Of each file the last ``count`` lines that ``pick`` takes, newest first within a file.

    ``pick`` gets the file's name, the line's offset, and the line.
    """
    found: list[T] = []
    budget = SCAN_BYTES
    for name in log_files(log_path):
        if name not in positions or budget <= 0:
            continue
        if log_path.number_of(name) and len(found) >= count:
            break  # numbered segments follow one another: this one is older in every line
        taken = 0
        path = os.path.join(log_path.directory, name)
        for offset, line in iter_back(path, positions[name][1]):
            budget -= len(line)
            item = pick(name, offset, line)
            if item is not None:
                found.append(item)
                taken += 1
            if taken >= count or budget <= 0:
                break
    return found


def iter_back(path: str, end: int) -> Iterator[tuple[int, bytes]]:
    """Offset and bytes of the lines before ``end``, last first, blank ones left out."""
    try:
        yield from _iter_back_plain(path, end)
    except FileNotFoundError:  # compressed; whoever compresses it meanwhile leaves us the open file
        yield from _iter_back_packed(path + PACKED, end)


def _iter_back_packed(path: str, end: int) -> Iterator[tuple[int, bytes]]:
    """Damaged frames are passed over: `laneway doctor` tells of them."""
    from laneway.log.frame import DamageError
    from laneway.log.seekable import SeekableFile

    packed = SeekableFile(path)
    for number, frame in reversed(list(enumerate(packed.layout.frames))):
        if frame.offset >= end:
            continue
        try:
            lines = list(iter_lines(packed.read_frame(number)[: end - frame.offset], frame.offset))
        except DamageError:
            continue
        yield from reversed(lines)


def _iter_back_plain(path: str, end: int) -> Iterator[tuple[int, bytes]]:
    with open(path, "rb", opener=open_own) as file:
        rest = b""
        while end > 0:
            begin = max(0, end - BLOCK_BYTES)
            data = os.pread(file.fileno(), end - begin, begin) + rest
            first, newline, others = data.partition(b"\n")
            place = begin + len(data)
            for line in reversed(others.split(b"\n")) if newline else ():
                place -= len(line)
                if text := line.rstrip(b"\r"):
                    yield place, text
                place -= 1
            rest, end = first, begin
        if text := rest.rstrip(b"\r"):
            yield 0, text


def _last_newline(fd: int, size: int) -> int:
    """Offset just past the last newline, or 0."""
    end = size
    while end > 0:
        begin = max(0, end - BLOCK_BYTES)
        cut = os.pread(fd, end - begin, begin).rfind(b"\n")
        if cut >= 0:
            return begin + cut + 1
        end = begin
    return 0
