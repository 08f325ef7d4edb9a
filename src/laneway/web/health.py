"""``/health`` for supervisors and ``/metrics`` for Prometheus."""

from starlette.requests import Request
from starlette.responses import Response

from laneway.hub.hub import Hub
from laneway.web.answer import answer_json
from laneway.web.openapi import TEXT, Entry, answer, ref
from laneway.web.route import Route
from laneway.web.schema import HEALTH_EXAMPLE

HEALTH = Entry(
    tag="hub",
    summary="Is the hub well?",
    text="Needs no token. 503 while the log cannot be written or the index stands still.",
    access="public",
    answers={
        200: answer("It is well.", ref("Health"), HEALTH_EXAMPLE),
        503: answer("It is not.", ref("Health"), {**HEALTH_EXAMPLE, "status": "failing"}),
    },
)
METRICS = Entry(
    tag="hub",
    summary="Counters for Prometheus",
    answers={
        200: answer(
            "In Prometheus' text format.", TEXT, "laneway_viewers 1\n", "text/plain; version=0.0.4"
        )
    },
)


def health_routes(hub: Hub) -> list[Route]:
    def health(request: Request) -> Response:
        facts = hub.health()
        return answer_json(facts, 200 if facts["status"] == "ok" else 503)

    def metrics(request: Request) -> Response:
        return Response(hub.metrics(), media_type="text/plain; version=0.0.4; charset=utf-8")

    return [
        Route("/health", health, HEALTH, ("GET", "HEAD")),
        Route("/metrics", metrics, METRICS),
    ]
