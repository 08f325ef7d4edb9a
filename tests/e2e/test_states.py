"""What the page shows when not all is well, to whom it shows it, and on what: each state of its own."""

import json
import re
import time
import urllib.error
import urllib.request

import pytest
from playwright.sync_api import Page, WebSocketRoute, expect

import laneway
from laneway import log_event, span
from tests.e2e.live_socket import LIVE, beat, hold_beats
from tests.torture.harness import Hub
from tests.torture.volume import fill, mounted
from tests.waiting import eventually

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def wait_events(page: Page, count: int) -> None:
    page.wait_for_function(f"() => window.__laneway.visible().total >= {count}")


def test_a_page_whose_session_ended_says_how_to_get_another(open_page, hub) -> None:
    page = open_page()
    log_event("coder", "log", "before")
    wait_events(page, 1)
    page.context.clear_cookies()
    hub.kill()
    hub.start()
    expect(page.get_by_test_id("notice")).to_have_attribute("data-kind", "signed-out")
    expect(page.get_by_text("laneway open").first).to_be_visible()


def test_a_session_that_ends_while_one_looks_is_told_and_goes_on_with_a_new_link(
    open_page, hub
) -> None:
    page = open_page()
    log_event("coder", "log", "before")
    wait_events(page, 1)
    page.context.clear_cookies()
    page.keyboard.press("3")
    expect(page.get_by_test_id("notice")).to_have_attribute("data-kind", "signed-out")
    expect(page.get_by_test_id("connection")).to_have_text("Signed out")

    request = urllib.request.Request(f"{hub.url}/auth/code", b"{}", method="POST")
    request.add_header("Authorization", f"Bearer {hub.access_token}")
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        code = json.load(answer)["code"]
    other = page.context.new_page()
    other.goto(f"{hub.url}/logs#code={code}")
    other.wait_for_function("() => window.__laneway?.state().link === 'live'")
    log_event("coder", "log", "meanwhile")
    page.evaluate("() => dispatchEvent(new Event('focus'))")  # as when one comes back to it
    expect(page.get_by_test_id("insights")).to_contain_text("coder")
    wait_events(page, 2)


def test_a_history_that_comes_late_is_what_the_page_shows(open_page, hub) -> None:
    for n in range(3):
        log_event("coder", "log", f"line {n}", timestamp=time.time() - 3600 + n)
    eventually(lambda: hub.get("/health")["index"]["events"] >= 3, "the index")
    page = open_page()
    held: list[str | bytes] = []
    routes: list[WebSocketRoute] = []

    def hold_history(route: WebSocketRoute) -> None:
        routes.append(route)
        route.connect_to_server().on_message(
            lambda message: (
                held.append(message) if '"type":"batch"' in str(message) else route.send(message)
            )
        )

    page.route_web_socket(LIVE, hold_history)
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    two_frames = (
        "() => new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))"
    )
    page.evaluate(two_frames)
    page.wait_for_function("() => window.__laneway.visible().total === 0")
    eventually(lambda: held, "the history")
    routes[-1].send(held[0])
    wait_events(page, 3)
    page.wait_for_function("() => window.__laneway.visible().toMs < Date.now() - 3_000_000")


def test_a_page_that_lets_nobody_in_offers_nothing_to_do_there(open_page, hub) -> None:
    page = open_page()
    page.context.clear_cookies()
    page.goto(f"{hub.url}/logs")
    expect(page.get_by_test_id("notice")).to_have_attribute("data-kind", "signed-out")
    expect(page.get_by_test_id("filter")).to_be_hidden()
    expect(page.get_by_role("navigation")).to_be_hidden()
    expect(page.get_by_test_id("help-open")).to_be_visible()


def test_conditions_are_whole_where_the_bar_is_full(open_page) -> None:
    log_event("billing-coder", "log", "slow", level="warning")
    page = open_page(viewport={"width": 1280, "height": 800})
    expect(page.get_by_test_id("tour-offer")).to_be_visible()
    page.get_by_test_id("filter-input").fill("agent:billing-coder level>=warning")
    page.keyboard.press("Enter")
    chips = page.get_by_test_id("chip")
    expect(chips).to_have_count(2)
    expect(page.get_by_test_id("tour-offer")).to_have_count(0)
    cut = "all => all.map(one => one.scrollWidth - one.clientWidth)"
    eventually(lambda: page.locator("[data-testid=chip] .say").evaluate_all(cut) == [0, 0])
    page.get_by_test_id("filter-clear").click()
    expect(page.get_by_test_id("tour-offer")).to_be_visible()


def test_a_phone_has_the_whole_filter_and_the_ranges(open_page) -> None:
    log_event("coder", "log", "here")
    page = open_page(viewport={"width": 320, "height": 640})
    page.get_by_test_id("range-list").select_option("15 m")
    expect(page).to_have_url(re.compile("last=900000"))
    page.get_by_test_id("range-list").select_option("All")
    expect(page.get_by_test_id("range-list")).to_have_value("as it is")
    page.get_by_test_id("filter-input").fill("agent:coder")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    for name in ("filter", "range-list", "pause", "resume"):
        for one in page.get_by_test_id(name).all():
            box = one.bounding_box()
            assert box, name
            assert box["x"] >= 0, name
            assert box["x"] + box["width"] <= 320, name


def test_an_empty_page_does_not_call_a_hub_that_is_away_up(open_page, hub) -> None:
    notice = open_page().get_by_test_id("notice")
    expect(notice).to_have_attribute("data-kind", "empty")
    hub.kill()
    expect(notice).to_have_attribute("data-kind", "gone")
    hub.start()
    expect(notice).to_have_attribute("data-kind", "empty")


def test_the_live_view_stands_behind_the_notice_out_of_reach_and_has_the_first_event(
    open_page,
) -> None:
    page = open_page()
    expect(page.get_by_test_id("notice")).to_have_attribute("data-kind", "empty")
    lanes = page.get_by_test_id("lanes-canvas")
    expect(lanes).to_be_hidden()
    expect(page.get_by_role("main")).to_have_count(1)
    lanes.evaluate("canvas => canvas.id = 'made-before'")
    log_event("coder", "log", "first")
    expect(page.get_by_test_id("notice")).to_have_count(0)
    expect(lanes).to_be_visible()
    expect(lanes).to_have_id("made-before")
    expect(page.get_by_role("main")).to_have_count(1)


def test_a_view_that_is_asked_for_while_the_hub_is_away_opens_when_it_is_back(
    open_page, hub
) -> None:
    log_event("coder", "log", "before")
    page = open_page()
    wait_events(page, 1)
    hub.kill()
    page.keyboard.press("3")
    expect(page.get_by_test_id("late")).to_contain_text("when the hub is back")
    hub.start()
    expect(page.get_by_test_id("insights")).to_contain_text("coder")
    expect(page.get_by_test_id("late")).to_have_count(0)


def test_a_hub_behind_its_log_is_said_to_lag(open_page) -> None:
    page = open_page()
    routes = hold_beats(page)
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    log_event("coder", "log", "here")
    wait_events(page, 1)
    routes[0].send(beat(lag_bytes=5 << 20))
    expect(page.get_by_test_id("connection")).to_have_text("Lagging 5 MB")
    routes[0].send(beat(lag_bytes=0))
    expect(page.get_by_test_id("connection")).to_have_text("Live")


def post(hub: Hub, content: str) -> int:
    token = (hub.home / "ingest.token").read_text().strip()
    body = json.dumps({"agent": "coder", "event": "log", "content": content}).encode()
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    try:
        request = urllib.request.Request(f"{hub.url}/log", body, headers)
        with urllib.request.urlopen(request, timeout=180) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_full_disk_is_told_until_there_is_room_again(open_page, hub, tmp_path) -> None:
    with mounted(tmp_path / "volume", "48m") as volume:
        hub.stop()
        hub.env["LOG_PATH"] = str(volume / "log")
        hub.output.unlink()
        hub.start()
        try:
            page = open_page()
            assert post(hub, "before") == 200
            expect(page.locator("[data-testid=row]", has_text="before")).to_be_visible()
            filler = fill(volume)
            while post(hub, "x" * 2000) != 507:
                pass
            chip = page.get_by_test_id("connection")
            expect(chip).to_have_text("Disk full")

            filler.unlink()
            while post(hub, "after") != 200:
                time.sleep(0.1)
            expect(chip).to_have_text("Live")
            after = page.locator("[data-testid=row]:visible", has_text="after")
            expect(after.first).to_be_visible()
        finally:
            hub.stop()


def test_events_that_were_not_sent_are_a_row_that_loads_them(open_page) -> None:
    page = open_page()
    held: list[str] = []

    def hold_back(route: WebSocketRoute) -> None:
        server = route.connect_to_server()

        def tell(message: str | bytes) -> None:
            if isinstance(message, str) and "lost on the way" in message:
                held.append(message)
            else:
                route.send(message)

        server.on_message(tell)

    page.route_web_socket(LIVE, hold_back)
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    log_event("coder", "log", "first")
    wait_events(page, 1)
    log_event("coder", "log", "lost on the way")
    while not held:
        page.wait_for_timeout(50)
    log_event("coder", "log", "last")
    expect(page.get_by_test_id("gap-row")).to_contain_text("1 event skipped")
    page.get_by_test_id("gap-row").click()
    expect(page.locator("[data-testid=row]:visible .text")).to_have_text(
        ["first", "lost on the way", "last"]
    )


def test_a_filter_that_finds_nothing_says_so_and_how_to_go_on(open_page) -> None:
    page = open_page()
    log_event("coder", "log", "here")
    page.get_by_test_id("filter-input").fill("agent:nobody")
    page.keyboard.press("Enter")
    nothing = page.get_by_test_id("no-match")
    expect(nothing).to_have_text("No event matches the filter. Clear it")
    nothing.get_by_role("button", name="Clear it").click()
    expect(page.locator("[data-testid=row]", has_text="here")).to_be_visible()


def test_a_filter_that_finds_nothing_on_the_page_offers_the_older_events(open_page, hub) -> None:
    hour_ago = time.time() - 3600  # what is in view is loaded by itself
    log_event("early", "log", "long before", timestamp=hour_ago)
    for n in range(200):
        log_event("coder", "log", f"old line {n}", timestamp=hour_ago)
    for n in range(10_000):  # as many as the page is given at first
        log_event("coder", "log", f"line {n}")
    hub.wait_level()
    page = open_page(path="/logs?q=agent:early")
    nothing = page.get_by_test_id("no-match")
    expect(nothing).to_contain_text("None of the 10,000 events on this page")
    expect(page.get_by_test_id("row-count")).to_have_text("0 of 10,000 events")
    page.get_by_test_id("pause").click()
    page.get_by_test_id("gap-row").click()
    expect(page.locator("[data-testid=row]", has_text="long before")).to_be_visible(timeout=60_000)
    log_event("coder", "log", "just now")
    expect(page.get_by_test_id("resume")).to_have_text(re.compile(r"^\s*1 new"))


def test_a_clock_that_is_ahead_does_not_take_the_page_into_the_future(open_page) -> None:
    page = open_page()
    log_event("coder", "log", "now")
    ahead = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 7200))
    log_event("skewed", "log", "from the future", timestamp=ahead)
    wait_events(page, 2)
    expect(page.locator("[data-testid=lane][data-agent=skewed]")).to_be_visible()
    seen = page.evaluate("() => window.__laneway.visible()")
    assert seen["isFollowing"]
    assert seen["toMs"] < (time.time() + 600) * 1000
    expect(page.locator("[data-testid=row]:visible")).to_have_count(2)


def test_a_clock_that_is_ahead_leaves_the_first_look_at_what_went_on(open_page, hub) -> None:
    for n in range(20):
        log_event("coder", "log", f"line {n}", timestamp=time.time() - 5 * (20 - n))
    log_event("skewed", "log", "from the future", timestamp=time.time() + 7200)
    eventually(lambda: hub.get("/health")["index"]["events"] >= 21, "the index")
    page = open_page()
    wait_events(page, 21)
    seen = page.evaluate("() => window.__laneway.visible()")
    assert seen["isFollowing"]
    assert seen["toMs"] - seen["fromMs"] >= 100_000


def test_a_range_in_words_leaves_room_for_the_filter(open_page) -> None:
    log_event("coder", "log", "here")
    page = open_page(viewport={"width": 1280, "height": 800})
    wait_events(page, 1)
    page.keyboard.press("a")
    expect(page.get_by_test_id("connection")).to_have_text("Paused")
    room = page.get_by_test_id("filter").bounding_box()
    assert room
    assert room["width"] > 200


def test_nothing_moves_for_those_who_asked_for_less_motion(open_page) -> None:
    page = open_page(reduced_motion="reduce")
    with span("search", agent="coder"):
        wait_events(page, 1)
        assert page.evaluate("() => document.getAnimations().length") == 0


def test_keys_typed_before_the_palette_is_there_are_not_lost(open_page) -> None:
    page = open_page()
    log_event("coder", "log", "here")
    log_event("planner", "log", "here")
    wait_events(page, 2)
    page.route("**/Palette*.js", lambda route: (time.sleep(0.5), route.continue_())[1])
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")
    wait_events(page, 2)
    page.keyboard.press("Control+k")
    page.keyboard.type("coder")
    expect(page.get_by_test_id("palette-input")).to_have_value("coder")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")


def test_paper_has_what_is_shown_and_no_buttons(open_page) -> None:
    page = open_page(color_scheme="dark")
    for n in range(40):
        log_event("coder", "log", f"line {n}")
    with span("search", agent="planner", input={"query": "tides"}):
        pass
    wait_events(page, 42)
    page.locator("[data-testid=row]", has_text="tides").click()
    expect(page.get_by_test_id("detail")).to_contain_text("tides")
    page.emulate_media(media="print")
    expect(page.get_by_test_id("palette-open")).to_be_hidden()
    expect(page.get_by_test_id("connection")).to_be_hidden()
    expect(page.get_by_test_id("lane-table")).to_be_visible()
    expect(page.get_by_test_id("detail")).to_contain_text("tides")
    rows = page.locator("[data-testid=row]:visible")

    def stands_in_order() -> bool:
        """One below the other."""
        tops = rows.evaluate_all("all => all.map(one => one.getBoundingClientRect().y)")
        return len(tops) > 5 and tops == sorted(set(tops))

    eventually(stands_in_order)
    assert page.evaluate("() => getComputedStyle(document.documentElement).colorScheme") == "light"
