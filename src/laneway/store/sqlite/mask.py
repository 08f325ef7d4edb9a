"""A filter as sets of rows: which rows of a chunk can match, told by `posting` before any is read."""

import json
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
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
        self._mask = mask
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
            found += _iter_places(_cut(bits, start, last_seq), start)
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
            self._chunks[chunk] = _evaluate(self._mask, terms, chunk)


def _cut(bits: int, first_seq: int, last_seq: int) -> int:
    """``bits`` of the chunk of ``first_seq``, of the rows ``[first_seq, last_seq]`` alone."""
    count = min(last_seq - first_seq + 1, CHUNK_EVENTS)
    return (bits >> (first_seq & PLACE)) & ((1 << count) - 1)


def _iter_places(bits: int, start: int) -> Iterator[int]:
    """``start`` plus the place of each bit that is set, in ascending order."""
    if bits.bit_count() < FEW_BITS:
        while bits:
            lowest = bits & -bits
            yield start + lowest.bit_length() - 1
            bits ^= lowest
        return
    for byte in bits.to_bytes(MAP_BYTES, "little"):
        if byte:
            for place in PLACES[byte]:
                yield start + place
        start += 8


def _evaluate(mask: Mask, found: dict[int, bytes], chunk: int) -> int:
    match mask:
        case AnyOf(terms):
            some = [decode(found[term]) for term in terms if term in found]
            return some[0] if len(some) == 1 else reduce(or_, some, 0)
        case Without(terms):
            return ALL_ROWS & ~_evaluate(AnyOf(terms), found, chunk)
        case Single(seqs):
            places = (seq & PLACE for seq in seqs if seq >> CHUNK_BITS == chunk)
            return int.from_bytes(map_of(places), "little")
        case Either(parts):
            return reduce(or_, (_evaluate(part, found, chunk) for part in parts), 0)
        case Both(parts):
            bits = _evaluate(parts[0], found, chunk)
            for part in parts[1:]:
                if not bits:
                    break
                bits &= _evaluate(part, found, chunk)
            return bits
    return ALL_ROWS


def _iter_terms(mask: Mask) -> Iterator[int]:
    match mask:
        case AnyOf(terms) | Without(terms):
            yield from terms
        case Both(parts) | Either(parts):
            for part in parts:
                yield from _iter_terms(part)
