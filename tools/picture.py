"""Takes the README's pictures: the demo at work, in a real browser, light and dark."""

import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from tests.e2e.conftest import find_chromium, find_link
from tests.torture.harness import free_port, wait_for

PICTURES = Path(__file__).parents[1] / "docs" / "pictures"
SIZE = {"width": 1440, "height": 940}


def start_demo(output: Path) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "laneway", "demo", "--port", str(free_port())]
    with output.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
    wait_for(lambda: re.search("#code=", output.read_text()), "the demo", 120)
    return process


def take(page: Page, name: str) -> None:
    PICTURES.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=PICTURES / f"{name}.png")


def open_failed_call(page: Page) -> None:
    """The newest failed tool call, opened in the detail."""
    bar = page.evaluate(
        "() => window.__laneway.bars().filter(b => b.isFailed && b.category === 'tool').at(-1)"
    )
    box = page.get_by_test_id("lanes-canvas").bounding_box()
    if bar and box:
        x = box["x"] + (bar["leftPx"] + bar["rightPx"]) / 2
        page.mouse.click(x, box["y"] + bar["middlePx"])
        page.get_by_test_id("detail").wait_for()


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
            page.get_by_role("button", name="30 s", exact=True).click()
            time.sleep(45)  # the quick history of the start has left the window by then
            take(page, "dark")
            page.emulate_media(color_scheme="light")
            open_failed_call(page)
            time.sleep(1)
            take(page, "light")
            browser.close()
    finally:
        demo.send_signal(signal.SIGINT)
        demo.wait(30)
        output.unlink()


if __name__ == "__main__":
    main()
