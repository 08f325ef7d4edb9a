"""A filter as sets of rows: which rows of a chunk can match, told by `posting` before any is read."""

import json
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import or_
from typing import TypeAlias

from .posting import CHUNK_BITS, CHUNK_EVENTS, MAP_BYTES, PLACE, decode, map_of

MOST_TERMS = 200
"""Of one condition; where a pattern fits more names, the rows are asked."""

LOAD_CHUNKS = 8
"""Read from the table at a time."""

FEW_BITS = 64
"""Of a chunk: for so few, taking one off after the other costs less than a look at each byte."""

PLACES = [[place for place in range(8) if byte >> place & 1] for byte in range(256)]

ALL_ROWS = (1 << CHUNK_EVENTS) - 1


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Rows that have one of these terms."""

    terms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Without:
    """Rows that have none of these terms."""

    terms: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Both:
    parts: tuple["Mask", ...]


@dataclass(frozen=True, slots=True)
class Either:
    parts: tuple["Mask", ...]


@dataclass(frozen=True, slots=True)
class Single:
    """These rows."""

    seqs: tuple[int, ...]


Mask: TypeAlias = AnyOf | Without | Both | Either | Single | None
"""None: any row can match."""


Found: TypeAlias = dict[int, bytes]
"""Of one chunk: the places of each term that it has."""

Evaluate: TypeAlias = Callable[[Found, int], int]
"""What was found in a chunk, and the chunk, as bits."""


def all_masks(masks: Iterable[Mask]) -> Mask:
    known = tuple(mask for mask in masks if mask is not None)
    return Both(known) if len(known) > 1 else known[0] if known else None


def any_mask(masks: Sequence[Mask]) -> Mask:
    return None if None in masks else Either(tuple(masks))


def negate(mask: Mask) -> Mask:
    """Of a single condition."""
    return Without(mask.terms) if isinstance(mask, AnyOf) else None


class Rows:
    """The rows of one segment that a mask lets through; a chunk is read when it is first met."""

    def __init__(
        self, connection: sqlite3.Connection, mask: AnyOf | Without | Both | Either | Single
    ) -> None:
        self._connection = connection
        self._evaluate = _compile(mask)
        self._terms = json.dumps(sorted(set(_iter_terms(mask))))
        self._chunks: dict[int, int] = {}

    def seqs(self, first_seq: int, last_seq: int) -> list[int]:
        """Those of ``[first_seq, last_seq]``, in ascending order."""
        found: list[int] = []
        for chunk in range(first_seq >> CHUNK_BITS, (last_seq >> CHUNK_BITS) + 1):
            bits = self._bits(chunk)
            if not bits:
                continue
            start = max(first_seq, chunk << CHUNK_BITS)
            found += _places(_cut(bits, start, last_seq), start)
        return found

    def count(self, first_seq: int, last_seq: int) -> int:
        """How many there are in ``[first_seq, last_seq]``, which is within one chunk."""
        return _cut(self._bits(first_seq >> CHUNK_BITS), first_seq, last_seq).bit_count()

    def may_hold(self, first_seq: int, last_seq: int) -> bool:
        """Whether there is one in ``[first_seq, last_seq]``."""
        for chunk in range(first_seq >> CHUNK_BITS, (last_seq >> CHUNK_BITS) + 1):
            start = max(first_seq, chunk << CHUNK_BITS)
            if _cut(self._bits(chunk), start, last_seq):
                return True
        return False

    def _bits(self, chunk: int) -> int:
        bits = self._chunks.get(chunk)
        if bits is None:
            self._load(chunk // LOAD_CHUNKS * LOAD_CHUNKS)
            bits = self._chunks[chunk]
        return bits

    def _load(self, first: int) -> None:
        chunks = range(first, first + LOAD_CHUNKS)
        found: dict[int, dict[int, bytes]] = {chunk: {} for chunk in chunks}
        rows = self._connection.execute(
            "SELECT c.value, t.value, p.places FROM json_each(?) c CROSS JOIN json_each(?) t"
            " CROSS JOIN posting p ON p.chunk = c.value AND p.term = t.value",
            (json.dumps(list(chunks)), self._terms),
        )
        for chunk, term, places in rows:
            found[chunk][term] = places
        for chunk, terms in found.items():
            self._chunks[chunk] = self._evaluate(terms, chunk)


def _cut(bits: int, first_seq: int, last_seq: int) -> int:
    """``bits`` of the chunk of ``first_seq``, of the rows ``[first_seq, last_seq]`` alone."""
    count = min(last_seq - first_seq + 1, CHUNK_EVENTS)
    return (bits >> (first_seq & PLACE)) & ((1 << count) - 1)


def _places(bits: int, start: int) -> list[int]:
    """``start`` plus the place of each bit that is set, in ascending order."""
    found: list[int] = []
    if bits.bit_count() < FEW_BITS:
        while bits:
            lowest = bits & -bits
            found.append(start + lowest.bit_length() - 1)
            bits ^= lowest
        return found
    data = bits.to_bytes(MAP_BYTES, "little")
    starts = range(start, start + CHUNK_EVENTS, 8)
    return [
        at + place for at, byte in zip(starts, data, strict=True) if byte for place in PLACES[byte]
    ]


def _compile(mask: Mask) -> Evaluate:
    """Worked out once for all chunks: to match a mask part by part cost a third of a page."""
    match mask:
        case AnyOf((term,)):
            return lambda found, _: decode(found[term]) if term in found else 0
        case AnyOf(terms):
            return lambda found, _: reduce(or_, [decode(found[t]) for t in terms if t in found], 0)
        case Without(terms):
            some = _compile(AnyOf(terms))
            return lambda found, chunk: ALL_ROWS & ~some(found, chunk)
        case Single(seqs):
            return lambda _, chunk: _bits_of(seqs, chunk)
        case Either(parts):
            options = [_compile(part) for part in parts]
            return lambda found, chunk: reduce(or_, [one(found, chunk) for one in options], 0)
        case Both(parts):
            return partial(_all_of, [_compile(part) for part in parts])
    return lambda _, __: ALL_ROWS


def _all_of(parts: Sequence[Evaluate], found: Found, chunk: int) -> int:
    bits = ALL_ROWS
    for part in parts:
        bits &= part(found, chunk)
        if not bits:
            break
    return bits


def _bits_of(seqs: Iterable[int], chunk: int) -> int:
    places = (seq & PLACE for seq in seqs if seq >> CHUNK_BITS == chunk)
    return int.from_bytes(map_of(places), "little")


def _iter_terms(mask: Mask) -> Iterator[int]:
    match mask:
        case AnyOf(terms) | Without(terms):
            yield from terms
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _iter_terms(part)
