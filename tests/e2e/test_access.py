"""For everybody: axe-core finds no violation in any view, light or dark, wide or narrow."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import bind, log_event, span
from tests.e2e.live_socket import beat, hold_beats
from tests.torture.harness import Hub

pytestmark = pytest.mark.browser

AXE = (Path(__file__).parents[2] / "ui/node_modules/axe-core/axe.min.js").read_text()
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ADDRESSES = [
    "/logs?sel=@2",
    "/logs?view=sessions",
    "/logs?session=s-1",
    "/logs?session=s-1&with=s-2",
    "/logs?view=insights",
]


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))
    for session in ("s-1", "s-2"):
        with bind(session_id=session):
            log_event("planner", "user_message", "# Why?\n\n- one\n- `two`", role="user")
            with (
                pytest.raises(KeyError),
                span("planner", kind="agent"),
                span("look", input={"n": 1}),
            ):
                raise KeyError("gone")
            with span("local-8b", kind="llm", agent="coder") as call:
                call.set(input_tokens=10, output_tokens=2, cost_usd=0.5)
            log_event("planner", "agent_response", "Because.", role="assistant", level="warning")


NOTHING_FADES = """() => document.getAnimations().every(one =>
  one.playState !== "running" || one.effect.getComputedTiming().iterations === Infinity)"""


def violations(page: Page) -> list[str]:
    page.wait_for_timeout(800)  # all that is fetched has come
    page.wait_for_function(NOTHING_FADES)
    page.evaluate(AXE)
    # its own copies of the style sheets would be asked of a hub that may be away, and are of no use here
    asked = {"runOnly": RULES, "preload": False}
    found = page.evaluate("asked => axe.run(document, asked)", asked)
    return [
        f"{one['id']}: {node['html'][:160]} {json.dumps(node['any'][:1])[:300]}"
        for one in found["violations"]
        for node in one["nodes"]
    ]


def test_a_step_without_an_end_and_one_of_two_durations_are_called_what_they_show(
    open_page, hub: Hub
) -> None:
    with bind(session_id="s-3"):
        log_event("coder", "tool_invocation", tool="shell", span_id="1" * 16)
        log_event(
            "coder", "tool_invocation", tool="search", span_id="2" * 16, timestamp=1_760_000_000
        )
        log_event(
            "coder",
            "tool_result",
            tool="search",
            span_id="2" * 16,
            timestamp=1_760_000_002,
            duration_ms=5,
        )
    page = open_page(path="/logs?session=s-3")
    steps = page.get_by_test_id("step")
    expect(steps.filter(has_text="no end")).to_have_accessible_name("shell, coder, no end")
    expect(steps.filter(has_text="apart")).to_have_accessible_name(
        "search, coder, 5 ms, logged 2 s apart"
    )
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_view_keeps_anybody_out(open_page, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    page.wait_for_function("() => window.__laneway.visible().total >= 16")
    page.keyboard.press("b")
    expect(page.get_by_test_id("facet-value").first).to_be_visible()
    for address in ADDRESSES:
        page.goto(page.url.split("/logs")[0] + address)
        page.wait_for_function("() => window.__laneway?.state().link === 'live'")
        assert violations(page) == [], address
    page.keyboard.press("Control+k")
    expect(page.get_by_role("option").first).to_be_visible()
    assert violations(page) == [], "palette"
    page.keyboard.press("Escape")
    expect(page.get_by_role("option")).to_have_count(0)
    page.keyboard.press("?")
    expect(page.get_by_test_id("help")).to_be_visible()
    assert violations(page) == [], "help"


def open_trace(page: Page) -> None:
    page.locator("[data-testid=row]:visible", has_text="gone").first.click()
    page.get_by_test_id("open-trace").click()
    expect(page.get_by_test_id("step").first).to_be_visible()


def make_rule(page: Page) -> None:
    page.keyboard.press("!")
    page.get_by_test_id("alert-new").click()
    expect(page.get_by_label("Name")).to_be_focused()


def press(key: str) -> Callable[[Page], None]:
    return lambda page: page.keyboard.press(key)


def ask(query: str) -> Callable[[Page], None]:
    def type_it(page: Page) -> None:
        page.get_by_test_id("filter-input").fill(query)
        page.keyboard.press("Enter")

    return type_it


STATES: dict[str, tuple[Callable[[Page], None], str]] = {
    "paused": (press("Space"), "resume"),
    "a failure": (
        lambda page: page.locator("[data-testid=row].error").first.click(),
        "detail-error",
    ),
    "a trace": (open_trace, "waterfall"),
    "no match": (ask("agent:nobody"), "no-match"),
    "a wrong query": (ask("agnet:x"), "filter-fault"),
    "alerts": (press("!"), "alerts-none"),
    "a rule": (make_rule, "alerts"),
    "the pulse as a table": (
        lambda page: page.evaluate(
            "() => document.querySelector('[data-testid=pulse-table-open]').click()"
        ),
        "pulse-table",
    ),
    "the tour": (lambda page: page.get_by_test_id("tour-start").click(), "tour"),
}
"""How to come to it, and what is there then."""


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_state_keeps_anybody_out(open_page, scheme: str) -> None:
    page = open_page(color_scheme=scheme)
    start = page.url.split("?")[0]
    for name, (come, there) in STATES.items():
        page.goto(start)
        expect(page.locator("[data-testid=row]:visible", has_text="Because.").first).to_be_visible()
        come(page)
        expect(page.get_by_test_id(there).first).to_be_visible()
        assert violations(page) == [], name


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_notice_keeps_anybody_out(open_page, hub: Hub, scheme: str) -> None:
    hub.stop()
    hub.env["LOG_PATH"] += "-of-another"
    hub.output.unlink()
    hub.start()
    page = open_page(color_scheme=scheme)
    notice = page.get_by_test_id("notice")
    expect(notice).to_have_attribute("data-kind", "empty")
    assert violations(page) == [], "empty"
    hub.kill()
    expect(notice).to_have_attribute("data-kind", "gone")
    assert violations(page) == [], "gone"
    page.context.clear_cookies()
    hub.start()
    expect(notice).to_have_attribute("data-kind", "signed-out")
    assert violations(page) == [], "signed out"


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_no_state_of_the_hub_keeps_anybody_out(open_page, hub: Hub, scheme: str) -> None:
    page = open_page(color_scheme=scheme, reduced_motion="reduce")
    because = page.locator("[data-testid=row]:visible", has_text="Because.")
    expect(because.first).to_be_visible()
    assert page.evaluate("() => document.getAnimations().length") == 0
    assert violations(page) == [], "less motion"

    hub.kill()
    chip = page.get_by_test_id("connection")
    expect(chip).to_have_attribute("data-state", "reconnecting")
    assert violations(page) == [], "away"
    page.keyboard.press("3")
    expect(page.get_by_test_id("late")).to_be_visible()
    assert violations(page) == [], "late"
    page.keyboard.press("1")
    hub.start()
    expect(because.first).to_be_visible()
    expect(chip).to_have_attribute("data-state", "live")
    assert violations(page) == [], "restarted"

    routes = hold_beats(page)
    page.reload()
    expect(because.first).to_be_visible()
    routes[-1].send(beat(lag_bytes=5 << 20))
    expect(chip).to_have_attribute("data-state", "lagging")
    assert violations(page) == [], "lagging"


FORBIDDEN = {"code": "forbidden", "message": "This token may not read.", "hint": "ask for another"}


def refuse(page: Page, status: int) -> None:
    body = json.dumps(FORBIDDEN)
    page.route(
        "**/api/**",
        lambda route: route.fulfill(status=status, content_type="application/json", body=body),
    )


@pytest.mark.parametrize("scheme", ["dark", "light"])
def test_what_the_hub_refuses_is_told_in_each_view_and_can_be_tried_again(
    open_page, scheme: str
) -> None:
    page = open_page(color_scheme=scheme)
    start = page.url.split("/logs")[0]
    for address, problem, there in (
        ("/logs?view=sessions", "problem", "session"),
        ("/logs?session=s-1", "telling-problem", "turn"),
        ("/logs?view=insights", "problem", "failure"),
    ):
        refuse(page, 403)
        page.goto(start + address)
        told = page.get_by_test_id(problem)
        expect(told).to_contain_text("This token may not read. Ask for another.")
        assert violations(page) == [], address
        page.unroute("**/api/**")
        told.get_by_role("button", name="Try again").click()
        expect(page.get_by_test_id(there).first).to_be_visible()
        expect(told).to_have_count(0)
    refuse(page, 403)
    page.goto(f"{start}/logs?sel=@2")
    expect(page.get_by_test_id("detail-problem")).to_contain_text("may not read")
    ask("agent:coder")(page)
    expect(page.get_by_test_id("filter-fault")).to_contain_text("may not read")
    assert violations(page) == [], "live"


def test_the_first_key_of_who_has_no_mouse_leads_past_the_bar_and_the_facets(open_page) -> None:
    page = open_page()
    page.keyboard.press("b")
    expect(page.get_by_test_id("facet-value").first).to_be_visible()
    for address in ("/logs", "/logs?view=sessions"):
        page.goto(page.url.split("/logs")[0] + address)
        expect(page.get_by_test_id("facet-value").first).to_be_visible()
        page.keyboard.press("Tab")
        expect(page.get_by_test_id("skip")).to_be_focused()
        assert violations(page) == [], address
        page.keyboard.press("Enter")
        page.keyboard.press("Tab")
        within = "inside => document.activeElement.closest(inside) !== null"
        assert page.evaluate(within, ".desk > :last-child"), address


@pytest.mark.parametrize(("width", "height"), [(320, 640), (3840, 2160)])
def test_a_clock_that_is_wrong_and_names_of_any_kind_keep_nobody_out(
    open_page, hub: Hub, width: int, height: int
) -> None:
    for name in ("\N{FOX FACE} fox", "\u05de\u05ea\u05db\u05e0\u05df", "x" * 200, "<b>bold</b>"):
        log_event(name, "log", f"hello from {name}")
    log_event("skewed", "log", "old", timestamp="2021-01-01T00:00:00Z")
    page = open_page(viewport={"width": width, "height": height})
    page.wait_for_function("() => window.__laneway.visible().total >= 21")
    page.keyboard.press("0")  # years
    assert violations(page) == []
    assert page.evaluate("() => document.documentElement.scrollWidth") <= width
    for address in ADDRESSES[1:]:
        page.goto(page.url.split("/logs")[0] + address)
        page.wait_for_function("() => window.__laneway?.state().link === 'live'")
        assert violations(page) == [], address
        assert page.evaluate("() => document.documentElement.scrollWidth") <= width, address


def test_a_phone_shows_every_view_without_scrolling_sideways(open_page) -> None:
    page = open_page(viewport={"width": 320, "height": 640})
    for address in ADDRESSES:
        page.goto(page.url.split("/logs")[0] + address)
        page.wait_for_function("() => window.__laneway?.state().link === 'live'")
        page.wait_for_timeout(500)
        wide = page.evaluate("() => document.documentElement.scrollWidth")
        assert wide <= 320, f"{address} is {wide} px wide"
        assert violations(page) == [], address
