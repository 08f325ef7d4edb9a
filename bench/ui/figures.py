"""Every figure the page is held to, with its limit, in one run of headless Chromium.

    python -m bench.ui.figures [--seconds 10] [--minutes 0] [--only WORDS]

The fleets are those of the mock hub (``ui/dev``, needs Node); the million is told by a socket within the
page (``million.js``); the first paint is on a real hub that holds 10,000 events. Times of frames are the
main thread's own, so they hold beside other work; the first paint is by the wall clock and does not.
``--minutes`` adds a run at ``--rate`` events a second: the heap after each collection, and its slope once
the memory is full (a million events, under 4 minutes at 5,000 a second). The dashboard of disler is in no
package registry: it has no row.
"""

import argparse
import gzip
import re
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from playwright.sync_api import Browser, CDPSession, Page, Response, sync_playwright

from bench.table import machine, show
from bench.ui.frames import COUNT_FRAMES, LONG_TASKS, measure
from bench.ui.million import zoom
from bench.ui.page import SIZE, heap_mib, launch, mock_hub
from tests.torture.harness import Hub

HISTORY = 10_000
HISTORY_SENDER = """
import sys, laneway
for i in range(int(sys.argv[1])):
    laneway.log_event(f"agent-{i % 50}", "log", "x" * 200, i=i)
laneway.flush(60)
"""
FIRST_PAINT = f"""async () => {{
  const drawn = () => window.__laneway?.visible().total >= {HISTORY} && window.__laneway.frames.count > 0;
  while (!drawn()) await new Promise(requestAnimationFrame);
  return performance.now();
}}"""
ROUNDS = 5
HEAP_EVERY_S = 20
FULL_MEMORY = 1 << 20
Row = dict[str, object]


def row(figure: str, limit: str, seen: str, *, holds: bool | None) -> Row:
    verdict = "" if holds is None else "yes" if holds else "**no**"
    return {"figure": figure, "limit": limit, "measured": seen, "holds": verdict}


def open_page(browser: Browser, url: str) -> tuple[Page, CDPSession]:
    page = browser.new_page(viewport=SIZE)
    page.goto(url)
    page.wait_for_function("() => window.__laneway?.visible().total > 0")
    page.evaluate(LONG_TASKS)
    page.evaluate(COUNT_FRAMES)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    return page, session


def live(browser: Browser, seconds: float, agents: int) -> Iterator[Row]:
    with mock_hub(agents, 5_000) as url:
        page, session = open_page(browser, url)
        page.wait_for_timeout(5_000)
        seen = measure(page, session, "follow", seconds)
        page.close()
    name = f"{seen.events / seen.seconds:,.0f} events/s, {agents} agents"
    work = (
        f"own work {seen.work_p50:.1f} / {seen.work_p95:.1f} / {seen.work_p99:.1f} ms (p50/p95/p99)"
    )
    whole = f"main thread {seen.task_per_frame:.1f} ms a frame"
    limit = "6 ms a frame" if agents == 50 else "usable"
    holds = seen.task_per_frame <= 6 if agents == 50 else seen.busy_ratio < 0.9
    yield row(
        name, limit, f"{whole}; {work}; {seen.shown / seen.seconds:.0f} frames/s", holds=holds
    )
    yield row(f"{name}: long tasks", "0", str(seen.long_tasks), holds=seen.long_tasks == 0)


def million(browser: Browser, _: float) -> Iterator[Row]:
    seen = zoom(browser)
    times = (
        f"{seen.p50:.1f} / {seen.p95:.1f} / {seen.p99:.1f} ms of an animation frame (p50/p95/p99)"
    )
    times += f"; main thread {seen.task_per_frame:.1f} ms a frame"
    yield row(
        f"zoom sweep, {seen.events:,} events in memory", "8 ms p99", times, holds=seen.p99 <= 8
    )
    taken = f"{seen.took_in_s:.1f} s, heap {seen.heap_mib:.0f} MiB"
    yield row(f"{seen.events:,} events taken in", "", taken, holds=None)


def first_paint(browser: Browser, _: float) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        hub = Hub(Path(folder) / "home", Path(folder) / "log")
        hub.home.mkdir()
        subprocess.run(
            [sys.executable, "-c", HISTORY_SENDER, str(HISTORY)], env=hub.env, check=True
        )
        hub.start()
        try:
            yield from painted(browser, hub)
        finally:
            hub.stop()


def painted(browser: Browser, hub: Hub) -> Iterator[Row]:
    context = browser.new_context(viewport=SIZE)
    page = context.new_page()
    loaded: list[Response] = []
    page.on("response", lambda one: loaded.append(one))
    page.goto(link_of(hub))
    page.wait_for_function(f"() => window.__laneway?.visible().total >= {HISTORY}", timeout=120_000)
    weight = sum(len(gzip.compress(one.body(), 9)) for one in loaded if is_part(one))
    times = []
    for _ in range(ROUNDS):
        page.goto(f"{hub.url}/logs")
        times.append(page.evaluate(FIRST_PAINT))
    page.wait_for_timeout(8_000)
    page.evaluate("() => window.__laneway.resetFrames()")
    page.wait_for_timeout(6_000)
    redraws = page.evaluate("() => window.__laneway.frames.redraws")
    context.close()
    middle = statistics.median(times)
    seen = f"{middle:.0f} ms, best {min(times):.0f} ms (of {ROUNDS})"
    yield row(
        f"first paint with {HISTORY:,} events of history", "700 ms", seen, holds=middle <= 700
    )
    yield row("redraws in 6 s of an idle page", "0", str(redraws), holds=redraws == 0)
    kilobytes = weight / 1000
    yield row("page weight, gzip", "150 kB", f"{kilobytes:.0f} kB", holds=kilobytes <= 150)


def link_of(hub: Hub) -> str:
    found = re.search(r"http://\S+#code=\S+", hub.output.read_text())
    assert found, "the hub printed no link"
    return found.group()


def is_part(response: Response) -> bool:
    """Code and style of the first view: what comes before anything is asked for."""
    return response.request.resource_type in ("document", "script", "stylesheet")


def heap(browser: Browser, minutes: float, rate: int) -> Iterator[Row]:
    seen: list[tuple[float, int, float]] = []
    with mock_hub(50, rate) as url:
        page, session = open_page(browser, url)
        started = time.monotonic()
        while (at := time.monotonic() - started) < minutes * 60:
            total = page.evaluate("() => window.__laneway.visible().total")
            seen.append((at, total, heap_mib(session)))
            page.wait_for_timeout(HEAP_EVERY_S * 1_000)
        page.close()
    (first_at, first_total, _), (last_at, last_total, _) = seen[0], seen[-1]
    came = (last_total - first_total) / (last_at - first_at)
    yield row(f"events a second over {last_at / 60:.0f} minutes", "", f"{came:,.0f}", holds=None)
    full = [(at, mib) for at, total, mib in seen if total >= FULL_MEMORY]
    for at, total, mib in seen[:: max(1, len(seen) // 8)]:
        yield row(f"heap at {at / 60:.1f} min, {total:,} events", "", f"{mib:.0f} MiB", holds=None)
    if len(full) < 4:
        yield row("heap once memory is full", "flat", "memory was not full", holds=None)
        return
    slope, _ = statistics.linear_regression([at / 60 for at, _ in full], [mib for _, mib in full])
    text = f"{slope:+.2f} MiB a minute over the last {(full[-1][0] - full[0][0]) / 60:.1f} minutes"
    yield row("heap once memory is full", "flat", text, holds=abs(slope) < 0.01 * full[0][1])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--minutes", type=float, default=0)
    parser.add_argument("--rate", type=int, default=5_000, help="of the run of minutes")
    parser.add_argument("--only", default="", help="run only the parts with this in their name")
    options = parser.parse_args()
    parts: dict[str, Callable[[Browser, float], Iterator[Row]]] = {
        "live": lambda browser, seconds: live(browser, seconds, 50),
        "many": lambda browser, seconds: live(browser, seconds, 500),
        "million": million,
        "first": first_paint,
    }
    rows: list[Row] = []
    with sync_playwright() as playwright, launch(playwright) as browser:
        for name, part in parts.items():
            if options.only in name:
                rows += part(browser, options.seconds)
        if options.minutes:
            rows += heap(browser, options.minutes, options.rate)
    print(machine())
    show("The page", rows)


if __name__ == "__main__":
    main()
