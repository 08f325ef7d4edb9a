"""The live stream over WebSocket and server-sent events: one pump, two kinds of envelope."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Protocol

from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket, WebSocketDisconnect

from laneway.base.clock import now_ns
from laneway.base.errors import LanewayError, QueryError, quote
from laneway.hub.frame import Frame
from laneway.hub.hub import Hub
from laneway.hub.live import Live
from laneway.hub.viewer import Form, Viewer
from laneway.store.query.expr import EVERYTHING, Expr, all_of, resolve
from laneway.store.query.parse import parse
from laneway.web.desk import bounds_of, seen_by
from laneway.web.filter import parse_number
from laneway.web.openapi import TEXT, Entry, Parameter, answer, query_parameter
from laneway.web.problem import send_problem
from laneway.web.route import AnyRoute, Route, SocketRoute
from laneway.web.schema import COUNT

BEAT_S = 10.0
"""Two beats may be lost before a viewer, which waits 25 s, comes again."""

JSON_HISTORY = 100
"""Whole events sent first to a plain client that names no other number."""

MOST_JSON_HISTORY = 1_000

JOINING = 4
"""Viewers that join at a time: right after a start they wait for the history to be read."""

GONE = 1000
"""The receiver left by itself."""

PARAMETERS = {
    "q": Parameter(
        "Only events that the query of docs/query.md finds; with `format=json` or `format=seqs`.",
        "agent:planner level>=warning",
    ),
    "epoch": Parameter("The index that `since` belongs to, from the hello.", "k3f9q2"),
    "since": Parameter("The last seq that the viewer has; it gets what followed.", 1041, COUNT),
    "history": Parameter("Events of the backlog at most.", 2000, COUNT),
    "format": Parameter(
        "`frame`; `json`: one whole event a message; `seqs`: the numbers of what `q` finds.",
        "json",
        {"enum": ["frame", "json", "seqs"], "default": "frame"},
    ),
}
FORMS: dict[str, Form] = {"": "frame", "frame": "frame", "json": "json", "seqs": "seqs"}

MESSAGES = "Messages as in docs/protocol.md, Live; `format=json` sends whole events."
PARAMETER_LIST = [query_parameter(name, parameter) for name, parameter in PARAMETERS.items()]
LAST_EVENT_ID = {
    "name": "Last-Event-ID",
    "in": "header",
    "description": "`EPOCH:SEQ`, the `id` of the last event that arrived: the stream resumes there.",
    "schema": TEXT,
    "example": "k3f9q2:1041",
}

SSE = Entry(
    tag="live",
    summary="The live stream as server-sent events",
    text=MESSAGES,
    parameters=[*PARAMETER_LIST, LAST_EVENT_ID],
    answers={
        200: answer(
            "A stream without end.",
            TEXT,
            'id: k3f9q2:1041\ndata: {"type": "batch", …}\n\n',
            "text/event-stream",
        )
    },
    errors=(400, 503),
)
WS = Entry(
    tag="live",
    summary="The live stream over a WebSocket",
    text=f"{MESSAGES} OpenAPI knows no sockets: this is the request that asks for the upgrade.",
    parameters=PARAMETER_LIST,
    answers={101: {"description": "The socket is open; messages are text."}},
    errors=(400, 503),
)


class Streams:
    """The viewers of one app."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._joining = CapacityLimiter(JOINING)
        self._count = 0
        self._empty = asyncio.Event()
        self._empty.set()

    async def beat(self) -> None:
        """Tell every viewer, every `BEAT_S`, that the hub is alive. Runs until cancelled."""
        while True:
            await asyncio.sleep(BEAT_S)
            self.hub.live.beat(self.hub.lag_bytes(), self.hub.fault())

    async def drain(self, timeout_s: float) -> None:
        """Wait until every viewer was let go, or the time is over."""
        try:
            async with asyncio.timeout(timeout_s):
                await self._empty.wait()
        except TimeoutError:
            pass

    def _change(self, by: int) -> None:
        self._count += by
        if self._count:
            self._empty.clear()
        else:
            self._empty.set()

    async def join(self, wanted: "Wanted", notify: Callable[[], None]) -> Viewer:
        call = partial(self._join, wanted, notify)
        return await to_thread.run_sync(call, limiter=self._joining)

    def _join(self, wanted: "Wanted", notify: Callable[[], None]) -> Viewer:
        if wanted.form == "excerpt":
            return self.hub.live.join_excerpt(
                notify,
                wanted.where,
                wanted.bounds,
                partial(self.hub.archive.past, where=wanted.where),
                epoch=wanted.epoch,
                since=wanted.since,
                history=wanted.history,
            )
        viewer = self.hub.live.join(
            notify,
            epoch=wanted.epoch,
            since=wanted.since,
            history=wanted.history,
            form=wanted.form,
            where=wanted.where,
        )
        if wanted.form == "json":
            count = JSON_HISTORY if wanted.history is None else wanted.history
            count = min(count, MOST_JSON_HISTORY)
            viewer.begin(self.hub.archive.recent(viewer.start_seq, count, wanted.where))
        return viewer

    async def pump(self, wanted: "Wanted", channel: "Channel") -> None:
        """Send frames until the receiver is gone or let go.

        Raises:
            LanewayError: there is no room; the channel was not opened.
        """
        loop, wake = asyncio.get_running_loop(), asyncio.Event()

        def notify() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(wake.set)

        viewer = await self.join(wanted, notify)
        self._change(1)
        watch: asyncio.Task[None] | None = None
        try:
            await channel.open()
            watch = asyncio.create_task(_watch(viewer, channel))
            await _send_all(viewer, wake, channel)
            await channel.close(viewer.close_code)
        except (OSError, WebSocketDisconnect):  # the receiver is gone, or was let go
            pass
        finally:
            self._change(-1)
            self.hub.live.leave(viewer)
            if watch:
                watch.cancel()


async def _watch(viewer: Viewer, channel: "Channel") -> None:
    await channel.wait_gone()
    viewer.close(GONE)


async def _send_all(viewer: Viewer, wake: asyncio.Event, channel: "Channel") -> None:
    while not viewer.close_code:
        wake.clear()
        if frame := viewer.take():
            await channel.send(frame)  # as slowly as it reads: the server lets go who takes nothing
        elif not viewer.close_code:
            await wake.wait()


class Wanted:
    """What a viewer asks for.

    Raises:
        QueryError: a parameter cannot be read.
    """

    def __init__(
        self,
        parameters: dict[str, str],
        last_event_id: str = "",
        seen: Expr = EVERYTHING,
        bounds: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        """``seen``: the events that there are for this viewer, whose token has these ``bounds``."""
        self.bounds = bounds or {}
        for name in parameters:
            if name not in PARAMETERS:
                raise QueryError(f"there is no parameter {quote(name)}")
        self.epoch = parameters.get("epoch", "")
        self.since = parse_number(parameters, "since")
        self.history = parse_number(parameters, "history")
        kind = parameters.get("format", "")
        if kind not in FORMS:
            raise QueryError(f"format: {quote(kind)} is not frame, json or seqs")
        self.form = FORMS[kind]
        if self.form == "seqs" and not (self.since is self.history is None):
            raise QueryError(
                "format: seqs has no backlog, and takes no since or history",
                hint="what is older is at /api/seqs",
            )
        time_ns = now_ns()
        self.where = resolve(parse(parameters.get("q", ""), time_ns=time_ns), time_ns)
        if self.where != EVERYTHING and self.form == "frame":
            raise QueryError(
                "q: frames are made once for all viewers, and hold every event that they may see",
                hint="ask for whole events with format=json, or for their numbers with format=seqs",
            )
        if seen != EVERYTHING and self.form == "frame":
            self.form = "excerpt"
        self.where = all_of([self.where, seen])
        epoch, _, seq = last_event_id.rpartition(":")
        if epoch and seq.isascii() and seq.isdigit() and len(seq) < 19:
            self.epoch, self.since = epoch, int(seq)


class Channel(Protocol):
    """How frames travel to one receiver."""

    async def open(self) -> None: ...

    async def send(self, frame: Frame) -> None:
        """Returns when there is room for more."""

    async def wait_gone(self) -> None:
        """Returns when the receiver has left."""

    async def close(self, code: int) -> None: ...


class SocketChannel:
    """WebSocket text messages."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket

    async def open(self) -> None:
        await self._socket.accept()

    async def send(self, frame: Frame) -> None:
        await self._socket.send_text(frame.data.decode())

    async def wait_gone(self) -> None:
        while (await self._socket.receive())["type"] != "websocket.disconnect":
            pass  # viewers have nothing to say

    async def close(self, code: int) -> None:
        if code != GONE:
            await self._socket.close(code)


class EventChannel:
    """Server-sent events; ``id`` is ``EPOCH:SEQ``, with which a browser resumes."""

    def __init__(self, live: Live, receive: Receive, send: Send) -> None:
        self._live = live
        self._epoch = b""
        self._receive = receive
        self._send = send

    async def open(self) -> None:
        self._epoch = self._live.epoch.encode()  # a hub that just started had none until now
        headers = [
            (b"content-type", b"text/event-stream; charset=utf-8"),
            (b"cache-control", b"no-store"),
            (b"x-accel-buffering", b"no"),
        ]
        await self._send({"type": "http.response.start", "status": 200, "headers": headers})
        await self._send_body(b"retry: 2000\n\n")

    async def send(self, frame: Frame) -> None:
        # A hello has no id: who resumes after it alone must still get the backlog.
        place = b"id: %b:%d\n" % (self._epoch, frame.last_seq) if frame.has_events else b""
        await self._send_body(place + b"data: %b\n\n" % frame.data)

    async def wait_gone(self) -> None:
        while (await self._receive())["type"] != "http.disconnect":
            pass

    async def close(self, code: int) -> None:
        if code != GONE:
            await self._send({"type": "http.response.body", "body": b""})

    async def _send_body(self, body: bytes) -> None:
        await self._send({"type": "http.response.body", "body": body, "more_body": True})


class EventStream(Response):
    """The answer of ``/logs/sse``."""

    media_type = "text/event-stream"

    def __init__(self, streams: Streams, wanted: Wanted) -> None:
        super().__init__()
        self._streams = streams
        self._wanted = wanted

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        channel = EventChannel(self._streams.hub.live, receive, send)
        try:
            await self._streams.pump(self._wanted, channel)
        except LanewayError as error:
            await send_problem(scope, send, error)


def live_routes(streams: Streams) -> list[AnyRoute]:
    async def sse(request: Request) -> Response:
        last_event_id = request.headers.get("last-event-id", "")
        wanted = Wanted(
            dict(request.query_params),
            last_event_id,
            seen_by(request.scope),
            bounds_of(request.scope),
        )
        return EventStream(streams, wanted)

    async def ws(socket: WebSocket) -> None:
        try:
            wanted = Wanted(
                dict(socket.query_params),
                seen=seen_by(socket.scope),
                bounds=bounds_of(socket.scope),
            )
            await streams.pump(wanted, SocketChannel(socket))
        except LanewayError as error:
            await send_problem(socket.scope, socket.send, error)

    return [Route("/logs/sse", sse, SSE, bound=True), SocketRoute("/logs/ws", ws, WS, bound=True)]
