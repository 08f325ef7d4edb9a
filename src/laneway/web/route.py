"""Routes that carry their entry of the OpenAPI document."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

from starlette import routing
from starlette.requests import Request
from starlette.responses import Response
from starlette.websockets import WebSocket

from laneway.web.openapi import Entry, Operation

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
    ) -> None:
        super().__init__(path, endpoint)
        self.methods = set(methods)  # the framework adds HEAD to GET, for endless streams too
        self.operation = Operation(methods[0], bare(path), self.name, entry) if entry else None


class SocketRoute(routing.WebSocketRoute):
    """A WebSocket's address. The document knows it as the GET that asks for the upgrade."""

    def __init__(
        self, path: str, endpoint: Callable[[WebSocket], Awaitable[Any]], entry: Entry
    ) -> None:
        super().__init__(path, endpoint)
        self.operation = Operation("GET", bare(path), self.name, entry)


AnyRoute = Route | SocketRoute


def bare(path: str) -> str:
    """``/api/events/{event_id:path}`` as OpenAPI writes it, without the converter."""
    return CONVERTER.sub("", path)
