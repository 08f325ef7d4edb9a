"""The ASGI application: a gate before everything, the hot route, and Starlette for the rest."""

from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from laneway import __version__
from laneway.base.errors import LanewayError
from laneway.hub.hub import Hub
from laneway.web import problem
from laneway.web.admin import admin_routes
from laneway.web.alerts import ALERT_SCHEMAS, alert_routes
from laneway.web.answer import answer_json, answer_problem
from laneway.web.auth import Access, read_headers
from laneway.web.desk import GRANT
from laneway.web.export import export_routes
from laneway.web.failure import failure_routes
from laneway.web.health import health_routes
from laneway.web.ingest import Ingest
from laneway.web.live import Streams, live_routes
from laneway.web.login import login_routes
from laneway.web.openapi import Operation, make_document
from laneway.web.otlp import PATHS as OTLP_PATHS
from laneway.web.otlp import Otlp, form_of, send_refusal
from laneway.web.problem import MethodError, send_problem
from laneway.web.pulse import pulse_routes
from laneway.web.query import query_routes
from laneway.web.report import report_routes
from laneway.web.route import AnyRoute, Route
from laneway.web.schema import SCHEMAS
from laneway.web.sending import SENDING
from laneway.web.seqs import seqs_routes
from laneway.web.side import side_routes
from laneway.web.trace import trace_routes
from laneway.web.ui import BUILT, SECURITY_HEADERS, ui_routes
from laneway.web.work import Work

DESCRIPTION = """The hub of one log: events in over `POST /log`, pages, totals and a live stream out.
Every error has the shape `{"code", "message", "hint"}`."""

FENCE = [*SECURITY_HEADERS, (b"cache-control", b"no-store")]


class App:
    """Checks access first, answers ``POST /log`` itself, and passes on the rest."""

    def __init__(self, hub: Hub, access: Access, *, ui_root: Path = BUILT) -> None:
        self.hub = hub
        self.access = access
        self.streams = Streams(hub)
        self.ingest = Ingest(hub)
        self.otlp = Otlp(hub, self.ingest)
        self._rest = make_api(hub, access, self.streams, ui_root)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._rest(scope, receive, send)
            return
        path, headers = scope["path"], {}
        try:
            headers = read_headers(scope["headers"])
            grant = self.access.check(path, headers, scope.get("method", "GET"))
            if path in ("/log", "/events"):
                if scope.get("method") != "POST":
                    raise MethodError("events are sent with POST", hint="it takes POST")
                decode = self.ingest.decode_hooks if path == "/events" else None
                await self.ingest(scope, receive, send, headers, grant, decode)
                return
            if path in OTLP_PATHS:
                if scope.get("method") != "POST":
                    raise MethodError("telemetry is sent with POST", hint="it takes POST")
                await self.otlp(scope, receive, send, headers, grant)
                return
        except LanewayError as error:
            self.hub.metric.refused.add(1, error.code)
            if path in OTLP_PATHS and scope["type"] == "http":
                await send_refusal(send, form_of(headers), error)
            else:
                await send_problem(scope, send, error)
            return
        scope[GRANT] = grant
        await self._rest(scope, receive, _fenced(send) if scope["type"] == "http" else send)


def create_app(hub: Hub, access: Access, *, ui_root: Path = BUILT) -> App:
    """The application for one hub; the caller starts and closes the hub."""
    return App(hub, access, ui_root=ui_root)


def make_api(hub: Hub, access: Access, streams: Streams, ui_root: Path) -> ASGIApp:
    """What Starlette serves. Access is not checked here."""
    work = Work()
    routes: list[AnyRoute] = [
        *login_routes(access),
        *admin_routes(access.door),
        *query_routes(hub, work),
        *seqs_routes(hub, work),
        *pulse_routes(hub, work),
        *report_routes(hub, work),
        *failure_routes(hub, work),
        *trace_routes(hub, work),
        *export_routes(hub, work),
        *alert_routes(hub, work),
        *side_routes(hub, work),
        *live_routes(streams),
        *health_routes(hub),
        *ui_routes(ui_root),
    ]
    operations = [*SENDING, *(route.operation for route in routes if route.operation)]
    return Starlette(
        routes=[schema_route(operations), *routes],
        exception_handlers={
            LanewayError: _answer_known,
            HTTPException: _answer_http,
            Exception: _answer_fault,
        },
    )


def schema_route(operations: list[Operation]) -> Route:
    """The OpenAPI document, made when somebody asks for it."""
    info = {"title": "Laneway", "version": __version__, "description": DESCRIPTION}

    async def schema(request: Request) -> Response:
        return answer_json(make_document(info, operations, SCHEMAS | ALERT_SCHEMAS))

    return Route("/api/openapi.json", schema, None, ("GET", "HEAD"), bound=True)


def _fenced(send: Send) -> Send:
    """``send`` that adds the headers that every answer must have."""

    async def send_fenced(message: Message) -> None:
        if message["type"] == "http.response.start":
            given = list(message.get("headers", ()))
            names = {name for name, _ in given}
            message["headers"] = given + [pair for pair in FENCE if pair[0] not in names]
        await send(message)

    return send_fenced


async def _answer_known(_: Request, error: Exception) -> Response:
    assert isinstance(error, LanewayError)
    return answer_problem(error)


async def _answer_http(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    return answer_problem(
        problem.from_http_exception(error.status_code, error.detail, error.headers)
    )


async def _answer_fault(request: Request, error: Exception) -> Response:
    """The framework raises the error again after the answer, and the server logs it."""
    fault = LanewayError("the hub failed in a way it does not know", hint="see its output")
    return answer_problem(fault)
