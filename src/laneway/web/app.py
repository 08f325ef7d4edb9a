"""The ASGI application: a gate before everything, the hot route, and FastAPI for the rest."""

from pathlib import Path
from typing import Any

import orjson
from fastapi import APIRouter, FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from laneway import __version__
from laneway.base.errors import BodyError, LanewayError, QueryError
from laneway.base.limits import KIB
from laneway.hub.hub import Hub
from laneway.web import problem
from laneway.web.auth import Access, parse_code, read_headers, set_cookie
from laneway.web.body import read_body
from laneway.web.health import health_router
from laneway.web.ingest import Ingest
from laneway.web.live import Streams, live_router
from laneway.web.problem import MethodError, send_problem
from laneway.web.query import query_router
from laneway.web.ui import BUILT, SECURITY_HEADERS, ui_router

SMALL_BODY_BYTES = 4 * KIB
"""For the routes that take a few words of JSON."""

DESCRIPTION = """The hub of one log: events in over `POST /log`, pages, totals and a live stream out.
Every error has the shape `{"code", "message", "hint"}`."""

FENCE = [*SECURITY_HEADERS, (b"cache-control", b"no-store")]


class App:
    """Checks access first, answers ``POST /log`` itself, and passes on the rest."""

    def __init__(self, hub: Hub, access: Access, *, ui_root: Path = BUILT) -> None:
        self.hub = hub
        self.access = access
        self.streams = Streams(hub)
        self._ingest = Ingest(hub)
        self._rest = make_api(hub, access, self.streams, ui_root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._rest(scope, receive, send)
            return
        path = scope["path"]
        try:
            headers = read_headers(scope["headers"])
            self.access.check(path, headers)
            if path == "/log":
                if scope.get("method") != "POST":
                    raise MethodError("events are sent with POST", hint="it takes POST")
                await self._ingest(scope, receive, send, headers)
                return
        except LanewayError as error:
            self.hub.metric.refused.add(1, error.code)
            await send_problem(scope, send, error)
            return
        await self._rest(scope, receive, _fenced(send) if scope["type"] == "http" else send)


def create_app(hub: Hub, access: Access, *, ui_root: Path = BUILT) -> App:
    """The application for one hub; the caller starts and closes the hub."""
    return App(hub, access, ui_root=ui_root)


def make_api(hub: Hub, access: Access, streams: Streams, ui_root: Path) -> ASGIApp:
    """What FastAPI serves. Access is not checked here."""
    api = FastAPI(
        title="Laneway",
        version=__version__,
        description=DESCRIPTION,
        openapi_url="/api/openapi.json",
        docs_url=None,  # the pages load their scripts from a CDN
        redoc_url=None,
    )
    api.include_router(auth_router(access))
    api.include_router(query_router(hub))
    api.include_router(live_router(streams))
    api.include_router(health_router(hub))
    api.include_router(ui_router(ui_root))
    api.add_exception_handler(LanewayError, _answer_known)
    api.add_exception_handler(RequestValidationError, _answer_invalid)
    api.add_exception_handler(HTTPException, _answer_http)
    api.add_exception_handler(Exception, _answer_fault)
    return api


def auth_router(access: Access) -> APIRouter:
    """One-time codes, the cookie, and whether a browser has it."""
    router = APIRouter(prefix="/auth", tags=["access"])

    @router.post("/code", summary="Make a one-time link for a browser")
    def code(request: Request) -> dict[str, str]:
        made = access.new_code()
        return {"code": made, "url": f"{request.base_url}logs#code={made}"}

    @router.post(
        "/exchange",
        summary="Exchange a one-time code for the browser's cookie",
        openapi_extra={"requestBody": EXCHANGE_BODY},
    )
    async def exchange(request: Request) -> Response:
        headers = read_headers(request.scope["headers"])
        body = await read_body(request.receive, headers, SMALL_BODY_BYTES)
        cookie = set_cookie(headers[b"host"], access.exchange(parse_code(_loads(body))))
        answer = JSONResponse({"ok": True})
        answer.headers.append("Set-Cookie", cookie)
        return answer

    @router.get("/state", summary="Is this reader let in?")
    def state() -> dict[str, bool]:
        return {"ok": True}

    return router


EXCHANGE_BODY: dict[str, Any] = {
    "required": True,
    "content": {"application/json": {"example": {"code": "x8Jq…"}, "schema": {"type": "object"}}},
}


def _loads(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise BodyError(f"the body is not JSON: {error}") from None


def _fenced(send: Send) -> Send:
    """``send`` that adds the headers that every answer must have."""

    async def send_fenced(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name for name, _ in given}
            message["headers"] = given + [pair for pair in FENCE if pair[0] not in names]
        await send(message)

    return send_fenced


def _answer(error: LanewayError) -> Response:
    status, headers, body = problem.encode(error)
    response = Response(body, status)
    response.raw_headers = headers
    return response


async def _answer_known(_: Request, error: Exception) -> Response:
    assert isinstance(error, LanewayError)
    return _answer(error)


async def _answer_invalid(_: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)
    return _answer(QueryError(problem.from_validation(list(error.errors()))))


async def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return _answer(problem.from_http_exception(error.status_code, error.detail, error.headers))


async def _answer_fault(request: Request, error: Exception) -> Response:
    """The framework raises the error again after the answer, and the server logs it."""
    return _answer(LanewayError("the hub failed in a way it does not know", hint="see its output"))
