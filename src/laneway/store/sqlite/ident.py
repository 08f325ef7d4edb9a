"""Event ids, trace and span ids, packed: half the bytes where they have their standard form."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeGuard

from laneway.store.query.match import clean

Packed = bytes | str


def pack_id(text: str) -> Packed:
    """16 bytes for a canonical UUID (lower case, hyphens), otherwise the text itself.

    SQLite never takes a blob for equal to a text, so two ids cannot fall together.
    """
    if len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-":
        digits = text.replace("-", "")
        packed = _try_hex(digits)
        if packed and len(packed) == 16 and packed.hex() == digits:
            return packed
    return clean(text)


def pack_ids(texts: Sequence[str]) -> list[Packed]:
    """`pack_id` of each; where all are canonical UUIDs, in one go."""
    count = len(texts)
    joined = "".join(texts)
    if len(joined) == UUID_CHARS * count and all(len(text) == UUID_CHARS for text in texts):
        hyphens = "-" * count
        digits = joined.replace("-", "")
        is_cut_so = all(joined[at::UUID_CHARS] == hyphens for at in UUID_HYPHENS)
        if is_cut_so and len(digits) == 32 * count:
            packed = _try_hex(digits)
            if packed and packed.hex() == digits:
                return [packed[at : at + 16] for at in range(0, 16 * count, 16)]
    return [pack_id(text) for text in texts]


UUID_CHARS = 36
UUID_HYPHENS = (8, 13, 18, 23)


def pack_hex(text: str) -> Packed:
    """The bytes of lower-case hex, otherwise the text itself."""
    packed = _try_hex(text)
    return packed if packed and packed.hex() == text else clean(text)


def format_uuid(packed: bytes) -> str:
    digits = packed.hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"


def is_timed(packed: Packed) -> TypeGuard[bytes]:
    """Whether the id is a UUIDv7: those sort by the time at which they were made."""
    return isinstance(packed, bytes) and packed[6] >> 4 == 7


def term_of(packed: Packed) -> int:
    """A number for `place`: equal ids have equal terms; others nearly never (56 bits).

    Those of hex sort as the ids do, so that a prefix is a range."""
    if isinstance(packed, str):
        digest = blake2b(packed.encode(), digest_size=TERM_BYTES).digest()
        return TEXT_TERM | int.from_bytes(digest, "big")
    head = int.from_bytes(packed[:TERM_BYTES].ljust(TERM_BYTES, b"\0"), "big")
    # A trace id that was widened from 64 bits begins with zeros: then its right end.
    return HEX_TERM | head if head else ZERO_TERM | int.from_bytes(packed[-TERM_BYTES:], "big")


def terms_with(prefix: str) -> list[tuple[int, int]]:
    """Ranges, both ends included, that hold the terms of all ids that begin with these digits of hex."""
    digits = prefix[: 2 * TERM_BYTES]
    low, high = (int(digits.ljust(2 * TERM_BYTES, fill), 16) for fill in "0f")
    ranges = [(HEX_TERM | low, HEX_TERM | high), (TEXT_TERM, TEXT_TERM | MOST_TERM)]
    return ranges if low else [*ranges, (ZERO_TERM, ZERO_TERM | MOST_TERM)]


def ids_with(prefix: str) -> list[tuple[Packed, Packed]]:
    """Ranges, both ends included, of the packed ids that begin with ``prefix``: digits of hex and hyphens."""
    ranges: list[tuple[Packed, Packed]] = [(prefix, prefix + LAST_CHAR)]
    digits = prefix.replace("-", "")
    low, high = (bytes.fromhex(digits.ljust(32, fill)[:32]) for fill in "0f")
    return [*ranges, (low, high)] if format_uuid(low).startswith(prefix) else ranges


LAST_CHAR = "\U0010ffff"
TERM_BYTES = 7
HEX_TERM, ZERO_TERM, TEXT_TERM = 1 << 56, 1 << 57, 1 << 58
MOST_TERM = (1 << 56) - 1


def _try_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
