"""From `log_event` in one process to the painted page: 1,000 events/s, 20 viewers beside the browser.

In the page, every animation frame looks which events are in the picture by
then; an event counts as painted at the frame after the one that drew it.
"""

import asyncio
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from playwright.sync_api import sync_playwright
from websockets.asyncio.client import connect

from bench.live import RATE, SECONDS, SENDER, VIEWERS
from bench.table import machine, middle, quantile, show, tell
from tests.e2e.conftest import find_chromium, find_link
from tests.torture.harness import Hub

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
            command = [sys.executable, "-c", SENDER, str(RATE), str(SECONDS)]
            subprocess.run(command, env=env, check=True)
            page.wait_for_timeout(1_000)
            delays_ms = page.evaluate("() => window.__delays")
        finally:
            crowd.leave()
            browser.close()
            hub.stop()
    return {
        "way": mode,
        "p50 ms": middle(delays_ms),
        "p99 ms": quantile(delays_ms, 0.99),
        "events": f"{len(delays_ms)} of {RATE * SECONDS}",
    }


def main() -> None:
    rows = [measure(mode) for mode in ("file mode", "HTTP mode")]
    for name in ("p50", "p99"):
        slower = max(float(str(row[f"{name} ms"])) for row in rows)
        tell(f"painted.{name}_ms", slower, runs=RATE * SECONDS)
    show(f"Event to painted page, {RATE} events/s, {VIEWERS} further viewers ({machine()})", rows)


if __name__ == "__main__":
    main()
