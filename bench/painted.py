"""From `log_event` in one process to the painted page: 1,000 events/s, 20 viewers beside the browser.

In the page, every animation frame looks which events are in the picture by
then; an event counts as painted at the frame after the one that drew it. What a page that was empty takes for
its very first event is told apart: it makes the lanes meanwhile, once.
"""

import base64
import os
import selectors
import socket
import subprocess
import sys
import tempfile
import threading
from pathlib import Path
from typing import cast

from playwright.sync_api import Page, sync_playwright

from bench.live import RATE, SECONDS, SENDER, VIEWERS
from bench.table import machine, middle, quantile, show, sized, tell
from tests.e2e.conftest import find_chromium, find_link
from tests.torture.harness import Hub

FIRST_S = sized(0.5, 0.1)
"""Of the same rate, before what is measured: the lanes are there then."""

LEAVE_S = 0.1
"""The crowd looks so often whether it may leave."""

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
    """Viewers that take what they get, on bare sockets in one thread. Those of real people work on other
    machines; as clients of a library for WebSockets they took of the two cores that the page has here."""

    def __init__(self, hub: Hub) -> None:
        self._sockets = [follow(hub) for _ in range(VIEWERS)]
        self._byte_counts = dict.fromkeys(self._sockets, 0)
        self._is_leaving = False
        self._thread = threading.Thread(target=self._take)
        self._thread.start()

    def _take(self) -> None:
        with selectors.DefaultSelector() as ready:
            for one in self._sockets:
                ready.register(one, selectors.EVENT_READ)
            while not self._is_leaving:
                for key, _ in ready.select(LEAVE_S):
                    one = cast(socket.socket, key.fileobj)
                    count = len(one.recv(1 << 18))
                    self._byte_counts[one] += count
                    if not count:
                        ready.unregister(one)

    def leave(self) -> int:
        """How many bytes came to the one who got the fewest."""
        self._is_leaving = True
        self._thread.join()
        for one in self._sockets:
            one.close()
        return min(self._byte_counts.values(), default=0)


def follow(hub: Hub) -> socket.socket:
    """A viewer's socket after the handshake."""
    one = socket.create_connection(("127.0.0.1", hub.port))
    key = base64.b64encode(os.urandom(16)).decode()
    head = (
        "GET /logs/ws?history=0 HTTP/1.1",
        f"Host: 127.0.0.1:{hub.port}",
        f"Authorization: Bearer {hub.access_token}",
        "Upgrade: websocket",
        "Connection: Upgrade",
        f"Sec-WebSocket-Key: {key}",
        "Sec-WebSocket-Version: 13",
    )
    one.sendall("\r\n".join((*head, "", "")).encode())
    answer = one.recv(4096)
    assert answer.startswith(b"HTTP/1.1 101 "), answer
    return one


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
            fewest_bytes = crowd.leave()
            browser.close()
            hub.stop()
    return {
        "way": mode,
        "first event ms": first_ms,
        "p50 ms": middle(delays_ms),
        "p99 ms": quantile(delays_ms, 0.99),
        "events": f"{len(delays_ms)} of {RATE * SECONDS}",
        "to each viewer": f"{fewest_bytes / 1024:.0f} KiB",
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
