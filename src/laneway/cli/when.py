"""Times as people write them at a prompt: in their own time zone, today unless they say otherwise."""

import re
from datetime import UTC, datetime

CLOCK = re.compile(r"\d{1,2}:\d{2}(:\d{2}(\.\d+)?)?")


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
