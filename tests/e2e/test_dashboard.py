"""What a person sees and does on the page, in a real browser against a real hub."""

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import bind, log_event, span
from tests.e2e.conftest import PATIENCE_MS, choose_line, find_link
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def lanes(page: Page) -> list[str]:
    return page.eval_on_selector_all(
        "[data-testid=lane]", "all => all.map(one => one.dataset.agent)"
    )


def events(page: Page, *, matching: bool = False) -> list[dict]:
    found = page.evaluate("() => window.__laneway.events()")
    return [event for event in found if event["isMatch"]] if matching else found


def wait_events(page: Page, count: int) -> None:
    page.wait_for_function(f"() => window.__laneway.visible().total >= {count}")


def test_an_empty_page_shows_the_command_to_run(open_page) -> None:
    page = open_page()

    expect(page.get_by_text("laneway emit").first).to_be_visible()
    expect(page.get_by_text("from laneway import log_event").first).to_be_visible()


def test_the_code_leaves_the_address_and_works_once(open_page, hub, browser) -> None:
    page = open_page()
    assert "code=" not in page.url
    page.reload()
    page.wait_for_function("() => window.__laneway?.state().link === 'live'")

    stranger = browser.new_context().new_page()
    stranger.set_default_timeout(PATIENCE_MS)
    stranger.goto(find_link(hub.output.read_text()))
    expect(stranger.get_by_text("laneway open").first).to_be_visible()
    stranger.context.close()


def test_a_lane_appears_by_itself_and_a_child_below_its_parent(open_page) -> None:
    page = open_page()
    log_event("planner", "user_message", "hello")
    expect(page.locator("[data-testid=lane][data-agent=planner]")).to_be_visible()
    log_event("zebra", "log", "z")
    log_event("researcher", "log", "hi", parent_agent="planner")
    expect(page.locator("[data-testid=lane][data-agent=researcher]")).to_be_visible()

    order = lanes(page)
    assert order.index("researcher") == order.index("planner") + 1


def test_an_open_bar_is_seen_while_it_runs_and_closes(open_page) -> None:
    page = open_page()
    work = span("search_files", agent="researcher", input={"pattern": "TODO"})
    work.__enter__()
    page.wait_for_function("() => window.__laneway.openBars().length === 1")
    bar = page.evaluate("() => window.__laneway.openBars()[0]")
    assert (bar["agent"], bar["label"]) == ("researcher", "search_files")
    expect(page.locator("[data-agent=researcher][data-state=working]")).to_be_visible()
    work.__exit__(None, None, None)

    page.wait_for_function("() => window.__laneway.openBars().length === 0")
    assert not page.evaluate("() => window.__laneway.bars()")[0]["isOpen"]


def test_an_error_is_counted_and_marked_in_its_lane(open_page) -> None:
    page = open_page()
    with pytest.raises(ZeroDivisionError), span("divide", agent="coder"):
        1 / 0  # noqa: B018
    wait_events(page, 2)

    expect(page.locator("[data-testid=lane][data-agent=coder]")).to_have_attribute(
        "data-errors", "1"
    )
    page.wait_for_function("() => window.__laneway.bars().some(bar => bar.isFailed)")


def test_a_filter_narrows_lanes_stream_and_count(open_page) -> None:
    page = open_page()
    for n in range(5):
        log_event("planner", "log", f"apple {n}")
        log_event("coder", "log", f"pear {n}")
    wait_events(page, 10)
    page.keyboard.press("/")
    page.keyboard.type("agent:coder")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 5")
    assert {event["agent"] for event in events(page, matching=True)} == {"coder"}
    expect(page.get_by_test_id("chip")).to_have_count(1)
    page.wait_for_url("**coder**")

    page.get_by_test_id("filter-input").fill('"pear 3"')
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    page.get_by_test_id("filter-clear").click()
    page.wait_for_function("() => window.__laneway.visible().matching === 10")


def fill_filter(page: Page, query: str) -> None:
    page.get_by_test_id("filter-input").fill(query)
    page.keyboard.press("Enter")


def test_the_filter_shows_what_the_hub_finds_past_and_live(open_page) -> None:
    page = open_page()
    log_event("coder", "log", "before", level="error")
    log_event("coder", "log", "calm", level="info")
    log_event("planner", "log", "another's", level="error")
    wait_events(page, 3)
    fill_filter(page, "agent:coder level>=error")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    expect(page.get_by_test_id("chip")).to_have_count(2)
    eventually(lambda: lanes(page) == ["coder"])

    log_event("coder", "log", "still calm", level="info")
    log_event("planner", "log", "another's again", level="critical")
    log_event("coder", "log", "after", level="critical")
    page.wait_for_function("() => window.__laneway.visible().matching === 2")
    wait_events(page, 6)
    assert [event["text"] for event in events(page, matching=True)] == ["before", "after"]
    expect(page.get_by_test_id("row-count")).to_contain_text("2 of 6")
    stream = page.get_by_test_id("stream")
    expect(stream.get_by_text("after", exact=True)).to_be_visible()
    expect(stream.get_by_text("still calm")).to_have_count(0)
    eventually(lambda: lanes(page) == ["coder"])
    page.wait_for_function("() => window.__laneway.pulse() === 2")

    page.wait_for_url("**q=agent%3Acoder**")
    page.reload()
    page.wait_for_function("() => window.__laneway?.visible().matching === 2")
    expect(page.get_by_test_id("chip")).to_have_count(2)


def test_the_filter_finds_what_only_the_log_holds(open_page) -> None:
    page = open_page()
    with bind(session_id="s1"):
        log_event("coder", "log", "x" * 500 + " needle", http={"status": 503})
        log_event("coder", "log", "y", http={"status": 200})
    wait_events(page, 2)
    fill_filter(page, "attr.http.status>=500")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    fill_filter(page, "~eedl")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    log_event("coder", "log", "another needle", http={"status": 500})
    page.wait_for_function("() => window.__laneway.visible().matching === 2")


def test_a_wrong_query_is_told_at_its_column_and_changes_nothing(open_page) -> None:
    page = open_page()
    log_event("coder", "log", "one")
    log_event("planner", "log", "two")
    wait_events(page, 2)
    fill_filter(page, "agent:coder")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    fill_filter(page, "timeout agnet:planner")
    fault = page.get_by_test_id("filter-fault")
    expect(fault).to_contain_text("a field was expected")
    expect(fault).to_contain_text("did you mean agent?")
    expect(fault).to_have_attribute("data-column", "9")
    expect(page.get_by_test_id("filter-fault-at")).to_have_text("agnet:planner")
    assert page.evaluate("() => window.__laneway.visible().matching") == 1
    expect(page.get_by_test_id("chip")).to_have_count(1)
    log_event("coder", "log", "three")
    page.wait_for_function("() => window.__laneway.visible().matching === 2")

    page.keyboard.press("Escape")
    expect(fault).to_have_count(0)
    expect(page.get_by_test_id("filter-input")).to_have_value("")


def test_an_address_with_a_wrong_query_can_be_mended(open_page) -> None:
    log_event("coder", "log", "one")
    page = open_page(path="/logs?q=agnet:coder")
    expect(page.get_by_test_id("filter-fault")).to_contain_text("did you mean agent?")
    wait_events(page, 1)
    fill_filter(page, "agent:coder")
    expect(page.get_by_test_id("filter-fault")).to_have_count(0)
    expect(page.get_by_test_id("chip")).to_have_count(1)


def test_the_filter_holds_over_a_restart_of_the_hub(open_page, hub) -> None:
    page = open_page()
    log_event("coder", "log", "before")
    log_event("planner", "log", "other")
    wait_events(page, 2)
    fill_filter(page, "agent:coder")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    hub.kill()
    page.wait_for_function("() => window.__laneway.state().link !== 'live'")
    log_event("coder", "log", "while it was away")
    log_event("planner", "log", "other while it was away")
    hub.start()
    page.wait_for_function("() => window.__laneway.visible().matching === 2")
    log_event("planner", "log", "other after")
    log_event("coder", "log", "after")
    page.wait_for_function("() => window.__laneway.visible().matching === 3")
    wait_events(page, 6)
    assert {event["agent"] for event in events(page, matching=True)} == {"coder"}


def test_names_are_completed_with_the_keyboard_and_queries_are_remembered(open_page) -> None:
    page = open_page()
    log_event("coder", "log", "one")
    log_event("planner", "log", "two")
    wait_events(page, 2)
    page.keyboard.press("/")
    page.keyboard.type("age")
    suggested = page.locator("#filter-suggestions li")
    expect(suggested.first).to_contain_text("agent")
    page.keyboard.press("Tab")
    page.keyboard.type("co")
    expect(suggested).to_have_count(1)
    expect(suggested).to_contain_text("coder")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_function("() => window.__laneway.visible().matching === 1")
    expect(page.get_by_test_id("chip")).to_have_attribute("data-text", "agent:coder")
    page.get_by_test_id("filter-clear").click()
    page.wait_for_function("() => window.__laneway.visible().matching === 2")
    expect(page.locator("#filter-suggestions li")).to_have_text(["agent:coder"])


def test_the_detail_shows_the_redacted_input_as_text(open_page) -> None:
    page = open_page()
    secret = "ghp_" + "a1B2" * 9
    with span(
        "clone", agent="coder", input={"password": "hunter2", "url": f"https://{secret}@x.org"}
    ):
        pass
    wait_events(page, 2)
    choose_line(page, "clone")

    detail = page.get_by_test_id("detail")
    expect(detail).to_be_visible()
    expect(detail.get_by_test_id("redacted").first).to_be_visible()
    text = page.content()
    assert secret not in text
    assert "hunter2" not in text


def test_a_page_made_of_markup_stays_text(open_page) -> None:
    page = open_page()
    payload = (
        "<img src=x onerror=\"document.title='owned'\"><script>document.title='owned'</script>"
    )
    with bind(session_id=payload):
        log_event(payload, payload, payload, tool=payload, input={payload: payload})
    log_event(
        "__proto__", "constructor", "prototype", tool="__proto__", input={"__proto__": {"x": 1}}
    )
    wait_events(page, 2)
    choose_line(page, "onerror")
    expect(page.get_by_test_id("detail")).to_be_visible()

    assert page.locator("img[src=x]").count() == 0
    assert page.title() != "owned"
    eventually(lambda: "__proto__" in lanes(page))


def test_a_scroll_pauses_the_stream_and_the_end_resumes_it(open_page) -> None:
    page = open_page()
    for n in range(200):
        log_event("planner", "log", f"line {n}")
    wait_events(page, 200)
    page.get_by_test_id("stream").hover()
    page.mouse.wheel(0, -400)
    expect(page.get_by_test_id("resume")).to_be_visible()
    for n in range(5):
        log_event("planner", "log", f"later {n}")
    expect(page.get_by_test_id("resume")).to_contain_text("5")

    page.get_by_test_id("resume").click()
    expect(page.get_by_test_id("stream").get_by_text("later 4")).to_be_visible()


def test_a_restart_of_the_hub_is_shown_and_nothing_is_missed_or_doubled(open_page, hub) -> None:
    page = open_page()
    log_event("planner", "log", "before")
    wait_events(page, 1)
    hub.kill()
    page.wait_for_function("() => window.__laneway.state().link !== 'live'")
    log_event("planner", "log", "while it was away")
    hub.start()

    page.wait_for_function("() => window.__laneway.state().link === 'live'")
    wait_events(page, 2)
    assert [event["text"] for event in events(page)] == ["before", "while it was away"]


def test_a_deep_link_opens_the_same_filter(open_page) -> None:
    log_event("planner", "log", "x")
    log_event("coder", "log", "y")
    page = open_page()
    wait_events(page, 2)
    page.locator("[data-testid=lane][data-agent=coder]").get_by_test_id("lane-name").click()
    page.wait_for_url("**coder**")
    page.reload()

    page.wait_for_function("() => window.__laneway?.visible().matching === 1")


def test_an_idle_page_draws_nothing(open_page) -> None:
    page = open_page()
    log_event("planner", "log", "x")
    wait_events(page, 1)
    page.keyboard.press("Space")
    eventually(lambda: page.evaluate("() => !window.__laneway.visible().isFollowing"), "the pause")

    def draws_nothing() -> bool:
        """For two seconds; the rate falls to nothing first."""
        page.evaluate("() => window.__laneway.resetFrames()")
        page.wait_for_timeout(2_000)
        return page.evaluate("() => window.__laneway.frames.redraws") == 0

    eventually(draws_nothing)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 1280, 2560, 3840])
def test_it_fits_every_width(open_page, scheme: str, width: int) -> None:
    log_event("planner", "user_message", "hello")
    page = open_page(color_scheme=scheme, viewport={"width": width, "height": 800})
    wait_events(page, 1)

    expect(page.get_by_test_id("lanes")).to_be_visible()
    page.wait_for_function("() => document.documentElement.scrollWidth <= innerWidth")


def test_a_long_payload_loads_as_far_as_it_is_read(open_page, hub) -> None:
    page = open_page()
    lines = [f"row {n}: what the tool gave back <b>as text</b>" for n in range(60_000)]
    log_event("coder", "tool_result", tool="dump", output="\n".join(lines))
    wait_events(page, 1)
    choose_line(page, "dump")
    block = page.get_by_test_id("block-output")
    expect(block).to_contain_text("row 0:")
    asked: list[str] = []
    page.on(
        "request",
        lambda request: asked.append(request.url) if "/api/side/" in request.url else None,
    )

    block.get_by_test_id("side-load").click()

    text = block.get_by_test_id("side-text")
    expect(text).to_contain_text("row 100: what the tool gave back <b>as text</b>")
    expect(block.get_by_test_id("side-progress")).to_contain_text(" of 3.")
    assert 1 <= len(asked) <= 3  # what is in sight, and no more

    def is_all_read() -> bool:
        text.evaluate("area => area.scrollTo(0, area.scrollHeight)")
        page.wait_for_timeout(100)
        return block.get_by_test_id("side-progress").inner_text().startswith("All")

    eventually(is_all_read)
    expect(block.get_by_test_id("side-progress")).to_contain_text("All 3.")
    whole = text.evaluate(
        "area => [...area.querySelectorAll('.piece')].map((one) => one.textContent).join('')"
    )
    assert whole == "\n".join(lines)
    assert len(asked) > 10

    with page.expect_download() as download:
        block.get_by_test_id("side-save").click()
    assert download.value.path().read_text() == "\n".join(lines)
