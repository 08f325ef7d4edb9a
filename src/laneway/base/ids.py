"""Identifiers, made without ``uuid`` or ``secrets`` (21 and 34 modules to import)."""

import os
from os import urandom

from laneway.base.clock import now_ns

POOL_IDS = 32
"""Random parts fetched with one system call, which is a quarter of the cost of an id. 256 would make an id
a fifteenth cheaper, and the one call that fetches them eight times as long."""

_RANDOM = int("0fff03fff0ffffffffffff0" * POOL_IDS, 16)
_FIXED = int("70000800000000000000000" * POOL_IDS, 16)
"""Hex digits of second halves of ids: the version is 7, the variant is binary 10, the others are random. In
place of three stand the signs behind the groups."""

_HALF_DIGITS = 23
_POOL_BYTES = _HALF_DIGITS * POOL_IDS // 2
_DASHES, _SPACES = b"-" * POOL_IDS, b" " * POOL_IDS

_pool: list[str] = []
_HEX_DIGITS = frozenset("0123456789abcdef")
_last = 0, "00000000-0000-"
"""A Unix ms, and how its ids begin: the events of a batch share it."""


def new_event_id(ts_ns: int = 0) -> str:
    """A UUIDv7 (RFC 9562, section 5.7): 48 bits of Unix ms, then 74 random bits."""
    global _last
    time_ms = (ts_ns or now_ns()) // 1_000_000
    last_ms, start = _last  # one look: another thread may write it now
    if time_ms != last_ms:
        time_hex = f"{time_ms:012x}"
        start = f"{time_hex[:8]}-{time_hex[8:]}-"
        _last = time_ms, start
    try:
        return start + _pool.pop()  # atomic: no two threads get the same
    except IndexError:
        return start + _refill()


def _refill() -> str:
    """The random halves of `POOL_IDS` ids: one comes back, the others go into the pool."""
    drawn = int.from_bytes(urandom(_POOL_BYTES), "big") & _RANDOM | _FIXED
    text = bytearray(b"%x" % drawn)
    text[4::_HALF_DIGITS] = text[9::_HALF_DIGITS] = (
        _DASHES  # of all at a time: a third of the price
    )
    text[22::_HALF_DIGITS] = _SPACES
    halves = text.decode().split()
    _pool.extend(halves[1:])
    return halves[0]


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
