"""The tour of the page: offered once, walked by keys, and gone for ever when it was left."""

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser


@pytest.fixture
def page(hub: Hub, open_page) -> Page:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    log_event("planner", "user_message", "hello")
    page = open_page()
    expect(page.locator("[data-testid=lane][data-agent=planner]")).to_be_visible()
    return page


def test_it_leads_over_the_page_and_is_not_offered_again(page: Page) -> None:
    page.get_by_test_id("tour-start").click()
    tour = page.get_by_test_id("tour")
    titles = []
    for _ in range(5):
        if titles:
            expect(tour.get_by_role("heading")).not_to_have_text(titles[-1])
        titles.append(tour.get_by_role("heading").inner_text())
        box = tour.bounding_box()
        assert box
        assert box["y"] >= 0
        assert box["y"] + box["height"] <= 900
        page.keyboard.press("ArrowRight")
    assert titles[0] == "A lane for each agent"
    assert len(set(titles)) == 5
    expect(tour).to_have_count(0)

    page.reload()
    expect(page.locator("[data-testid=lane][data-agent=planner]")).to_be_visible()
    expect(page.get_by_test_id("tour-offer")).to_have_count(0)


def test_escape_ends_it_and_the_palette_brings_it_back(page: Page) -> None:
    page.get_by_test_id("tour-start").click()
    expect(page.get_by_test_id("tour-next")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("tour")).to_have_count(0)

    page.keyboard.press("Control+k")
    expect(page.get_by_test_id("palette-input")).to_be_focused()
    page.get_by_test_id("palette-input").fill("tour")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("tour")).to_be_visible()


def test_who_wants_no_tour_is_never_asked_again(page: Page) -> None:
    page.get_by_role("button", name="No tour").click()
    expect(page.get_by_test_id("tour-offer")).to_have_count(0)
    page.reload()
    expect(page.locator("[data-testid=lane][data-agent=planner]")).to_be_visible()
    expect(page.get_by_test_id("tour-offer")).to_have_count(0)


def test_it_keeps_nobody_out(page: Page) -> None:
    from tests.e2e.test_access import violations

    page.get_by_test_id("tour-start").click()
    expect(page.get_by_test_id("tour")).to_be_visible()
    assert violations(page) == []
