"""Routes that carry their entry of the OpenAPI document."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette import routing
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket

from laneway.base.errors import AccessError
from laneway.web.desk import check_bound
from laneway.web.openapi import Entry, Operation
from laneway.web.problem import send_problem

Endpoint = Callable[[Request], Response] | Callable[[Request], Awaitable[Response]]
"""A plain function runs in a worker thread, so it may block; a coroutine function may not."""

CONVERTER = re.compile(r":\w+(?=})")


class Route(routing.Route):
    """An address, the methods that it takes, and its entry; ``None`` leaves it out."""

    def __init__(
        self,
        path: str,
        endpoint: Endpoint,
        entry: Entry | None,
        methods: tuple[str, ...] = ("GET",),
        *,
        bound: bool = False,
    ) -> None:
        """``bound``: tokens that are bound to agents or pods have access; see `laneway.web.desk`."""
        super().__init__(path, endpoint)
        self._is_bound = bound
        self.methods = set(methods)  # the framework adds HEAD to GET, for endless streams too
        self.operation = Operation(methods[0], bare(path), self.name, entry) if entry else None

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        check_bound(scope, is_open=self._is_bound)
        await super().handle(scope, receive, send)


class SocketRoute(routing.WebSocketRoute):
    """A WebSocket's address. The document knows it as the GET that asks for the upgrade."""

    def __init__(
        self,
        path: str,
        endpoint: Callable[[WebSocket], Awaitable[Any]],
        entry: Entry,
        *,
        bound: bool = False,
    ) -> None:
        super().__init__(path, endpoint)
        self._is_bound = bound
        self.operation = Operation("GET", bare(path), self.name, entry)

    async def handle(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            check_bound(scope, is_open=self._is_bound)
        except AccessError as error:
            await send_problem(scope, send, error)
            return
        await super().handle(scope, receive, send)


AnyRoute = Route | SocketRoute


def bare(path: str) -> str:
    """``/api/events/{event_id:path}`` as OpenAPI writes it, without the converter."""
    return CONVERTER.sub("", path)
