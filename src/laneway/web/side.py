"""``GET /api/side/{sha256}``: a payload that was too long for its line, whole or piece by piece."""

import re
from dataclasses import dataclass

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from laneway.base.errors import LanewayError, QueryError, quote
from laneway.hub.hub import Hub
from laneway.hub.view import View
from laneway.model.cut import iter_side_files
from laneway.web.desk import desk_of
from laneway.web.openapi import TEXT, Entry, Parameter, path_parameter, query_parameter
from laneway.web.problem import NotFoundError
from laneway.web.query import query_one
from laneway.web.question import Desk
from laneway.web.route import Route
from laneway.web.work import Work

READERS = 2
"""Files read at a time, each with at most `limits.SIDE_BYTES` in memory."""

RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")

COUNT = {"type": "integer", "minimum": 0}
BODY = {"text/plain": {"schema": TEXT, "example": "the whole of what the tool gave back"}}

SIDE = Entry(
    tag="query",
    summary="A long payload, whole or in part",
    text="Events name their payloads in `side_files`. What comes is text in UTF-8 (JSON where "
    "`form` is `json`); a part may begin or end within a character. A `Range` header is understood, too.",
    parameters=[
        path_parameter("sha256", "The SHA-256 of the payload, in lower-case hex.", "0" * 64),
        query_parameter("offset", Parameter("The first byte wanted.", 0, COUNT)),
        query_parameter(
            "limit", Parameter("At most so many bytes; all that follow without it.", 65536, COUNT)
        ),
        query_parameter(
            "event",
            Parameter("The event that names it, by id or `@SEQ`: bound tokens must say.", "@1041"),
        ),
        query_parameter("download", Parameter("1: as a file to save.", "1")),
    ],
    answers={
        200: {"description": "All of it.", "content": BODY},
        206: {"description": "A part; `Content-Range` tells which.", "content": BODY},
    },
    errors=(400, 404, 416),
)


class RangeError(LanewayError):
    code = "bad_range"
    status = 416


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes ``[offset, offset + limit)``; -1 is without end."""

    offset: int = 0
    limit: int = -1

    @property
    def is_whole(self) -> bool:
        return self.offset == 0 and self.limit < 0


def side_routes(hub: Hub, work: Work) -> list[Route]:
    limiter = CapacityLimiter(READERS)

    async def side(request: Request) -> Response:
        digest = request.path_params["sha256"]
        part = parse_part(request)
        await work(lambda: _check_named(desk_of(request, hub), digest, request))

        def read() -> tuple[bytes, int]:
            size = hub.payloads.size(digest)
            if part.offset and part.offset >= size:
                raise RangeError(f"byte {part.offset} of {size}", hint="bytes count from 0")
            return hub.payloads.read(digest, part.offset, part.limit), size

        data, size = await to_thread.run_sync(read, limiter=limiter)
        return answer_part(digest, data, part, size, request.query_params.get("download") == "1")

    return [Route("/api/side/{sha256}", side, SIDE, bound=True)]


def _check_named(desk: Desk, digest: str, request: Request) -> None:
    """Who sees some events only gets the payloads that one of them names.

    Raises:
        NotFoundError: there is no such event for him, or it names no such payload.
    """
    if not isinstance(desk, View):
        return
    name = request.query_params.get("event", "")
    line = desk.archive.one(query_one(name)) if name else None
    event = orjson.loads(line) if line else {}
    if all(named != digest for _, named, _ in iter_side_files(event)):
        raise NotFoundError(
            f"there is no side file {quote(digest)} of event {quote(name)}",
            hint="this token sees some agents or pods only: name the event, `event=ID`",
        )


def answer_part(digest: str, data: bytes, part: Part, size: int, is_download: bool) -> Response:
    headers = {"accept-ranges": "bytes", "etag": f'"{digest}"'}
    if is_download:
        headers["content-disposition"] = f'attachment; filename="{digest[:16]}.txt"'
    if part.is_whole:
        return Response(data, 200, headers, "text/plain; charset=utf-8")
    last = part.offset + max(len(data), 1) - 1
    headers["content-range"] = f"bytes {part.offset}-{last}/{size}"
    return Response(data, 206, headers, "text/plain; charset=utf-8")


def parse_part(request: Request) -> Part:
    """What the query, or else the ``Range`` header, asks for; headers of other forms are passed over.

    Raises:
        QueryError: a parameter that is no number, or unknown.
    """
    given = request.query_params
    for name in given:
        if name not in ("offset", "limit", "download", "event"):
            raise QueryError(
                f"there is no parameter {quote(name)}", hint="offset, limit, download, event"
            )
    if "offset" in given or "limit" in given:
        return Part(_count(given.get("offset", "0"), "offset"), _count(given.get("limit"), "limit"))
    found = RANGE.fullmatch(request.headers.get("range", ""))
    if found is None:
        return Part()
    first, last = int(found[1]), found[2]
    return Part(first, max(int(last) - first + 1, 0) if last else -1)


def _count(text: str | None, name: str) -> int:
    if text is None:
        return -1
    if not (text.isascii() and text.isdigit() and len(text) <= 15):
        raise QueryError(f"{name}: {quote(text)} is not a whole number from 0 up")
    return int(text)
