"""Lanes as one arranges them, the map of all that is in memory, and every value of a detail as a filter."""

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event, span
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser

LANES = "all => all.map(one => one.dataset.agent)"


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def work(page: Page) -> None:
    with span("planner", kind="agent"), span("coder", kind="agent"):
        for n in range(3):
            log_event("coder", "log", f"line {n}")
    log_event("memory", "log", "alone")
    page.wait_for_function("() => window.__laneway.visible().total >= 8")
    expect(page.get_by_test_id("lane")).to_have_count(3)


def expect_lanes(page: Page, *names: str) -> None:
    page.wait_for_function(
        "names => window.__laneway.agents().map(one => one.name).join() === names",
        arg=",".join(names),
    )
    assert page.eval_on_selector_all("[data-testid=lane]", LANES) == list(names)


def press_tool(page: Page, agent: str, tool: str) -> None:
    page.locator(f"[data-testid=lane][data-agent={agent}]").hover()
    page.locator(f"[data-testid=lane][data-agent={agent}] [data-testid={tool}]").click()


def test_lanes_are_pinned_folded_hidden_and_sorted_and_stay_so(open_page) -> None:
    page = open_page()
    work(page)
    expect_lanes(page, "planner", "coder", "memory")
    press_tool(page, "memory", "lane-pin")
    expect_lanes(page, "memory", "planner", "coder")
    page.locator("[data-agent=planner] [data-testid=lane-fold]").click()
    expect_lanes(page, "memory", "planner")
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    expect_lanes(page, "memory", "planner")
    press_tool(page, "memory", "lane-pin")
    page.locator("[data-agent=planner] [data-testid=lane-fold]").click()
    expect_lanes(page, "planner", "coder", "memory")

    press_tool(page, "planner", "lane-hide")
    expect_lanes(page, "coder", "memory")
    page.get_by_test_id("show-hidden").click()
    page.get_by_test_id("lane-order").select_option("events")
    expect_lanes(page, "coder", "planner", "memory")


def test_the_map_shows_and_moves_the_range_in_view(open_page) -> None:
    page = open_page()
    work(page)
    page.get_by_test_id("minimap").scroll_into_view_if_needed()
    before = page.evaluate("() => window.__laneway.visible()")
    assert before["isFollowing"]
    box = page.get_by_test_id("minimap").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 8, steps=4)
    page.mouse.up()
    page.wait_for_function("() => !window.__laneway.visible().isFollowing")
    page.keyboard.press("End")
    page.wait_for_function("() => window.__laneway.visible().isFollowing")


def test_any_value_of_a_detail_filters_and_text_reads_as_it_was_meant(open_page) -> None:
    page = open_page()
    with span(
        "edit", agent="coder", input={"path": "a.py", "old_string": "x = 1", "new_string": "x = 2"}
    ):
        pass
    with span("edit", agent="coder", input={"path": "b.py", "old_string": "", "new_string": "y"}):
        pass
    log_event("coder", "agent_response", "**Done**, see `x.py`", customer="acme")
    page.wait_for_function("() => window.__laneway.visible().total >= 5")
    page.get_by_test_id("stream").get_by_text("a.py").first.click()
    expect(page.get_by_test_id("diff").locator(".removed")).to_have_text("-x = 1")
    expect(page.get_by_test_id("diff").locator(".added")).to_have_text("+x = 2")

    page.get_by_test_id("stream").get_by_text("Done").first.click()
    expect(page.get_by_test_id("block-content").locator("strong")).to_have_text("Done")
    page.get_by_test_id("json-toggle").click()
    node = page.locator("[data-testid=json-node][data-path=customer]")
    node.hover()
    node.get_by_test_id("value-in").click()
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    expect(page.get_by_test_id("chip")).to_have_attribute("data-text", "attr.customer:acme")
