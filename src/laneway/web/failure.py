"""``/api/errors``: failures by kind, when each was first and last seen, and its course."""

from starlette.requests import Request
from starlette.responses import Response

from laneway.hub.failure import BINS
from laneway.hub.hub import Hub
from laneway.hub.inquiry import FAILURE_EVENTS
from laneway.web import filter as query_filter
from laneway.web.answer import answer_json
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, answer, array, obj, ref
from laneway.web.question.failure import ask_errors
from laneway.web.route import Route
from laneway.web.schema import COUNT, FAILURE_EXAMPLE, TIME
from laneway.web.work import Work

ERRORS = Entry(
    tag="totals",
    summary="Failures by kind",
    text=(
        "Failures are of one kind where type and message are equal but for numbers and identifiers. "
        f"The newest {FAILURE_EVENTS:,} are read; where that is not all, `accuracy` is `at_least`, and"
        f" `first` is looked up among the oldest {FAILURE_EVENTS:,}. "
        f"`course` counts in {BINS} steps of `step_ms` from `since` on."
    ),
    parameters=query_filter.parameters(query_filter.LIMIT),
    answers={
        200: answer(
            "The most frequent first.",
            obj(
                {
                    "accuracy": ref("Accuracy"),
                    "events": COUNT,
                    "kinds": COUNT,
                    "since": TIME,
                    "step_ms": {"type": "number", "minimum": 0},
                    "errors": array(ref("Failure")),
                }
            ),
            {
                "accuracy": "exact",
                "events": 12,
                "kinds": 1,
                "since": "2026-11-22T18:22:33.000000Z",
                "step_ms": 3_600_000.0,
                "errors": [FAILURE_EXAMPLE],
            },
        )
    },
    errors=(400, 503),
)


def failure_routes(hub: Hub, work: Work) -> list[Route]:
    async def errors(request: Request) -> Response:
        query, tell = ask_errors(request.query_params.multi_items())
        return answer_json(await work(lambda: tell(desk_of(request, hub)), query))

    return [Route("/api/errors", errors, ERRORS, bound=True)]
