"""``/api/export``: every event of a query as NDJSON, page by page, for as long as somebody reads."""

import zlib
from collections.abc import AsyncIterator
from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from laneway.base.errors import QueryError, quote
from laneway.hub.hub import Hub
from laneway.store.api import Cursor, Query
from laneway.web import filter as query_filter
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, Parameter, answer
from laneway.web.problem import NotFoundError
from laneway.web.query import NO_EVENT_HINT, query_one
from laneway.web.question import Desk
from laneway.web.route import Route
from laneway.web.work import Work

PAGE_EVENTS = 500
"""Read and sent at a time: all that is in memory, some 350 KiB, and at most 500 long lines."""

GZIP_LEVEL = 1
"""A fifth of the bytes already; 6 takes three times as long, and the reader waits."""

GZIP_BITS = 16 + zlib.MAX_WBITS

NDJSON = "application/x-ndjson"

WAY = {
    "order": Parameter(
        "`newest` or `oldest` first.",
        "newest",
        {"enum": ["newest", "oldest"], "default": "oldest"},
    ),
    "after": Parameter(
        "Go on behind this event: `@` and the `seq` of the last line that arrived.", "@1041"
    ),
}

EXPORT = Entry(
    tag="query",
    summary="All events of a query, as they are read",
    text=(
        "One event a line. It is gzipped where the request accepts that, and holds one page in "
        "memory. An answer that broke off is resumed with `after`."
    ),
    parameters=query_filter.parameters(WAY),
    answers={
        200: answer(
            "The events, until there are no more.",
            {"type": "string"},
            '{"timestamp": "2026-11-23T18:22:33.000123Z", "agent": "planner", "event": "log"'
            ', "id": "e1", "seq": 1041}\n',
            NDJSON,
        )
    },
    errors=(400, 404, 503),
)


def export_routes(hub: Hub, work: Work) -> list[Route]:
    async def export(request: Request) -> Response:
        given = query_filter.parse(request.query_params.multi_items(), WAY)
        desk = desk_of(request, hub)
        query = replace(
            query_filter.to_query(given),
            newest_first=given.one.get("order") == "newest",
            limit=PAGE_EVENTS,
        )
        if given.one.get("after"):
            query = replace(query, after=await work(lambda: _place(desk, given.one["after"])))
        lines, cursor, *_ = await work(
            lambda: desk.archive.page(query)
        )  # errors come before the 200
        is_gzip = _accepts_gzip(request.headers.get("accept-encoding", ""))
        chunks = _iter_chunks(desk, work, query, lines, cursor)
        headers = {"vary": "accept-encoding"} | ({"content-encoding": "gzip"} if is_gzip else {})
        body = _compress(chunks, work) if is_gzip else chunks
        return StreamingResponse(body, media_type=NDJSON, headers=headers)

    return [Route("/api/export", export, EXPORT, bound=True)]


async def _iter_chunks(
    desk: Desk, work: Work, query: Query, lines: list[bytes], cursor: Cursor | None
) -> AsyncIterator[bytes]:
    """Page after page. The server ends it when the reader is gone."""
    while True:
        if lines:
            yield b"\n".join(lines) + b"\n"
        if cursor is None:
            return
        page = replace(query, after=cursor)
        lines, cursor, *_ = await work(lambda page=page: desk.archive.page(page), page)  # type: ignore[misc]


async def _compress(chunks: AsyncIterator[bytes], work: Work) -> AsyncIterator[bytes]:
    packer = zlib.compressobj(GZIP_LEVEL, zlib.DEFLATED, GZIP_BITS)
    async for chunk in chunks:
        packed = await work(
            lambda chunk=chunk: packer.compress(chunk) + packer.flush(zlib.Z_SYNC_FLUSH)  # type: ignore[misc]
        )
        yield packed
    yield packer.flush()


def _place(desk: Desk, text: str) -> Cursor:
    """Where the event stands that was the last to arrive."""
    if not text.startswith("@"):
        raise QueryError(f"after: {quote(text)} is not @ and a number")
    hits = desk.store.find(query_one(text)).hits
    if not hits:
        raise NotFoundError(f"after: there is no event {quote(text)}", hint=NO_EVENT_HINT)
    return Cursor(hits[0].ts_ns, hits[0].seq)


def _accepts_gzip(header: str) -> bool:
    for part in header.lower().split(","):
        name, _, quality = part.partition(";")
        if name.strip() in ("gzip", "*"):
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
