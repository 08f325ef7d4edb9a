"""The pulse: what it measures, what it is piled by, and the same in words."""

import pytest
from playwright.sync_api import expect

import laneway
from laneway import log_event
from tests.torture.harness import Hub

from .test_access import violations

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    for n in range(6):
        log_event("coder", "log", f"line {n}", level="error" if n == 0 else "info")
    log_event("planner", "llm_response", "yes", model="m", input_tokens=1200, output_tokens=34)
    log_event("planner", "tool_invocation", tool="grep", span_id="00f067aa0ba902b7")
    log_event("coder", "tool_result", tool="sh", duration_ms=250, span_id="00f067aa0ba902b8")


def test_every_measure_is_exact_where_the_pointer_stands_and_in_the_table(open_page) -> None:
    page = open_page()
    page.wait_for_function("() => window.__laneway.visible().total >= 9")
    page.keyboard.press("Space")  # what stands can be pointed at
    page.evaluate("() => document.querySelector('[data-testid=pulse-table-open]').click()")
    table = page.get_by_test_id("pulse-table")
    expect(table).to_be_visible()
    sums = table.evaluate(
        """(dialog) => [...dialog.querySelectorAll("tbody tr")].reduce((sums, row) =>
             sums.map((sum, n) => sum + Number(row.cells[n + 1].innerText.replace(/\\D/g, ""))),
             [0, 0, 0])"""
    )
    assert sums == [9, 1, 1234]
    expect(table).to_contain_text("250 ms")
    assert violations(page) == []
    page.keyboard.press("Escape")
    expect(table).to_have_count(0)


def test_what_it_shows_is_chosen_kept_and_named(open_page) -> None:
    page = open_page()
    page.wait_for_function("() => window.__laneway.visible().total >= 9")
    measure, stack = page.get_by_test_id("pulse-measure"), page.get_by_test_id("pulse-stack")
    measure.select_option("tokens")
    expect(page.get_by_test_id("pulse-scale")).to_contain_text("tokens")
    stack.select_option("agent")
    measure.select_option("latency")
    expect(stack).to_be_disabled()
    measure.select_option("open")
    expect(page.get_by_test_id("pulse-scale")).to_contain_text("open")
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    expect(measure).to_have_value("open")
    expect(stack).to_have_value("agent")


def test_a_click_goes_to_that_moment_and_a_drag_to_that_range(open_page) -> None:
    page = open_page()
    page.wait_for_function("() => window.__laneway.visible().total >= 9")
    box = page.get_by_test_id("pulse").bounding_box()
    assert box
    before = page.evaluate("() => window.__laneway.visible()")
    page.mouse.click(box["x"] + box["width"] / 4, box["y"] + 20)
    page.wait_for_function("() => !window.__laneway.visible().isFollowing")
    after = page.evaluate("() => window.__laneway.visible()")
    span = after["toMs"] - after["fromMs"]
    assert span == pytest.approx(before["toMs"] - before["fromMs"], rel=0.01)
    page.mouse.move(box["x"] + box["width"] * 0.25, box["y"] + 20)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.75, box["y"] + 20, steps=4)
    page.mouse.up()
    page.wait_for_function(
        f"() => window.__laneway.visible().toMs - window.__laneway.visible().fromMs < {span * 0.6}"
    )
