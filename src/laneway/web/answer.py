"""Answers of the routes as JSON."""

import orjson
from starlette.responses import Response

from laneway.base.errors import LanewayError
from laneway.web.problem import encode


def answer_json(value: object, status: int = 200) -> Response:
    return answer_bytes(orjson.dumps(value), status)


def answer_bytes(body: bytes, status: int = 200) -> Response:
    """``body`` is JSON already."""
    return Response(body, status, media_type="application/json")


def answer_problem(error: LanewayError) -> Response:
    status, headers, body = encode(error)
    response = Response(body, status)
    response.raw_headers = headers
    return response
