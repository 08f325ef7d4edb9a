"""Retention removes whole segments, oldest first; those being written and foreign files stay."""

import os
from collections.abc import Callable, Iterable

from laneway.base.clock import NS_PER_DAY, NS_PER_S, now_ns
from laneway.log.removal import remove_file
from laneway.log.segment import PACKED, LogPath
from laneway.log.series import SegmentFile, list_segments

GONE_NS = NS_PER_DAY
"""A process that has written nothing to its own segment for so long has ended, or will begin another."""


def apply_retention(
    log_path: LogPath,
    *,
    age_s: float = 0,
    total_bytes: int = 0,
    time_ns: int = 0,
    index_bytes: Callable[[str], int] = lambda segment: 0,
) -> list[str]:
    """Remove what is too old or too much; names of the segments removed. 0 switches a rule off.

    Age is the file's last write, and never a time inside an event: a writer
    whose clock runs ahead must not cost anybody their history. ``index_bytes``
    tells what goes with a segment; it counts in ``total_bytes``.
    """
    time_ns = time_ns or now_ns()
    files = in_order(list_segments(log_path))
    weights = {file.name: file.size + index_bytes(file.name.removesuffix(PACKED)) for file in files}
    kept_bytes = sum(weights.values())
    oldest_ns = time_ns - int(age_s * NS_PER_S) if age_s else 0
    removed = []
    for file in files:
        is_surplus = total_bytes and kept_bytes > total_bytes
        if _may_grow(file, log_path, time_ns) or not (file.mtime_ns < oldest_ns or is_surplus):
            continue
        try:
            remove_file(os.path.join(log_path.directory, file.name))
        except OSError:
            continue
        kept_bytes -= weights[file.name]
        removed.append(file.name.removesuffix(PACKED))
    return removed


def in_order(files: Iterable[SegmentFile]) -> list[SegmentFile]:
    """Oldest first. A segment was not written later than those that follow it in its series,
    whatever its own time says: somebody touched it, or the clock was wrong."""
    found: list[SegmentFile] = []
    bounds: dict[str, int] = {}
    for file in sorted(files, key=_number, reverse=True):
        mtime_ns = min(file.mtime_ns, bounds.get(file.series, file.mtime_ns))
        bounds[file.series] = mtime_ns
        found.append(file._replace(mtime_ns=mtime_ns))
    return sorted(found, key=lambda file: (file.mtime_ns, file.name))


def _number(file: SegmentFile) -> tuple[int, str]:
    """Sorts the segments of a series by number: one of seven digits comes after all of six."""
    segment = file.name.removesuffix(PACKED)
    return len(segment), segment


def _may_grow(file: SegmentFile, log_path: LogPath, time_ns: int) -> bool:
    is_gone = file.series != log_path.name and file.mtime_ns < time_ns - GONE_NS
    return file.is_last and not is_gone
