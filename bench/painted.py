"""From `log_event` in one process to the painted page: 1,000 events/s, 20 viewers beside the browser.

In the page, every animation frame looks which events are in the picture by
then; an event counts as painted at the frame after the one that drew it. What a page that was empty takes for
its very first event is told apart: it makes the lanes meanwhile, once.
"""

import asyncio
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from websockets.asyncio.client import connect

from bench.live import RATE, SECONDS, SENDER, VIEWERS
from bench.table import machine, middle, quantile, show, sized, tell
from tests.e2e.conftest import find_chromium, find_link
from tests.torture.harness import Hub

FIRST_S = sized(0.5, 0.1)
"""Of the same rate, before what is measured: the lanes are there then."""

WATCH = """() => {
  const delays = (window.__delays = []);
  let drawn = window.__laneway.state().lastSeq;
  let pending = [];
  const look = () => {
    const nowMs = performance.timeOrigin + performance.now();
    for (const timeMs of pending) delays.push(nowMs - timeMs);
    pending = [];
    const last = window.__laneway.state().lastSeq;
    if (last > drawn) {
      pending = window.__laneway.events(last - drawn).map((event) => event.timeMs);
      drawn = last;
    }
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""

THREE_FRAMES = """() => new Promise(resolve =>
  requestAnimationFrame(() => requestAnimationFrame(() => requestAnimationFrame(resolve))))"""


class Crowd:
    """Viewers that take what they get and do nothing with it."""

    def __init__(self, hub: Hub) -> None:
        self._hub = hub
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._run(),))
        self._thread.start()

    async def _run(self) -> None:
        self._tasks = [asyncio.create_task(self._watch()) for _ in range(VIEWERS)]
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _watch(self) -> None:
        headers = {"Authorization": f"Bearer {self._hub.access_token}"}
        address = f"ws://127.0.0.1:{self._hub.port}/logs/ws?history=0"
        async with connect(
            address, additional_headers=headers, compression=None, max_size=None
        ) as ws:
            async for _ in ws:
                pass

    def leave(self) -> None:
        for task in self._tasks:
            self._loop.call_soon_threadsafe(task.cancel)
        self._thread.join()


def measure(mode: str) -> dict[str, object]:
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        hub = Hub(Path(folder) / "home", Path(folder) / "log")
        hub.start()
        env = {**hub.env, "LOGGING_URL": f"{hub.url}/log"} if mode == "HTTP mode" else hub.env
        browser = playwright.chromium.launch(
            executable_path=find_chromium(), args=["--no-sandbox", "--disable-gpu"]
        )
        crowd = Crowd(hub)
        try:
            page = browser.new_page(viewport={"width": 1600, "height": 900})
            page.goto(find_link(hub.output.read_text()))
            page.wait_for_function("() => window.__laneway?.state().link === 'live'")
            page.evaluate(WATCH)
            first_ms = send(page, env, FIRST_S)[0]
            delays_ms = send(page, env, SECONDS)
        finally:
            crowd.leave()
            browser.close()
            hub.stop()
    return {
        "way": mode,
        "first event ms": first_ms,
        "p50 ms": middle(delays_ms),
        "p99 ms": quantile(delays_ms, 0.99),
        "events": f"{len(delays_ms)} of {RATE * SECONDS}",
    }


def send(page: Page, env: dict[str, str], seconds: float) -> list[float]:
    """How long each event took, in the order in which they were painted."""
    known = page.evaluate("() => Math.max(0, window.__laneway.state().lastSeq)")
    subprocess.run([sys.executable, "-c", SENDER, str(RATE), str(seconds)], env=env, check=True)
    wanted = known + int(RATE * seconds)
    page.wait_for_function(f"() => window.__laneway.state().lastSeq >= {wanted}", timeout=60_000)
    page.evaluate(THREE_FRAMES)
    delays_ms: list[float] = page.evaluate("() => window.__delays.splice(0)")
    return delays_ms


def main() -> None:
    rows = [measure(mode) for mode in ("file mode", "HTTP mode")]
    for name in ("p50", "p99"):
        slower = max(float(str(row[f"{name} ms"])) for row in rows)
        tell(f"painted.{name}_ms", slower, runs=RATE * SECONDS)
    show(f"Event to painted page, {RATE} events/s, {VIEWERS} further viewers ({machine()})", rows)


if __name__ == "__main__":
    main()
