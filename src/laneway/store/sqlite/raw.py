"""Lines that cannot hold a piece of text, told from their bytes: none of them is read as an event."""

import sqlite3
from bisect import bisect_right
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from laneway.base.errors import LogError
from laneway.base.limits import MIB

from .posting import CHUNK_EVENTS
from .summary import Summary

ReadText = Callable[[str, int, int], bytes]
"""The text of a segment in ``[start, end)``. Raises `LogError` where it is gone or damaged."""

FEW_LINES = 64
"""So many candidates in a chunk are sooner read than the text of the chunk."""

WINDOW_BYTES = 4 * MIB
"""Read at a time: a chunk of long lines is a gigabyte."""

OVERLAP_BYTES = 1_024
"""No piece is longer."""

WINDOW_EVENTS = 8 * CHUNK_EVENTS
"""Of one segment between two looks at the clock: about 50 ms. Chunks at both ends are read twice."""

ESCAPED = rb"\\u(?:00[4-7]|212[aA]|01[37])"
"""A letter or digit written by its number, or one of those whose other case is an ASCII letter."""

DOTTED = "\u0130"
"""Its lower case begins with ``i``; RE2 knows of the other two (the Kelvin sign and the long s) itself."""


def try_raw(piece: str, read_text: ReadText | None) -> "RawText | None":
    """None where texts cannot be searched here."""
    try:
        import re2
    except ImportError:
        return None
    return RawText(re2, piece, read_text) if read_text else None


class RawText:
    """The search for one piece."""

    def __init__(self, re2: Any, piece: str, read_text: ReadText) -> None:
        options = re2.Options()
        options.case_sensitive = False
        others = [ESCAPED, *([DOTTED.encode()] if "i" in piece else [])]
        self._spots = [re2.compile(piece.encode(), options), *map(re2.compile, others)]
        self._read_text = read_text

    def narrow(
        self,
        connection: sqlite3.Connection,
        segment: str,
        first_seq: int,
        last_seq: int,
        seqs: Sequence[int] | None,
    ) -> list[int]:
        """Those of ``seqs`` (None: all) within ``[first_seq, last_seq]`` whose lines may hold the piece."""
        if seqs is not None and len(seqs) <= FEW_LINES:
            return list(seqs)
        start, end = connection.execute(_ENDS, (first_seq, last_seq)).fetchone()
        try:
            places = [*self._iter_places(segment, start, end)]
        except LogError:  # gone or damaged, and told when its lines are read
            lines = connection.execute(_LINES, (first_seq, last_seq)).fetchall()
            return [seq for seq, _ in lines] if seqs is None else list(seqs)
        if not places:
            return []
        lines = connection.execute(_LINES, (first_seq, last_seq)).fetchall()
        offsets = [offset for _, offset in lines]
        found = {lines[max(bisect_right(offsets, place) - 1, 0)][0] for place in places}
        return sorted(found if seqs is None else found.intersection(seqs))

    def _iter_places(self, segment: str, start: int, end: int) -> Iterator[int]:
        """Offsets of hits, one at least of each line that has some."""
        for at in range(start, end, WINDOW_BYTES):
            text = self._read_text(segment, at, min(at + WINDOW_BYTES + OVERLAP_BYTES, end))
            for place in self._iter_hits(text):
                yield at + place

    def _iter_hits(self, text: bytes) -> Iterator[int]:
        """RE2 finds any case of the letters as fast as one, without the interpreter's lock."""
        for spot in self._spots:
            found = spot.search(text)
            while found:
                yield found.start()
                line_end = text.find(b"\n", found.start())
                found = spot.search(text, line_end) if line_end >= 0 else None


def iter_windows(
    segments: Sequence[Summary], since_ns: int, until_ns: int, *, newest_first: bool
) -> Iterator[tuple[int, int]]:
    """``[since_ns, until_ns]`` in closed windows of about `WINDOW_EVENTS` for each segment in them, in
    the order of the page. Between two of them a search can end, and say how far it is."""
    sign = -1 if newest_first else 1  # newest first: time runs the other way
    stretches = [
        (*sorted((sign * one.first_ns, sign * one.last_ns)), one.event_count) for one in segments
    ]
    start, end = sorted((sign * since_ns, sign * until_ns))
    while ahead := [(first, last, count) for first, last, count in stretches if last >= start]:
        start = max(start, min(first for first, *_ in ahead))
        if start > end:
            return
        here = [
            (last - first + 1) * WINDOW_EVENTS // count
            for first, last, count in ahead
            if first <= start
        ]
        later = [first - 1 for first, *_ in ahead if first > start]
        stop = min([start + max(here), end, *later])
        low, high = sorted((sign * start, sign * stop))
        yield low, high
        start = stop + 1


# Within a segment the offsets rise with the seqs.
_ENDS = """
SELECT (SELECT offset FROM event WHERE seq >= ? ORDER BY seq LIMIT 1),
    (SELECT offset + length FROM event WHERE seq <= ? ORDER BY seq DESC LIMIT 1)
"""
_LINES = "SELECT seq, offset FROM event WHERE seq BETWEEN ? AND ? ORDER BY seq"
