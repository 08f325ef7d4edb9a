"""Lines that cannot hold a piece of text, told from their bytes: none of them is read as an event."""

import os
import re
import sqlite3
from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from typing import Any, NamedTuple

from laneway.base.errors import LogError
from laneway.base.limits import MIB

from .posting import CHUNK_EVENTS
from .span import Span
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

MOST_THREADS = 4
"""Reading, decompressing and RE2 hold no lock of the interpreter: so many chunks are searched at once."""

FOLDING = rb"212[aA]|01[37]"
"""Numbers of characters whose other case is an ASCII letter."""

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
        others = [_escaped(piece), *([DOTTED.encode()] if "i" in piece else [])]
        whole = re.escape(piece).encode()
        self._spots = [re2.compile(whole, options), *map(re2.compile, others)]
        self._read_text = read_text

    def iter_narrowed(
        self,
        connection: sqlite3.Connection,
        segment: str,
        spans: Iterable[Span],
        seqs_of: Callable[[Span], list[int]] | None,
    ) -> Iterator[tuple[Span, list[int]]]:
        """Each span, in order, with those of its rows whose lines may hold the piece; of those that
        ``seqs_of`` tells, where it is given.

        The first is looked through alone, for a page may be full with it; then some at once.
        """
        waiting: deque[_Look] = deque()
        ahead = 0
        for span in spans:
            waiting.append(self._begin(connection, segment, span, seqs_of and seqs_of(span)))
            if len(waiting) > ahead:
                look = waiting.popleft()
                yield look.span, look.finish(connection)
                ahead = _thread_count()
        while waiting:
            look = waiting.popleft()
            yield look.span, look.finish(connection)

    def _begin(
        self, connection: sqlite3.Connection, segment: str, span: Span, seqs: list[int] | None
    ) -> "_Look":
        if seqs is not None and len(seqs) <= FEW_LINES:
            return _Look(span, seqs, None)
        start, end = connection.execute(_ENDS, (span.first_seq, span.last_seq)).fetchone()
        find = lambda: [*self._iter_places(segment, start, end)]  # noqa: E731
        return _Look(span, seqs, _threads().submit(find))

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


def _escaped(piece: str) -> bytes:
    """A sign of ``piece``, or of its row of 16 in ASCII, as some senders write it: by its number, or a slash
    behind a backslash."""
    rows = "".join(sorted({f"{ord(sign) >> 4:x}" for sign in piece + piece.upper()}))
    slash = rb"|\\/" if "/" in piece else b""
    return rb"\\u(?:00[%b]|%b)%b" % (rows.encode(), FOLDING, slash)


class _Look(NamedTuple):
    """One span while its text is looked through; ``places`` is None where that is not worth it."""

    span: Span
    seqs: list[int] | None
    places: "Future[list[int]] | None"

    def finish(self, connection: sqlite3.Connection) -> list[int]:
        if self.places is None:
            return self.seqs or []
        bounds = self.span.first_seq, self.span.last_seq
        try:
            places = self.places.result()
        except LogError:  # gone or damaged, and told when its lines are read
            if self.seqs is not None:
                return self.seqs
            return [seq for seq, _ in connection.execute(_LINES, bounds)]
        if not places:
            return []
        lines = connection.execute(_LINES, bounds).fetchall()
        offsets = [offset for _, offset in lines]
        found = {lines[max(bisect_right(offsets, place) - 1, 0)][0] for place in places}
        return sorted(found if self.seqs is None else found.intersection(self.seqs))


def _thread_count() -> int:
    return min(os.cpu_count() or 1, MOST_THREADS)


@cache
def _threads() -> ThreadPoolExecutor:
    """For all searches of the process; none until one is made."""
    return ThreadPoolExecutor(_thread_count(), "laneway-scan")


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
