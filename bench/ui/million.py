"""Zooming from a day to seconds and back, with a million events in memory.

Measured by the clock of the renderer's main thread, so that it holds beside other work: all that the thread
did, a frame, and each animation frame by itself (Chromium's trace), where the slowest ones show. The wheel is
turned once in the time of a frame, from outside: a script of ours that waited in the page for its frames
would be measured as the page's. The events are told by a socket within the page (``million.js``), in place
of the hub's.
"""

import time
from dataclasses import dataclass
from pathlib import Path

import orjson
from playwright.sync_api import Browser, Page

from bench.table import sized
from bench.ui.page import SIZE, heap_mib, metrics, mock_hub

SOCKET = Path(__file__).parent / "million.js"
EVENTS = sized(1_000_000, 20_000)
TURNS = sized(240, 24)
"""Of the wheel: half of them in, half of them out again."""

WHEEL_PX = 90
SETTLE_MS = sized(3_000, 300)
FRAME_MS = 1000 / 60


@dataclass(frozen=True)
class Zoomed:
    """Times in ms, of the main thread's own clock."""

    events: int
    frames: int
    task_per_frame: float
    p50: float
    p95: float
    p99: float
    took_in_s: float
    heap_mib: float

    def row(self) -> dict[str, object]:
        return {
            "events": f"{self.events:,}",
            "frames": self.frames,
            "task ms": self.task_per_frame,
            "animation frame p50": self.p50,
            "p95": self.p95,
            "p99 ms": self.p99,
            "taken in, s": self.took_in_s,
            "heap MiB": round(self.heap_mib),
        }


def zoom(browser: Browser) -> Zoomed:
    with mock_hub(1, 1) as url:
        page = browser.new_page(viewport=SIZE)
        page.add_init_script(f"window.__events = {EVENTS}")
        page.add_init_script(path=SOCKET)
        started = time.monotonic()
        page.goto(url)
        wanted = f"() => window.__laneway?.visible().total >= {EVENTS}"
        page.wait_for_function(wanted, timeout=300_000)
        took_in_s = time.monotonic() - started
        page.keyboard.press("0")
        page.wait_for_timeout(SETTLE_MS)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.evaluate("() => window.__laneway.resetFrames()")
        before = metrics(session)["TaskDuration"]
        browser.start_tracing(page=page, categories=["devtools.timeline"])
        turn_wheel(page)
        frames_ms = animation_frames_ms(browser.stop_tracing())
        frames = page.evaluate("() => window.__laneway.frames.count")
        task_ms = 1000 * (metrics(session)["TaskDuration"] - before)
        zoomed = Zoomed(
            events=page.evaluate("() => window.__laneway.visible().matching"),
            frames=frames,
            task_per_frame=task_ms / max(1, frames),
            p50=at(frames_ms, 0.5),
            p95=at(frames_ms, 0.95),
            p99=at(frames_ms, 0.99),
            took_in_s=took_in_s,
            heap_mib=heap_mib(session),
        )
        page.close()
    return zoomed


def turn_wheel(page: Page) -> None:
    box = page.get_by_test_id("axis").bounding_box()
    assert box
    page.mouse.move(box["x"] + box["width"] * 0.7, box["y"] + 10)
    for turn in range(TURNS):
        page.mouse.wheel(0, -WHEEL_PX if turn < TURNS // 2 else WHEEL_PX)
        page.wait_for_timeout(FRAME_MS)


def animation_frames_ms(trace: bytes) -> list[float]:
    """The processor time of each, the quickest first."""
    events = orjson.loads(trace)["traceEvents"]
    frames = [event for event in events if event["name"] == "FireAnimationFrame"]
    return sorted(event["tdur"] / 1000 for event in frames if "tdur" in event)


def at(sorted_ms: list[float], share: float) -> float:
    return sorted_ms[min(len(sorted_ms) - 1, int(len(sorted_ms) * share))]
