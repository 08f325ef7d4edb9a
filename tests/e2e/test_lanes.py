"""Lanes as one arranges them, the map of all that is in memory, and every value of a detail as a filter."""

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event, span
from tests.e2e.conftest import choose_line
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser

ARE_IN_ORDER = """names => {
  const lanes = [...document.querySelectorAll("[data-testid=lane]")];
  return lanes.map(one => one.dataset.agent).join() === names;
}"""


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def work(page: Page) -> None:
    with span("planner", kind="agent"), span("coder", kind="agent"):
        for n in range(3):
            log_event("coder", "log", f"line {n}")
    log_event("memory", "log", "alone")
    page.wait_for_function("() => window.__laneway.visible().total >= 8")
    expect(page.get_by_test_id("lane")).to_have_count(3)


def expect_lanes(page: Page, *names: str) -> None:
    page.wait_for_function(
        "names => window.__laneway.agents().map(one => one.name).join() === names",
        arg=",".join(names),
    )
    page.wait_for_function(ARE_IN_ORDER, arg=",".join(names))


def press_tool(page: Page, agent: str, tool: str) -> None:
    page.locator(f"[data-testid=lane][data-agent={agent}]").hover()
    page.locator(f"[data-testid=lane][data-agent={agent}] [data-testid={tool}]").click()


def test_lanes_are_pinned_folded_hidden_and_sorted_and_stay_so(open_page) -> None:
    page = open_page()
    work(page)
    expect_lanes(page, "planner", "coder", "memory")
    press_tool(page, "memory", "lane-pin")
    expect_lanes(page, "memory", "planner", "coder")
    page.locator("[data-agent=planner] [data-testid=lane-fold]").click()
    expect_lanes(page, "memory", "planner")
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    expect_lanes(page, "memory", "planner")
    press_tool(page, "memory", "lane-pin")
    page.locator("[data-agent=planner] [data-testid=lane-fold]").click()
    expect_lanes(page, "planner", "coder", "memory")

    press_tool(page, "planner", "lane-hide")
    expect_lanes(page, "coder", "memory")
    page.get_by_test_id("show-hidden").click()
    page.get_by_test_id("lane-order").select_option("events")
    expect_lanes(page, "coder", "planner", "memory")


def test_what_is_arranged_in_one_tab_is_so_in_the_others(open_page, hub: Hub) -> None:
    page = open_page()
    work(page)
    expect_lanes(page, "planner", "coder", "memory")
    other = page.context.new_page()
    other.goto(f"{hub.url}/logs")
    expect_lanes(other, "planner", "coder", "memory")
    press_tool(page, "memory", "lane-pin")
    expect_lanes(other, "memory", "planner", "coder")
    other.locator("[data-agent=planner] [data-testid=lane-fold]").click()
    expect_lanes(page, "memory", "planner")
    page.reload()
    expect_lanes(page, "memory", "planner")
    press_tool(other, "memory", "lane-pin")
    expect_lanes(page, "planner", "memory")


def test_the_address_pins_lanes_for_whoever_opens_it(open_page) -> None:
    page = open_page()
    work(page)
    expect_lanes(page, "planner", "coder", "memory")
    press_tool(page, "memory", "lane-pin")
    page.wait_for_function("() => new URLSearchParams(location.search).get('pin') === 'memory'")
    page.evaluate("() => localStorage.clear()")  # as in somebody else's browser
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    expect_lanes(page, "memory", "planner", "coder")
    assert page.evaluate("() => localStorage.getItem('laneway.arrangement')") is None


def test_a_lane_is_moved_among_its_brothers_by_keys_and_by_hand_and_stays_there(open_page) -> None:
    page = open_page()
    work(page)
    page.locator("[data-agent=memory] [data-testid=lane-name]").focus()
    page.keyboard.press("Alt+ArrowUp")
    expect_lanes(page, "memory", "planner", "coder")

    first = page.locator("[data-testid=lane][data-agent=memory]").bounding_box()
    last = page.locator("[data-testid=lane][data-agent=coder]").bounding_box()
    assert first
    assert last
    page.mouse.move(first["x"] + 60, first["y"] + first["height"] / 2)
    page.mouse.down()
    page.mouse.move(first["x"] + 60, last["y"] + last["height"] - 2, steps=5)
    page.mouse.up()
    expect_lanes(page, "planner", "coder", "memory")
    expect(page.get_by_test_id("chip")).to_have_count(0)  # the end of a drag is no click on a name
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    expect_lanes(page, "planner", "coder", "memory")


def test_a_lane_counts_tokens_and_says_who_waits_for_a_person(open_page) -> None:
    page = open_page()
    log_event("coder", "llm_response", "done", input_tokens=1200, output_tokens=300)
    log_event("coder", "llm_response", "done again", input_tokens=10)
    log_event("planner", "permission_request", tool="shell", input={"command": "rm -r build"})
    lane = page.locator("[data-testid=lane][data-agent=coder]")
    expect(lane).to_have_attribute("data-tokens", "1510")
    expect(lane).to_contain_text("1.5k tok")
    asking = page.locator("[data-testid=lane][data-agent=planner]")
    expect(asking).to_have_attribute("data-state", "waiting")
    log_event("planner", "log", "allowed")
    expect(asking).to_have_attribute("data-state", "idle")
    twin = page.get_by_test_id("lane-table").locator("tr", has_text="coder")
    expect(twin).to_contain_text("1510")


STRANGE = ("🤖 coder 🧪", "سائق", "x" * 200, "<b>bold</b>", "__proto__", "a\u202eb")


def test_agents_with_strange_names_have_lanes_that_filter(open_page) -> None:
    page = open_page()
    for name in STRANGE:
        log_event(name, "log", "here")
    expect(page.get_by_test_id("lane")).to_have_count(len(STRANGE))
    over = "all => Math.max(...all.map(one => one.scrollWidth - one.clientWidth))"
    eventually(lambda: page.eval_on_selector_all("[data-testid=lane]", over) <= 0)
    page.locator("[data-testid=lane-name]", has_text="🤖").click()
    page.wait_for_function("() => window.__laneway.visible().matching === 1")


def test_two_thousand_agents_are_found_and_only_those_in_sight_have_elements(open_page) -> None:
    page = open_page()
    for n in range(2000):
        log_event(f"worker-{n:04}", "log", "ready")
    page.wait_for_function("() => window.__laneway.visible().lanes === 2000")
    assert page.get_by_test_id("lane").count() < 60
    page.get_by_test_id("lane-order").select_option("name")
    expect(page.locator("[data-testid=lane][data-agent=worker-0000]")).to_be_visible()
    page.keyboard.press("Control+k")
    page.get_by_test_id("palette-input").fill("worker-1873")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    expect(page.locator("[data-testid=lane][data-agent=worker-1873]")).to_be_visible()


def test_the_map_shows_and_moves_the_range_in_view(open_page) -> None:
    page = open_page()
    work(page)
    page.get_by_test_id("minimap").scroll_into_view_if_needed()
    before = page.evaluate("() => window.__laneway.visible()")
    assert before["isFollowing"]
    box = page.get_by_test_id("minimap").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.6, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, box["y"] + 8, steps=4)
    page.mouse.up()
    page.wait_for_function("() => !window.__laneway.visible().isFollowing")
    page.keyboard.press("End")
    page.wait_for_function("() => window.__laneway.visible().isFollowing")


def test_any_value_of_a_detail_filters_and_text_reads_as_it_was_meant(open_page) -> None:
    page = open_page()
    with span(
        "edit", agent="coder", input={"path": "a.py", "old_string": "x = 1", "new_string": "x = 2"}
    ):
        pass
    with span("edit", agent="coder", input={"path": "b.py", "old_string": "", "new_string": "y"}):
        pass
    log_event("coder", "agent_response", "**Done**, see `x.py`", customer="acme")
    page.wait_for_function("() => window.__laneway.visible().total >= 5")
    choose_line(page, "a.py")
    expect(page.get_by_test_id("diff").locator(".removed")).to_have_text("-x = 1")
    expect(page.get_by_test_id("diff").locator(".added")).to_have_text("+x = 2")

    choose_line(page, "Done")
    expect(page.get_by_test_id("block-content").locator("strong")).to_have_text("Done")
    page.get_by_test_id("json-toggle").click()
    nodes = page.locator("[data-testid=json-node][data-path=customer]")
    expect(nodes).to_have_count(2)  # among its own fields, and in the event as stored
    node = nodes.last
    node.hover()
    node.get_by_test_id("value-in").click()
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    expect(page.get_by_test_id("chip")).to_have_attribute("data-text", "attr.customer:acme")


def test_the_range_waits_for_a_pointer_on_a_mark(open_page) -> None:
    page = open_page()
    canvas, held = page.get_by_test_id("lanes-canvas"), page.get_by_test_id("lanes-held")
    view = "() => window.__laneway.visible()"
    with span("planner", kind="agent"):
        wide = "() => window.__laneway.bars().find(({ leftPx, rightPx }) => rightPx > leftPx + 40)"
        page.wait_for_function(wide)
        box = canvas.bounding_box()
        assert box
        bar = page.evaluate(wide)

        def is_held(nudge: list[int]) -> bool:
            """An open bar ends at the present, which stands where it is while the range moves."""
            nudge[0] = 1 - nudge[0]
            page.mouse.move(box["x"] + bar["rightPx"] - 8 - nudge[0], box["y"] + bar["middlePx"])
            return held.is_visible()

        nudge = [0]
        eventually(lambda: is_held(nudge), "a hand on a bar")
        page.mouse.down()  # a press keeps it for as long as it lasts
        before = page.evaluate(view)
        log_event("planner", "log", "news")
        page.wait_for_function(f"total => ({view})().total > total", arg=before["total"])
        ends = f"from => ({wide})().endMs > from + 300"  # the present goes on
        page.wait_for_function(ends, arg=page.evaluate(wide)["endMs"])
        after = page.evaluate(view)
        assert (after["isFollowing"], after["fromMs"]) == (True, before["fromMs"])
        page.mouse.up()
        page.mouse.move(box["x"] + 20, box["y"] + box["height"] + 60)
        page.wait_for_function(f"from => ({view})().fromMs > from", arg=before["fromMs"])
        expect(held).to_have_count(0)
