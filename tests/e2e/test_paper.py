"""What is printed, as the browser prints it: black on white, and nothing of it cut."""

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import bind, log_event, span
from tests.pdf import Sheet, read_pdf
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser

WORDS = "The tide turns twice a day and the boats wait for it in the harbour below the old town"
STEPS = 70
"""More than a window is high."""

PAPER, INK = (1.0, 1.0, 1.0), (27, 28, 31)
DARK = ((15, 16, 18), (21, 22, 25), (232, 233, 236))
"""Grounds and text of the dark scheme."""


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def wait_events(page: Page, count: int) -> None:
    page.wait_for_function(f"() => window.__laneway.visible().total >= {count}")


def print_page(page: Page) -> list[Sheet]:
    """As A4, with the grounds that a person may ask for."""
    return read_pdf(page.pdf(format="A4", print_background=True))


def text_of(sheets: list[Sheet]) -> str:
    return "".join(sheet.text for sheet in sheets)


def squeeze(text: str) -> str:
    return text.replace(" ", "")


def assert_black_on_white(sheets: list[Sheet]) -> None:
    inks = {tuple(round(255 * part) for part in ink) for sheet in sheets for ink in sheet.inks}
    assert INK in inks
    assert not inks.intersection(DARK)


def test_the_live_view_is_printed_whole_in_black_on_white(open_page) -> None:
    page = open_page(color_scheme="dark")
    for n in range(12):
        log_event(f"agent-{n:02d}", "log", f"{n} {WORDS}, and ends as line {n}.")
    with span("search", agent="planner", input={"query": "tides"}):
        pass
    wait_events(page, 14)
    page.locator("[data-testid=row]", has_text="tides").click()
    expect(page.get_by_test_id("detail")).to_contain_text("tides")
    sheets = print_page(page)
    text = text_of(sheets)
    assert_black_on_white(sheets)
    assert all(sheet.text for sheet in sheets), "no page is empty"
    assert f"agent-{11:02d}" in text
    assert squeeze(f"{WORDS}, and ends as line 11.") in text, "lines are wrapped, not cut"
    assert "printed" in text
    assert "Filter:" not in text
    assert page.evaluate("() => document.documentElement.className") == ""


def test_a_session_is_printed_with_each_of_its_steps(open_page, hub) -> None:
    with bind(session_id="long"):
        log_event("planner", "user_message", WORDS, role="user")
        for n in range(STEPS):
            with span(f"tool_{n:03d}", agent="planner"):
                pass
    page = open_page(viewport={"width": 1400, "height": 600}, color_scheme="dark")
    wait_events(page, 1 + 2 * STEPS)
    page.goto(f"{hub.url}/logs?session=long")
    expect(page.get_by_test_id("turn").first).to_be_visible()
    expect(page.get_by_test_id("step").first).to_be_visible()
    assert page.get_by_test_id("step").count() < STEPS, "the rest is below the window"
    sheets = print_page(page)
    text = text_of(sheets)
    assert_black_on_white(sheets)
    assert all(sheet.text for sheet in sheets), "no page is empty"
    missing = [n for n in range(STEPS) if text.count(f"tool_{n:03d}") != 2]
    assert not missing, "each stands in the conversation and in the waterfall"
    assert "Skippauses" not in text
    expect(page.get_by_test_id("step").nth(STEPS - 1)).to_have_count(0)


def test_an_open_dialog_is_what_is_printed(open_page) -> None:
    log_event("coder", "log", "beneath")
    page = open_page()
    wait_events(page, 1)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("Keys and marks")
    (sheet,) = print_page(page)
    assert "CtrlK" in sheet.text
    assert "beneath" not in sheet.text
