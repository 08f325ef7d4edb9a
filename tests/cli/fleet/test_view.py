"""Rows in order and cells of a width, whatever the agents are called."""

from typing import Any

import pytest
from rich.cells import cell_len

from laneway.base.clock import NS_PER_S
from laneway.cli.fleet import view
from laneway.cli.fleet.fleet import Fleet
from laneway.cli.fleet.view import COLUMNS, Order

NOW_NS = 1_000 * NS_PER_S
HOSTILE = [
    "planner",
    "x" * 300,
    "日本エージェント日本エージェント",
    "evil\x1b[31m\x9b2J",
    "rtl\u202egnp",
    "",
    "👩‍👩‍👧",
]


def fleet_of(*events: dict[str, Any]) -> Fleet:
    fleet = Fleet()
    for event in events:
        fleet.take({"event": "log", **event}, NOW_NS - NS_PER_S, NOW_NS)
    return fleet


def names(fleet: Fleet, order: Order, needle: str = "") -> list[str]:
    return [row.agent.name for row in view.rows(fleet, order, NOW_NS, needle)]


def test_rows_stand_by_the_column_and_equals_by_their_names() -> None:
    fleet = fleet_of({"agent": "b"}, {"agent": "a"}, {"agent": "c"}, {"agent": "c"})

    assert names(fleet, Order("events")) == ["c", "a", "b"]
    assert names(fleet, Order("events", is_inverted=True)) == ["a", "b", "c"]
    assert names(fleet, Order("agent")) == ["a", "b", "c"]
    assert names(fleet, Order("agent"), "C") == ["c"]


def test_a_tree_has_agents_beneath_who_spawned_them() -> None:
    fleet = fleet_of(
        {"agent": "leaf", "parent_agent": "branch"},
        {"agent": "branch", "parent_agent": "root"},
        {"agent": "root"},
        {"agent": "orphan", "parent_agent": "never seen"},
    )
    rows = view.rows(fleet, Order("agent", is_tree=True), NOW_NS)

    assert [(row.agent.name, row.depth) for row in rows] == [
        ("orphan", 0), ("root", 0), ("branch", 1), ("leaf", 2),
    ]  # fmt: skip


def test_agents_that_are_each_others_parents_are_shown_once() -> None:
    fleet = fleet_of(
        {"agent": "a", "parent_agent": "b"},
        {"agent": "b", "parent_agent": "a"},
        {"agent": "self", "parent_agent": "self"},
    )

    assert sorted(names(fleet, Order(is_tree=True))) == ["a", "b", "self"]


@pytest.mark.parametrize("width", [20, 78, 100, 130, 300])
@pytest.mark.parametrize("name", HOSTILE)
def test_every_cell_has_its_width_and_nothing_that_a_terminal_obeys(name: str, width: int) -> None:
    fleet = fleet_of(
        {"agent": name, "content": name, "tool": name, "span_id": "1", "event": "tool_invocation"}
    )
    (row,) = view.rows(fleet, Order(), NOW_NS)

    for column, cells in view.columns_for(width):
        text = view.cell(column, cells, row, NOW_NS)
        assert cell_len(text.plain) == cells
        assert text.plain.isprintable()


@pytest.mark.parametrize("width", [78, 100, 130, 300])
def test_the_columns_and_their_gaps_fill_the_width(width: int) -> None:
    columns = view.columns_for(width)

    assert sum(cells + 1 for _, cells in columns) == width + 1
    assert {column.key for column, _ in columns} <= {column.key for column in COLUMNS}


def test_the_pulse_is_red_where_something_failed_and_as_wide_as_it_may_be() -> None:
    fleet = fleet_of({"agent": "a"}, {"agent": "a", "error": {"type": "OSError"}})
    pulse = view.pulse(fleet, NOW_NS, 200)

    assert cell_len(pulse.plain) == 200
    assert "red" in {str(span.style) for span in pulse.spans}


def test_one_agent_is_one_in_the_line_of_totals() -> None:
    one, two = {"agent": "a"}, {"agent": "b"}
    assert view.summary(fleet_of(one), NOW_NS).plain.strip().startswith("1 agent ")
    assert view.summary(fleet_of(one, two), NOW_NS).plain.strip().startswith("2 agents ")
