"""Which events match, without the events: for a page that has them already."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from laneway.base.limits import PAGE_EVENTS
from laneway.hub.hub import Hub
from laneway.store.query.expr import all_of
from laneway.web import filter as query_filter
from laneway.web.answer import answer_json
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, answer, array, obj, ref
from laneway.web.question import scan_facts
from laneway.web.route import Route
from laneway.web.schema import COUNT, TEXT_OR_NULL
from laneway.web.work import Work

PATIENCE_S = 1.0
"""After this an answer ends with what it has, and tells where to go on."""

SEQS = Entry(
    tag="query",
    summary="The numbers of the events that match",
    text="For who has the events and wants to know which of them a query finds; newest first.",
    parameters=query_filter.parameters(query_filter.SEQS),
    answers={
        200: answer(
            "Numbers, and the cursor of those that follow.",
            obj(
                {"seqs": array(COUNT), "next": TEXT_OR_NULL, "scan": ref("Scan")},
                optional=("scan",),
            ),
            {"seqs": [1041, 1038], "next": None},
        )
    },
    errors=(400, 503),
)


def seqs_routes(hub: Hub, work: Work) -> list[Route]:
    async def seqs(request: Request) -> Response:
        given = query_filter.parse(request.query_params.multi_items(), query_filter.SEQS)
        asked = query_filter.to_query(given)
        where = all_of([asked.where, query_filter.to_bounds(given)])
        query = replace(asked, where=where, limit=PAGE_EVENTS)
        page = await work(lambda: desk_of(request, hub).archive.seqs(query, PATIENCE_S), query)
        following = query_filter.format_cursor(page.next) if page.next else None
        scan = {"scan": scan_facts(page.scan)} if page.scan else {}
        return answer_json({"seqs": page.seqs, "next": following, **scan})

    return [Route("/api/seqs", seqs, SEQS, bound=True)]
