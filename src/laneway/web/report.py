"""Totals of a query: the top values of fields, how long things took, and what they cost."""

from functools import partial

from starlette.requests import Request
from starlette.responses import Response

from laneway.hub.hub import Hub
from laneway.store.sketch import ACCURACY
from laneway.web import filter as query_filter
from laneway.web.answer import answer_json
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, answer, array, obj, ref
from laneway.web.question.report import (
    DURATIONS_BY,
    FACET_VALUES,
    FACETS_BY,
    USAGE_BY,
    ask_durations,
    ask_usage,
    parse_facets,
    tell_facet,
)
from laneway.web.route import Route
from laneway.web.schema import DURATION_EXAMPLE, FACET_EXAMPLE, USAGE_EXAMPLE
from laneway.web.work import Work

FACETS = Entry(
    tag="totals",
    summary="The top values of fields",
    text=(
        "Values of `attr.NAME` are read from the newest 20,000 matching events; where that is not "
        "all, `accuracy` is `at_least`."
    ),
    parameters=query_filter.parameters(FACET_VALUES, FACETS_BY),
    answers={
        200: answer(
            "A facet for each field, in the order asked for.",
            obj({"facets": array(ref("Facet"))}),
            {"facets": [FACET_EXAMPLE]},
        )
    },
    errors=(400, 503),
)
DURATIONS = Entry(
    tag="totals",
    summary="How long things took",
    text=(
        "Over events that have a `duration_ms`. `exact`, or `estimated`: then quantiles are within "
        f"{ACCURACY:.0%} of the value of their rank, and all else is exact."
    ),
    parameters=query_filter.parameters(FACET_VALUES, DURATIONS_BY),
    answers={
        200: answer(
            "The most frequent first.",
            obj(
                {
                    "accuracy": ref("Accuracy"),
                    "durations": array(ref("Duration")),
                    "scan": ref("Scan"),
                },
                optional=("scan",),
            ),
            {"accuracy": "estimated", "durations": [DURATION_EXAMPLE]},
        )
    },
    errors=(400, 503),
)
USAGE = Entry(
    tag="totals",
    summary="Tokens and costs",
    text="Sums of what events reported; nothing is estimated. Only such events are counted.",
    parameters=query_filter.parameters(FACET_VALUES, USAGE_BY),
    answers={
        200: answer(
            "By time, then the most frequent first.",
            obj(
                {"accuracy": ref("Accuracy"), "usage": array(ref("Usage")), "scan": ref("Scan")},
                optional=("scan",),
            ),
            {"accuracy": "exact", "usage": [USAGE_EXAMPLE]},
        )
    },
    errors=(400, 503),
)


def report_routes(hub: Hub, work: Work) -> list[Route]:
    async def facets(request: Request) -> Response:
        query, paths = parse_facets(request.query_params.multi_items())
        desk = desk_of(request, hub)
        told = [await work(partial(tell_facet, desk, query, path), query) for path in paths]
        return answer_json({"facets": told})

    async def durations(request: Request) -> Response:
        query, tell = ask_durations(request.query_params.multi_items())
        return answer_json(await work(lambda: tell(desk_of(request, hub)), query))

    async def usage(request: Request) -> Response:
        query, tell = ask_usage(request.query_params.multi_items())
        return answer_json(await work(lambda: tell(desk_of(request, hub)), query))

    return [
        Route("/api/facets", facets, FACETS, bound=True),
        Route("/api/durations", durations, DURATIONS, bound=True),
        Route("/api/usage", usage, USAGE, bound=True),
    ]
