"""The reading routes: pages of events, one event, agents, sessions and the pulse."""

from collections.abc import Callable
from typing import Any, Literal, TypeVar

import orjson
from anyio import CapacityLimiter, to_thread
from starlette.requests import Request
from starlette.responses import Response

from laneway.base.clock import NS_PER_MS, NS_PER_S, format_ns, now_ns
from laneway.base.errors import QueryError, quote
from laneway.hub.hub import Hub
from laneway.store.api import Group, Query, Scan, Split
from laneway.store.query.cost import needs_log
from laneway.store.query.expr import is_one_of, is_seq
from laneway.store.query.field import ID
from laneway.store.query.write import write
from laneway.web import filter as query_filter
from laneway.web.answer import answer_bytes, answer_json
from laneway.web.openapi import Entry, answer, array, obj, path_parameter, ref
from laneway.web.problem import NotFoundError
from laneway.web.route import Route
from laneway.web.schema import AGENT_EXAMPLE, EVENT_EXAMPLE, PLAN_EXAMPLE, SESSION_EXAMPLE

READERS = 4
"""Queries at a time: more would only share the same two or four cores."""

SCANNERS = 2
"""Of those that read the log, which may take seconds: they wait for one another and for nobody else."""

BUCKETS = 300
"""Buckets of a pulse without a step: about one every four pixels of a wide page."""

MOST_BUCKETS = 10_000

STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200)
DAY_S = 86_400

EVENTS = Entry(
    tag="query",
    summary="A page of events",
    parameters=query_filter.parameters(query_filter.PAGE),
    answers={
        200: answer(
            "The page, and the cursor of the one that follows.",
            ref("Page"),
            {"events": [EVENT_EXAMPLE], "next": "187ac5a1b2c3.411"},
        )
    },
    errors=(400, 503),
)
EVENT = Entry(
    tag="query",
    summary="One event, by id or by @SEQ",
    parameters=[path_parameter("event_id", "The event's id, or `@` and its number.", "@1041")],
    answers={200: answer("The event.", ref("Event"), EVENT_EXAMPLE)},
    errors=(400, 404, 503),
)
AGENTS = Entry(
    tag="query",
    summary="Totals by agent",
    parameters=query_filter.parameters(query_filter.LIMIT),
    answers={
        200: answer(
            "The agents that have such events.",
            obj({"agents": array(ref("Agent")), "scan": ref("Scan")}, optional=("scan",)),
            {"agents": [AGENT_EXAMPLE]},
        )
    },
    errors=(400, 503),
)
SESSIONS = Entry(
    tag="query",
    summary="Totals by session",
    parameters=query_filter.parameters(query_filter.LIMIT),
    answers={
        200: answer(
            "The sessions that have such events.",
            obj({"sessions": array(ref("Session")), "scan": ref("Scan")}, optional=("scan",)),
            {"sessions": [SESSION_EXAMPLE]},
        )
    },
    errors=(400, 503),
)
PULSE = Entry(
    tag="query",
    summary="Counts over time",
    parameters=query_filter.parameters(query_filter.STEP),
    answers={
        200: answer(
            f"The buckets that hold something; without a step, one that gives {BUCKETS} at most.",
            ref("Pulse"),
            {"step_ms": 1000, "accuracy": "exact", "buckets": [[1795425712000, 12, 1]]},
        )
    },
    errors=(400, 503),
)

EXPLAIN = Entry(
    tag="query",
    summary="How a query will run, without running it",
    parameters=query_filter.parameters(),
    answers={200: answer("The plan.", ref("Plan"), PLAN_EXAMPLE)},
    errors=(400, 503),
)

T = TypeVar("T")


def query_routes(hub: Hub) -> list[Route]:
    """The routes under ``/api``; the index is asked in worker threads, never on the event loop."""
    readers, scanners = CapacityLimiter(READERS), CapacityLimiter(SCANNERS)

    async def work(call: Callable[[], T], query: Query | None = None) -> T:
        limiter = scanners if query and needs_log(query.where) else readers
        return await to_thread.run_sync(call, limiter=limiter)

    async def events(request: Request) -> Response:
        query = _query(request, query_filter.PAGE)
        page = await work(lambda: hub.archive.page(query), query)
        following = f'"{query_filter.format_cursor(page.next)}"' if page.next else "null"
        scan = b',"scan":%b' % orjson.dumps(_scan(page.scan)) if page.scan else b""
        return answer_bytes(
            b'{"events":[%b],"next":%b%b}' % (b",".join(page.lines), following.encode(), scan)
        )

    async def event(request: Request) -> Response:
        name = request.path_params["event_id"]
        query = _query_one(name)
        line = await work(lambda: hub.archive.one(query))
        if line is None:
            raise NotFoundError(
                f"there is no event {quote(name)}",
                hint="retention may have removed it, or it is not indexed yet",
            )
        return answer_bytes(line)

    async def agents(request: Request) -> Response:
        query = _query(request, query_filter.LIMIT)
        return answer_json(await work(lambda: _groups(hub, "agent", query), query))

    async def sessions(request: Request) -> Response:
        query = _query(request, query_filter.LIMIT)
        return answer_json(await work(lambda: _groups(hub, "session", query), query))

    async def pulse(request: Request) -> Response:
        given = query_filter.parse(request.query_params.multi_items(), query_filter.STEP)
        query, step = query_filter.to_query(given), given.one.get("step", "")
        return answer_json(await work(lambda: _pulse(hub, query, step), query))

    async def explain(request: Request) -> Response:
        query = _query(request, {})
        return answer_json(await work(lambda: _explain(hub, query)))

    return [
        Route("/api/events", events, EVENTS),
        Route("/api/events/{event_id:path}", event, EVENT),
        Route("/api/agents", agents, AGENTS),
        Route("/api/sessions", sessions, SESSIONS),
        Route("/api/pulse", pulse, PULSE),
        Route("/api/explain", explain, EXPLAIN),
    ]


def _query(request: Request, more: query_filter.Table) -> Query:
    return query_filter.to_query(query_filter.parse(request.query_params.multi_items(), more))


def _query_one(name: str) -> Query:
    if name.startswith("@"):
        return Query(is_seq(query_filter.parse_seq(name)), limit=1)
    return Query(is_one_of(ID, (name,)), limit=1)


def _groups(hub: Hub, by: Literal["agent", "session"], query: Query) -> dict[str, Any]:
    found = hub.store.groups(by, query)
    scan = {"scan": _scan(found.scan)} if found.scan else {}
    return {f"{by}s": [_group(group, by) for group in found.groups], **scan}


def _scan(scan: Scan) -> dict[str, Any]:
    told = scan._asdict()
    return {"complete": told.pop("is_complete"), **told}


def _explain(hub: Hub, query: Query) -> dict[str, Any]:
    return {"query": write(query.whole()), **hub.store.explain(query)._asdict()}


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
    first_ns, last_ns = _window(hub, query)
    span_ns = max(last_ns - first_ns, 1)
    step_ns = query_filter.parse_step_ns(step) if step else fitting_step_s(span_ns) * NS_PER_S
    if span_ns // step_ns > MOST_BUCKETS:
        raise QueryError(
            f"step: {span_ns // step_ns} buckets of {step}, at most {MOST_BUCKETS} are given",
            hint="ask for a longer step, or a shorter time",
        )
    table = hub.store.aggregate(query, Split(step_ns=step_ns))
    return {
        "step_ms": step_ns // NS_PER_MS,
        "accuracy": table.accuracy,
        "buckets": [[c.start_ns // NS_PER_MS, c.event_count, c.error_count] for c in table.cells],
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
