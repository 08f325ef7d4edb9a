"""``/api/pulse``: counts over time, as a whole or as a series for each value of a field."""

from starlette.requests import Request
from starlette.responses import Response

from laneway.hub.hub import Hub
from laneway.web import filter as query_filter
from laneway.web.answer import answer_json
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, answer, ref
from laneway.web.question.pulse import BUCKETS, BY, OF, ask_pulse
from laneway.web.route import Route
from laneway.web.work import Work

PULSE = Entry(
    tag="query",
    summary="Counts over time",
    text="Of events, of tokens, of how long calls took, or of how much work was open (`of`). With"
    " `by=event` also how much work began and ended in each step.",
    parameters=query_filter.parameters(query_filter.STEP, BY, OF),
    answers={
        200: answer(
            f"The buckets that hold something; without a step, one that gives {BUCKETS} at most.",
            ref("Pulse"),
            {
                "step_ms": 1000,
                "accuracy": "exact",
                "buckets": [[1795425712000, 12, 1]],
                "series": [{"name": "tool_result", "buckets": [[1795425712000, 12, 1]]}],
                "work": [[1795425712000, 0, 12]],
            },
        )
    },
    errors=(400, 503),
)


def pulse_routes(hub: Hub, work: Work) -> list[Route]:
    async def pulse(request: Request) -> Response:
        query, tell = ask_pulse(request.query_params.multi_items())
        return answer_json(await work(lambda: tell(desk_of(request, hub)), query))

    return [Route("/api/pulse", pulse, PULSE, bound=True)]
