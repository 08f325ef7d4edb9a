"""Filters on events in hand."""

import pytest

from laneway.base.errors import QueryError
from laneway.cli.match import Match, level_of, parse_grep, parse_levels

EVENT = {
    "agent": "planner",
    "event": "tool_result",
    "session_id": "s1",
    "tool": "grep",
    "content": "Found 3 files",
    "input": {"pattern": "TODO", "paths": ["src/main.py"]},
}


@pytest.mark.parametrize(
    "match",
    [
        Match(),
        Match(agents=("coder", "planner")),
        Match(events=("tool_result",), tools=("grep",), sessions=("s1",)),
        Match(not_agents=("coder",)),
        Match(levels=("info",)),
        Match(grep=parse_grep("found \\d files")),
        Match(grep=parse_grep("main\\.py$")),
    ],
)
def test_an_event_passes_when_every_filter_holds(match: Match) -> None:
    assert match.accepts(EVENT)


@pytest.mark.parametrize(
    "match",
    [
        Match(agents=("coder",)),
        Match(agents=("planner",), events=("error",)),
        Match(not_agents=("planner",)),
        Match(not_events=("tool_result",)),
        Match(sessions=("s2",)),
        Match(levels=("error", "critical")),
        Match(grep=parse_grep("Found 4")),
        Match(grep=parse_grep("FOUND")),
    ],
)
def test_an_event_is_held_back_when_one_filter_does_not(match: Match) -> None:
    assert not match.accepts(EVENT)


def test_grep_does_not_find_the_names_of_the_schemas_own_fields() -> None:
    assert not Match(grep=parse_grep("session_id")).accepts(EVENT)


def test_grep_finds_the_keys_of_a_payload() -> None:
    assert Match(grep=parse_grep("paths")).accepts(EVENT)


def test_a_capital_letter_makes_grep_exact() -> None:
    assert not Match(grep=parse_grep("Todo")).accepts(EVENT)
    assert Match(grep=parse_grep("todo")).accepts(EVENT)


def test_a_level_with_a_plus_means_that_or_worse() -> None:
    assert parse_levels(("warning+",)) == ("warning", "error", "critical")
    assert parse_levels(("warn", "error")) == ("warning", "error")


def test_an_unknown_level_is_told() -> None:
    with pytest.raises(QueryError, match='level: "loud" is not one of debug, info'):
        parse_levels(("loud",))


def test_a_broken_regular_expression_is_told() -> None:
    with pytest.raises(QueryError, match="is not a regular expression"):
        parse_grep("(")


def test_an_event_without_a_level_is_an_error_if_it_has_one() -> None:
    assert level_of({"event": "tool_result", "error": {"message": "no"}}) == "error"
    assert level_of({"event": "error"}) == "error"
    assert level_of({"event": "log", "level": "debug"}) == "debug"
    assert level_of({"event": "log"}) == "info"
