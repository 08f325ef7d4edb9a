"""The full screen, its keys pressed one by one."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from textual.pilot import Pilot
from textual.widgets import DataTable, Static

from laneway.base.clock import NS_PER_S
from laneway.cli.fleet.screen import HelpScreen, Top
from laneway.cli.watch import Seen

START_NS = 1_000_000 * NS_PER_S


class World:
    """A log and a clock in the hand of the test."""

    def __init__(self) -> None:
        self.now_ns = START_NS
        self.is_reading = False
        self._news: list[Seen] = []

    def log(self, agent: str, kind: str = "log", **fields: Any) -> None:
        event = {"agent": agent, "event": kind, **fields}
        self._news.append(Seen(self.now_ns, event, b""))

    def poll(self) -> Iterator[Seen]:
        while self._news:
            yield self._news.pop(0)

    @asynccontextmanager
    async def screen(self, width: int = 110) -> AsyncIterator[tuple[Top, Pilot[None]]]:
        app = Top(
            self.poll,
            "/logs",
            interval_s=3_600,
            is_reading=lambda: self.is_reading,
            clock=lambda: self.now_ns,
        )
        async with app.run_test(size=(width, 30)) as pilot:
            yield app, pilot


def shown(app: Top, part: str) -> str:
    content = app.query_one(f"#{part}", Static).content
    return getattr(content, "plain", str(content))


def names(app: Top) -> list[str]:
    return [str(row.key.value) for row in app.table.ordered_rows]


async def refresh(app: Top, pilot: Pilot[None]) -> None:
    app._tick()
    await pilot.pause()


async def test_an_empty_log_says_how_to_see_something() -> None:
    async with World().screen() as (app, pilot):
        await refresh(app, pilot)

        assert "laneway emit" in shown(app, "pane")


async def test_a_log_that_is_being_read_is_not_called_empty() -> None:
    world = World()
    world.is_reading = True
    async with world.screen() as (app, pilot):
        await refresh(app, pilot)
        assert "laneway emit" not in shown(app, "pane")
        assert "Reading" in shown(app, "pane")
        assert "live" not in shown(app, "head")
        world.is_reading = False
        await refresh(app, pilot)
        assert "laneway emit" in shown(app, "pane")
        assert "live" in shown(app, "head")


async def test_agents_come_as_they_log_and_the_totals_count_them() -> None:
    world = World()
    async with world.screen() as (app, pilot):
        world.log("planner", "tool_invocation", span_id="1", tool="search", input="lanes")
        world.log("coder", error={"type": "OSError", "message": "no space"})
        await refresh(app, pilot)

        assert sorted(names(app)) == ["coder", "planner"]
        assert "2 agents, 1 working, 1 failed" in shown(app, "totals")
        assert "1 errors/min" in shown(app, "totals")
        assert "search" in shown(app, "pane")


async def test_the_pane_goes_from_events_to_errors_to_open_work_and_round() -> None:
    world = World()
    world.log("planner", "tool_invocation", span_id="1", tool="search")
    world.log("coder", content="all is well")
    world.log("coder", error={"type": "OSError"})
    async with world.screen() as (app, pilot):
        await refresh(app, pilot)
        assert "all is well" in shown(app, "pane")
        await pilot.press("tab")
        assert "OSError" in shown(app, "pane")
        assert "all is well" not in shown(app, "pane")
        await pilot.press("e")
        world.now_ns += 90 * NS_PER_S
        await refresh(app, pilot)
        assert "1 m 30 s" in shown(app, "pane")
        await pilot.press("tab")
        assert "all is well" in shown(app, "pane")


async def test_a_filter_keeps_the_rows_that_hold_it_until_escape() -> None:
    world = World()
    for agent in ("planner", "coder", "critic"):
        world.log(agent)
    async with world.screen() as (app, pilot):
        await pilot.press("f4", "c", "r", "enter")
        assert names(app) == ["critic"]
        await pilot.press("escape")
        assert len(names(app)) == 3


async def test_a_search_moves_the_cursor_and_leaves_the_rows() -> None:
    world = World()
    for agent in ("planner", "coder", "critic"):
        world.log(agent)
    async with world.screen() as (app, pilot):
        await pilot.press("N", "slash", "p", "l", "enter")

        assert names(app) == ["coder", "critic", "planner"]
        assert app.table.cursor_row == 2


async def test_the_cursor_stays_on_its_agent_when_the_order_changes() -> None:
    world = World()
    for agent in ("a", "b", "b", "c", "c", "c"):
        world.log(agent)
    async with world.screen() as (app, pilot):
        await pilot.press("N", "home", "down")
        assert names(app)[app.table.cursor_row] == "b"
        await pilot.press("I")
        assert names(app) == ["c", "b", "a"]
        world.log("aa")
        await refresh(app, pilot)
        assert names(app)[app.table.cursor_row] == "b"


async def test_enter_shows_one_agent_alone_and_enter_again_all() -> None:
    world = World()
    world.log("a", content="from a")
    world.log("b", content="from b")
    async with world.screen() as (app, pilot):
        await pilot.press("N", "home", "enter")
        assert "from a" in shown(app, "pane")
        assert "from b" not in shown(app, "pane")
        await pilot.press("enter")
        assert "from b" in shown(app, "pane")


async def test_what_stands_on_the_screen_is_not_drawn_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    world = World()
    world.log("a", content="hello")
    async with world.screen() as (app, pilot):
        drawn: list[object] = []
        for widget, draw in ((Static, "update"), (DataTable, "update_cell")):
            monkeypatch.setattr(widget, draw, lambda self, *what, **how: drawn.append(what))
        await refresh(app, pilot)
        assert not drawn
        world.log("a", content="hello again")
        await refresh(app, pilot)
        assert len(drawn) > 2


async def test_a_held_picture_stands_still_and_misses_nothing() -> None:
    world = World()
    world.log("a")
    async with world.screen() as (app, pilot):
        await pilot.press("Z")
        assert "HELD" in shown(app, "head")
        world.log("b")
        await refresh(app, pilot)
        assert names(app) == ["a"]
        await pilot.press("space")
        assert sorted(names(app)) == ["a", "b"]


async def test_help_tells_the_keys_and_any_key_closes_it() -> None:
    async with World().screen() as (app, pilot):
        await pilot.press("question_mark")
        assert isinstance(app.screen, HelpScreen)
        await pilot.press("x")
        assert not isinstance(app.screen, HelpScreen)


async def test_a_narrow_and_a_wide_window_show_what_fits() -> None:
    world = World()
    world.log("a", content="hello")
    for width, count in ((40, 9), (110, 10), (200, 11)):
        async with world.screen(width) as (app, _):
            world.log("a", content="hello")
            assert len(app.table.columns) == count


async def test_two_thousand_agents_are_drawn_up_to_a_limit() -> None:
    world = World()
    for number in range(2_000):
        world.log(f"agent-{number}")
    async with world.screen() as (app, _):
        assert "2000 agents" in shown(app, "totals")
        assert len(names(app)) == 500
