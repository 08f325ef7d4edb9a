"""Back and forward: what a person did step by step, as the address tells it."""

import time

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import bind, log_event
from tests.e2e.conftest import choose_line
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser

MINUTES = 30


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    began = time.time() - 60 * MINUTES
    with bind(session_id="s-1"):
        for n in range(MINUTES):
            for agent in ("planner", "coder"):
                log_event(agent, "log", f"{agent} {n}", timestamp=began + 60 * n)
    eventually(lambda: hub.get("/health")["index"]["events"] >= 2 * MINUTES, "the index")


def wait_query(page: Page, query: str) -> None:
    page.wait_for_function("query => window.__laneway.state().query === query", arg=query)
    page.wait_for_function(
        "query => (new URLSearchParams(location.search).get('q') ?? '') === query", arg=query
    )


def wait_range(page: Page, since: int, until: int) -> None:
    page.wait_for_function(
        """([since, until]) => {
          const { fromMs, toMs } = window.__laneway.visible();
          return Math.abs(fromMs - since) < 2 && Math.abs(toMs - until) < 2;
        }""",
        arg=[since, until],
    )


def wait_address(page: Page, part: str) -> None:
    page.wait_for_function("part => location.search.includes(part)", arg=part)


def visible(page: Page) -> dict:
    return page.evaluate("() => window.__laneway.visible()")


def test_each_step_can_be_gone_back_and_forward(open_page, hub: Hub) -> None:
    now = int(time.time() * 1000)
    since, until = now - 20 * 60_000, now - 10 * 60_000
    page = open_page(path=f"/logs?since={since}&until={until}")
    wait_range(page, since, until)
    page.wait_for_function("() => window.__laneway.visible().total === 60")

    page.locator("[data-agent=coder] [data-testid=lane-name]").click()  # a filter
    wait_query(page, "agent:coder")
    pulse = page.get_by_test_id("pulse").bounding_box()
    assert pulse
    middle = pulse["y"] + pulse["height"] / 2
    page.mouse.move(pulse["x"] + pulse["width"] * 0.5, middle)
    page.mouse.down()
    page.mouse.move(pulse["x"] + pulse["width"] * 0.7, middle, steps=4)
    page.mouse.up()  # a range within
    page.wait_for_function("since => window.__laneway.visible().fromMs > since", arg=since + 60_000)
    part = visible(page)
    wait_address(page, f"since={int(part['fromMs'])}")
    choose_line(page, "coder 16")  # an event
    expect(page.get_by_test_id("detail")).to_be_visible()
    wait_address(page, "sel=")
    page.keyboard.press("3")  # another view
    expect(page.get_by_test_id("insights")).to_be_visible()
    page.keyboard.press("e")  # nothing there: a key of the live view
    page.get_by_test_id("errors-only").click()
    wait_query(page, "agent:coder has:error")

    page.go_back()
    wait_query(page, "agent:coder")
    expect(page.get_by_test_id("insights")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("detail")).to_be_visible()
    wait_range(page, int(part["fromMs"]), int(part["toMs"]))
    page.go_back()
    expect(page.get_by_test_id("detail")).to_have_count(0)
    wait_range(page, int(part["fromMs"]), int(part["toMs"]))
    wait_query(page, "agent:coder")
    page.go_back()
    wait_range(page, since, until)
    wait_query(page, "agent:coder")
    page.go_back()
    wait_query(page, "")
    wait_range(page, since, until)
    page.go_forward()
    wait_query(page, "agent:coder")
    wait_range(page, since, until)
    page.go_forward()
    wait_range(page, int(part["fromMs"]), int(part["toMs"]))
    page.go_forward()
    expect(page.get_by_test_id("detail")).to_be_visible()


def test_a_gesture_is_no_step_and_opening_a_link_is_none(open_page, hub: Hub) -> None:
    page = open_page()
    page.wait_for_function("() => window.__laneway.visible().total === 60")
    event = hub.get("/api/events?q=agent:planner&limit=1")["events"][0]["id"]
    page.goto(f"{hub.url}/logs?q=coder%20OR%20planner&sel={event}")
    expect(page.get_by_test_id("detail")).to_be_visible()
    wait_address(page, "sel=%40")
    opened = page.evaluate("() => history.length")
    for _ in range(3):
        before = visible(page)["fromMs"]
        page.keyboard.press("a")
        page.wait_for_function("from => window.__laneway.visible().fromMs < from", arg=before)
        wait_address(page, f"since={int(visible(page)['fromMs'])}")
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("detail")).to_have_count(0)
    page.wait_for_function("() => !location.search.includes('sel=')")
    assert page.evaluate("() => history.length") == opened


def test_the_first_step_through_the_stream_of_a_range_stays_in_it(open_page, hub: Hub) -> None:
    now = int(time.time() * 1000)
    since, until = now - 20 * 60_000, now - 10 * 60_000
    page = open_page(path=f"/logs?since={since}&until={until}")
    page.wait_for_function("() => window.__laneway.visible().total === 60")
    found = hub.get(f"/api/events?since={since / 1000}&until={until / 1000}&order=oldest")["events"]
    for key, event in (("k", found[-1]), ("j", found[0])):
        page.keyboard.press(key)
        expect(page.locator("[data-testid=row].chosen .text")).to_have_text(event["content"])
        wait_range(page, since, until)
        page.keyboard.press("Escape")
