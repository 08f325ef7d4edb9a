"""The detail of what was chosen: the outcome first, all that was said, from a failure to its cause."""

import re

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event, span
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def line(page: Page, text: str) -> object:
    return page.locator("[data-testid=row]:visible", has_text=text).first


def look_up(customer: str) -> str:
    return {"c-1": "Ada"}[customer]


def test_the_cause_of_a_failure_is_two_clicks_from_the_first_page(open_page) -> None:
    page = open_page()
    with pytest.raises(KeyError), span("lookup", agent="coder", input={"customer": "c-2"}):
        look_up("c-2")
    for n in range(30):
        log_event("planner", "log", f"line {n}")
    expect(line(page, "line 29")).to_be_visible()

    page.get_by_test_id("errors-only").click()
    line(page, "c-2").click()

    detail = page.get_by_test_id("detail")
    expect(detail.get_by_test_id("detail-error")).to_contain_text("KeyError")
    expect(detail.get_by_test_id("detail-error")).to_contain_text("c-2")
    expect(detail.get_by_test_id("block-stack")).to_contain_text("in look_up")
    expect(detail.get_by_test_id("block-input")).to_contain_text("c-2")


def test_the_line_of_a_call_shows_what_went_in_and_what_came_out(open_page) -> None:
    page = open_page()
    with span("search", agent="coder", input={"query": "tides"}) as work:
        work.set(output="3 sources")
    line(page, "tides → 3 sources").click()
    detail = page.get_by_test_id("detail")
    expect(detail.get_by_test_id("block-input")).to_contain_text("tides")
    expect(detail.get_by_test_id("block-output")).to_contain_text("3 sources")
    expect(detail.locator("[data-name=duration]")).to_have_text(re.compile(r"\d m?s\b"))


def test_a_call_that_was_chosen_while_it_ran_gets_its_outcome(open_page) -> None:
    page = open_page()
    with span("search", agent="coder", input={"query": "tides"}) as work:
        line(page, "tides").click()
        detail = page.get_by_test_id("detail")
        expect(detail.get_by_test_id("running")).to_be_visible()
        expect(detail.get_by_test_id("block-output")).to_have_count(0)
        work.set(output="3 sources")
    expect(detail.get_by_test_id("block-output")).to_contain_text("3 sources")
    expect(detail.get_by_test_id("running")).to_have_count(0)


def test_of_two_lines_each_shows_its_own_event(open_page) -> None:
    page = open_page()
    with span("search", agent="coder", input={"query": "tides"}) as work:
        work.set(output="3 sources")
    page.get_by_test_id("fold-pairs").click()
    line(page, "tides").click()
    detail = page.get_by_test_id("detail")
    expect(detail.get_by_test_id("block-input")).to_contain_text("tides")
    expect(detail.get_by_test_id("block-output")).to_have_count(0)
    line(page, "3 sources").click()
    expect(detail.get_by_test_id("block-output")).to_contain_text("3 sources")


def test_fields_of_its_own_are_read_without_opening_the_json_and_filter(open_page) -> None:
    page = open_page()
    log_event("planner", "decision", "ask the server", options={"chosen": "server"}, confidence=0.8)
    log_event("planner", "decision", "ask nobody", confidence=0.1)
    line(page, "ask the server").click()
    own = page.get_by_test_id("own-fields")
    expect(own.locator("[data-path='options.chosen']")).to_contain_text("server")
    confidence = own.locator("[data-path=confidence]")
    expect(confidence).to_contain_text("0.8")
    confidence.hover()
    confidence.get_by_test_id("value-in").click()
    expect(page.get_by_test_id("chip")).to_have_attribute("data-field", "attr.confidence")
    expect(page.locator("[data-testid=row]:visible")).to_have_count(1)


def test_a_long_system_prompt_leaves_room_for_the_question(open_page) -> None:
    page = open_page()
    prompt = "You are careful. " * 300
    chat = [{"role": "system", "content": prompt}, {"role": "user", "content": "Why?"}]
    with span("local-8b", kind="llm", agent="planner", input=chat):
        pass
    line(page, "Why?").click()
    turns = page.get_by_test_id("block-input").get_by_test_id("turn")
    expect(turns.nth(1)).to_contain_text("Why?")
    assert len(turns.nth(0).inner_text()) < 1_000
    turns.nth(0).get_by_role("button").click()
    expect(turns.nth(0)).to_contain_text(prompt.strip())


def test_a_failure_from_before_the_pages_memory_has_its_input_too(open_page, hub) -> None:
    with pytest.raises(KeyError), span("lookup", agent="coder", input={"customer": "c-2"}):
        look_up("c-2")
    for n in range(10_200):  # more than the page is given at first
        log_event("planner", "log", f"line {n}")
    hub.wait_level()
    page = open_page(path="/logs?view=insights")
    page.get_by_test_id("failure-open").click()
    detail = page.get_by_test_id("detail")
    expect(detail.get_by_test_id("block-stack")).to_contain_text("in look_up")
    expect(detail.get_by_test_id("block-input")).to_contain_text("c-2")
