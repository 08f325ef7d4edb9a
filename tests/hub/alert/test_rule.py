"""A rule as people write it, and what they are told when it is none."""

from typing import Any

import pytest

from laneway.base.errors import QueryError
from laneway.hub.alert.phrase import shown_query
from laneway.hub.alert.rule import (
    DEFAULT_OPEN,
    FOREVER_NS,
    parse_mute_ns,
    parse_rule,
    show_duration,
    show_mute,
)

from .feed import START_NS, rule


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "count", "q": "has:error", "limit": 3, "by": "agent", "for": "30s"},
        {"kind": "count", "q": "event:beat", "limit": 1, "below": True},
        {"kind": "error_rate", "limit": 12.5, "floor": 50},
        {"kind": "tokens", "by": "model", "limit": 100_000, "window": "1d"},
        {"kind": "silent", "agent": "coder", "window": "15m"},
        {"kind": "open", "window": "90s"},
    ],
)
def test_a_rule_reads_back_what_it_writes(given: dict[str, Any]) -> None:
    one = rule(**given)
    assert parse_rule(one.to_json(), id="r", now_ns=5, origin="page") == one


def test_a_rule_of_open_work_asks_for_calls_and_not_for_sessions() -> None:
    assert rule(kind="open").q == DEFAULT_OPEN
    assert rule(kind="open", q="event:session_start").q == "event:session_start"


@pytest.mark.parametrize(
    ("given", "message", "column"),
    [
        ({"q": "agent:coder tol:x"}, "where a field was expected", 13),
        ({"q": "has:error since:5m"}, "names no times", 0),
        ({"q": "agent:coder OR (tool:x until:1d)"}, "names no times", 0),
        ({"window": "1s"}, "window", 0),
        ({"window": "soon"}, "window", 0),
        ({"limit": -1}, "limit", 0),
        ({"limit": True}, "limit", 0),
        ({"kind": "count", "below": True}, "nothing is below 0", 0),
        ({"kind": "count", "q": "agent:a is:open"}, "is:open tells how an event stands", 0),
        ({"kind": "silent"}, "names the agent", 0),
        ({"kind": "error_rate", "limit": 100}, "percent", 0),
        ({"kind": "loud"}, "not one of", 0),
        ({"by": "session"}, "not one of", 0),
        ({"name": " "}, "name", 0),
        ({"treshold": 3}, "no field", 0),
    ],
)
def test_what_is_wrong_is_said_with_its_place(
    given: dict[str, Any], message: str, column: int
) -> None:
    with pytest.raises(QueryError) as caught:
        rule(**given)
    assert message in str(caught.value)
    assert caught.value.column == column


def test_a_rule_is_muted_for_a_time_for_ever_or_not() -> None:
    assert parse_mute_ns("1h", 0) == 3600 * 10**9
    assert parse_mute_ns("", 5) == 0
    assert parse_mute_ns("forever", 5) == FOREVER_NS
    assert show_mute(FOREVER_NS, START_NS) == "forever"
    assert show_mute(START_NS, START_NS) == ""
    with pytest.raises(QueryError):
        parse_mute_ns("a while", 5)


def test_a_duration_is_shown_in_its_largest_unit() -> None:
    assert [show_duration(s) for s in (300, 3600, 90, 86_400, 0, 2.5)] == [
        "5m", "1h", "90s", "1d", "0s", "2.5s",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ({"q": "agent:a OR agent:b", "kind": "error_rate"}, "(agent:a OR agent:b) has:error"),
        ({"kind": "silent", "agent": 'the "one"'}, r'agent:"the \"one\""'),
        ({"q": "agent:a"}, "agent:a"),
        ({"kind": "open", "q": ""}, "is:open"),
    ],
)
def test_the_events_of_a_rule_are_found_by_a_query(given: dict[str, Any], shown: str) -> None:
    from laneway.store.query.parse import parse

    one = rule(**given)
    assert shown_query(one) == shown
    parse(shown)
