"""Segments of one process alone, for file systems on which locks do not hold.

``events.HOST-TOKEN.PID-000001.jsonl``: the host's name for people, a token that
tells apart equal names and process ids of different containers, the process.
The tail follows them like any other file.
"""

import os
import re
from collections.abc import Iterator
from functools import cache
from hashlib import blake2b
from typing import NamedTuple

from laneway.log.segment import PACKED, SUFFIX, LogPath

HOST_CHARS = 32
PRIVATE_FILE = re.compile(
    r"(?P<series>.+\.[\w-]{1,32}-[0-9a-f]{6}\.\d+)-\d{6,}\.jsonl(\.zst)?", re.ASCII
)


def private_series(log_path: LogPath) -> LogPath:
    """The series that only this process writes, beside the shared one."""
    host = re.sub(r"[^A-Za-z0-9_-]", "-", _host_name())[:HOST_CHARS] or "host"
    return LogPath(log_path.directory, f"{log_path.name}.{host}-{_token()}.{os.getpid()}")


def place_series(log_path: LogPath, label: str, source: str) -> LogPath:
    """A series for what comes from elsewhere, beside the log's own; kept like a process's of number 0."""
    token = blake2b(source.encode(), digest_size=3).hexdigest()
    return LogPath(log_path.directory, f"{log_path.name}.{label}-{token}.0")


def list_private(log_path: LogPath) -> list[LogPath]:
    """The series of single processes that have a file beside the log."""
    names = {series for series, _ in _iter_private(log_path)}
    return [LogPath(log_path.directory, name) for name in sorted(names)]


class SegmentFile(NamedTuple):
    """One file of the log's own: a segment, plain or compressed."""

    mtime_ns: int
    name: str
    size: int
    series: str
    is_last: bool
    """Of its series: the one that is written, if any is."""


def list_segments(log_path: LogPath) -> list[SegmentFile]:
    """The files of all series of the log, last written last."""
    return sorted(
        file for series in (log_path, *list_private(log_path)) for file in _iter_series(series)
    )


def _iter_series(series: LogPath) -> Iterator[SegmentFile]:
    numbers = series.numbers()
    for number in numbers:
        segment = series.segment_name(number)
        for name in (segment, segment + PACKED):
            try:
                facts = os.stat(os.path.join(series.directory, name), follow_symlinks=False)
            except OSError:  # it has the other form, or was removed meanwhile
                continue
            is_last = number == numbers[-1] and name == segment
            yield SegmentFile(facts.st_mtime_ns, name, facts.st_size, series.name, is_last)


def _iter_private(log_path: LogPath) -> Iterator[tuple[str, str]]:
    try:
        names = os.listdir(log_path.directory)
    except (FileNotFoundError, NotADirectoryError):
        return
    for name in names:
        if name.startswith(log_path.name + ".") and name.endswith((SUFFIX, PACKED)):
            found = PRIVATE_FILE.fullmatch(name)
            if found:
                yield found["series"], name


def _host_name() -> str:
    try:
        return os.uname().nodename
    except AttributeError:  # Windows
        return os.environ.get("COMPUTERNAME", "")


@cache
def _token() -> str:
    """Names the place in which this process id is the only one of its number: the running kernel
    and its namespace of process ids. Random where neither can be told."""
    try:
        with open("/proc/sys/kernel/random/boot_id", "rb") as file:
            place = file.read() + os.readlink(b"/proc/self/ns/pid")
    except OSError:
        place = os.urandom(16)
    return blake2b(place, digest_size=3).hexdigest()
