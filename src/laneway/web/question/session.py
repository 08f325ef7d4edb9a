"""Totals by session, and by agent."""

from typing import Any

from laneway.base.clock import NS_PER_MS, format_ns, now_ns
from laneway.hub.session import state_of, title_of
from laneway.store.api import Group, Query
from laneway.web import filter as query_filter
from laneway.web.question import Desk, Items, Question, scanned


def ask_sessions(items: Items) -> Question:
    query = query_filter.to_query(query_filter.parse(items, query_filter.LIMIT))
    return Question(query, lambda desk: tell_sessions(desk, query))


def tell_agents(desk: Desk, query: Query) -> dict[str, Any]:
    found = desk.store.groups("agent", query)
    return {"agents": [_group(group) for group in found.groups], **scanned(found.scan)}


def tell_sessions(desk: Desk, query: Query) -> dict[str, Any]:
    found = desk.store.groups("session", query)
    courses = [group.course for group in found.groups]
    titles = desk.inquiry.texts([course.title_seq for course in courses if course])
    told = [_session(group, titles, now_ns()) for group in found.groups]
    return {"sessions": told, **scanned(found.scan)}


def _group(group: Group) -> dict[str, Any]:
    return {
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


def _session(group: Group, titles: dict[int, str], time_ns: int) -> dict[str, Any]:
    course = group.course
    assert course is not None
    return {
        **_group(group),
        "agents": list(group.agents),
        "state": state_of(course, time_ns),
        "title": title_of(titles.get(course.title_seq, "")),
        "duration_ms": (course.last_ns - course.first_ns) / NS_PER_MS,
        "last_event": course.last_event,
    }
