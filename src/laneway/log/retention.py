"""Retention removes whole sealed segments, oldest first; the live one and foreign files stay."""

import os

from laneway.base.clock import NS_PER_S, now_ns
from laneway.log.segment import LogPath


def apply_retention(
    log_path: LogPath, *, age_s: float = 0, total_bytes: int = 0, time_ns: int = 0
) -> list[str]:
    """Remove what is too old or too much; names of the segments removed. 0 switches a rule off.

    Age is the file's last write, and never a time inside an event: a writer
    whose clock runs ahead must not cost anybody their history.
    """
    sealed = log_path.numbers()[:-1]
    facts = [(number, *_size_and_mtime_ns(log_path.segment_path(number))) for number in sealed]
    kept_bytes = sum(size for _, size, _ in facts)
    live = log_path.newest()
    if live:
        kept_bytes += _size_and_mtime_ns(log_path.segment_path(live))[0]
    oldest_ns = (time_ns or now_ns()) - int(age_s * NS_PER_S) if age_s else 0
    removed = []
    for number, size, mtime_ns in facts:
        is_surplus = total_bytes and kept_bytes > total_bytes
        if not (mtime_ns < oldest_ns or is_surplus):
            break  # segments are in order of age: the rest is younger
        try:
            os.unlink(log_path.segment_path(number))
        except OSError:
            break
        kept_bytes -= size
        removed.append(log_path.segment_name(number))
    return removed


def _size_and_mtime_ns(path: str) -> tuple[int, int]:
    try:
        facts = os.stat(path)
    except OSError:
        return 0, 0
    return facts.st_size, facts.st_mtime_ns
