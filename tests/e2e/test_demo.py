"""`make demo`: the assistant at work is seen in a browser."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, expect

from tests.e2e.conftest import PATIENCE_MS, find_link, is_complaint
from tests.port import free_port
from tests.waiting import eventually

pytestmark = [pytest.mark.browser, pytest.mark.timeout(600)]

ROOT = Path(__file__).parents[2]

VISIBLE_ROW = """() => [...document.querySelectorAll("[data-testid=stream] .text")].find(row => {
  const box = row.getBoundingClientRect();
  const hit = document.elementFromPoint(box.left + 5, box.top + box.height / 2);
  return row.textContent.includes("redacted:") && row.contains(hit);
})"""
"""A row of the stream with a mark of redaction that is not under the stream's head."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Path]:
    """The demo as a process with an empty home; gives what it printed."""
    output = tmp_path / "demo.out"
    env = {name: value for name, value in os.environ.items() if not name.startswith("LANEWAY_")}
    env |= {"HOME": str(tmp_path), "LANEWAY_HOME": str(tmp_path / "demo-home"), "NO_COLOR": "1"}
    command = [sys.executable, "-m", "laneway", "demo", "--port", str(free_port())]
    with output.open("wb") as out:
        process = subprocess.Popen(command, cwd=ROOT, env=env, stdout=out, stderr=out)
    try:
        eventually(lambda: "#code=" in output.read_text() or process.poll() is not None, "the link")
        yield output
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(180)


def test_the_assistant_is_seen_at_work(demo: Path, browser: Browser) -> None:
    complaints: list[str] = []
    page = browser.new_context(viewport={"width": 1600, "height": 900}).new_page()
    page.set_default_timeout(PATIENCE_MS)
    page.on("console", lambda m: complaints.append(m.text) if is_complaint(m) else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(find_link(demo.read_text()))
    page.wait_for_function("() => window.__laneway?.visible().total > 100")

    def parents() -> dict[str, str]:
        agents = page.evaluate("() => window.__laneway.agents()")
        return {lane["name"]: lane["parent"] for lane in agents}

    wanted = {"assistant", "planner", "researcher", "coder", "memory"}
    eventually(lambda: wanted <= parents().keys())
    eventually(lambda: parents()["researcher"] == "planner")

    page.wait_for_function("() => window.__laneway.openBars().length > 0")
    bar = page.evaluate("() => window.__laneway.openBars().find(b => b.event !== 'session_start')")
    if bar:
        page.wait_for_function(
            "start => !window.__laneway.openBars().some(b => b.startMs === start)",
            arg=bar["startMs"],
        )
    page.wait_for_function("() => window.__laneway.agents().some(lane => lane.errors > 0)")
    page.wait_for_function("() => window.__laneway.bars().some(bar => bar.isFailed)")

    total = page.evaluate("() => window.__laneway.visible().total")
    page.get_by_test_id("filter-input").fill("agent:coder")
    page.keyboard.press("Enter")
    page.wait_for_function(f"() => window.__laneway.visible().matching < {total // 2}")
    page.get_by_test_id("filter-clear").click()

    page.get_by_test_id("filter-input").fill('~"redacted:"')
    page.wait_for_function("() => window.__laneway.visible().matching > 0")
    page.wait_for_function(VISIBLE_ROW).as_element().click()  # type: ignore[union-attr]
    expect(page.get_by_test_id("redacted").first).to_be_visible()
    assert complaints == []
    page.context.close()
