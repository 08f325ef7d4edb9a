"""Sessions: the list, a conversation beside its waterfall, its replay, and two side by side."""

import re
import time

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import bind, log_event, span
from tests.e2e.conftest import choose_line
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser

PATCH = "--- a/x.py\n+++ b/x.py\n@@ -1,2 +1,2 @@\n def f():\n-    return 1\n+    return 2\n"
ANSWER = """It was **one** of `two`:

1. <b>first</b>
2. [second](javascript:alert(1))

![pixel](http://127.0.0.1:9/x.png)"""


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def talk(session: str, question: str = "Why is it slow?") -> None:
    with bind(session_id=session):
        log_event("planner", "user_message", question, role="user")
        with span("planner", kind="agent"):
            edit = {"path": "x.py", "patch": PATCH}
            with span("coder", kind="agent"), span("apply_patch", input=edit) as work:
                work.result = "patch applied"
            with (
                pytest.raises(TimeoutError),
                span("coder", kind="agent"),
                span("run_tests", input={"command": "pytest"}),
            ):
                raise TimeoutError("took longer than 120 s")
        log_event("planner", "agent_response", ANSWER, role="assistant")


EVENTS_OF_A_TALK = 12


def wait_talks(page: Page, count: int = 1) -> None:
    page.wait_for_function(f"() => window.__laneway.visible().total >= {EVENTS_OF_A_TALK * count}")


def open_session(page: Page, name: str) -> None:
    page.get_by_test_id("view-sessions").click()
    page.locator(f"[data-testid=session][data-session={name}] .title button").click()
    expect(page.get_by_test_id("turn").first).to_be_visible()


def test_a_session_reads_as_a_conversation_beside_its_waterfall(open_page) -> None:
    page = open_page()
    talk("s-one")
    wait_talks(page)
    open_session(page, "s-one")

    expect(page.get_by_role("heading", name="Why is it slow?")).to_be_visible()
    transcript = page.get_by_test_id("transcript")
    expect(transcript.locator("[data-category=user]")).to_contain_text("Why is it slow?")
    answer = transcript.locator("[data-category=reply]")
    expect(answer.locator("strong")).to_have_text("one")
    expect(answer).to_contain_text("<b>first</b>")
    assert answer.locator("b", has_text="first").count() == 0
    assert answer.locator("a").count() == 0, "a script is no link"
    assert page.locator("img").count() == 0, "images are named, never fetched"
    failed = transcript.locator("[data-testid=turn].failed").filter(has_text="run_tests")
    expect(failed).to_contain_text("took longer than 120 s")

    page.get_by_test_id("waterfall").get_by_text("apply_patch").click()
    expect(transcript.get_by_test_id("diff").locator(".added")).to_have_text("+    return 2")


def test_a_session_is_replayed_step_by_step_and_played(open_page) -> None:
    page = open_page()
    talk("s-one")
    wait_talks(page)
    open_session(page, "s-one")
    expect(page.get_by_test_id("not-live")).to_contain_text("Not live")
    expect(page.get_by_test_id("turn").last).to_contain_text("It was")  # all of them
    whole = page.get_by_test_id("turn").count()

    page.keyboard.press("Home")
    expect(page.get_by_test_id("turn")).not_to_have_count(whole)
    expect(page.get_by_test_id("turn").first).to_be_visible()
    assert page.get_by_test_id("turn").count() < whole
    before = page.get_by_test_id("clock").inner_text()
    for _ in range(200):  # to the end, however many moments that is
        page.keyboard.press(".")
    expect(page.get_by_test_id("turn")).to_have_count(whole)
    assert page.get_by_test_id("clock").inner_text() != before or "0:00.0 / 0:00.0" in before

    page.keyboard.press("Home")
    page.get_by_test_id("speed-32").click()
    page.get_by_test_id("play").click()
    expect(page.get_by_test_id("turn")).to_have_count(whole)
    expect(page.get_by_test_id("play")).to_have_attribute("aria-label", "Play")

    page.keyboard.press("Escape")
    expect(page.get_by_test_id("not-live")).to_have_count(0)
    expect(page.get_by_test_id("lanes")).to_be_visible()


def test_a_call_that_tells_another_length_than_its_events_has_both(open_page) -> None:
    page = open_page()
    call = {"session_id": "s-one", "tool": "build", "span_id": "00f067aa0ba902b7"}
    began = time.time() - 60
    log_event("coder", "tool_invocation", timestamp=began, **call)
    log_event("coder", "tool_result", timestamp=began + 30, duration_ms=9000, **call)
    page.wait_for_function("() => window.__laneway.visible().total >= 2")
    open_session(page, "s-one")
    both = page.get_by_test_id("told-apart")
    expect(both).to_have_text("9 s, logged 30 s apart")
    bar = page.locator("[data-testid=step] .bar").bounding_box()
    told = page.locator("[data-testid=step] .told").bounding_box()
    assert bar
    assert told
    assert round(told["width"] / bar["width"], 1) == 0.3
    page.get_by_test_id("step").click()
    page.get_by_role("button", name="In the lanes").click()
    choose_line(page, "build")
    duration = page.locator("[data-testid=fact][data-name=duration]")
    expect(duration).to_contain_text("9 s, logged 30 s apart")


def test_the_address_holds_the_session_and_the_browsers_back_button_leaves_it(open_page) -> None:
    page = open_page()
    talk("s-one")
    wait_talks(page)
    open_session(page, "s-one")
    expect(page).to_have_url(re.compile("session=s-one"))
    page.reload()
    expect(page.get_by_test_id("turn").first).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("sessions")).to_be_visible()
    page.go_back()
    expect(page.get_by_test_id("lanes")).to_be_visible()


def test_an_event_leads_to_its_session_and_its_trace(open_page) -> None:
    page = open_page()
    talk("s-one")
    wait_talks(page)
    choose_line(page, "apply_patch")
    page.get_by_test_id("open-session").click()
    expect(page.get_by_test_id("turn").first).to_be_visible()
    page.go_back()
    choose_line(page, "apply_patch")
    page.get_by_test_id("open-trace").click()
    expect(page.get_by_test_id("not-live")).to_contain_text("A trace as it went")
    expect(page.get_by_test_id("step").filter(has_text="run_tests")).to_be_visible()


def test_what_a_session_goes_on_with_is_offered(open_page) -> None:
    page = open_page()
    talk("s-one")
    wait_talks(page)
    open_session(page, "s-one")
    with bind(session_id="s-one"):
        log_event("planner", "user_message", "And now?", role="user")
    page.get_by_test_id("load-fresh").click()
    expect(page.get_by_test_id("transcript")).to_contain_text("And now?")


def test_two_sessions_stand_side_by_side(open_page) -> None:
    page = open_page()
    talk("s-one")
    talk("s-two", "Why is the other slow?")
    wait_talks(page, 2)
    open_session(page, "s-one")
    page.get_by_test_id("compare").click()
    page.locator("[data-session=s-two] input").check()
    page.get_by_test_id("compare-go").click()
    expect(page.get_by_test_id("transcript")).to_have_count(2)
    expect(page.get_by_test_id("transcript").nth(1)).to_contain_text("Why is the other slow?")
    expect(page).to_have_url(re.compile("with=s-two"))


def test_agents_of_a_session_that_have_no_room_are_counted_and_named(open_page) -> None:
    page = open_page(viewport={"width": 1280, "height": 720})
    names = [f"researcher-number-{n}" for n in range(9)]
    with bind(session_id="s-many"):
        for name in names:
            log_event(name, "user_message", "hello")
    with bind(session_id="s-few"):
        log_event("planner", "user_message", "hello")
    page.wait_for_function("() => window.__laneway.visible().total >= 10")
    page.get_by_test_id("view-sessions").click()
    row = page.locator("[data-session=s-many]")
    cell = row.locator("td.agents")
    shown = cell.get_by_role("button")
    expect(shown.first).to_be_visible()
    more = cell.get_by_test_id("more-agents")

    def are_counted_and_named() -> bool:
        rest = names[shown.count() :]
        told = (more.inner_text(), more.get_attribute("title"))
        return told == (f"+{len(rest)}", ", ".join(rest))

    eventually(are_counted_and_named)
    eventually(lambda: cell.evaluate("cell => cell.scrollWidth <= cell.clientWidth"))
    few = page.locator("[data-session=s-few] td.agents")
    expect(few.get_by_test_id("more-agents")).to_have_count(0)


def test_a_filter_narrows_the_sessions(open_page) -> None:
    page = open_page()
    talk("s-one")
    with bind(session_id="s-calm"):
        log_event("memory", "user_message", "hello")
    page.wait_for_function("() => window.__laneway.visible().total >= 13")
    page.get_by_test_id("view-sessions").click()
    expect(page.get_by_test_id("session")).to_have_count(2)
    page.get_by_test_id("filter-input").fill("agent:memory")
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("session")).to_have_count(1)


def test_a_session_that_is_not_there_is_told(open_page) -> None:
    page = open_page(path="/logs?session=nowhere")
    expect(page.get_by_test_id("telling-problem")).to_contain_text("no event")


def test_two_sessions_are_compared_on_a_phone(open_page, hub: Hub) -> None:
    talk("s1", "Why is it slow?")
    talk("s2", "And why is it wrong?")
    page = open_page(viewport={"width": 320, "height": 640})
    page.wait_for_function(f"() => window.__laneway.visible().total >= {EVENTS_OF_A_TALK * 2}")
    page.goto(f"{hub.url}/logs?session=s1")
    page.get_by_test_id("compare").click()
    page.get_by_label("Compare And why is it wrong?").check()
    page.get_by_test_id("compare-go").click()
    heads = page.get_by_test_id("telling").get_by_role("heading", level=2)
    expect(heads).to_have_text(["Why is it slow?", "And why is it wrong?"])
    for head in heads.all():
        box = head.bounding_box()
        assert box
        assert box["x"] + box["width"] <= 320, "it ends on the page"
