"""Windows over the page: the focus stays in them and comes back, Escape and a click beside close them."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Locator, Page, expect

import laneway
from laneway import log_event
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser

HAS_FOCUS = "dialog => dialog.contains(document.activeElement)"
STAYS = "() => document.activeElement.matches('body, dialog, dialog *')"
"""Between its last control and its first a browser gives the focus to itself, which is the body's."""


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def by_key(key: str) -> Callable[[Page], Locator]:
    """Presses it while a button of the bar has the focus."""

    def open_it(page: Page) -> Locator:
        button = page.get_by_test_id("errors-only")
        button.focus()
        page.keyboard.press(key)
        return button

    return open_it


def the_table(page: Page) -> Locator:
    button = page.get_by_test_id("pulse-table-open")
    button.focus()
    page.keyboard.press("Enter")
    return button


OPENERS = {
    "help": by_key("?"),
    "palette": by_key("Control+k"),
    "alerts": by_key("!"),
    "pulse-table": the_table,
}


def open_dialog(open_page: Callable[[], Page], name: str) -> tuple[Page, Locator, Locator]:
    """Over a page with an event: the page, what had the focus, the dialog."""
    page = open_page()
    log_event("coder", "log", "here")
    expect(page.locator("[data-testid=row]", has_text="here")).to_be_visible()
    before = OPENERS[name](page)
    dialog = page.get_by_test_id(name)
    expect(dialog).to_be_visible()
    return page, before, dialog


@pytest.mark.parametrize("name", OPENERS)
def test_a_dialog_keeps_the_focus_and_gives_it_back(open_page, name: str) -> None:
    page, before, dialog = open_dialog(open_page, name)
    eventually(lambda: dialog.evaluate(HAS_FOCUS))
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate(STAYS)
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(before).to_be_focused()


@pytest.mark.parametrize("name", OPENERS)
def test_keys_are_the_dialogs_wherever_the_focus_is(open_page, name: str) -> None:
    page, _, dialog = open_dialog(open_page, name)
    eventually(lambda: dialog.evaluate(HAS_FOCUS))
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("2")
    page.evaluate("document.activeElement.blur()")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(page.locator("[data-testid=row]", has_text="here")).to_be_visible()


@pytest.mark.parametrize("name", OPENERS)
def test_a_click_beside_a_dialog_closes_it_and_one_within_does_not(open_page, name: str) -> None:
    page, _, dialog = open_dialog(open_page, name)
    box = dialog.bounding_box()
    assert box
    page.mouse.click(box["x"] + 8, box["y"] + 8)
    expect(dialog).to_be_visible()
    page.mouse.click(box["x"] - 40, box["y"] + box["height"] / 2)
    expect(dialog).to_have_count(0)
