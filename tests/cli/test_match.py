"""Filters on events in hand."""

from typing import Any

import pytest

from laneway.base.errors import QueryError
from laneway.cli.match import of_names, parse_grep, parse_levels, parse_words
from laneway.store.query.expr import EVERYTHING, all_of
from laneway.store.query.match import Subject, compile_matcher

EVENT = {
    "agent": "planner",
    "event": "tool_result",
    "session_id": "s1",
    "tool": "grep",
    "content": "Found 3 files",
    "input": {"pattern": "TODO", "paths": ["src/main.py"]},
}


def passes(grep: str = "", **names: Any) -> bool:
    matches = compile_matcher(all_of([*of_names(**names), parse_grep(grep)]))
    return matches(Subject(EVENT, 0))


def test_an_event_passes_when_every_filter_holds() -> None:
    assert passes()
    assert passes(agent=["coder", "planner"])
    assert passes(event=["tool_result"], tool=["grep"], session=["s1"])
    assert passes(not_agent=["coder"], level=["info"])
    assert passes(grep="found \\d files$")
    assert passes(grep="main\\.py$", agent=["planner"])


def test_an_event_is_held_back_when_one_filter_fails() -> None:
    assert not passes(agent=["coder"])
    assert not passes(agent=["planner"], event=["error"])
    assert not passes(not_agent=["planner"])
    assert not passes(not_event=["tool_result"])
    assert not passes(level=["warning+"])
    assert not passes(grep="Found 4")
    assert not passes(grep="FOUND")


def test_words_are_one_query_however_the_shell_cut_them() -> None:
    assert parse_words(["agent:a level>=error", "x"]) == parse_words(["agent:a", "level>=error x"])
    assert parse_words([]) == EVERYTHING


def test_a_fault_is_shown_beneath_its_column() -> None:
    with pytest.raises(QueryError) as caught:
        parse_words(["agent:a agnet:b"])
    assert caught.value.hint.splitlines()[-2:] == ["  agent:a agnet:b", "          ^"]


def test_the_place_of_a_fault_is_shown_behind_wide_characters() -> None:
    with pytest.raises(QueryError) as caught:
        parse_words(['"日本語" agnet:b'])
    assert caught.value.hint.splitlines()[-1] == "  " + " " * (1 + 3 * 2 + 2) + "^"


def test_grep_does_not_find_the_names_of_the_schemas_own_fields() -> None:
    assert not passes(grep="session_id")


def test_grep_finds_the_keys_of_a_payload() -> None:
    assert passes(grep="paths")


def test_a_capital_letter_makes_grep_exact() -> None:
    assert not passes(grep="Todo")
    assert passes(grep="todo")


def test_a_level_with_a_plus_means_that_or_worse() -> None:
    assert parse_levels(("warning+",)) == ("warning", "error", "critical")
    assert parse_levels(("warn", "error")) == ("warning", "error")


def test_an_unknown_level_is_told() -> None:
    with pytest.raises(QueryError, match='level: "loud" is not one of debug, info'):
        parse_levels(("loud",))


def test_a_broken_regular_expression_is_told() -> None:
    with pytest.raises(QueryError, match="is not a regular expression"):
        parse_grep("(")
