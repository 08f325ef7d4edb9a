"""Which rows have a name: for each chunk of 4,096 seqs and each name in it, the places of its rows.

A page by agent and type needs the few rows that have both; any block of rows holds each of the two.
Sets of places are joined as big integers, one bit a row, before any row is read.
"""

import sqlite3
import struct
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Sequence

CHUNK_BITS = 12
CHUNK_EVENTS = 1 << CHUNK_BITS
"""Seqs of one chunk; chunk ``n`` begins at ``n * CHUNK_EVENTS``. Larger: what a batch writes anew grows."""

PLACE = CHUNK_EVENTS - 1
"""Of a seq: its place within the chunk."""

MAP_BYTES = CHUNK_EVENTS // 8
BITS = tuple(1 << place for place in range(8))

LIST_PLACES = 128
"""From so many places on, a map of bits is read faster than the list, which is then half as long."""

_PUT = "INSERT OR REPLACE INTO posting VALUES (?, ?, ?)"
_GET = "SELECT term, places FROM posting WHERE chunk = ?"


def chunk_of(seq: int) -> int:
    return seq >> CHUNK_BITS


def encode(places: Sequence[int]) -> bytes:
    """A short list of places: two bytes each, the low one first."""
    return struct.pack(f"<{len(places)}H", *places)


def decode(data: bytes) -> int:
    """The places as bits of one integer. A blob of `MAP_BYTES` is a map, any other is a list."""
    if len(data) == MAP_BYTES:
        return int.from_bytes(data, "little")
    bits = bytearray(MAP_BYTES)
    for place in struct.unpack(f"<{len(data) // 2}H", data):
        bits[place >> 3] |= BITS[place & 7]
    return int.from_bytes(bits, "little")


def map_of(places: Iterable[int]) -> bytearray:
    bits = bytearray(MAP_BYTES)
    mark(bits, places)
    return bits


def mark(bits: bytearray, places: Iterable[int]) -> None:
    for place in places:
        bits[place >> 3] |= BITS[place & 7]


class PostingBook:
    """The newest chunk, for a writer; the rows of it that a batch changes are written anew."""

    def __init__(self, connection: sqlite3.Connection, last_seq: int) -> None:
        self._connection = connection
        self._chunk = last_seq >> CHUNK_BITS
        self._lists: dict[int, list[int]] = {}
        self._maps: dict[int, bytearray] = {}
        self._new: defaultdict[int, list[int]] = defaultdict(list)
        self._rows: list[tuple[int, int, bytearray]] = []
        for term, data in connection.execute(_GET, (self._chunk,)):
            if len(data) == MAP_BYTES:
                self._maps[term] = bytearray(data)
            else:
                self._lists[term] = list(struct.unpack(f"<{len(data) // 2}H", data))

    def add(
        self, seqs: Sequence[int], terms: Sequence[tuple[int, ...]], further: Sequence[int]
    ) -> None:
        """``seqs`` rise, and are greater than any before. Each has its ``terms``, and a ``further`` one
        where that is not 0. Rows of the same terms go in together: 0.3 µs an event."""
        start = 0
        while start < len(seqs):
            chunk = seqs[start] >> CHUNK_BITS
            if chunk != self._chunk:
                self._turn(chunk)
            end = bisect_left(seqs, (chunk + 1) << CHUNK_BITS, start)
            of_terms: defaultdict[tuple[int, ...], list[int]] = defaultdict(list)
            of_further: defaultdict[int, list[int]] = defaultdict(list)
            for seq, some, one in zip(
                seqs[start:end], terms[start:end], further[start:end], strict=True
            ):
                place = seq & PLACE
                of_terms[some].append(place)
                of_further[one].append(place)
            of_further.pop(0, None)
            for some, places in of_terms.items():
                for term in some:
                    self._new[term] += places
            for term, places in of_further.items():
                self._new[term] += places
            start = end

    def write(self) -> None:
        self._flush()
        self._connection.executemany(_PUT, self._rows)
        self._rows = []

    def _turn(self, chunk: int) -> None:
        self._flush()
        self._lists.clear()
        self._maps.clear()
        self._chunk = chunk

    def _flush(self) -> None:
        for term, places in self._new.items():
            places.sort()
            self._rows.append((self._chunk, term, self._put(term, places)))
        self._new.clear()

    def _put(self, term: int, places: list[int]) -> bytearray:
        """A copy, and no bytes: for those `sqlite3` would look for an adapter."""
        bits = self._maps.get(term)
        if bits is None:
            known = self._lists.setdefault(term, [])
            known += places
            if len(known) < LIST_PLACES:
                return bytearray(encode(known))
            del self._lists[term]
            bits, places = self._maps.setdefault(term, bytearray(MAP_BYTES)), known
        mark(bits, places)
        return bytearray(bits)
