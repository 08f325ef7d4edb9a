"""Identifiers, made without ``uuid`` or ``secrets`` (21 and 34 modules to import)."""

from os import urandom

from laneway.base.clock import now_ns

_HEX_DIGITS = frozenset("0123456789abcdef")


def new_event_id(ts_ns: int = 0) -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix ms, then 74 random bits."""
    ms = (ts_ns or now_ns()) // 1_000_000
    random = int.from_bytes(urandom(10), "big")
    value = (
        ((ms & 0xFFFF_FFFF_FFFF) << 80)
        | (0x7 << 76)
        | (((random >> 62) & 0xFFF) << 64)
        | (0b10 << 62)
        | (random & 0x3FFF_FFFF_FFFF_FFFF)
    )
    text = f"{value:032x}"
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


def new_trace_id() -> str:
    """16 random bytes as 32 lower-case hex digits (W3C Trace Context)."""
    return urandom(16).hex()


def new_span_id() -> str:
    """8 random bytes as 16 lower-case hex digits (W3C Trace Context)."""
    return urandom(8).hex()


def is_hex(text: str, length: int) -> bool:
    """Whether ``text`` is ``length`` lower-case hex digits and not all zero."""
    return len(text) == length and _HEX_DIGITS.issuperset(text) and text != "0" * length
