"""Wall-clock time as integer nanoseconds since the Unix epoch, UTC, and as text.

Written by hand and not with ``datetime``: this runs once per event in the
caller's thread, and the date part changes once a day only.
"""

from time import gmtime, time_ns

NS_PER_S = 1_000_000_000
NS_PER_MS = 1_000_000
NS_PER_DAY = 86_400 * NS_PER_S

now_ns = time_ns

_cached_s = -1
_cached_text = ""


def format_ns(ts_ns: int) -> str:
    """``ts_ns`` as ISO 8601, UTC, microseconds: ``2026-11-23T18:22:33.000123Z``."""
    global _cached_s, _cached_text
    seconds, rest_ns = divmod(ts_ns, NS_PER_S)
    if seconds == _cached_s:
        prefix = _cached_text
    else:
        t = gmtime(seconds)
        prefix = f"{t[0]:04d}-{t[1]:02d}-{t[2]:02d}T{t[3]:02d}:{t[4]:02d}:{t[5]:02d}"
        # Text first: a thread that reads between the two lines sees an old
        # second with a new text only if both run in one second, and then they agree.
        _cached_s, _cached_text = -1, prefix
        _cached_s = seconds
    return f"{prefix}.{rest_ns // 1000:06d}Z"


def day_end_ns(ts_ns: int) -> int:
    """The first nanosecond of the UTC day after ``ts_ns``."""
    return (ts_ns // NS_PER_DAY + 1) * NS_PER_DAY
