"""Counts in sentences."""


def number_of(count: int, noun: str) -> str:
    """``1 event``, ``12,345 events``, ``0 lines``: for nouns whose plural ends in s."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
