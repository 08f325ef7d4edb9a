"""One HTTP connection, and the watch over all of them: nobody holds a place by doing nothing.

uvicorn's own protocol has no limit on the time or the size of a request's head, and none on a
reader that does not read. The watch is one task that looks at all connections, so that a request
costs no timer of its own.
"""

import asyncio
import logging
import socket
import struct
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain
from typing import Any

from uvicorn.protocols.http.httptools_impl import (
    STATUS_LINE,
    HttpToolsProtocol,
    RequestResponseCycle,
)
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from laneway.base.limits import BODY_BYTES, CLIENTS, CONNECTIONS, KIB
from laneway.hub.metric import Counter
from laneway.web.plain import URL, Admitted, PlainPost, PlainWay

try:
    from fcntl import ioctl
    from termios import TIOCOUTQ
except ImportError:  # Windows: what the kernel still holds is not known

    def ioctl(fd: int, request: int, arg: bytes, /) -> bytes:  # type: ignore[no-redef]
        raise OSError("no ioctl here")

    TIOCOUTQ = 0  # type: ignore[misc]

log = logging.getLogger(__name__)
log.setLevel(logging.ERROR)  # who sends nonsense is counted, and cannot flood the hub's output


@dataclass(slots=True)
class Bounds:
    """What one connection may take."""

    connections: int = CONNECTIONS
    """Besides the viewers, of whom there are `CLIENTS` at most."""
    head_s: float = 10.0
    """From a request's first byte, or a new connection, to the end of its head."""
    keep_alive_s: float = 15.0
    """Between two requests; a shipper sends more often while there is something."""
    send_s: float = 30.0
    """A receiver that takes not one byte for so long is let go; see the setting ``send_timeout``."""
    head_bytes: int = 32 * KIB
    """A query of a hundred filters is 4 KB; browsers' own limit on cookies is 4 KB, too."""
    headers: int = 100
    request_bytes: int = 2 * BODY_BYTES
    """Body with what chunked encoding adds; past it the sender is cut off in mid-sentence."""
    pipelined: int = 16
    """Requests sent ahead of the answers; no client of ours sends any."""


SILENCE_S = 60.0
"""The kernel lets go so much later than we do, however busy the event loop is: what we end is counted."""


class Unread:
    """What one receiver has not taken, and until when it has time to take some of it."""

    __slots__ = ("end_s", "left_bytes")

    def __init__(self, left_bytes: int, end_s: float) -> None:
        self.left_bytes = left_bytes
        self.end_s = end_s

    def look(self, left_bytes: int, end_s: float) -> None:
        """It has until ``end_s`` for the next bytes, if it took some since the last look."""
        if left_bytes < self.left_bytes:
            self.end_s = end_s
        self.left_bytes = left_bytes


class Watch:
    """The connections of one server that wait for something. For the event loop's thread."""

    def __init__(
        self,
        bounds: Bounds,
        counter: Counter,
        viewer_count: Callable[[], int],
    ) -> None:
        self.bounds = bounds
        self.waiting: dict[Connection, float] = {}
        """Deadlines of those that have no request in work; who waits longest stands first."""
        self.behind: dict[Connection | SocketConnection, Unread] = {}
        """Those whose receiver does not read as fast as it is sent to; who fell behind first stands first."""
        self._counter = counter
        self._viewer_count = viewer_count

    def has_room(self, count: int) -> bool:
        """Whether one of ``count`` connections more can stay; somebody idle may have to go for it."""
        if count - min(self._viewer_count(), CLIENTS) <= self.bounds.connections:
            return True
        idle = next((c for c in self.waiting if not c.has_served), None)
        spare = idle or next(iter(self.waiting), None) or next(iter(self.behind), None)
        if spare is None:
            self.count("full")
            return False
        spare.end("made_room")
        return True

    def count(self, reason: str) -> None:
        self._counter.add(1, reason)

    def fall_behind(self, receiver: "Connection | SocketConnection", now_s: float) -> None:
        left_bytes = unread_bytes(receiver.transport)
        self.behind[receiver] = Unread(left_bytes, now_s + self.bounds.send_s)

    async def run(self) -> None:
        """End what is overdue. Runs until cancelled."""
        loop = asyncio.get_running_loop()
        shortest_s = min(self.bounds.head_s, self.bounds.keep_alive_s, self.bounds.send_s)
        while True:
            await asyncio.sleep(min(1.0, shortest_s / 4))
            now_s = loop.time()
            for connection in [c for c, end_s in self.waiting.items() if end_s <= now_s]:
                if connection not in self.behind:
                    connection.end(connection.waits_for)
            for receiver, unread in list(self.behind.items()):
                unread.look(unread_bytes(receiver.transport), now_s + self.bounds.send_s)
                if unread.end_s <= now_s:
                    receiver.end("does_not_read")


def unread_bytes(transport: asyncio.Transport) -> int:
    """What was sent and not taken: our buffer, and what the kernel holds (there Linux only tells).

    The kernel holds megabytes for a slow reader and wakes us once for many of them: our buffer alone
    would stand still for minutes.
    """
    left_bytes = transport.get_write_buffer_size()
    try:
        fd = transport.get_extra_info("socket").fileno()
        left_bytes += struct.unpack("i", ioctl(fd, TIOCOUTQ, bytes(4)))[0]
    except (OSError, ValueError, AttributeError):
        pass
    return left_bytes


def bound_silence(transport: asyncio.Transport, send_s: float) -> None:
    """Have the kernel end a connection whose other side is gone without a word: with its machine, or
    the network. Later than we let go ourselves, which is counted."""
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        try:
            transport.get_extra_info("socket").setsockopt(
                socket.IPPROTO_TCP, option, min(int(1000 * (send_s + SILENCE_S)), 2**31 - 1)
            )
        except (OSError, AttributeError):  # no TCP
            pass


class Connection(HttpToolsProtocol):
    """uvicorn's, within `Bounds`. With a ``plain_way`` it answers plain requests itself."""

    def __init__(self, watch: Watch, plain_way: PlainWay | None = None, **given: Any) -> None:
        super().__init__(**given)
        self.logger = log
        self.access_log = False
        self.has_served = False
        self.waits_for = "slow_head"
        self._watch = watch
        self._bounds = watch.bounds
        self._has_head = False
        self._received = 0  # bytes since the last request was complete
        self._refusal = 400
        self._plain_way = plain_way
        self._admitted: Admitted | None = None  # whose request looks plain so far
        self._before: Admitted | None = None  # the same of the last one that looked so,
        self._headers_before = b""  # and the digest of its headers: no token stays in memory
        self._body: list[bytes] = []  # of that request

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        bound_silence(transport, self._bounds.send_s)
        if not self._watch.has_room(len(self.connections)):
            self._refusal = 503
            self.send_400_response("too many connections")
            return
        self._watch.waiting[self] = self.loop.time() + self._bounds.head_s

    def connection_lost(self, exc: Exception | None) -> None:
        self._forget()
        super().connection_lost(exc)

    def end(self, reason: str) -> None:
        """Let it go."""
        self._watch.count(reason)
        is_behind = self in self._watch.behind
        self._forget()
        if is_behind:
            self.transport.abort()  # what waits in the buffer would keep it open
        elif reason == "slow_head" and self._received:
            self._refusal = 408
            self.send_400_response("the request's head was not complete in time")
        else:
            self.transport.close()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        if self._received > self._bounds.request_bytes:
            self.end("too_large")
            return
        super().data_received(data)
        if self._admitted is not None:  # the rest of its body is still to come
            self._take_ordinary_way()
        waiting = self._watch.waiting
        if self in waiting:  # and not in work: its head, or the rest of a body, is not complete
            if self.waits_for != "slow_head":
                self.waits_for = "slow_head"
                waiting[self] = self.loop.time() + self._bounds.head_s
            if self._received > self._bounds.head_bytes and not self._has_head:
                self._refusal = 431
                self.send_400_response("")

    def on_message_begin(self) -> None:
        self.url = b""
        self.headers = []
        self.expect_100_continue = False  # the scope is made when it is needed

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._has_head:  # trailers, which nobody reads
            return
        name = name.lower()
        if name == b"expect" and value.lower() == b"100-continue":
            self.expect_100_continue = True
        self.headers.append((name, value))

    def on_headers_complete(self) -> None:
        bounds = self._bounds
        self._has_head = True
        self._watch.waiting.pop(self, None)
        if len(self.headers) > bounds.headers or (
            self._received > bounds.head_bytes and self._head_bytes() > bounds.head_bytes
        ):
            self._refusal = 431
            raise ValueError
        if len(self.pipeline) >= bounds.pipelined:
            raise ValueError("too many requests ahead of their answers")
        if self.url == URL and self._plain_way is not None and self._may_be_plain():
            self._admitted = self._admit(self._plain_way)
        if self._admitted is None:
            self._begin_cycle()

    def on_body(self, body: bytes) -> None:
        if self._admitted is None:
            super().on_body(body)
        else:
            self._body.append(body)

    def on_message_complete(self) -> None:
        self._received = 0
        self._has_head = False
        admitted = self._admitted
        if admitted is None or self._plain_way is None:
            super().on_message_complete()
            return
        self._admitted = None
        body, self._body = b"".join(self._body), []
        post = PlainPost(self, log, keep_alive=self.parser.should_keep_alive())
        self.cycle = post  # type: ignore[assignment]
        self._plain_way.take(admitted, body, post)

    def _admit(self, plain_way: PlainWay) -> Admitted | None:
        """A sender's requests mostly have the same headers, one after the other."""
        headers = sha256(b"\n".join(chain.from_iterable(self.headers))).digest()
        before = self._before
        if before and headers == self._headers_before and plain_way.is_admitted(before):
            return before
        self._headers_before = headers
        self._before = plain_way.try_admit(self.headers)
        return self._before

    def _may_be_plain(self) -> bool:
        """Whether the request's form allows it, and the connection has nothing else in work."""
        parser = self.parser
        before: RequestResponseCycle | PlainPost | None = self.cycle
        return (
            (before is None or before.response_complete)
            and not self.pipeline
            and not self.flow.write_paused
            and not self.expect_100_continue
            and parser.get_method() == b"POST"
            and parser.get_http_version() == "1.1"
            and not parser.should_upgrade()
        )

    def _take_ordinary_way(self) -> None:
        """Begin again where the head of a request ended that is not plain after all."""
        self._admitted = None
        body, self._body = b"".join(self._body), []
        if not self.transport.is_closing():
            self._begin_cycle()
            super().on_body(body)

    def _begin_cycle(self) -> None:
        """uvicorn's way: what it makes at a request's first byte, and at the end of its head."""
        url, headers, expects = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.expect_100_continue = url, expects
        self.headers += headers  # it stands in the scope already
        super().on_headers_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if not self.transport.is_closing() and not self.pipeline and self.cycle.response_complete:
            self._idle()

    def on_plain_complete(self) -> None:
        """`on_response_complete` without uvicorn's timer for each answer: the watch comes before it."""
        if self.pipeline or self.transport.is_closing():
            self.on_response_complete()
        else:
            self.server_state.total_requests += 1
            self._idle()

    def _idle(self) -> None:
        self.has_served = True
        self.waits_for = "idle"
        self._watch.waiting[self] = self.loop.time() + self._bounds.keep_alive_s

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch.fall_behind(self, self.loop.time())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch.behind.pop(self, None)

    def handle_websocket_upgrade(self) -> None:
        self._forget()
        try:
            super().handle_websocket_upgrade()
            is_begun = getattr(self.transport.get_protocol(), "handshake_initiated", False)
        except Exception:  # noqa: BLE001 - the library's parser asserts what a stranger may break
            is_begun = False
        if not is_begun:  # it does not say so, and would wait for ever
            self.send_400_response("this is no upgrade to a WebSocket")

    def send_400_response(self, msg: str) -> None:
        """Any refusal that is not an answer to a request."""
        if self._refusal in (400, 431):
            self._watch.count("bad_request" if self._refusal == 400 else "large_head")
        self._forget()
        hint = ""
        if self._refusal == 431:
            msg = "the request's head is too large"
            hint = (
                f"it takes {self._bounds.head_bytes // KIB} KiB and {self._bounds.headers} headers"
            )
        told = (msg.encode("ascii"), hint.encode("ascii"))
        body = b'{"code":"bad_request","message":"%b","hint":"%b"}' % told
        head = b"content-type: application/json\r\nconnection: close\r\ncontent-length: %d\r\n\r\n"
        self.transport.write(STATUS_LINE[self._refusal] + head % len(body) + body)
        self.transport.close()

    def _head_bytes(self) -> int:
        return len(self.url) + sum(len(name) + len(value) for name, value in self.headers)

    def _forget(self) -> None:
        self._watch.waiting.pop(self, None)
        self._watch.behind.pop(self, None)


class SocketConnection(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket, which is let go when its receiver does not read: closed in the ordinary way
    it would wait for ever for what stands in its buffer to leave."""

    def __init__(self, watch: Watch, **given: Any) -> None:
        super().__init__(**given)
        self._watch = watch

    def end(self, reason: str) -> None:
        self._watch.count(reason)
        self._watch.behind.pop(self, None)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._watch.behind.pop(self, None)
        super().connection_lost(exc)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._watch.fall_behind(self, self.loop.time())

    def resume_writing(self) -> None:
        super().resume_writing()
        self._watch.behind.pop(self, None)
