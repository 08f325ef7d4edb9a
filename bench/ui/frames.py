"""Main-thread time of the dashboard in headless Chromium: milliseconds a frame, not frames a second.

Against the mock hub of ``ui/dev`` (needs Node), at 5,000 events a second from 50 agents::

    python -m bench.ui.frames [--rate 5000] [--agents 50] [--seconds 10]

or against a hub that runs already, with whatever it is being sent::

    python -m bench.ui.frames --url 'http://127.0.0.1:8001/logs#code=…' [--query agent:coder]

and, with the mock hub, over a million events in memory (`bench.ui.million`).

"work" is what the page's own frame loop took, and the messages taken in since the frame before;
"task" is all that the main thread did, a frame that drew, in its own CPU time (Chromium's
TaskDuration in thread ticks: script, style, layout, paint, garbage collection). "frames/s" are those
that the browser gave a page that asks for each, as the one of a game does; "drawn/s" those in which
Laneway had something to draw. The goal of frames a second is judged where each frame shows something else:
over `MOVING`, in which a bar moves by a quarter of a pixel or more from frame to frame. Over five minutes it
moves by less, and the page draws with each message of the hub instead (docs/adr/0034-drawn-frames.md): that
row is told as well, and its cost is in the goal of milliseconds. Beside it, in the same browser, stand pages
that do nothing else than count frames, and fill a canvas.
"""

import argparse
import time
from collections.abc import Iterator
from dataclasses import dataclass

from playwright.sync_api import Browser, CDPSession, Page, sync_playwright

from bench.table import machine, show, sized, tell
from bench.ui.million import zoom
from bench.ui.page import SIZE, launch, metrics, mock_hub, sweep

SETTLE_MS = sized(4_000, 500)
MOVING = ("follow, last 30 s", "follow, last 1 m")
"""Scenes that move from frame to frame by what the eye sees."""

LONG_TASKS = """() => {
  window.longTasks = [];
  new PerformanceObserver(list => window.longTasks.push(...list.getEntries().map(e => e.duration)))
    .observe({type: 'longtask'});
}"""


COUNT_FRAMES = """() => {
  window.frameCount = 0;
  const count = () => (window.frameCount++, requestAnimationFrame(count));
  requestAnimationFrame(count);
}"""
BARE_PAGE = """<!doctype html><body style="margin: 0"><canvas width="{0}" height="{1}"></canvas><script>
const [canvas] = document.getElementsByTagName("canvas");
const ctx = canvas.getContext("2d", {{ alpha: false }});
let turn = 0;
const draw = () => {{
  ctx.fillStyle = turn++ % 2 ? "#345" : "#346";
  ctx.fillRect(0, 0, {0}, {1});
  requestAnimationFrame(draw);
}};
if ({0} > 0) draw();
</script>"""
"""Fills its canvas in every frame; without a canvas it only is there."""


@dataclass(frozen=True)
class Measured:
    """One scene over ``seconds``; times in ms."""

    scene: str
    seconds: float
    frames: int
    shown: int
    """Frames that the browser gave; ``frames`` are those of them in which the page drew."""
    events: int
    work_p50: float
    work_p95: float
    work_p99: float
    task_per_frame: float
    parts: str
    busy_ratio: float
    long_tasks: int
    heap_mib: float

    def row(self) -> dict[str, object]:
        return {
            "scene": self.scene,
            "events/s": round(self.events / self.seconds),
            "frames/s": self.shown / self.seconds,
            "drawn/s": self.frames / self.seconds,
            "work p50": self.work_p50,
            "p95": self.work_p95,
            "p99 ms": self.work_p99,
            "task ms": self.task_per_frame,
            "script / style / layout": self.parts,
            "busy": f"{self.busy_ratio:.0%}",
            "long": self.long_tasks,
            "heap MiB": round(self.heap_mib),
        }


def measure(page: Page, session: CDPSession, scene: str, seconds: float) -> Measured:
    """Lets the page run; sweeps the zoom meanwhile where the scene is one."""
    page.evaluate("() => { window.__laneway.resetFrames(); window.longTasks.length = 0 }")
    shown = page.evaluate("() => window.frameCount")
    before, total, started = metrics(session), count_events(page), time.monotonic()
    if "zoom" in scene:
        sweep(page, seconds)
    else:
        page.wait_for_timeout(seconds * 1000)
    took = time.monotonic() - started
    after, frames = metrics(session), page.evaluate("() => window.__laneway.frames")
    task_s = after["TaskDuration"] - before["TaskDuration"]
    return Measured(
        scene=scene,
        seconds=took,
        frames=frames["count"],
        shown=page.evaluate("() => window.frameCount") - shown,
        events=count_events(page) - total,
        work_p50=frames["work"]["p50"],
        work_p95=frames["work"]["p95"],
        work_p99=frames["work"]["p99"],
        task_per_frame=1000 * task_s / max(1, frames["count"]),
        parts=" / ".join(
            f"{1000 * (after[name] - before[name]) / max(1, frames['count']):.1f}"
            for name in ("ScriptDuration", "RecalcStyleDuration", "LayoutDuration")
        ),
        busy_ratio=task_s / took,
        long_tasks=page.evaluate("() => window.longTasks.length"),
        heap_mib=after["JSHeapUsedSize"] / 2**20,
    )


def count_events(page: Page) -> int:
    return page.evaluate("() => window.__laneway.visible().total")


def scenes(page: Page, session: CDPSession, seconds: float) -> Iterator[Measured]:
    for name in ("30 s", "1 m", "5 m"):
        page.get_by_role("button", name=name, exact=True).click()
        page.wait_for_timeout(SETTLE_MS)
        yield measure(page, session, f"follow, last {name}", seconds)
    yield measure(page, session, "zoom sweep while following", seconds)
    page.keyboard.press("Space")
    page.wait_for_timeout(1_000)
    yield measure(page, session, "paused while events come", seconds)


def run(url: str, seconds: float, query: str = "") -> None:
    with sync_playwright() as playwright, launch(playwright) as browser:
        page = browser.new_page(viewport=SIZE)
        page.goto(url)
        page.wait_for_function("() => window.__laneway?.visible().total > 0")
        if query:
            page.get_by_test_id("filter-input").fill(query)
            page.get_by_test_id("filter-input").press("Enter")
            page.wait_for_function("() => !window.__laneway.state().isSearching")
        page.evaluate(LONG_TASKS)
        page.evaluate(COUNT_FRAMES)
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        found = list(scenes(page, session, seconds))
        page.close()
        sizes = ((0, 0), (1, 1), (SIZE["width"], SIZE["height"]))
        bare = [bare_page(browser, width, height, seconds) for width, height in sizes]
    show(f"The page ({machine()})", [measured.row() for measured in found])
    show("Beside it: pages that do nothing else", bare)
    following = [measured for measured in found if measured.scene.startswith("follow")]
    moving = [measured for measured in found if measured.scene in MOVING]
    fewest = min(measured.frames / measured.seconds for measured in moving)
    dearest = max(measured.task_per_frame for measured in following)
    given, filled = float(str(bare[0]["frames/s"])), float(str(bare[-1]["task ms"]))
    tell(
        "frames.per_s",
        fewest,
        runs=len(moving),
        peer="a page that only counts",
        peer_value=given,
    )
    full = "a page that fills one canvas"
    tell("frames.task_ms", dearest, runs=len(following), peer=full, peer_value=filled)


def bare_page(browser: Browser, width: int, height: int, seconds: float) -> dict[str, object]:
    """What this browser gives, and what it takes for a canvas, on this machine and now."""
    page = browser.new_page(viewport=SIZE)
    page.set_content(BARE_PAGE.format(width, height))
    page.evaluate(COUNT_FRAMES)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    before, started = metrics(session)["TaskDuration"], time.monotonic()
    page.wait_for_timeout(seconds * 500)
    frames, took_s = page.evaluate("() => window.frameCount"), time.monotonic() - started
    task_ms = 1000 * (metrics(session)["TaskDuration"] - before)
    page.close()
    drawn = f"a canvas of {width} × {height}" if width else "nothing"
    return {"fills": drawn, "frames/s": frames / took_s, "task ms": task_ms / max(1, frames)}


def run_million() -> None:
    with sync_playwright() as playwright, launch(playwright) as browser:
        zoomed = zoom(browser)
    show(f"Zoom from a day to seconds and back ({machine()})", [zoomed.row()])
    tell("frames.million", zoomed.task_per_frame, runs=zoomed.frames, events=zoomed.events)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--url", help="of a hub that runs; else a mock hub is started")
    parser.add_argument("--query", default="", help="for the filter, of a hub that runs")
    parser.add_argument("--rate", type=int, default=5_000)
    parser.add_argument("--agents", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=sized(10.0, 1.0))
    options = parser.parse_args()
    if options.url:
        run(options.url, options.seconds, options.query)
    else:
        with mock_hub(options.agents, options.rate) as url:
            run(url, options.seconds)
        run_million()


if __name__ == "__main__":
    main()
