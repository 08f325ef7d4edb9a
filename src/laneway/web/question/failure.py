"""Failures by kind, when each was first and last seen, and its course."""

from typing import Any

from laneway.base.clock import NS_PER_MS, format_ns, now_ns
from laneway.hub.failure import BINS, NAMES, Failure
from laneway.store.api import Query
from laneway.web import filter as query_filter
from laneway.web.question import Desk, Items, Question


def ask_errors(items: Items) -> Question:
    query = query_filter.to_query(query_filter.parse(items, query_filter.LIMIT))
    return Question(query, lambda desk: _errors(desk, query))


def _errors(desk: Desk, query: Query) -> dict[str, Any]:
    found, is_all = desk.inquiry.failures(query)
    until_ns = query.until_ns if query.until_ns is not None else now_ns()
    since_ns = query.since_ns
    if since_ns is None:
        since_ns = min((min(failure.times_ns) for failure in found), default=until_ns)
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
        "since_first": failure.is_since_first,
        "last": format_ns(failure.last_ns),
        "agents": [name for name, _ in failure.agents.most_common(NAMES)],
        "tools": [name for name, _ in failure.tools.most_common(NAMES)],
        "course": failure.bins(since_ns, step_ns),
    }
