"""Errors as JSON, in one shape and one place: ``{"code", "message", "hint"}``."""

from collections.abc import Mapping
from http import HTTPStatus

import orjson
from starlette.types import Message, Scope, Send

from laneway.base.errors import LanewayError, QueryError
from laneway.model.redact import Redactor

RETRY_AFTER_S = 1
"""A full disk or a stuck index may be well again this soon; senders back off by themselves."""

COME_BACK = frozenset(
    {
        HTTPStatus.TOO_MANY_REQUESTS,
        HTTPStatus.SERVICE_UNAVAILABLE,
        HTTPStatus.INSUFFICIENT_STORAGE,
    }
)

Headers = list[tuple[bytes, bytes]]

_redactor = Redactor()


class NotFoundError(LanewayError):
    code = "not_found"
    status = 404


class MethodError(LanewayError):
    code = "method_not_allowed"
    status = 405


def encode(error: LanewayError) -> tuple[int, Headers, bytes]:
    """Status, headers and body of the answer to ``error``."""
    message, hint = map(_redactor.redact_text, (error.message, error.hint))  # they quote requests
    told: dict[str, object] = {"code": error.code, "message": message, "hint": hint}
    if isinstance(error, QueryError) and error.column:
        told["column"] = error.column
    body = orjson.dumps(told)
    headers = [
        (b"content-type", b"application/json"),
        (b"content-length", b"%d" % len(body)),
        (b"cache-control", b"no-store"),
        (b"x-content-type-options", b"nosniff"),
    ]
    if error.status in COME_BACK:
        after_s = getattr(error, "retry_after_s", RETRY_AFTER_S)  # a RateError knows
        headers.append((b"retry-after", b"%d" % after_s))
    if error.status == HTTPStatus.UNAUTHORIZED:
        headers.append((b"www-authenticate", b"Bearer"))
    return error.status, headers, body


async def send_problem(scope: Scope, send: Send, error: LanewayError, **extra: bytes) -> None:
    """Answer a request, or refuse a WebSocket, with ``error``."""
    status, headers, body = encode(error)
    headers += [(name.replace("_", "-").encode(), value) for name, value in extra.items()]
    if scope["type"] == "http":
        await _send_answer(send, "http.response", status, headers, body)
    elif "websocket.http.response" in scope.get("extensions", {}):
        headers.remove(
            (b"content-length", b"%d" % len(body))
        )  # some servers would add a second one
        await _send_answer(send, "websocket.http.response", status, headers, body)
    else:
        await send({"type": "websocket.close", "code": 1008, "reason": error.code})


async def _send_answer(send: Send, kind: str, status: int, headers: Headers, body: bytes) -> None:
    start: Message = {"type": f"{kind}.start", "status": status, "headers": headers}
    await send(start)
    await send({"type": f"{kind}.body", "body": body})


def from_http_exception(
    status: int, detail: object, allow: Mapping[str, str] | None
) -> LanewayError:
    """The framework's own refusals (no such route, wrong method) in our words."""
    if status == HTTPStatus.NOT_FOUND:
        return NotFoundError("there is nothing at this address", hint="routes: /api/openapi.json")
    if status == HTTPStatus.METHOD_NOT_ALLOWED:
        allowed = ", ".join(sorted((allow or {}).get("Allow", "").split(", ")))
        return MethodError("this address does not take that method", hint=f"it takes {allowed}")
    return LanewayError(str(detail), status=status)
