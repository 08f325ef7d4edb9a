"""Identifiers, made without ``uuid`` or ``secrets`` (21 and 34 modules to import)."""

import os
from os import urandom

from laneway.base.clock import now_ns

POOL_IDS = 256
"""Random parts fetched with one system call; it is a quarter of the cost of an id."""

_VARIANT = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}
_pool: list[str] = []
_HEX_DIGITS = frozenset("0123456789abcdef")


def new_event_id(ts_ns: int = 0) -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix ms, then 74 random bits."""
    time_hex = f"{(ts_ns or now_ns()) // 1_000_000:012x}"
    try:
        random_hex = _pool.pop()  # atomic: no two threads get the same
    except IndexError:
        random_hex = _refill()
    return (
        f"{time_hex[:8]}-{time_hex[8:]}-7{random_hex[:3]}"
        f"-{_VARIANT[random_hex[3]]}{random_hex[4:7]}-{random_hex[8:]}"
    )


def _refill() -> str:
    text = urandom(10 * POOL_IDS).hex()
    _pool.extend(text[i : i + 20] for i in range(20, 20 * POOL_IDS, 20))
    return text[:20]


def new_trace_id() -> str:
    """16 random bytes as 32 lower-case hex digits (W3C Trace Context)."""
    return urandom(16).hex()


def new_span_id() -> str:
    """8 random bytes as 16 lower-case hex digits (W3C Trace Context)."""
    return urandom(8).hex()


def is_hex(text: str, length: int) -> bool:
    """Whether ``text`` is ``length`` lower-case hex digits and not all zero."""
    return len(text) == length and _HEX_DIGITS.issuperset(text) and text != "0" * length


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pool.clear)  # else parent and child would share ids
