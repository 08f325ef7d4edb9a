"""Times as people write and read them: in their own time zone, today unless something else is said."""

import re
from datetime import UTC, datetime, timedelta

CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")


EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def moment_of(ts_ns: int, *, is_utc: bool = False) -> datetime:
    """In local time, or in UTC. What no calendar can show, such as the first hours of the year 1 west
    of Greenwich, is shown as near as may be."""
    try:
        moment = EPOCH + timedelta(microseconds=ts_ns // 1_000)
    except OverflowError:
        return datetime.min.replace(tzinfo=UTC) if ts_ns < 0 else datetime.max.replace(tzinfo=UTC)
    try:
        return moment if is_utc else moment.astimezone()
    except (OverflowError, ValueError, OSError):
        return moment


def to_utc(text: str, *, is_utc: bool = False, now: datetime | None = None) -> str:
    """``14:05`` or ``2026-11-23 14:05`` in local time as ISO 8601 with its offset; the rest unchanged.

    The rest is what names its zone itself (``…Z``, Unix times) or a length of time (``15m``), and
    what cannot be read: whoever takes it says so.
    """
    text = text.strip()
    now = now or datetime.now()
    if CLOCK.fullmatch(text):
        text = f"{now:%Y-%m-%d}T{text.rjust(len(text) + (text[1] == ':'), '0')}"
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    if text.isdigit() or moment.tzinfo is not None:
        return text
    return (moment.replace(tzinfo=UTC) if is_utc else moment.astimezone()).isoformat()
