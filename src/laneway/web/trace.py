"""Events in their surroundings: a trace as a tree, what happened around one, the slowest."""

from dataclasses import replace
from typing import cast

from starlette.requests import Request
from starlette.responses import Response

from laneway.base.errors import QueryError, quote
from laneway.hub.hub import Hub
from laneway.hub.inquiry import Scope
from laneway.store.api import Query
from laneway.web import filter as query_filter
from laneway.web.answer import answer_bytes, answer_json
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, Parameter, answer, array, obj, path_parameter, ref
from laneway.web.openapi import query_parameter as parameter
from laneway.web.problem import NotFoundError
from laneway.web.query import NO_EVENT_HINT, query_one
from laneway.web.route import Route
from laneway.web.schema import EVENT_EXAMPLE, TRACE_EXAMPLE
from laneway.web.work import Work

SCOPES = ("all", "agent", "session")

NEIGHBOURS = 20
MOST_NEIGHBOURS = 500

_COUNT = {"type": "integer", "minimum": 0, "maximum": MOST_NEIGHBOURS, "default": NEIGHBOURS}
AROUND = {
    "scope": Parameter(
        "Neighbours of the same agent or session, or all.",
        "session",
        {"enum": list(SCOPES), "default": "all"},
    ),
    "before": Parameter("Events before it.", 5, _COUNT),
    "after": Parameter("Events after it.", 5, _COUNT),
}

TRACE = Entry(
    tag="query",
    summary="One trace as a tree of spans",
    text=(
        "A span is made of the events that share its `span_id`: what starts it, what ends it, and "
        "what lies between. `spans` is the tree, each span before its children. A parent that was "
        "never seen has the state `missing`. Of a trace with more than 5,000 events the oldest are "
        "told, and `complete` is false."
    ),
    parameters=[path_parameter("trace_id", "The trace.", "4bf92f3577b34da6a3ce929d0e0e4736")],
    answers={200: answer("The trace.", ref("Trace"), TRACE_EXAMPLE)},
    errors=(400, 404, 503),
)
CONTEXT = Entry(
    tag="query",
    summary="What happened around an event",
    parameters=[
        path_parameter("event_id", "The event's id, or `@` and its number.", "@1041"),
        *(parameter(name, about) for name, about in AROUND.items()),
    ],
    answers={
        200: answer(
            "The events before it and after it, both in order of time.",
            obj(
                {"before": array(ref("Event")), "event": ref("Event"), "after": array(ref("Event"))}
            ),
            {"before": [], "event": EVENT_EXAMPLE, "after": []},
        )
    },
    errors=(400, 404, 503),
)
SLOWEST = Entry(
    tag="query",
    summary="The slowest events",
    parameters=query_filter.parameters(query_filter.LIMIT),
    answers={
        200: answer(
            "Events with a `duration_ms`, the longest first.",
            obj({"events": array(ref("Event"))}),
            {"events": [{**EVENT_EXAMPLE, "duration_ms": 8120.5}]},
        )
    },
    errors=(400, 503),
)


def trace_routes(hub: Hub, work: Work) -> list[Route]:
    async def trace(request: Request) -> Response:
        trace_id = request.path_params["trace_id"]
        found = await work(lambda: desk_of(request, hub).inquiry.trace(trace_id))
        if found is None:
            raise NotFoundError(f"there is no trace {quote(trace_id)}", hint=NO_EVENT_HINT)
        return answer_json(found)

    async def context(request: Request) -> Response:
        name = request.path_params["event_id"]
        query, given = query_one(name), _parse_around(request)
        scope = cast(Scope, given.get("scope") or "all")
        if scope not in SCOPES:
            raise QueryError(f"scope: {quote(scope)} is not one of {', '.join(SCOPES)}")
        before, after = _count(given, "before"), _count(given, "after")
        desk = desk_of(request, hub)
        found = await work(lambda: desk.inquiry.around(query, scope, before, after))
        if found is None:
            raise NotFoundError(f"there is no event {quote(name)}", hint=NO_EVENT_HINT)
        return answer_bytes(
            b'{"before":[%b],"event":%b,"after":[%b]}'
            % (b",".join(found.before), found.event, b",".join(found.after))
        )

    async def slowest(request: Request) -> Response:
        given = query_filter.parse(request.query_params.multi_items(), query_filter.LIMIT)
        query: Query = replace(query_filter.to_query(given), slowest_first=True)
        lines, *_ = await work(lambda: desk_of(request, hub).archive.page(query), query)
        return answer_bytes(b'{"events":[%b]}' % b",".join(lines))

    return [
        Route("/api/traces/{trace_id:path}", trace, TRACE, bound=True),
        Route("/api/context/{event_id:path}", context, CONTEXT, bound=True),
        Route("/api/slowest", slowest, SLOWEST, bound=True),
    ]


def _parse_around(request: Request) -> dict[str, str]:
    given: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in AROUND:
            raise QueryError(
                f"there is no parameter {quote(name)}", hint=f"there are {', '.join(AROUND)}"
            )
        given[name] = value
    return given


def _count(given: dict[str, str], name: str) -> int:
    text = given.get(name, "")
    return query_filter.parse_count(name, text, NEIGHBOURS, MOST_NEIGHBOURS, least=0)
