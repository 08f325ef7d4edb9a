"""A hub's answer, read within bounds: what listens at the hub's address may be anything."""

import io
import socket
from http.client import HTTPResponse
from time import monotonic
from typing import Any

from laneway.base.limits import MIB

ANSWER_BYTES = 2 * MIB
"""Head and body together; a hub that refuses all of a batch takes a fraction of it."""

EXCHANGE_S = 30.0
"""A whole answer: one that comes byte by byte holds up the spool no longer than that."""


class BoundedResponse(HTTPResponse):
    """Raises OSError where an answer is longer, or takes longer, than a hub's."""

    def __init__(self, sock: socket.socket, *arguments: Any, **options: Any) -> None:
        super().__init__(_Source(sock), *arguments, **options)  # type: ignore[arg-type]


class _Source:
    """What `HTTPResponse` asks of a socket."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock

    def makefile(self, mode: str) -> io.BufferedReader:
        return io.BufferedReader(_Bounded(self._sock))


class _Bounded(io.RawIOBase):
    def __init__(self, sock: socket.socket) -> None:
        self._raw = sock.makefile("rb", buffering=0)  # holds the socket open until it is closed
        self._sock = sock
        self._pause_s = sock.gettimeout() or EXCHANGE_S
        self._until_s = monotonic() + EXCHANGE_S
        self._rest = ANSWER_BYTES

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        rest_s = self._until_s - monotonic()
        if rest_s <= 0:
            raise TimeoutError(f"no whole answer within {EXCHANGE_S:.0f} s")
        if self._rest <= 0:
            raise OSError(f"the answer is longer than {ANSWER_BYTES} bytes")
        self._sock.settimeout(min(self._pause_s, rest_s))
        try:
            count: int | None = self._raw.readinto(buffer)
        finally:
            self._sock.settimeout(self._pause_s)
        self._rest -= count or 0
        return count

    def close(self) -> None:
        self._raw.close()
        super().close()
