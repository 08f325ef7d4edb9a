"""Takes the pictures of the documents: each view of the demo at work, in a real browser, light and dark."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import find_chromium, find_link
from tests.port import free_port
from tests.waiting import eventually

ROOT = Path(__file__).parents[1]
PICTURES = ROOT / "docs" / "pictures"
SIZE = {"width": 1440, "height": 940}
SCHEMES = ("dark", "light")
SETTLE_MS = 1500
"""All that a view fetches has come, and nothing fades any more."""


def start_demo(output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "laneway", "demo", "--port", str(free_port())]
    with output.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    eventually(lambda: re.search("#code=", output.read_text()), "the demo", 120)
    return process


LEAVE_OUT = """root => {
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    const text = texts.currentNode;
    if (text.nodeValue.includes(root)) text.nodeValue = text.nodeValue.replaceAll(root, "~/laneway");
  }
}"""
"""Where the machine that takes the pictures keeps its files is nobody's business."""


def take(page: Page, name: str) -> None:
    """The view that is open, in both schemes: `NAME-dark.png` and `NAME-light.png`."""
    PICTURES.mkdir(parents=True, exist_ok=True)
    for scheme in SCHEMES:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.wait_for_timeout(SETTLE_MS)
        page.evaluate(LEAVE_OUT, str(ROOT))
        page.screenshot(path=PICTURES / f"{name}-{scheme}.png")


FAILED_CALL = """() => window.__laneway.events()
  .findLast(one => one.event === "tool_result" && one.text.startsWith("✗")).seq"""


def open_failed_call(page: Page) -> None:
    """The newest failed tool call, opened in the detail."""
    page.goto(f"{page.url.split('?')[0]}?last=30000&sel=@{page.evaluate(FAILED_CALL)}")
    page.get_by_test_id("detail-error").wait_for()


def open_session(page: Page) -> None:
    """One in which something failed, at a step in its middle."""
    row = page.locator("[data-testid=session]").filter(has=page.locator(".bad")).first
    row.locator(".title button").click()
    page.get_by_test_id("turn").first.wait_for()


def make_alert(page: Page) -> None:
    page.get_by_test_id("alert-new").click()
    page.get_by_test_id("alert-name").fill("The coder fails")
    page.get_by_test_id("alert-query").fill("agent:coder has:error")
    page.get_by_test_id("alert-limit").fill("2")
    page.get_by_test_id("alert-window").fill("10m")
    page.get_by_test_id("alert-save").click()
    page.get_by_test_id("alert-rule").wait_for()


def take_all(page: Page) -> None:
    page.get_by_role("button", name="30 s", exact=True).click()
    time.sleep(45)  # the quick history of the start has left the window by then
    take(page, "live")
    open_failed_call(page)
    take(page, "detail")
    page.keyboard.press("Escape")
    page.keyboard.press("End")
    page.keyboard.press("!")
    make_alert(page)
    take(page, "alerts")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.get_by_test_id("filter-input").fill("agent:")
    take(page, "search")
    page.get_by_test_id("filter-input").fill("")
    page.keyboard.press("Escape")
    page.keyboard.press("b")
    page.keyboard.press("3")
    take(page, "insights")
    page.keyboard.press("2")
    take(page, "sessions")
    open_session(page)
    take(page, "session")


def main() -> None:
    output = Path(".demo.out")
    demo = start_demo(output)
    try:
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(
                executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
            )
            context = browser.new_context(viewport=SIZE, color_scheme="dark")  # type: ignore[arg-type]
            page = context.new_page()
            page.add_init_script("localStorage.setItem('laneway.tour', 'seen')")
            page.goto(find_link(output.read_text()))
            take_all(page)
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
        output.unlink()


if __name__ == "__main__":
    main()
