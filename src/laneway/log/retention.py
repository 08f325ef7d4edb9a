"""Retention removes whole segments, oldest first; those being written and foreign files stay."""

import os
from collections.abc import Iterator
from typing import NamedTuple

from laneway.base.clock import NS_PER_DAY, NS_PER_S, now_ns
from laneway.log.segment import LogPath
from laneway.log.series import list_private

GONE_NS = NS_PER_DAY
"""A process that has written nothing to its own segment for so long has ended, or will begin another."""


class _File(NamedTuple):
    mtime_ns: int
    name: str
    size: int
    is_live: bool


def apply_retention(
    log_path: LogPath, *, age_s: float = 0, total_bytes: int = 0, time_ns: int = 0
) -> list[str]:
    """Remove what is too old or too much; names of the segments removed. 0 switches a rule off.

    Age is the file's last write, and never a time inside an event: a writer
    whose clock runs ahead must not cost anybody their history.
    """
    time_ns = time_ns or now_ns()
    files = sorted(_iter_files(log_path, time_ns))
    kept_bytes = sum(file.size for file in files)
    oldest_ns = time_ns - int(age_s * NS_PER_S) if age_s else 0
    removed = []
    for file in files:
        is_surplus = total_bytes and kept_bytes > total_bytes
        if file.is_live or not (file.mtime_ns < oldest_ns or is_surplus):
            continue
        try:
            os.unlink(os.path.join(log_path.directory, file.name))
        except OSError:
            continue
        kept_bytes -= file.size
        removed.append(file.name)
    return removed


def _iter_files(log_path: LogPath, time_ns: int) -> Iterator[_File]:
    """The segments of all series of the log."""
    for series in (log_path, *list_private(log_path)):
        numbers = series.numbers()
        for number in numbers:
            size, mtime_ns = _size_and_mtime_ns(series.segment_path(number))
            is_last = number == numbers[-1]
            is_gone = series is not log_path and mtime_ns < time_ns - GONE_NS
            yield _File(mtime_ns, series.segment_name(number), size, is_last and not is_gone)


def _size_and_mtime_ns(path: str) -> tuple[int, int]:
    try:
        facts = os.stat(path)
    except OSError:
        return 0, 0
    return facts.st_size, facts.st_mtime_ns
