"""A plain ``POST /log``, answered in the protocol: no task, no scope, no messages.

uvicorn makes these for each request, and they cost more than to check, redact and append its event. Plain is
a request of HTTP/1.1 whose body has a length, no encoding, and came whole with its head, on a connection
that has nothing else in work. Whatever is not, and whatever its head alone refuses, goes the ordinary way:
here nothing is decided that `App` and `Ingest` do not decide for both (docs/adr/0024-plain-post.md).
"""

import logging
from typing import TYPE_CHECKING

from uvicorn.protocols.http.httptools_impl import STATUS_LINE

from laneway.base.errors import LanewayError
from laneway.web.auth import Access, read_headers
from laneway.web.door import HeaderMap
from laneway.web.ingest import ONE_LOGGED, Ingest, receipt_headers
from laneway.web.keyring import Grant
from laneway.web.problem import Headers, encode

if TYPE_CHECKING:
    from laneway.web.connection import Connection

PATH = "/log"
URL = PATH.encode()
"""As it is sent: with a query or an escape in it, it is not plain."""

LENGTH_DIGITS = 9
"""Of a body that can be plain; Python reads thousands of digits slowly."""

FAULT = (
    b"content-type: text/plain; charset=utf-8\r\ncontent-length: 21\r\nconnection: close\r\n\r\n"
    b"Internal Server Error"
)
"""uvicorn's words for a fault of ours."""


Admitted = tuple[HeaderMap, Grant]
"""What a request's head says, but for `SECRET`, and what its sender may do."""

SECRET = (b"authorization", b"cookie")
"""Looked at once: what was admitted is remembered for the connection's next request, and they are not."""


class PlainWay:
    """Lets plain requests in by the rules of the ordinary way."""

    def __init__(self, access: Access, ingest: Ingest) -> None:
        self._access = access
        self._ingest = ingest
        self._most_bytes = ingest.plain_bytes

    def is_admitted(self, before: Admitted) -> bool:
        """Whether a request with the very headers of one that was admitted is admitted as well: only what
        its token is good for may have changed."""
        grant = before[1]
        return bool(grant.digest) and self._access.door.find(grant.digest) is grant

    def try_admit(self, headers: Headers) -> Admitted | None:
        """None where the ordinary way takes over, be it to refuse."""
        try:
            found = read_headers(headers)
            length = found.get(b"content-length", b"")
            if b"content-encoding" in found or not length.isdigit():
                return None
            if len(length) > LENGTH_DIGITS or int(length) > self._most_bytes:
                return None
            grant = self._access.check(PATH, found)
        except LanewayError:
            return None
        for name in SECRET:
            found.pop(name, None)
        return found, grant

    def take(self, admitted: Admitted, body: bytes, post: "PlainPost") -> None:
        try:
            self._ingest.take_plain(body, *admitted, post.answer)
        except Exception as fault:  # noqa: BLE001 - the parser would call it the sender's
            post.answer(fault)


class _Unheard:
    """Nobody waits for the end of a plain request."""

    def set(self) -> None: ...


class PlainPost:
    """One plain request in work. uvicorn's protocol takes it for its own cycle of request and answer: it
    holds back what comes next on the connection, and has it end with the server."""

    __slots__ = ("_connection", "_log", "disconnected", "keep_alive", "response_complete")

    message_event = _Unheard()

    def __init__(self, connection: "Connection", log: logging.Logger, *, keep_alive: bool) -> None:
        self._connection = connection
        self._log = log
        self.keep_alive = keep_alive
        self.disconnected = False
        self.response_complete = False

    def answer(self, found: tuple[int, bytes] | BaseException) -> None:
        """Send the receipt, or what went wrong. Raises nothing."""
        try:
            ready = READY.get(found[1]) if type(found) is tuple and self.keep_alive else None
            self._send(ready or self._write(found))
        except Exception as fault:  # noqa: BLE001 - others wait to be told after this one
            self._log.exception("a request could not be answered")
            if not self.response_complete:
                self._send(self._fault(fault))

    def _write(self, found: tuple[int, bytes] | BaseException) -> bytes:
        if isinstance(found, LanewayError):
            return self._join(*encode(found))
        if isinstance(found, BaseException):
            return self._fault(found)
        status, body = found
        return self._join(status, receipt_headers(body), body)

    def _join(self, status: int, headers: Headers, body: bytes) -> bytes:
        more = [] if self.keep_alive else [(b"connection", b"close")]
        return join(status, headers + more, body)

    def _fault(self, fault: BaseException) -> bytes:
        self._log.error("a request failed\n", exc_info=fault)
        self.keep_alive = False
        return STATUS_LINE[500] + FAULT

    def _send(self, data: bytes) -> None:
        self.response_complete = True
        transport = self._connection.transport
        if not transport.is_closing():
            transport.write(data)
            if not self.keep_alive:
                transport.close()
        self._connection.on_plain_complete()


def join(status: int, headers: Headers, body: bytes) -> bytes:
    """An answer as it is sent."""
    head = b"".join([b"%b: %b\r\n" % pair for pair in headers])
    return STATUS_LINE[status] + head + b"\r\n" + body


READY = {body: join(200, receipt_headers(body), body) for body in ONE_LOGGED.values()}
"""What most requests are answered."""
