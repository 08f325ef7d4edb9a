"""The page in headless Chromium, in front of the mock hub: what the benches of `bench.ui` share."""

import contextlib
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, Playwright

ROOT = Path(__file__).parents[2]
SIZE = {"width": 1600, "height": 900}


@contextlib.contextmanager
def launch(playwright: Playwright) -> Iterator[Browser]:
    browser = playwright.chromium.launch(
        executable_path=shutil.which("chromium") or shutil.which("chromium-browser"),
        args=["--no-sandbox", "--disable-gpu"],
    )
    try:
        yield browser
    finally:
        browser.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@contextlib.contextmanager
def mock_hub(agents: int, rate: int) -> Iterator[str]:
    port = free_port()
    command = ["node", "dev/hub.mjs", "--port", str(port)]
    command += ["--agents", str(agents), "--rate", str(rate)]
    process = subprocess.Popen(command, cwd=ROOT / "ui", stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/logs"
    try:
        wait_until_up(url)
        yield url
    finally:
        process.terminate()
        process.wait(10)


def wait_until_up(url: str, seconds: float = 120) -> None:
    deadline = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=1).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.1)


def metrics(session: CDPSession) -> dict[str, float]:
    found = session.send("Performance.getMetrics")["metrics"]
    return {metric["name"]: metric["value"] for metric in found}


def sweep(page: Page, seconds: float, turns: int = 20) -> None:
    """In and out again with the wheel: of 20 turns from seconds to minutes."""
    box = page.get_by_test_id("axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 10)
    ends = time.monotonic() + seconds
    step = 0
    while time.monotonic() < ends:
        page.mouse.wheel(0, 90 if step % (2 * turns) < turns else -90)
        page.wait_for_timeout(16)
        step += 1


def heap_mib(session: CDPSession) -> float:
    session.send("HeapProfiler.enable")
    session.send("HeapProfiler.collectGarbage")
    used: float = session.send("Runtime.getHeapUsage")["usedSize"] / 2**20
    return used
