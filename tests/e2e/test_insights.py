"""The Insights view: figures, heat map, failures by kind, latencies; each value is a filter."""

import re

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import bind, log_event, span
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def work(page: Page) -> None:
    with bind(agent="coder"):
        for order in range(3):
            with pytest.raises(KeyError), span("read_order", input={"order": order}):
                raise KeyError(f"order {order} is gone")
        with span("list_orders"):
            pass
    with span("local-8b", kind="llm", agent="planner") as call:
        call.set(input_tokens=1200, output_tokens=34, cost_usd=0.02)
    log_event("planner", "decision", "look again")
    page.wait_for_function("() => window.__laneway.visible().total >= 11")
    page.get_by_test_id("view-insights").click()


def test_failures_are_one_kind_and_lead_to_the_newest_of_them(open_page) -> None:
    page = open_page()
    work(page)
    failure = page.get_by_test_id("failure")
    expect(failure).to_have_count(1)
    expect(failure).to_contain_text("KeyError")
    expect(failure).to_contain_text("order # is gone")
    expect(failure.locator(".count")).to_have_text("3")

    failure.get_by_test_id("failure-only").click()
    expect(page).to_have_url(re.compile("error.type"))
    expect(page.get_by_test_id("failure")).to_have_count(1)
    page.get_by_test_id("failure-open").click()
    expect(page.get_by_test_id("detail-error")).to_contain_text("order 2 is gone")


def test_what_the_hub_says_of_alerts_is_no_agents_work(open_page) -> None:
    page = open_page()
    log_event("laneway.alerts", "alert_firing", "too many errors")
    work(page)
    figures = page.get_by_test_id("insights").locator(".figures div")
    expect(figures.filter(has_text="Agents").locator("dd")).to_have_text("2")
    expect(page.get_by_test_id("insights")).to_contain_text("planner")
    expect(page.get_by_test_id("insights").get_by_text("laneway.alerts")).to_have_count(0)


def test_tools_models_and_agents_are_told_and_filter_on_a_click(open_page) -> None:
    page = open_page()
    work(page)
    tools = page.get_by_test_id("latency-tool")
    expect(tools.locator("tbody tr")).to_have_count(2)
    expect(tools.locator("tbody tr").first).to_contain_text("read_order")
    expect(tools.locator("tbody tr").first).to_contain_text("100.0 %")
    expect(page.get_by_test_id("latency-model").locator("tbody tr")).to_contain_text("1.2k → 34")
    heat = page.get_by_test_id("heat-map")
    expect(heat.locator("tbody tr")).to_have_count(2)

    heat.get_by_role("button", name="planner", exact=True).click()
    expect(tools).to_have_count(0)
    expect(page.get_by_test_id("chip")).to_have_attribute("data-text", "agent:planner")
    heat.locator(".cell").first.click()
    expect(page.get_by_test_id("lanes")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("insights")).to_be_visible()


def test_a_time_in_which_nothing_happened_is_told(open_page) -> None:
    page = open_page(path="/logs?view=insights")
    expect(page.get_by_text("Nothing happened in this time")).to_be_visible()
