"""The stream as one reads it: pairs and repeats as one line, a part of it where nobody can read so fast."""

import contextlib
import json
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Locator, Page, expect

import laneway
from laneway import log_event, span
from laneway.base.clock import format_ns
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def wait_events(page: Page, count: int) -> None:
    page.wait_for_function(f"() => window.__laneway.visible().total >= {count}")
    expect(page.get_by_test_id("row-count")).to_have_text(
        f"{count} event{'' if count == 1 else 's'}"
    )


def expect_rows(page: Page, *wanted: str) -> None:
    expect(page.locator("[data-testid=row]:visible .text")).to_have_text(list(wanted))


def test_a_start_and_its_end_are_one_line_with_its_duration_or_two(open_page) -> None:
    page = open_page()
    with span("search", agent="coder", input={"query": "TODO"}) as work:
        wait_events(page, 1)
        expect(page.locator("[data-testid=row] .took").first).to_have_text("▸")
        work.set(output="3 files")
    wait_events(page, 2)
    expect_rows(page, "TODO → 3 files")
    expect(page.locator("[data-testid=row] .took").first).to_have_text(
        re.compile(r"^\d[\d.]* m?s$")
    )
    expect(page.get_by_test_id("line-count")).to_have_text("in 1 line")

    page.get_by_test_id("fold-pairs").click()
    expect_rows(page, "TODO", "→ 3 files")
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    expect(page.get_by_test_id("fold-pairs")).to_have_attribute("aria-pressed", "false")
    expect_rows(page, "TODO", "→ 3 files")


def test_repeats_are_one_line_that_opens_by_click_and_by_key(open_page) -> None:
    page = open_page()
    log_event("coder", "log", "before")
    for n in range(12):
        log_event("coder", "log", "retrying")
        log_event("planner", "log", f"thought {n}")
    wait_events(page, 25)
    expect(page.locator(".times:not(:empty)")).to_have_text("× 12")
    expect(page.locator("[data-testid=row]:visible")).to_have_count(14)

    page.locator(".times:not(:empty)").click()
    expect(page.locator("[data-testid=row]:visible .text", has_text="retrying")).to_have_count(12)
    page.locator("[data-testid=row]", has_text="before").click()
    page.keyboard.press("j")
    expect(page.locator("[data-testid=row].chosen .text")).to_have_text("retrying")
    page.keyboard.press("Enter")
    expect(page.locator("[data-testid=row]:visible .text", has_text="retrying")).to_have_count(1)

    page.keyboard.press("j")
    expect(page.locator("[data-testid=row].chosen .text")).to_have_text("thought 0")
    page.keyboard.press("k")
    expect(page.locator("[data-testid=row].chosen .times")).to_have_text("× 12")
    page.keyboard.press("Escape")
    expect(page.locator("[data-testid=row].chosen")).to_have_count(0)


def test_an_end_that_is_told_in_its_starts_line_is_chosen_there(open_page) -> None:
    page = open_page()
    with span("search", agent="coder", input={"query": "TODO"}):
        log_event("planner", "log", "meanwhile")
    wait_events(page, 3)
    page.locator("[data-testid=row]", has_text="meanwhile").click()
    page.keyboard.press("k")
    expect(page.locator("[data-testid=row].chosen .text")).to_have_text("TODO")
    page.keyboard.press("j")
    expect(page.locator("[data-testid=row].chosen .text")).to_have_text("meanwhile")


@pytest.fixture
def flood() -> Iterator[threading.Event]:
    """Thousands of lines, each of its own, until told to end."""
    ending = threading.Event()

    def write() -> None:
        number = 0
        while not ending.is_set():
            for _ in range(40):
                log_event("coder", "log", f"line {number}")
                number += 1
            time.sleep(0.02)

    writer = threading.Thread(target=write)
    writer.start()
    yield ending
    ending.set()
    writer.join()


IS_THINNED = """() => {
  const said = document.querySelector("[data-testid=sampled]")?.textContent ?? "";
  const rows = [...document.querySelectorAll("[data-testid=row]:not([hidden]) .text")];
  const lines = rows.map(row => Number(row.textContent.slice(5))).sort((a, b) => a - b);
  const k = Number(/1 in ([\\d,]+)/.exec(said)?.[1].replace(",", ""));
  return lines.length > 3 && lines.every((line, n) => n === 0 || line - lines[n - 1] === k);
}"""
"""Each line shown is the k-th after the one above it, and k is what the head says."""


LAST_LINE = """() => {
  const rows = [...document.querySelectorAll("[data-testid=row]:not([hidden]) .text")];
  return Math.max(...rows.map(row => Number(row.textContent.slice(5))));
}"""


def test_a_stream_faster_than_the_eye_shows_a_part_and_says_which(open_page, flood) -> None:
    page = open_page()
    sampled = page.get_by_test_id("sampled")
    expect(sampled).to_be_visible()
    page.wait_for_function(IS_THINNED)
    seen = page.evaluate(LAST_LINE)

    page.get_by_test_id("pause").click()  # to read: all of it, one after the other
    expect(sampled).to_have_count(0)
    page.wait_for_function(IS_THINNED.replace("=== k", "=== 1"))
    assert page.evaluate(LAST_LINE) >= seen, "what was shown last, not the beginning"

    flood.set()
    page.keyboard.press("End")
    expect(sampled).to_have_count(0)


def test_many_events_that_come_at_once_are_no_speed(open_page, hub) -> None:
    for n in range(6_000):
        log_event("coder", "log", f"line {n}")
    log_event("planner", "log", "alone")
    hub.wait_level()
    page = open_page()
    expect(page.locator("[data-testid=row]:visible", has_text="alone")).to_be_visible()
    page.get_by_test_id("filter-input").fill("agent:planner")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("row-count")).to_have_text("1 of 6,001 events")
    page.get_by_test_id("filter-clear").click()
    expect(page.get_by_test_id("row-count")).to_have_text("6,001 events")
    expect(page.locator("[data-testid=row]:visible", has_text="line 5999")).to_be_visible()
    expect(page.get_by_test_id("sampled")).to_have_count(0)


def test_paused_the_stream_says_how_many_are_new_and_shows_them_when_it_follows(open_page) -> None:
    page = open_page()
    for n in range(60):
        log_event("coder", "log", f"line {n}")
    wait_events(page, 60)
    page.get_by_test_id("pause").click()
    for n in range(60, 75):
        log_event("coder", "log", f"line {n}")
    expect(page.get_by_test_id("resume")).to_contain_text("15 new")
    expect(page.locator("[data-testid=row]:visible", has_text="line 74")).to_have_count(0)
    page.keyboard.press("End")
    expect(page.locator("[data-testid=row]:visible .text", has_text="line 74")).to_be_visible()


@pytest.fixture
def failing() -> Iterator[None]:
    """Twenty events a second, every tenth of which is a call of a tool that fails within an agent's work."""
    ending = threading.Event()

    def write() -> None:
        number = 0
        while not ending.is_set():
            number += 1
            log_event("planner", "log", f"line {number}")
            if number % 10 == 0:
                with (
                    contextlib.suppress(KeyError),
                    span("coder", kind="agent"),
                    span("look", input={"path": f"file-{number}"}),
                ):
                    raise KeyError(f"no-{number}")
            time.sleep(0.05)

    writer = threading.Thread(target=write)
    writer.start()
    yield
    ending.set()
    writer.join()


OVERFLOWS = """() => {
  const list = document.querySelector("[data-testid=stream]");
  return list.scrollHeight > list.clientHeight + 240;
}"""


def aim_at(page: Page, line: Locator) -> None:
    """As a hand does: onto the list, and on to the line."""
    page.get_by_test_id("stream").hover(position={"x": 300, "y": 40})
    box = line.bounding_box()
    assert box
    page.mouse.move(box["x"] + 4, box["y"] + box["height"] / 2)


def test_three_clicks_lead_from_a_page_that_moves_to_the_cause_of_a_failure(
    open_page, failing
) -> None:
    page = open_page()
    page.wait_for_function(OVERFLOWS)
    detail = page.get_by_test_id("detail")
    cause = detail.get_by_test_id("detail-error")

    page.locator("[data-testid=lane][data-agent=coder]").get_by_test_id("lane-errors").click()
    expect(cause).to_contain_text("no-")
    expect(
        detail.get_by_role("heading", name="look")
    ).to_be_visible()  # the call, not what it broke
    expect(detail).to_contain_text("file-")
    page.get_by_test_id("filter-clear").click()
    page.get_by_test_id("detail-close").click()
    expect(detail).to_have_count(0)

    held = page.get_by_test_id("held")
    failure = page.locator("[data-testid=row].error:visible .text", has_text="file-").last
    for _ in range(
        5
    ):  # a list that is held for seconds may go on where a machine stands still for as long
        aim_at(page, failure)
        expect(held).to_contain_text("new")
        number = re.sub(r"\D*(\d+).*", r"\1", failure.text_content() or "")
        failure.click()
        expect(cause).to_contain_text("no-")
        if f"no-{number}" in (cause.text_content() or ""):
            break
    expect(cause).to_contain_text(f"no-{number}")
    detail.get_by_test_id("related").get_by_role("button", name="coder").first.click()
    expect(detail.get_by_role("heading", name="Contains")).to_be_visible()  # the work around it

    page.mouse.move(5, 5)  # and it goes on
    expect(held).to_have_count(0)


def test_a_line_of_another_day_than_the_one_above_it_tells_the_day(open_page, hub) -> None:
    now_ns = time.time_ns()
    lines = [
        {
            "timestamp": format_ns(now_ns - days * 86_400 * 10**9 + n),
            "agent": "a",
            "event": "log",
            "content": f"{days} days ago",
        }
        for days in (5, 3)
        for n in range(2)
    ]
    (Path(hub.env["LOG_PATH"]) / "plain.jsonl").write_text(
        "".join(f"{json.dumps(line)}\n" for line in lines)
    )
    page = open_page()
    wait_events(page, 4)
    log_event("b", "log", "today")
    wait_events(page, 5)
    page.get_by_test_id("fold-repeats").click()
    rows = page.locator("[data-testid=row]:visible")
    expect(rows.locator(".text")).to_have_text([*2 * ["5 days ago"], *2 * ["3 days ago"], "today"])
    with_day, within_day = re.compile(r"^\D+ \d+ \d\d:\d\d$"), re.compile(r"^[\d:.]{12}$")
    expect(rows.locator(".time")).to_have_text([*2 * [with_day, within_day], with_day])
    heights = rows.evaluate_all("all => all.map(one => one.getBoundingClientRect().height)")
    assert set(heights) == {24}
    is_cut = "all => all.map(one => one.scrollWidth > one.clientWidth)"
    assert not any(rows.locator(".time").evaluate_all(is_cut))


def test_the_text_of_a_line_has_its_room_beside_the_detail(open_page) -> None:
    page = open_page(viewport={"width": 1280, "height": 800})
    with span("read_file", agent="coder", input={"path": "/src/a.py"}):
        pass
    text = page.locator("[data-testid=row]:visible .text")
    kind = page.locator("[data-testid=row] .kind")
    expect(text).to_have_count(1)
    expect(kind.first).to_be_visible()
    text.click()
    expect(page.get_by_test_id("detail")).to_be_visible()
    expect(kind.first).to_be_hidden()
    room = text.bounding_box()
    assert room
    assert room["width"] > 300


STANDS_AT_THE_RANGE = """([firstMs, stepMs]) => {
  const { toMs } = window.__laneway.visible();
  const rows = [...document.querySelectorAll("[data-testid=row]:not([hidden]) .text")];
  const foot = Math.max(...rows.map(row => Number(row.textContent.split(" ")[1])));
  // the last row may be cut off at the foot
  return Math.abs(foot - Math.floor((toMs - firstMs) / stepMs)) <= 1;
}"""


def test_the_list_goes_along_with_the_range_that_is_chosen_on_the_lanes(open_page, hub) -> None:
    step_ms = 200
    first_ms = int(time.time() * 1000) - 900 * step_ms
    lines = [
        {
            "timestamp": format_ns((first_ms + n * step_ms) * 1_000_000),
            "agent": "a",
            "event": "log",
            "content": f"at {n}",
        }
        for n in range(900)
    ]
    (Path(hub.env["LOG_PATH"]) / "plain.jsonl").write_text(
        "".join(f"{json.dumps(line)}\n" for line in lines)
    )
    page = open_page()
    wait_events(page, 900)
    last = page.locator("[data-testid=row]:visible .text", has_text="at 899")
    expect(last).to_be_visible()
    for _ in range(20):  # the range ends at the present, which a slow machine has late
        page.keyboard.press("a")
        page.wait_for_timeout(200)
        if last.count() == 0:
            break
    page.wait_for_function(STANDS_AT_THE_RANGE, arg=[first_ms, step_ms])
    first = page.locator("[data-testid=row]:visible .text").first
    before = first.text_content() or ""
    page.get_by_test_id("stream").hover()
    page.mouse.wheel(0, -240)
    expect(first).not_to_have_text(before)
    page.wait_for_timeout(1_000)  # a hand at the list is let go
    there = first.text_content() or ""
    page.mouse.move(5, 5)
    page.wait_for_timeout(1_000)
    expect(first).to_have_text(there)
    page.keyboard.press("End")
    expect(last).to_be_visible()
