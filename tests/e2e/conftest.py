"""A real hub, a real Chromium, and a page that must not complain."""

import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, expect, sync_playwright

from tests.torture.harness import Hub

PATIENCE_MS = 180_000
"""What a page may take on a machine that is busy with other tests; no test asserts a time."""
expect.set_options(timeout=PATIENCE_MS)

NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_chromium() -> str:
    given = os.environ.get("LANEWAY_CHROMIUM", "")
    path = shutil.which(given) if given else next(filter(None, map(shutil.which, NAMES)), None)
    assert path, "the browser tests need Chromium: `tools/bootstrap browser` installs it"
    return path


@pytest.fixture(scope="module")  # its event loop must be gone before asyncio tests run
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_chromium(),
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-quic",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture
def hub(tmp_path: Path, home: Path) -> Iterator[Hub]:
    hub = Hub(home, tmp_path / "log")
    hub.start()
    yield hub
    hub.stop()


def find_link(output: str) -> str:
    """The one-time link that `laneway up` and the demo print."""
    found = re.search(r"http://\S+#code=\S+", output)
    assert found, output
    return found.group()


def choose_line(page: Page, text: str, tries: int = 20) -> None:
    """Click the first line of the stream with `text`; again if the list moved under the pointer."""
    line = page.get_by_test_id("stream").get_by_role("option").filter(has_text=text).first
    for left in reversed(range(tries)):
        line.click()
        try:
            expect(line).to_have_attribute("aria-selected", "true", timeout=1000)
        except AssertionError:
            if not left:
                raise
        else:
            return


OUTSIDE = (
    "ERR_CONNECTION_REFUSED",
    "ERR_CONNECTION_RESET",
    "ERR_EMPTY_RESPONSE",
    "ERR_NETWORK_CHANGED",
    "ERR_SOCKET_NOT_CONNECTED",
)
"""What a browser says by itself: a hub was killed, or a network of this machine came or went."""


def is_complaint(said: ConsoleMessage) -> bool:
    """A browser says by itself that the hub is away, does not take a query, or does not let it in."""
    asks = ("/api/explain", "/api/alerts")
    is_refusal = any(path in said.location["url"] for path in asks) and "400" in said.text
    is_shut = "HTTP Authentication failed" in said.text or (  # of a socket, that is 401
        "Failed to load resource" in said.text
        and any(status in said.text for status in ("401", "403"))
    )
    is_outside = any(name in said.text for name in OUTSIDE)
    return said.type == "error" and not (is_refusal or is_shut or is_outside)


@pytest.fixture
def open_page(browser: Browser, hub: Hub) -> Iterator[Callable[..., Page]]:
    """Opens the dashboard by its printed link; at the end no page may have complained."""
    complaints: list[str] = []
    contexts = []

    def open_page(link: str = "", path: str = "", **options: object) -> Page:
        settings: dict[str, object] = {"viewport": {"width": 1600, "height": 900}, **options}
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        contexts.append(context)
        context.set_default_timeout(PATIENCE_MS)
        page = context.new_page()
        page.on(
            "console", lambda said: complaints.append(said.text) if is_complaint(said) else None
        )
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(link or find_link(hub.output.read_text()))
        page.wait_for_function("() => window.__laneway?.state().link === 'live'")
        if path:
            page.goto(f"{hub.url}{path}")
            page.wait_for_function("() => window.__laneway?.state().link === 'live'")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert complaints == []
