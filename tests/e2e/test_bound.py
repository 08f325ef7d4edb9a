"""The dashboard of somebody whose token is bound to a pod."""

import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

import laneway
from laneway import log_event
from laneway.web.keyring import Keyring
from tests.e2e.conftest import PATIENCE_MS, choose_line, is_complaint
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.browser

OTHERS = ("marine", "crimson")


def ask(hub: Hub, path: str, token: str, body: object = None) -> dict:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{hub.url}{path}", data, {"Authorization": f"Bearer {token}"})
    if data is not None:
        request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


def say(pod: str, numbers: range) -> None:
    for n in numbers:
        log_event(f"{pod}-agent", f"{pod}_kind", f"word {n} of {pod}", pod=pod, tool=f"{pod}-tool")


def lanes(page: Page) -> dict[str, int]:
    return {
        lane["name"]: lane["events"] for lane in page.evaluate("() => window.__laneway.agents()")
    }


@pytest.fixture(autouse=True)
def _log(hub: Hub) -> None:
    laneway.configure(log_path=hub.env["LOG_PATH"], home=str(hub.home))


def test_it_shows_its_pod_live_and_nothing_of_others_in_any_message(hub: Hub, open_page) -> None:
    say("red", range(20))
    for other in OTHERS:
        say(other, range(50))
    log_event("red-agent", "tool_result", pod="red", tool="dump", output="row " * 300_000)
    eventually(lambda: ask(hub, "/health", "")["index"]["events"] >= 121, "the index")
    token = Keyring(str(hub.home)).add("tenant", ["read"], pods=["red"])
    page = open_page()  # of one who sees all: it opens nothing of the other's
    expect(page.get_by_test_id("bounds")).to_have_count(0)

    received: list[str] = []
    code = ask(hub, "/auth/code", token, {})["code"]
    context = page.context.browser.new_context()  # type: ignore[union-attr]
    try:
        bound = context.new_page()
        bound.set_default_timeout(PATIENCE_MS)
        complaints: list[str] = []
        bound.on(
            "console", lambda said: complaints.append(said.text) if is_complaint(said) else None
        )
        bound.on("pageerror", lambda error: complaints.append(str(error)))
        bound.on(
            "websocket",
            lambda socket: socket.on("framereceived", lambda text: received.append(str(text))),
        )
        bound.on(
            "response",
            lambda answer: received.append(answer.text()) if "/api/" in answer.url else None,
        )
        bound.goto(f"{hub.url}/logs#code={code}")
        bound.wait_for_function("() => window.__laneway?.state().link === 'live'")
        bound.wait_for_function("() => window.__laneway.visible().total === 21")
        expect(bound.get_by_test_id("bounds")).to_have_text("pod red")
        expect(bound.get_by_test_id("alerts-open")).to_have_count(0)

        say("marine", range(50, 80))
        say("red", range(20, 30))
        bound.wait_for_function("() => window.__laneway.visible().total === 31")
        page.wait_for_function("() => window.__laneway.visible().total === 161")
        eventually(lambda: lanes(bound) == {"red-agent": 31})
        assert bound.evaluate("() => window.__laneway.state().gaps") == 0

        bound.keyboard.press("!")  # alerts tell of all, and stay shut
        choose_line(bound, "dump")
        block = bound.get_by_test_id("block-output")
        block.get_by_test_id("side-load").click()
        expect(block.get_by_test_id("side-text")).to_contain_text("row row")
        for address in ("?view=sessions", "?view=insights", "?q=marine"):
            bound.goto(f"{hub.url}/logs{address}")
            bound.wait_for_function("() => window.__laneway?.state().link === 'live'")
            bound.wait_for_timeout(500)  # what it asks for has come
    finally:
        context.close()
    assert complaints == []
    assert received
    for text in received:
        assert "marine-" not in text
        assert "of marine" not in text
        assert "crimson" not in text
