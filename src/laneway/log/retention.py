"""Retention removes whole segments, oldest first; those being written and foreign files stay."""

import os

from laneway.base.clock import NS_PER_DAY, NS_PER_S, now_ns
from laneway.log.segment import PACKED, LogPath
from laneway.log.series import SegmentFile, list_segments

GONE_NS = NS_PER_DAY
"""A process that has written nothing to its own segment for so long has ended, or will begin another."""


def apply_retention(
    log_path: LogPath, *, age_s: float = 0, total_bytes: int = 0, time_ns: int = 0
) -> list[str]:
    """Remove what is too old or too much; names of the segments removed. 0 switches a rule off.

    Age is the file's last write, and never a time inside an event: a writer
    whose clock runs ahead must not cost anybody their history.
    """
    time_ns = time_ns or now_ns()
    files = list_segments(log_path)
    kept_bytes = sum(file.size for file in files)
    oldest_ns = time_ns - int(age_s * NS_PER_S) if age_s else 0
    removed = []
    for file in files:
        is_surplus = total_bytes and kept_bytes > total_bytes
        if _may_grow(file, log_path, time_ns) or not (file.mtime_ns < oldest_ns or is_surplus):
            continue
        try:
            os.unlink(os.path.join(log_path.directory, file.name))
        except OSError:
            continue
        kept_bytes -= file.size
        removed.append(file.name.removesuffix(PACKED))
    return removed


def _may_grow(file: SegmentFile, log_path: LogPath, time_ns: int) -> bool:
    is_gone = file.series != log_path.name and file.mtime_ns < time_ns - GONE_NS
    return file.is_last and not is_gone
