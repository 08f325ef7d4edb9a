"""How a browser is let in and leaves: one-time codes, the cookie they are exchanged for, log-out."""

import orjson
from starlette.requests import Request
from starlette.responses import Response

from laneway.base.errors import BodyError
from laneway.base.limits import KIB
from laneway.web.answer import answer_json
from laneway.web.auth import Access, cookie, parse_code, read_headers, set_cookie
from laneway.web.body import read_body
from laneway.web.desk import GRANT
from laneway.web.openapi import TEXT, Entry, answer, content, obj
from laneway.web.route import Route
from laneway.web.schema import FLAG

SMALL_BODY_BYTES = 4 * KIB
"""For the routes that take a few words of JSON."""

LET_IN = {200: answer("Let in.", obj({"ok": FLAG}), {"ok": True})}

CODE = Entry(
    tag="access",
    summary="Make a one-time link for a browser",
    text="Takes the access token; a browser cannot let in another one by its cookie.",
    access="token",
    answers={
        200: answer(
            "Good for ten minutes and one browser.",
            obj({"code": TEXT, "url": TEXT}),
            {"code": "x8Jq…", "url": "http://127.0.0.1:8001/logs#code=x8Jq…"},
        )
    },
)
EXCHANGE = Entry(
    tag="access",
    summary="Exchange a one-time code for the browser's cookie",
    access="public",
    body={"required": True, **content(obj({"code": TEXT}), {"code": "x8Jq…"})},
    answers=LET_IN,
    errors=(400, 401, 408, 413, 415),
)
LOGOUT = Entry(
    tag="access",
    summary="End the browser's session",
    text="The cookie is taken away, and a copy of it is worth nothing.",
    answers={200: answer("Logged out.", obj({"ok": FLAG}), {"ok": True})},
)
STATE = Entry(tag="access", summary="Is this reader let in?", answers=LET_IN)


def login_routes(access: Access) -> list[Route]:
    async def code(request: Request) -> Response:
        made = access.door.new_code(request.scope[GRANT])
        base = access.public_url or str(request.base_url).rstrip("/")
        return answer_json({"code": made, "url": f"{base}/logs#code={made}"})

    async def exchange(request: Request) -> Response:
        headers = read_headers(request.scope["headers"])
        body = await read_body(request.receive, headers, SMALL_BODY_BYTES)
        secret = access.door.exchange(parse_code(_loads(body)))
        return _answer_cookie(headers[b"host"], secret)

    async def logout(request: Request) -> Response:
        headers = read_headers(request.scope["headers"])
        if secret := cookie(headers):
            access.door.end_session(secret)
        return _answer_cookie(headers[b"host"], "")

    async def state(request: Request) -> Response:
        return answer_json({"ok": True})

    return [
        Route("/auth/code", code, CODE, ("POST",), bound=True),
        Route("/auth/exchange", exchange, EXCHANGE, ("POST",)),
        Route("/auth/logout", logout, LOGOUT, ("POST",), bound=True),
        Route("/auth/state", state, STATE, bound=True),
    ]


def _answer_cookie(host: bytes, secret: str) -> Response:
    answer = answer_json({"ok": True})
    answer.headers.append("Set-Cookie", set_cookie(host, secret))
    return answer


def _loads(body: bytes) -> object:
    try:
        return orjson.loads(body)
    except ValueError as error:
        raise BodyError(f"the body is not JSON: {error}") from None
