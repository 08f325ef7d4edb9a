"""A day of a million events on a real hub and its index, looked at in a real browser.

    python -m bench.ui.day [--events 1000000] [--folder PATH]

Writes the log of 50 agents (calls with a start and an end, model calls with tokens, 2 % failures), lets the
hub index it, opens the page, loads what is older a few times, sweeps the zoom over a day, and asks the
views that read the index. Times by the wall clock: they hold for a quiet machine. ``--folder`` keeps the log.
"""

import argparse
import itertools
import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
from playwright.sync_api import Page, sync_playwright

from bench.table import machine, show
from bench.ui.figures import link_of
from bench.ui.page import SIZE, heap_mib, launch, sweep
from laneway.base.clock import NS_PER_S, format_ns
from laneway.base.ids import new_event_id, new_span_id
from tests.torture.harness import Hub

DAY_NS = 86_400 * NS_PER_S
SEGMENT_EVENTS = 100_000
AGENTS = 50
OLDER = 6
SWEEP_S = 10


def iter_day(count: int) -> Iterator[dict[str, Any]]:
    rng = random.Random(7)
    gap_ns = DAY_NS // count
    start_ns = time.time_ns() - DAY_NS
    for i in range(0, count, 2):
        agent = f"agent-{int(rng.random() ** 2 * AGENTS):02}"
        at_ns = start_ns + i * gap_ns
        took_ns = int(rng.random() ** 4 * 20 * NS_PER_S)
        common = {"agent": agent, "session_id": f"s-{i // 2_000}", "host": "workstation"}
        if rng.random() < 0.5:
            call = {**common, "tool": f"tool_{rng.randrange(20)}", "span_id": new_span_id()}
            yield event(at_ns, call, event="tool_invocation", input={"path": f"src/{i % 997}.py"})
            failed = {"error": {"type": "TimeoutError", "message": "took too long"}}
            ending = failed if rng.random() < 0.04 else {"output": "42 lines"}
            took_ms = took_ns / 1e6
            yield event(at_ns + took_ns, call, event="tool_result", duration_ms=took_ms, **ending)
        else:
            tokens = {"input_tokens": rng.randrange(4_000), "output_tokens": rng.randrange(800)}
            yield event(at_ns, common, event="decision", content=f"step {i}: look further")
            more = {"model": "local-8b", "duration_ms": took_ns / 1e6, **tokens}
            yield event(at_ns + gap_ns, common, event="llm_response", content="done", **more)


def event(at_ns: int, common: dict[str, Any], **fields: object) -> dict[str, Any]:
    return {"timestamp": format_ns(at_ns), "id": new_event_id(at_ns), **common, **fields}


def write_day(folder: Path, count: int) -> None:
    folder.mkdir(parents=True)
    events = iter_day(count)
    for number in range(1, 1 + -(-count // SEGMENT_EVENTS)):
        part = itertools.islice(events, SEGMENT_EVENTS)
        with open(folder / f"day-{number:06d}.jsonl", "wb") as file:
            file.writelines(orjson.dumps(one) + b"\n" for one in part)


def timed(page: Page, wanted: str, timeout_ms: float = 120_000) -> float:
    started = time.monotonic()
    page.wait_for_function(f"() => {wanted}", timeout=timeout_ms)
    return time.monotonic() - started


def look(page: Page, hub: Hub) -> Iterator[dict[str, object]]:
    def row(what: str, seen: str) -> dict[str, object]:
        return {"what": what, "measured": seen}

    started = time.monotonic()
    page.goto(link_of(hub))
    timed(page, "window.__laneway?.visible().total >= 10000")
    yield row("page with 10,000 events of history", f"{time.monotonic() - started:.2f} s")
    for _ in range(OLDER):
        before = page.evaluate("() => window.__laneway.visible().total")
        page.get_by_role("button", name="24 h", exact=True).click()
        page.get_by_test_id("load-older").click()
        timed(page, f"window.__laneway.visible().total > {before}")
    held = page.evaluate("() => window.__laneway.visible().total")
    yield row(f"{OLDER} times older events", f"{held:,} in memory")
    page.evaluate("() => window.__laneway.resetFrames()")
    sweep(page, SWEEP_S, turns=120)
    work = page.evaluate("() => window.__laneway.frames.work")
    yield row("zoom sweep, p50 / p99", f"{work['p50']:.1f} / {work['p99']:.1f} ms")
    started = time.monotonic()
    page.keyboard.press("3")
    page.get_by_test_id("insights").get_by_text("agent-00").first.wait_for(timeout=120_000)
    yield row("insights of the day", f"{time.monotonic() - started:.2f} s")
    started = time.monotonic()
    page.keyboard.press("2")
    page.get_by_test_id("session").first.wait_for(timeout=120_000)
    yield row("sessions", f"{time.monotonic() - started:.2f} s")
    yield row("heap", f"{heap_mib(page.context.new_cdp_session(page)):.0f} MiB")


def run(folder: Path, count: int) -> list[dict[str, object]]:
    if not (folder / "log").is_dir():
        write_day(folder / "log", count)
    hub = Hub(folder / "home", folder / "log")
    hub.home.mkdir(exist_ok=True)
    started = time.monotonic()
    hub.start()
    try:
        hub.wait_level()
        indexed = f"{time.monotonic() - started:.0f} s"
        rows: list[dict[str, object]] = [
            {"what": f"index of {count:,} events", "measured": indexed}
        ]
        with sync_playwright() as playwright, launch(playwright) as browser:
            rows += look(browser.new_page(viewport=SIZE), hub)
        return rows
    finally:
        hub.stop()


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--folder", type=Path, help="kept, and used again; else a temporary one")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        rows = run(options.folder or Path(folder), options.events)
    print(machine())
    show("A day", rows)


if __name__ == "__main__":
    main()
