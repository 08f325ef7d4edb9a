"""The log before the page's memory: counted by the hub where it is much, fetched where it is little."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event
from tests.e2e.test_access import violations
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser

EVENTS = 25_000
HOURS = 5
IN_MEMORY = 10_000
MINUTE_S = 60
LEFT, LONG = "00000000000000a1", "00000000000000a2"
"""Spans that begin with the log: one that never ends, and one that ends in its middle."""


@pytest.fixture
def began(hub: Hub) -> float:
    """When the log begins, in Unix seconds: its events lie evenly over some hours."""
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    now = time.time()
    began = now - HOURS * 3600
    told = {"tool": "saw", "duration_ms": 240_000, "input_tokens": 700, "output_tokens": 77}
    log_event("old-hand", "tool_result", parent_agent="chief", timestamp=began - 60, **told)
    for agent, span_id in (("left", LEFT), ("long", LONG)):
        log_event(agent, "agent_start", "to do", span_id=span_id, timestamp=began - 30)
    for n in range(EVENTS):
        at = began + (now - began) * n / EVENTS
        if n == EVENTS // 2:
            took_ms = (at - began + 30) * 1000
            log_event("long", "agent_end", span_id=LONG, timestamp=at, duration_ms=took_ms)
        level = "error" if n % 1000 == 0 else "info"
        log_event(f"agent-{n % 3}", "log", f"event {n}", timestamp=at, level=level)
    eventually(lambda: hub.get("/health")["index"]["events"] > EVENTS, "the index")
    return began


def total(page: Page) -> int:
    return page.evaluate("() => window.__laneway.visible().total")


def show(page: Page, hub: Hub, since: float, until: float) -> None:
    page.goto(f"{hub.url}/logs?since={since * 1000:.0f}&until={until * 1000:.0f}")
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")


def test_a_far_range_has_its_events_without_a_click(open_page, hub: Hub, began: float) -> None:
    page = open_page()
    page.wait_for_function(f"() => window.__laneway.visible().total === {IN_MEMORY}")
    middle = began + HOURS * 3600 / 5
    show(page, hub, middle, middle + 4 * MINUTE_S)
    page.wait_for_function(f"() => window.__laneway.visible().total > {IN_MEMORY}")
    expect(page.get_by_test_id("connection")).to_have_text("Paused")  # nothing of it is new
    page.wait_for_function("() => window.__laneway.state().gaps === 2")  # before it, and after it

    known = total(page)
    for _ in range(12):  # and so has what one pans to
        page.keyboard.press("a")
    page.wait_for_function(f"() => window.__laneway.visible().total > {known}")
    texts = page.evaluate("() => window.__laneway.events(100000).map(one => one.text)")
    numbers = [int(text.removeprefix("event ")) for text in texts]
    assert numbers == sorted(set(numbers)), "each once, in order"


def test_work_that_reaches_into_a_far_range_is_drawn_there(
    open_page, hub: Hub, began: float
) -> None:
    page = open_page()
    page.wait_for_function(f"() => window.__laneway.visible().total === {IN_MEMORY}")

    def bars() -> dict[str, bool]:
        """Whose work the view shows, and whether it goes on."""
        found = page.evaluate("() => window.__laneway.bars()")
        return {one["agent"]: one["isOpen"] for one in found}

    middle = began + HOURS * 3600 / 5
    show(page, hub, middle, middle + 4 * MINUTE_S)
    eventually(lambda: bars() == {"left": True, "long": False}, "bars")
    lanes = page.evaluate("() => window.__laneway.agents()")
    assert {one["open"] for one in lanes} == {0}, "it is no news of what they do now"

    after = began + HOURS * 3600 * 0.55
    show(page, hub, after, after + 4 * MINUTE_S)
    eventually(lambda: bars() == {"left": True}, "bars after one has ended")
    page.get_by_test_id("filter-input").fill("agent:agent-1")
    page.keyboard.press("Enter")
    eventually(lambda: bars() == {}, "bars of what the filter finds")


def test_what_is_too_much_is_counted_and_its_counts_are_exact(
    open_page, hub: Hub, began: float
) -> None:
    page = open_page()
    page.get_by_role("button", name="24 h", exact=True).click()
    page.wait_for_function("() => window.__laneway.past() >= 14_900")
    assert total(page) == IN_MEMORY
    former = page.locator("[data-testid=lane][data-agent=old-hand]")
    expect(former).to_be_visible()  # who worked then, and not since
    above = page.locator("[data-testid=lane][data-agent=chief]")
    expect(above).to_be_visible()  # and whose it was
    for scheme in ("dark", "light"):
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        assert violations(page) == [], scheme
    box = page.get_by_test_id("pulse").bounding_box()
    assert box
    share = 1 - (HOURS - 1) / 24 / 1.03  # an hour after the beginning
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + 20)
    readout = page.get_by_test_id("pulse-readout")
    expect(readout).to_contain_text(re.compile(r"4\d\d events"))  # five minutes of it
    head = page.locator("[data-testid=lane][data-agent=agent-1]").bounding_box()
    assert head
    at = (box["x"] + box["width"] * share, head["y"] + head["height"] / 2)
    page.mouse.move(*at)
    expect(page.get_by_text(re.compile(r"^1[34]\d events"))).to_be_visible()
    page.mouse.click(*at)
    page.wait_for_function(f"() => window.__laneway.visible().total > {IN_MEMORY}")


def point_at(page: Page, share: float) -> None:
    box = page.get_by_test_id("pulse").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * share, box["y"] + 20)


def test_every_measure_of_the_pulse_is_known_of_the_past(open_page, hub: Hub, began: float) -> None:
    page = open_page()
    since, until = began - 600, began + HOURS * 3600
    show(page, hub, since, until)
    measure, stack = page.get_by_test_id("pulse-measure"), page.get_by_test_id("pulse-stack")
    readout = page.get_by_test_id("pulse-readout")

    def tells(wanted: str, at: float, what: str) -> None:
        """What the hub counted comes a moment after the choice: one looks until it is there."""
        measure.select_option(wanted)
        for nudge in range(200):
            point_at(page, (at - since) / (until - since) + 1e-5 * (nudge % 2))
            if what in readout.inner_text():
                return
            page.wait_for_timeout(200)
        raise AssertionError(f"{wanted}: {readout.inner_text()!r} has no {what!r}")

    tells("tokens", began - 60, "777 tokens")
    tells("latency", began - 60, "4 m")
    tells("open", began - 180, "1 open")
    stack.select_option("agent")
    tells("tokens", began - 60, "other")  # none of the busiest that are in memory
    stack.select_option("kind")
    tells("open", began - 180, "tool")
    page.evaluate("() => document.querySelector('[data-testid=pulse-table-open]').click()")
    row = page.get_by_test_id("pulse-table").get_by_role("row").filter(has_text="777")
    expect(row).to_contain_text("4 m")


def test_all_is_the_whole_log_and_0_what_of_it_is_in_memory(
    open_page, hub: Hub, began: float
) -> None:
    page = open_page()
    page.wait_for_function(f"() => window.__laneway.visible().total === {IN_MEMORY}")
    spans = "() => { const { fromMs, toMs } = window.__laneway.visible(); return toMs - fromMs }"
    page.get_by_test_id("range-all").click()
    page.wait_for_function("() => window.__laneway.past() >= 14_900")
    whole = page.evaluate(spans)
    page.keyboard.press("0")
    page.wait_for_function(f"whole => ({spans})() < whole * 0.8", arg=whole)


def test_a_filter_holds_for_what_is_counted(open_page, hub: Hub, began: float) -> None:
    page = open_page()
    page.get_by_test_id("filter-input").fill("agent:agent-1 level:error")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="24 h", exact=True).click()
    page.wait_for_function("() => window.__laneway.past() === 5")


ROWS_IN_RANGE = """([since, until, began, step]) => {
  const rows = [...document.querySelectorAll("[data-testid=row]:not([hidden])")];
  const numbers = rows.map(row => Number(/event (\\d+)/.exec(row.textContent)?.[1]));
  const isIn = n => began + n * step >= since - step && began + n * step <= until + step;
  return numbers.length > 5 && numbers.every(isIn);
}"""


@pytest.mark.parametrize(
    "how", ["range", "choice", "filter", "near", "near choice", "near filter", "filter choice"]
)
def test_a_link_into_the_past_has_the_stream_of_its_range(
    open_page, hub: Hub, began: float, how: str
) -> None:
    """``near``: in memory when the page opens."""
    hours = HOURS - 0.5 if "near" in how else HOURS / 5
    since = began + hours * 3600
    until = since + 4 * MINUTE_S
    step = HOURS * 3600 / EVENTS
    number = round((since + 2 * MINUTE_S - began) / step)
    found = hub.get(f"/api/events?q=%22event+{number}%22&limit=1")["events"]
    ask = f"&sel=@{found[0]['seq']}" if "choice" in how else ""
    if "filter" in how:
        ask += "&q=event+-agent:nobody"
    page = open_page()
    page.goto(f"{hub.url}/logs?since={since * 1000:.0f}&until={until * 1000:.0f}{ask}")
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    page.wait_for_function(ROWS_IN_RANGE, arg=[since, until, began, step])


def test_the_stream_goes_on_backwards_as_one_scrolls(open_page, hub: Hub, began: float) -> None:
    page = open_page()
    page.wait_for_function(f"() => window.__laneway.visible().total === {IN_MEMORY}")
    page.keyboard.press("Space")
    stream = page.get_by_test_id("stream")
    box = stream.bounding_box()
    assert box
    page.mouse.move(box["x"] + 200, box["y"] + 60)
    page.mouse.wheel(0, -100_000_000)
    page.wait_for_function(f"() => window.__laneway.visible().total > {IN_MEMORY}")
    # the line that was the first stands where it stood
    expect(stream.get_by_text(f"event {EVENTS - IN_MEMORY}", exact=True)).to_be_visible()
