"""Who set whom to work, as it is drawn between the lanes."""

import time

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser

CODERS = 9
HOOK_PX = 8
"""At least so much of a hook is a straight line."""

INK = """([left, right, top, bottom]) => {
  const canvas = document.querySelector("[data-testid=lanes-canvas]");
  const wide = right - left + 30;
  const { data } = canvas.getContext("2d").getImageData(left - 30, top, wide, bottom - top);
  const at = (x, y) => data.slice(4 * (y * wide + x), 4 * (y * wide + x) + 4).join();
  const rows = [...Array(bottom - top).keys()];
  const ink = x => rows.filter(y => at(x, y) !== at(0, y)).length;
  return Math.max(...Array.from({ length: right - left }, (_, n) => ink(30 + n)));
}"""
"""How many pixels of the fullest column differ from one without anything in it, 30 pixels to the left."""


def whole(
    agent: str, start: float, end: float, span_id: str, parent: str = "", **more: str
) -> None:
    told = {"span_id": span_id, **({"parent_span_id": parent} if parent else {}), **more}
    log_event(agent, "agent_start", timestamp=start, **told)
    log_event(agent, "agent_end", timestamp=end, duration_ms=(end - start) * 1000, **told)


@pytest.fixture
def lanes(open_page, hub: Hub) -> Page:
    """A planner that sets nine coders to work and hands over to a memory; ten seconds of them, at rest."""
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    began = int(time.time()) - 60
    whole("planner", began + 1, began + 9, f"{1:016x}")
    for n in range(CODERS):
        start = began + 2.37 + n / 2
        span_id, parent = f"{n + 2:016x}", f"{1:016x}"
        whole(f"coder-{n}", start, began + 8, span_id, parent, parent_agent="planner")
    log_event("memory", "log", "here", timestamp=began + 1.2)
    log_event("planner", "handoff", "please go on", to="memory", timestamp=began + 8.37)
    eventually(lambda: hub.get("/health")["index"]["events"] >= 2 * CODERS + 4, "the index")
    page: Page = open_page(viewport={"width": 1500, "height": 800})
    page.goto(f"{hub.url}/logs?since={began * 1000}&until={(began + 10) * 1000}")
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    page.wait_for_function(f"() => window.__laneway.bars().length === {CODERS + 1}")
    return page


def bar(page: Page, agent: str) -> dict:
    return next(
        one for one in page.evaluate("() => window.__laneway.bars()") if one["agent"] == agent
    )


def hook(page: Page, agent: str) -> int:
    """Ink to the left of where the work of an agent begins, above it."""
    one = bar(page, agent)
    left, middle = int(one["leftPx"]), int(one["middlePx"])
    return page.evaluate(INK, [left - 12, left - 4, max(0, middle - 20), middle])


def line(page: Page, agent: str) -> int:
    """Ink along the whole way down from the planner's work to that of an agent."""
    one = bar(page, agent)
    left = int(one["leftPx"])
    ends = [int(bar(page, "planner")["middlePx"]) + 10, int(one["middlePx"]) - 24]
    return page.evaluate(INK, [left - 12, left - 4, *ends])


def point(page: Page, agent: str) -> None:
    one = bar(page, agent)
    canvas = page.get_by_test_id("lanes-canvas").bounding_box()
    assert canvas
    page.mouse.move(canvas["x"] + one["rightPx"] - 9, canvas["y"] + one["middlePx"])
    expect(page.get_by_test_id("tooltip")).to_contain_text(agent)


def ask(page: Page, query: str, bars: int) -> None:
    page.get_by_test_id("filter-input").fill(query)
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => window.__laneway.bars().length === {bars}")


def test_work_that_an_agent_set_another_to_has_a_hook_and_a_line_where_one_points(
    lanes: Page,
) -> None:
    for n in range(CODERS):
        eventually(lambda n=n: hook(lanes, f"coder-{n}") >= HOOK_PX, f"a hook of {n}")
    assert hook(lanes, "planner") < HOOK_PX
    assert line(lanes, "coder-7") < HOOK_PX
    point(lanes, "coder-7")
    eventually(lambda: line(lanes, "coder-7") >= 100, "the whole line")


def test_a_hook_stays_where_the_lane_above_is_out_of_sight(lanes: Page) -> None:
    eventually(lambda: hook(lanes, "coder-8") >= HOOK_PX, "a hook")
    before = bar(lanes, "coder-8")["middlePx"]
    lanes.set_viewport_size({"width": 1500, "height": 420})
    lanes.get_by_test_id("lanes").evaluate("lanes => { lanes.scrollTop = lanes.scrollHeight; }")
    eventually(lambda: bar(lanes, "planner")["middlePx"] < 0, "the planner out of sight")
    eventually(lambda: bar(lanes, "coder-8")["middlePx"] < before, "the last coder in sight")
    eventually(lambda: hook(lanes, "coder-8") >= HOOK_PX, "a hook")


def test_arrows_go_with_the_lanes_that_are_folded_and_the_work_that_is_filtered(
    lanes: Page,
) -> None:
    ask(lanes, "agent:coder-3", 1)
    eventually(lambda: hook(lanes, "coder-3") == 0, "no hook of work that is not shown")
    lanes.get_by_test_id("filter-clear").click()
    eventually(lambda: hook(lanes, "coder-3") >= HOOK_PX, "a hook")
    lanes.locator("[data-agent=planner] [data-testid=lane-fold]").click()
    expect(lanes.get_by_test_id("lane")).to_have_count(2)
    eventually(lambda: handed_over(lanes) >= HOOK_PX, "the line to the memory")


def handed_over(page: Page) -> int:
    """Ink in the memory's lane, where the planner handed over."""
    lane = page.locator("[data-testid=lane][data-agent=memory]").bounding_box()
    canvas = page.get_by_test_id("lanes-canvas").bounding_box()
    assert lane
    assert canvas
    top = int(lane["y"] - canvas["y"])
    seen = page.evaluate("() => window.__laneway.visible()")
    ms = seen["toMs"] - seen["fromMs"]
    left = int(canvas["width"] * (8370 - (seen["fromMs"] % 1000)) / ms)
    return page.evaluate(INK, [left - 16, left - 4, top, top + int(lane["height"] / 2)])


def test_a_hand_over_is_seen_in_the_lane_that_goes_on(lanes: Page) -> None:
    eventually(lambda: handed_over(lanes) >= HOOK_PX, "the line to the memory")
