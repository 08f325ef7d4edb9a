"""The reading routes: pages of events, one event, agents and sessions."""

from dataclasses import replace
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from laneway.base.errors import QueryError, quote
from laneway.base.settings import FALSE_WORDS, TRUE_WORDS
from laneway.hub.hub import Hub
from laneway.store.api import Query, Split
from laneway.store.query.expr import is_one_of, is_seq
from laneway.store.query.field import ID, SESSION
from laneway.store.query.term import terms_of
from laneway.store.query.write import write
from laneway.web import filter as query_filter
from laneway.web.answer import answer_bytes, answer_json
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, Parameter, answer, array, obj, path_parameter, ref
from laneway.web.problem import NotFoundError
from laneway.web.question import Desk, scan_facts, scanned
from laneway.web.question.session import ask_sessions, tell_agents, tell_sessions
from laneway.web.route import Route
from laneway.web.schema import AGENT_EXAMPLE, EVENT_EXAMPLE, PLAN_EXAMPLE, SESSION_EXAMPLE
from laneway.web.work import Work

COUNT_S = 0.1
"""Patience of a page's total: a page is there in a few milliseconds, and nobody waits for a number."""

NO_EVENT_HINT = "retention may have removed it, or it is not indexed yet"

TOTAL = {
    "total": Parameter(
        "`true`: also how many events match. `at_least` where that takes longer than 0.1 s.",
        True,
        {"type": "boolean", "default": False},
    )
}

EVENTS = Entry(
    tag="query",
    summary="A page of events",
    parameters=query_filter.parameters(query_filter.PAGE, TOTAL),
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
ONE_SESSION = Entry(
    tag="query",
    summary="One session",
    parameters=[path_parameter("session_id", "The session.", "s1")],
    answers={200: answer("The session.", ref("Session"), SESSION_EXAMPLE)},
    errors=(400, 404, 503),
)


EXPLAIN = Entry(
    tag="query",
    summary="How a query will run, without running it",
    parameters=query_filter.parameters(),
    answers={200: answer("The plan.", ref("Plan"), PLAN_EXAMPLE)},
    errors=(400, 503),
)


def query_routes(hub: Hub, work: Work) -> list[Route]:
    async def events(request: Request) -> Response:
        given = query_filter.parse(request.query_params.multi_items(), query_filter.PAGE, TOTAL)
        query, wants_total = query_filter.to_query(given), _wants_total(given.one)
        desk = desk_of(request, hub)
        page = await work(lambda: desk.archive.page(query), query)
        following = f'"{query_filter.format_cursor(page.next)}"' if page.next else "null"
        scan = b',"scan":%b' % orjson.dumps(scan_facts(page.scan)) if page.scan else b""
        total = await work(lambda: _total(desk, query), query) if wants_total else b""
        return answer_bytes(
            b'{"events":[%b],"next":%b%b%b}'
            % (b",".join(page.lines), following.encode(), scan, total)
        )

    async def event(request: Request) -> Response:
        name = request.path_params["event_id"]
        query = query_one(name)
        line = await work(lambda: desk_of(request, hub).archive.one(query))
        if line is None:
            raise NotFoundError(
                f"there is no event {quote(name)}",
                hint=NO_EVENT_HINT,
            )
        return answer_bytes(line)

    async def agents(request: Request) -> Response:
        query = _query(request, query_filter.LIMIT)
        return answer_json(await work(lambda: tell_agents(desk_of(request, hub), query), query))

    async def sessions(request: Request) -> Response:
        query, tell = ask_sessions(request.query_params.multi_items())
        return answer_json(await work(lambda: tell(desk_of(request, hub)), query))

    async def session(request: Request) -> Response:
        name = request.path_params["session_id"]
        query = Query(is_one_of(SESSION, (name,)), limit=1)
        found = await work(lambda: tell_sessions(desk_of(request, hub), query)["sessions"])
        if not found:
            raise NotFoundError(f"there is no session {quote(name)}", hint=NO_EVENT_HINT)
        return answer_json(found[0])

    async def explain(request: Request) -> Response:
        given = query_filter.parse(request.query_params.multi_items())
        query, terms = query_filter.to_query(given), terms_of(query_filter.parse_q(given))
        plan = await work(lambda: _explain(desk_of(request, hub), query))
        return answer_json({**plan, "terms": [term._asdict() for term in terms]})

    return [
        Route("/api/events", events, EVENTS, bound=True),
        Route("/api/events/{event_id:path}", event, EVENT, bound=True),
        Route("/api/agents", agents, AGENTS, bound=True),
        Route("/api/sessions", sessions, SESSIONS, bound=True),
        Route("/api/sessions/{session_id:path}", session, ONE_SESSION, bound=True),
        Route("/api/explain", explain, EXPLAIN, bound=True),
    ]


def _query(request: Request, more: query_filter.Table) -> Query:
    return query_filter.to_query(query_filter.parse(request.query_params.multi_items(), more))


def query_one(name: str) -> Query:
    if name.startswith("@"):
        return Query(is_seq(query_filter.parse_seq(name)), limit=1)
    return Query(is_one_of(ID, (name,)), limit=1)


def _wants_total(one: dict[str, str]) -> bool:
    text = one.get("total", "").lower()
    if text and text not in TRUE_WORDS | FALSE_WORDS:
        raise QueryError(f"total: {quote(text)} is not true or false")
    return text in TRUE_WORDS


def _total(desk: Desk, query: Query) -> bytes:
    table = desk.store.aggregate(replace(query, after=None), Split(patience_s=COUNT_S))
    told = {"count": table.event_count, "accuracy": table.accuracy, **scanned(table.scan)}
    return b',"total":' + orjson.dumps(told)


def _explain(desk: Desk, query: Query) -> dict[str, Any]:
    return {"query": write(query.whole()), **desk.store.explain(query)._asdict()}
