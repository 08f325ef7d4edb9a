"""The reading routes: pages of events, one event, agents, sessions and the pulse."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import orjson
from anyio import CapacityLimiter, to_thread
from fastapi import APIRouter, Request
from fastapi.responses import Response

from laneway.base.clock import NS_PER_MS, NS_PER_S, format_ns, now_ns
from laneway.base.errors import QueryError, quote
from laneway.hub.hub import Hub
from laneway.store.api import Group, Query
from laneway.web import filter as query_filter
from laneway.web.problem import NotFoundError

READERS = 4
"""Queries at a time: more would only share the same two or four cores."""

BUCKETS = 300
"""Buckets of a pulse without a step: about one every four pixels of a wide page."""

MOST_BUCKETS = 10_000

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
DAY_S = 86_400

EVENT_EXAMPLE = {
    "timestamp": "2026-11-23T18:22:33.000123Z",
    "agent": "planner",
    "event": "tool_invocation",
    "id": "019ab1c2-7b1e-7c3d-9a4f-3f1f6a0d2b11",
    "tool": "search_files",
    "input": {"pattern": "TODO"},
    "seq": 1041,
}
GROUP_EXAMPLE = {
    "name": "planner",
    "parent": "",
    "events": 120,
    "errors": 2,
    "first": "2026-11-23T18:00:00.000000Z",
    "last": "2026-11-23T18:22:33.000123Z",
    "input_tokens": 5200,
    "output_tokens": 910,
    "cost_usd": 0.0123,
}

T = TypeVar("T")


def query_router(hub: Hub) -> APIRouter:
    """The routes under ``/api``; the index is asked in worker threads, never on the event loop."""
    router = APIRouter(prefix="/api", tags=["query"])
    limiter = CapacityLimiter(READERS)

    async def work(call: Callable[[], T]) -> T:
        return await to_thread.run_sync(call, limiter=limiter)

    @router.get(
        "/events",
        summary="A page of events",
        openapi_extra=query_filter.parameters(query_filter.PAGE),
        responses=_example({"events": [EVENT_EXAMPLE], "next": "187ac5a1b2c3.411"}),
    )
    async def events(request: Request) -> Response:
        query = _query(request, query_filter.PAGE)
        lines, cursor = await work(lambda: hub.archive.page(query))
        following = f'"{query_filter.format_cursor(cursor)}"' if cursor else "null"
        return _json(b'{"events":[%b],"next":%b}' % (b",".join(lines), following.encode()))

    @router.get(
        "/events/{event_id:path}",
        summary="One event, by id or by @SEQ",
        responses=_example(EVENT_EXAMPLE),
    )
    async def event(event_id: str) -> Response:
        if event_id.startswith("@"):
            query = Query(seqs=(query_filter.parse_seq(event_id),), limit=1)
        else:
            query = Query(ids=(event_id,), limit=1)
        line = await work(lambda: hub.archive.one(query))
        if line is None:
            raise NotFoundError(
                f"there is no event {quote(event_id)}",
                hint="retention may have removed it, or it is not indexed yet",
            )
        return _json(line)

    @router.get(
        "/agents",
        summary="Totals by agent",
        openapi_extra=query_filter.parameters(),
        responses=_example({"agents": [GROUP_EXAMPLE]}),
    )
    async def agents(request: Request) -> Response:
        return _dump({"agents": await work(_grouping(hub, "agent", _query(request)))})

    @router.get(
        "/sessions",
        summary="Totals by session",
        openapi_extra=query_filter.parameters(),
        responses=_example({"sessions": [{**GROUP_EXAMPLE, "name": "s1", "agents": ["planner"]}]}),
    )
    async def sessions(request: Request) -> Response:
        return _dump({"sessions": await work(_grouping(hub, "session", _query(request)))})

    @router.get(
        "/pulse",
        summary="Counts over time; takes every filter but q",
        openapi_extra=query_filter.parameters(query_filter.STEP),
        responses=_example({"step_ms": 1000, "buckets": [[1795425712000, 12, 1]]}),
    )
    async def pulse(request: Request) -> Response:
        given = query_filter.parse(request.query_params.multi_items(), query_filter.STEP)
        query, step = query_filter.to_query(given), given.one.get("step", "")
        return _dump(await work(lambda: _pulse(hub, query, step)))

    return router


def _query(request: Request, *more: dict[str, str]) -> Query:
    given = query_filter.parse(request.query_params.multi_items(), LIMIT, *more)
    return query_filter.to_query(given)


LIMIT = {"limit": query_filter.PAGE["limit"]}


def _grouping(
    hub: Hub, by: Literal["agent", "session"], query: Query
) -> Callable[[], list[dict[str, Any]]]:
    return lambda: [_group(group, by) for group in hub.store.groups(by, query)]


def _group(group: Group, by: str) -> dict[str, Any]:
    totals: dict[str, Any] = {
        "name": group.name,
        "parent": group.parent,
        "events": group.event_count,
        "errors": group.error_count,
        "first": format_ns(group.first_ns),
        "last": format_ns(group.last_ns),
        "input_tokens": group.input_tokens,
        "output_tokens": group.output_tokens,
        "cost_usd": group.cost_usd,
    }
    return {**totals, "agents": list(group.agents)} if by == "session" else totals


def _pulse(hub: Hub, query: Query, step: str) -> dict[str, Any]:
    if query.text:
        raise QueryError("q: the pulse counts by fields and knows no words", hint="leave q out")
    first_ns, last_ns = _window(hub, query)
    span_ns = max(last_ns - first_ns, 1)
    step_ns = query_filter.parse_step_ns(step) if step else fitting_step_s(span_ns) * NS_PER_S
    if span_ns // step_ns > MOST_BUCKETS:
        raise QueryError(
            f"step: {span_ns // step_ns} buckets of {step}, at most {MOST_BUCKETS} are given",
            hint="ask for a longer step, or a shorter time",
        )
    buckets = hub.store.pulse(step_ns, query)
    return {
        "step_ms": step_ns // NS_PER_MS,
        "buckets": [[b.start_ns // NS_PER_MS, b.event_count, b.error_count] for b in buckets],
    }


def _window(hub: Hub, query: Query) -> tuple[int, int]:
    """The time that the query spans, cut to what the index holds."""
    filled = [state for state in hub.store.segments() if state.event_count]
    first_ns = min((state.first_ns for state in filled), default=now_ns())
    last_ns = max((state.last_ns for state in filled), default=first_ns)
    since_ns = first_ns if query.since_ns is None else max(query.since_ns, first_ns)
    until_ns = last_ns if query.until_ns is None else min(query.until_ns, last_ns)
    return since_ns, max(until_ns, since_ns)


def fitting_step_s(span_ns: int) -> int:
    """The shortest round step that cuts ``span_ns`` into at most `BUCKETS`."""
    least_s = -(-span_ns // (NS_PER_S * (BUCKETS - 1)))  # one more bucket at the ragged ends
    fitting = (step_s for step_s in STEPS_S if step_s >= least_s)
    return next(fitting, -(-least_s // DAY_S) * DAY_S)


def _json(body: bytes) -> Response:
    return Response(body, media_type="application/json")


def _dump(value: object) -> Response:
    return _json(orjson.dumps(value))


def _example(value: object) -> dict[int | str, dict[str, Any]]:
    return {200: {"content": {"application/json": {"example": value}}}}
