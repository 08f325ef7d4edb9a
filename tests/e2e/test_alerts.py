"""Alerts in the page: made, fired, shown, muted, changed and removed there, and told to who looks."""

import json
import re

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event
from tests.torture.harness import Hub

from .test_access import violations

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def fail(times: int, agent: str = "coder") -> None:
    for n in range(times):
        log_event(agent, "log", f"failure {n}", level="error")


def make(page: Page, name: str, **given: str) -> None:
    page.get_by_test_id("alert-new").click()
    page.get_by_test_id("alert-name").fill(name)
    for field, value in given.items():
        page.get_by_test_id(f"alert-{field}").fill(value)
    page.get_by_test_id("alert-save").click()


def row(page: Page, name: str):  # type: ignore[no-untyped-def]
    return page.locator(f"[data-testid=alert-rule][data-name='{name}']")


def test_a_rule_lives_in_the_page_from_its_making_to_its_end(open_page) -> None:
    log_event("coder", "log", "hello")
    page = open_page()
    page.keyboard.press("!")
    expect(page.get_by_test_id("alerts-none")).to_be_visible()
    make(page, "Coder fails", query="agent:coder has:error", limit="2", window="1h")
    rule = row(page, "Coder fails")
    expect(rule).to_have_attribute("data-state", "ok")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("alerts")).to_have_count(0)

    fail(3)
    bell = page.get_by_test_id("alerts-open")
    expect(bell).to_have_attribute("data-firing", "1")
    expect(page.get_by_test_id("alerts-voice")).to_have_text("Alert: Coder fails")
    bell.click()
    expect(rule).to_have_attribute("data-state", "firing")
    expect(rule.get_by_test_id("alert-value")).to_have_text("3")

    rule.get_by_role("button", name="Show the events").click()
    expect(page.get_by_test_id("alerts")).to_have_count(0)
    page.wait_for_function("() => window.__laneway.visible().matching === 3")
    expect(page).to_have_url(re.compile("since="))

    page.keyboard.press("!")
    rule.get_by_role("button", name="Mute 1h").click()
    expect(rule).to_contain_text("muted")
    expect(bell).to_have_attribute("data-firing", "0")
    rule.get_by_role("button", name="Unmute").click()
    expect(bell).to_have_attribute("data-firing", "1")

    rule.get_by_role("button", name="Remove Coder fails").click()
    rule.get_by_role("button", name="Remove it").click()
    expect(rule).to_have_count(0)
    expect(bell).to_have_attribute("data-firing", "0")


def test_the_hubs_word_of_a_firing_is_in_the_stream_and_has_no_lane(open_page) -> None:
    log_event("coder", "log", "hello")
    page = open_page()
    page.keyboard.press("!")
    make(page, "Fails", query="has:error", limit="0", window="1m")
    expect(row(page, "Fails")).to_be_visible()
    page.keyboard.press("Escape")
    fail(1)
    page.wait_for_function(
        "() => window.__laneway.events().some((e) => e.agent === 'laneway.alerts')"
    )
    lanes = page.evaluate("() => window.__laneway.agents().map((agent) => agent.name)")
    assert lanes == ["coder"]


def test_a_query_that_is_none_is_marked_where_it_is_wrong(open_page) -> None:
    log_event("coder", "log", "hello")
    page = open_page()
    page.keyboard.press("!")
    make(page, "Typo", query="agent:coder tol:x")
    expect(page.get_by_test_id("alert-problem")).to_contain_text("column 13")
    query = page.get_by_test_id("alert-query")
    expect(query).to_be_focused()
    assert query.evaluate("(input) => input.selectionStart") == 12
    query.fill("agent:coder tool:x")
    page.get_by_test_id("alert-save").click()
    expect(row(page, "Typo")).to_be_visible()
    row(page, "Typo").get_by_role("button", name="Edit").click()
    expect(page.get_by_test_id("alert-query")).to_have_value("agent:coder tool:x")
    page.get_by_test_id("alert-limit").fill("7")
    page.get_by_test_id("alert-save").click()
    expect(row(page, "Typo")).to_contain_text("more than 7 events in 5 m")


def test_a_rule_is_tried_on_the_past_before_it_is_made(open_page) -> None:
    fail(6)
    page = open_page()
    page.wait_for_function("() => window.__laneway.visible().total >= 6")
    page.keyboard.press("!")
    page.get_by_test_id("alert-new").click()
    page.get_by_test_id("alert-limit").fill("5")
    page.get_by_test_id("alert-try-1d").click()
    expect(page.get_by_test_id("alert-trial")).to_contain_text("fired once in the last day")
    page.get_by_test_id("alert-limit").fill("50")
    page.get_by_test_id("alert-try-1h").click()
    expect(page.get_by_test_id("alert-trial")).to_contain_text("fired never in the last hour")


def test_a_browser_tells_of_a_firing_if_it_was_allowed_by_a_click(open_page) -> None:
    log_event("coder", "log", "hello")
    page = open_page(permissions=["notifications"])
    page.evaluate(
        """() => {
          window.told = [];
          const Real = window.Notification;
          window.Notification = class { constructor(title, more) { window.told.push([title, more.tag]); } };
          window.Notification.permission = "granted";
          window.Notification.requestPermission = async () => { window.asked = true; return "granted"; };
        }"""
    )
    page.keyboard.press("!")
    make(page, "Fails", query="has:error", limit="0", window="1m")
    expect(row(page, "Fails")).to_be_visible()
    assert page.evaluate("() => window.asked") is None
    page.get_by_test_id("alerts-notify").click()
    expect(page.get_by_test_id("alerts-notify")).to_have_attribute("aria-pressed", "true")
    fail(2)
    page.wait_for_function("() => window.told.length === 1")
    assert page.evaluate("() => window.told[0][0]") == "Fails"


def test_alerts_survive_a_killed_hub_and_the_page_hears_of_it_again(open_page, hub: Hub) -> None:
    log_event("coder", "log", "hello")
    page = open_page()
    page.keyboard.press("!")
    make(page, "Fails", query="has:error", limit="0", window="1h")
    expect(row(page, "Fails")).to_be_visible()
    page.keyboard.press("Escape")
    fail(1)
    bell = page.get_by_test_id("alerts-open")
    expect(bell).to_have_attribute("data-firing", "1")
    hub.kill()
    hub.start()
    page.wait_for_function("() => window.__laneway.state().link === 'live'")
    expect(bell).to_have_attribute("data-firing", "1")
    hub.wait_level()
    told = hub.get("/api/events?event=alert_firing")["events"]
    assert len(told) == 1


def test_a_link_to_an_alert_opens_it(open_page, hub: Hub) -> None:
    log_event("coder", "log", "hello")
    page = open_page()
    page.keyboard.press("!")
    make(page, "Fails", query="has:error")
    expect(row(page, "Fails")).to_be_visible()
    rule_id = hub.get("/api/alerts")["rules"][0]["id"]
    page.goto(f"{hub.url}/logs?alert={rule_id}")
    expect(row(page, "Fails")).to_have_class(re.compile("marked"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
def test_everybody_can_read_the_panel(open_page, hub: Hub, scheme: str, width: int) -> None:
    hub.stop()
    rules = [
        {"name": "Fails", "q": "has:error", "limit": 0, "window": "1h"},
        {"name": "Broken", "q": "agnet:x"},
        {"name": "Quiet", "kind": "silent", "agent": "planner", "window": "1h"},
        {"name": "Waits", "q": "has:error", "limit": 0, "window": "1h", "for": "1h"},
    ]
    hub.env["LANEWAY_ALERTS"] = json.dumps(rules)
    hub.output.write_text("")
    hub.start()
    fail(2)
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    page.keyboard.press("!")
    expect(row(page, "Fails")).to_have_attribute("data-state", "firing")
    expect(row(page, "Waits")).to_have_attribute("data-state", "pending")
    expect(row(page, "Broken")).to_contain_text("column 1")
    assert violations(page) == []
    page.get_by_test_id("alert-new").click()
    assert violations(page) == []
