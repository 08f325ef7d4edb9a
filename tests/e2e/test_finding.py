"""Facets, the command palette, and views that were given a name."""

import re

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import bind, log_event
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def fill(page: Page) -> None:
    with bind(session_id="s-7"):
        log_event("planner", "user_message", "Plan my week")
    for n in range(4):
        log_event("coder", "log", f"line {n}", level="error" if n == 0 else "info")
    page.wait_for_function("() => window.__laneway.visible().total >= 5")


def test_facets_count_values_and_filter_in_and_out(open_page) -> None:
    page = open_page()
    fill(page)
    page.keyboard.press("b")
    coder = page.locator("[data-field=agent] [data-value=coder]")
    expect(coder).to_contain_text("4")
    expect(coder.locator(".errors")).to_have_text("1")

    coder.click()
    page.wait_for_function("() => window.__laneway.visible().matching === 4")
    expect(coder).to_have_attribute("aria-pressed", "true")
    expect(page.locator("[data-field=agent] [data-value=planner]")).to_be_visible()
    expect(page.locator("[data-field=event] [data-testid=facet-value]")).to_have_count(1)

    page.get_by_role("button", name="Without agent coder").click(force=True)
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    page.reload()
    expect(page.get_by_test_id("facets")).to_be_visible()
    page.keyboard.press("b")
    expect(page.get_by_test_id("facets")).to_have_count(0)


def test_values_are_completed_with_how_many_events_each_would_find(open_page) -> None:
    page = open_page()
    fill(page)
    box = page.get_by_test_id("filter-input")
    box.fill("agent:")
    offered = page.get_by_role("listbox", name="Suggestions").get_by_role("option")
    expect(offered.first).to_contain_text(re.compile(r"coder\s*4$"))
    expect(offered.nth(1)).to_contain_text(re.compile(r"planner\s*1$"))
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 4")

    box.fill("event:")  # beside the condition that is set
    expect(offered.first).to_contain_text(re.compile(r"log\s*4$"))


def test_facets_of_a_range_without_events_say_so(open_page) -> None:
    page = open_page()
    fill(page)
    page.keyboard.press("b")
    expect(page.get_by_test_id("facets-none")).to_have_count(0)
    page.goto(page.url.split("?")[0] + "?since=1000&until=60000")
    expect(page.get_by_test_id("facets-none")).to_be_visible()


def test_the_palette_goes_to_agents_sessions_and_views_by_keyboard(open_page) -> None:
    page = open_page()
    fill(page)
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.type("coder agent")
    expect(
        page.locator("#palette-list").get_by_role("option").filter(has_text="4 events")
    ).to_be_visible()
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 4")
    expect(page.get_by_test_id("lane-count")).to_have_text("1 of 2")

    page.keyboard.press("/")
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.type("plan my week")
    expect(
        page.locator("#palette-list").get_by_role("option").filter(has_text="Plan my week")
    ).to_be_visible()
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("session=s-7"))
    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("palette")).to_have_count(0)
    expect(page.get_by_test_id("telling")).to_be_visible()


def test_a_view_is_saved_under_a_name_and_found_again(open_page) -> None:
    page = open_page()
    fill(page)
    page.get_by_test_id("filter-input").fill("agent:coder level>=error")
    page.keyboard.press("Enter")
    page.wait_for_url("**level**")
    page.get_by_test_id("palette-open").click()
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.type("save this")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("palette-input")).to_have_value("")
    hint = page.get_by_test_id("palette-hint")
    expect(hint).to_contain_text("Keeps filter, range, choice and pinned lanes")
    page.keyboard.press("Enter")  # it has no name yet
    page.keyboard.type("what the coder broke")
    expect(hint).to_contain_text("Enter saves")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("palette")).to_have_count(0)
    page.get_by_test_id("filter-clear").click()
    page.wait_for_function("() => window.__laneway.visible().matching === 5")

    page.get_by_test_id("palette-open").click()
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.keyboard.type("coder broke")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    expect(page.get_by_test_id("chip")).to_have_count(2)
