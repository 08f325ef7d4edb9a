"""Event ids, trace and span ids, packed: half the bytes where they have their standard form."""

from hashlib import blake2b
from typing import TypeGuard

from laneway.store.query.match import clean

Packed = bytes | str


def pack_id(text: str) -> Packed:
    """16 bytes for a canonical UUID (lower case, hyphens), otherwise the text itself.

    SQLite never takes a blob for equal to a text, so two ids cannot fall together.
    """
    if len(text) == 36:
        packed = _try_hex(text.replace("-", ""))
        if packed and format_uuid(packed) == text:
            return packed
    return clean(text)


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
    """A number for `place`: equal ids have equal terms; others nearly never (56 bits)."""
    raw = packed if isinstance(packed, bytes) else blake2b(packed.encode(), digest_size=7).digest()
    # The right end: the random part of a trace id that was widened from 64 bits.
    return TERM_BASE | int.from_bytes(raw[-7:], "big")


TERM_BASE = 1 << 56
"""No term of another length is equal."""


def _try_hex(text: str) -> bytes | None:
    try:
        return bytes.fromhex(text)
    except ValueError:
        return None
