"""ASGI middleware (FastAPI, Starlette, any other): chat requests and their answers as events.

    app.add_middleware(LanewayMiddleware, agent="MainAgent", routes=["/chat"])

Every message passes on as it is and at once; a bounded copy is read when it has passed. A body that
the application does not read is not read.
"""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from laneway.integrations.exchange import Exchange, Middleware, Route

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

__all__ = ["LanewayMiddleware", "Route"]


class LanewayMiddleware(Middleware[ASGIApp]):
    """Records the requests that one of ``routes`` matches, in the lane of ``agent``."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind not in ("http", "websocket"):
            await self.app(scope, receive, send)
            return
        path, method = scope["path"], scope.get("method", "")
        route = self.choose(path, method, scope)
        if route is None:
            await self.app(scope, receive, send)
            return
        headers = {
            name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]
        }
        exchange = Exchange(route, self._agent, path, method, headers)
        watch: _Http | _WebSocket = _Http(exchange) if kind == "http" else _WebSocket(exchange)
        try:
            await self.app(scope, watch.receiving(receive), watch.sending(send))
        except BaseException as error:
            watch.failed(error)
            raise
        else:
            watch.returned()
        finally:
            exchange.leave()


class _Http:
    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange
        self.is_gone = self.is_complete = False

    def failed(self, error: BaseException) -> None:
        is_gone = self.is_gone or not isinstance(error, Exception)  # cancelled: the client left
        self._exchange.ended(None if is_gone else error, disconnected=is_gone)

    def returned(self) -> None:
        self._exchange.ended(disconnected=self.is_gone and not self.is_complete)

    def receiving(self, receive: Receive) -> Receive:
        async def receive_and_copy() -> Message:
            message = await receive()
            if message["type"] == "http.request":
                self._exchange.request.add(message.get("body", b""))
                if not message.get("more_body", False):
                    self._exchange.asked()
            elif message["type"] == "http.disconnect":
                self.is_gone = True
            return message

        return receive_and_copy

    def sending(self, send: Send) -> Send:
        exchange = self._exchange

        async def send_and_copy(message: Message) -> None:
            kind = message["type"]
            if kind == "http.response.start":
                exchange.status = message["status"]
                for name, value in message.get("headers", ()):
                    if name.lower() == b"content-type":
                        exchange.answer_type = value.decode("latin-1")
                    elif name.lower() == b"content-encoding":
                        exchange.answer_encoding = value.decode("latin-1").lower()
            try:
                await send(message)
            except OSError:
                self.is_gone = True
                raise
            if kind == "http.response.body":
                exchange.answer.add(message.get("body", b""))
                if not message.get("more_body", False):
                    self.is_complete = True
                    if exchange.status < 500:  # else the error itself is on its way
                        exchange.ended()

        return send_and_copy


class _WebSocket:
    """Each message is an event."""

    def __init__(self, exchange: Exchange) -> None:
        self._exchange = exchange

    def failed(self, error: BaseException) -> None:
        if isinstance(error, Exception):
            self._exchange.broke(error)

    def returned(self) -> None:
        """The end of a conversation is no event."""

    def receiving(self, receive: Receive) -> Receive:
        async def receive_and_note() -> Message:
            message = await receive()
            if message["type"] == "websocket.receive":
                self._exchange.heard(message.get("text") or message.get("bytes") or "")
            return message

        return receive_and_note

    def sending(self, send: Send) -> Send:
        async def send_and_note(message: Message) -> None:
            await send(message)
            if message["type"] == "websocket.send":
                self._exchange.told(message.get("text") or message.get("bytes") or "")

        return send_and_note
