"""``/api/errors``: failures by kind, when each was first and last seen, and its course."""

from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from laneway.base.clock import NS_PER_MS, format_ns, now_ns
from laneway.hub.failure import BINS, NAMES, Failure
from laneway.hub.hub import Hub
from laneway.hub.inquiry import FAILURE_EVENTS
from laneway.store.api import Query
from laneway.web import filter as query_filter
from laneway.web.answer import answer_json
from laneway.web.desk import desk_of
from laneway.web.openapi import Entry, answer, array, obj, ref
from laneway.web.question import Desk, Items, Question
from laneway.web.route import Route
from laneway.web.schema import COUNT, FAILURE_EXAMPLE, TIME
from laneway.web.work import Work

ERRORS = Entry(
    tag="totals",
    summary="Failures by kind",
    text=(
        "Failures are of one kind where type and message are equal but for numbers and identifiers. "
        f"The newest {FAILURE_EVENTS:,} are read; where that is not all, `accuracy` is `at_least`. "
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


def ask_errors(items: Items) -> Question:
    query = query_filter.to_query(query_filter.parse(items, query_filter.LIMIT))
    return Question(query, lambda desk: _errors(desk, query))


def _errors(desk: Desk, query: Query) -> dict[str, Any]:
    found, is_all = desk.inquiry.failures(query)
    until_ns = query.until_ns if query.until_ns is not None else now_ns()
    since_ns = query.since_ns
    if since_ns is None:
        since_ns = min((failure.first_ns for failure in found), default=until_ns)
    step_ns = max(1, -(-(until_ns - since_ns) // BINS))
    return {
        "accuracy": "exact" if is_all else "at_least",
        "events": sum(failure.count for failure in found),
        "kinds": len(found),
        "since": format_ns(since_ns),
        "step_ms": step_ns / NS_PER_MS,
        "errors": [_tell(failure, since_ns, step_ns) for failure in found[: query.limit]],
    }


def _tell(failure: Failure, since_ns: int, step_ns: int) -> dict[str, Any]:
    return {
        "fingerprint": failure.fingerprint,
        "type": failure.type,
        "pattern": failure.pattern,
        "message": failure.message,
        "events": failure.count,
        "newest": failure.newest,
        "first": format_ns(failure.first_ns),
        "last": format_ns(failure.last_ns),
        "agents": [name for name, _ in failure.agents.most_common(NAMES)],
        "tools": [name for name, _ in failure.tools.most_common(NAMES)],
        "course": failure.bins(since_ns, step_ns),
    }
