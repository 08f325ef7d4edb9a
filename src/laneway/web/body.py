"""A request's body, bounded on the wire and after decompression."""

import asyncio
import zlib

from starlette.types import Receive

from laneway.base.errors import BodyError, quote
from laneway.base.limits import MIB
from laneway.web.door import HeaderMap

READ_S = 30.0
"""A body that takes longer is no sender but a hanger-on."""

OVERDUE = "overdue"
"""Tells our own cancellation from others."""

RATIO = 100
"""Text of events shrinks ten times, at most thirty; a hundred is a bomb."""

RATIO_FROM_BYTES = MIB
"""A small body of blanks may shrink more and does no harm."""

TOO_LARGE, UNSUPPORTED = 413, 415
GZIP_WINDOW = 31


class GoneError(Exception):
    """The client left before its body was complete; nobody waits for an answer."""


async def read_body(receive: Receive, headers: HeaderMap, limit_bytes: int) -> bytes:
    """The whole body, decompressed.

    Raises:
        BodyError: too large, too slow, or in an encoding that is not understood.
        GoneError: the client left.
    """
    encoding = headers.get(b"content-encoding", b"").lower()
    if encoding not in (b"", b"identity", b"gzip"):
        raise BodyError(
            f"Content-Encoding {quote(encoding.decode('latin-1'))} is not gzip", status=UNSUPPORTED
        )
    declared = headers.get(b"content-length", b"0")
    if declared.isdigit() and int(declared) > limit_bytes:
        raise _too_large(int(declared), limit_bytes)
    body = await _read(receive, limit_bytes)
    return unzip(body, limit_bytes) if encoding == b"gzip" else body


async def _read(receive: Receive, limit_bytes: int) -> bytes:
    loop = asyncio.get_running_loop()
    task = asyncio.current_task(loop)
    assert task
    # Not asyncio.timeout: it costs three times as much, on every request there is.
    timer = loop.call_later(READ_S, task.cancel, OVERDUE)
    try:
        message = await receive()
        if message.get("more_body", False):
            return await _read_rest(receive, message.get("body", b""), limit_bytes)
    except asyncio.CancelledError as error:
        if error.args != (OVERDUE,):
            raise
        task.uncancel()
        raise BodyError(f"the body was not complete after {READ_S:.0f} s", status=408) from None
    finally:
        timer.cancel()
    if message["type"] == "http.disconnect":
        raise GoneError
    body: bytes = message.get("body", b"")
    if len(body) > limit_bytes:
        raise _too_large(len(body), limit_bytes)
    return body


async def _read_rest(receive: Receive, first: bytes, limit_bytes: int) -> bytes:
    parts, size, more = [first], len(first), True
    while more:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise GoneError
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > limit_bytes:
            raise _too_large(size, limit_bytes)
        more = message.get("more_body", False)
    return b"".join(parts)


def unzip(body: bytes, limit_bytes: int) -> bytes:
    """``body`` decompressed, at most ``limit_bytes`` of it, from one gzip member or several.

    Raises:
        BodyError: it is cut, is no gzip, or would become too large.
    """
    parts: list[bytes] = []
    size = 0
    while body:
        unzipper = zlib.decompressobj(GZIP_WINDOW)
        try:
            part = unzipper.decompress(body, limit_bytes - size + 1)
        except zlib.error as error:
            raise BodyError(f"the body is not gzip: {error}") from None
        size += len(part)
        is_bomb = size > RATIO_FROM_BYTES and size > RATIO * len(body)
        if size > limit_bytes or is_bomb:
            raise _too_large(size, limit_bytes)
        if not unzipper.eof:
            raise BodyError("the gzip body ends too early")
        parts.append(part)
        body = unzipper.unused_data
    return b"".join(parts)


def _too_large(size: int, limit_bytes: int) -> BodyError:
    return BodyError(
        f"the body has {size} bytes or more, at most {limit_bytes} are taken",
        hint="send smaller batches, or set LANEWAY_BODY_BYTES",
        status=TOO_LARGE,
    )
