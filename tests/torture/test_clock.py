"""Events that come late, out of order, or from a clock that is wrong (P15)."""

import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import orjson
import pytest

from laneway.base.clock import NS_PER_S, format_ns
from laneway.base.settings import resolve
from laneway.hub.hub import Hub as InProcessHub
from laneway.store.api import Cursor, Query, Split
from laneway.store.sqlite import scan
from tests.torture.conftest import Report
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
EVENTS = 20_000 if IS_LONG else 2_000
T0_NS = 1_790_000_000 * NS_PER_S
HOUR_NS = 3_600 * NS_PER_S


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InProcessHub]:
    monkeypatch.setenv("LOG_PATH", str(tmp_path / "log"))
    monkeypatch.setenv("LANEWAY_SEGMENT_BYTES", "100000")
    running = InProcessHub(resolve(), in_process=True)
    yield running
    running.close()


def send(hub: InProcessHub, times_ns: dict[int, int]) -> None:
    """Events with these numbers and times, in this order."""
    items = [
        {"timestamp": format_ns(ts_ns), "agent": f"a{n % 7}", "event": "log", "n": n}
        for n, ts_ns in times_ns.items()
    ]
    for start in range(0, len(items), 500):
        hub.append(hub.intake.take(items[start : start + 500]).lines)


def wait_indexed(hub: InProcessHub, count: int) -> None:
    eventually(lambda: hub.store.last_seq == count, f"{count} events in the index")


def page(
    hub: InProcessHub, after: Cursor | None, **filters: object
) -> tuple[list[dict], Cursor | None]:
    lines, after, *_ = hub.archive.page(Query(after=after, limit=100, **filters))  # type: ignore[arg-type]
    return [orjson.loads(line) for line in lines], after


def pages(hub: InProcessHub, **filters: object) -> list[dict]:
    found, after = page(hub, None, **filters)
    while after:
        more, after = page(hub, after, **filters)
        found += more
    return found


def test_events_shuffled_over_an_hour_come_in_the_order_of_their_times(
    hub: InProcessHub, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    times = {n: T0_NS + draw.randrange(HOUR_NS // NS_PER_S) * NS_PER_S for n in range(EVENTS)}
    send(hub, times)
    wait_indexed(hub, EVENTS)

    for newest_first in (True, False):
        found = pages(hub, newest_first=newest_first)
        keys = [(times[event["n"]], event["seq"]) for event in found]
        assert keys == sorted(keys, reverse=newest_first)
        assert sorted(event["n"] for event in found) == list(range(EVENTS))
    minute_ns = 60 * NS_PER_S
    cells = hub.store.aggregate(Query(), Split(step_ns=minute_ns)).cells
    minutes = Counter(ts_ns // minute_ns for ts_ns in times.values())
    assert {cell.start_ns // minute_ns: cell.event_count for cell in cells} == minutes
    report("shuffle", events=EVENTS, lost=0, out_of_order=0)


@pytest.mark.parametrize("newest_first", [True, False], ids=["newest", "oldest"])
def test_paging_misses_nothing_while_late_events_come(
    hub: InProcessHub, seed: int, newest_first: bool
) -> None:
    draw = random.Random(seed)
    times = {n: T0_NS + draw.randrange(HOUR_NS) for n in range(EVENTS)}
    send(hub, times)
    wait_indexed(hub, EVENTS)
    found, after = page(hub, None, newest_first=newest_first)
    number = EVENTS
    while after:
        late = {number + n: T0_NS + draw.randrange(HOUR_NS) for n in range(20)}
        send(hub, late)
        number += len(late)
        wait_indexed(hub, number)
        more, after = page(hub, after, newest_first=newest_first)
        found += more

    seen = Counter(event["n"] for event in found)
    assert set(range(EVENTS)) <= set(seen)
    assert set(seen.values()) == {1}


def test_a_wrong_clock_makes_no_query_read_the_segment(
    hub: InProcessHub, monkeypatch: pytest.MonkeyPatch, report: Report
) -> None:
    """One event of 1991 and one of 2099 in each segment: a narrow window reads some blocks only."""
    times = {n: T0_NS + n * NS_PER_S for n in range(EVENTS)}
    for n in range(0, EVENTS, 1_000):
        times[n] = (662_688_000 if n % 2_000 else 4_070_908_800) * NS_PER_S
    send(hub, times)
    wait_indexed(hub, EVENTS)
    read = [0]
    real = scan.source_of_spans

    def counted(spans):  # type: ignore[no-untyped-def]
        read[0] += sum(span.last_seq - span.first_seq + 1 for span in spans)
        return real(spans)

    monkeypatch.setattr(scan, "source_of_spans", counted)
    middle_ns = T0_NS + EVENTS // 2 * NS_PER_S
    window = {"since_ns": middle_ns, "until_ns": middle_ns + 10 * NS_PER_S}
    wanted = {n for n, ts_ns in times.items() if window["since_ns"] <= ts_ns < window["until_ns"]}
    assert {event["n"] for event in pages(hub, **window)} == wanted
    rows_read = read[0]
    total = sum(one.event_count for one in hub.store.groups("agent", Query(**window)).groups)
    assert total == len(wanted)
    split = Split(by=("agent",), step_ns=HOUR_NS)
    assert hub.store.aggregate(Query(**window), split).event_count == len(wanted)
    assert hub.store.aggregate(Query(), split).event_count == EVENTS
    report("zone_maps", events=EVENTS, rows_read=rows_read)
    assert 0 < rows_read < EVENTS // 2


WRITER = """
import sys
import laneway
for n in range(200):
    assert laneway.log_event(sys.argv[1], "log", n=n)
"""

CLOCKS = {
    "right": None, "tomorrow": "+1d", "yesterday": "-1d", "1991": "@1991-01-01 12:00:00",
    "2038": "@2038-01-19 03:14:06", "2099": "@2099-06-01 00:00:00",
    "dst": "@2026-10-25 02:59:59.9",
}  # fmt: skip


def with_clock(when: str | None) -> dict[str, str]:
    """The variables that give a process this clock.

    `faketime COMMAND` would start a child and pass no signal on: who stops it leaves the child behind.
    """
    if when is None:
        return {}
    shown = subprocess.run(
        ["faketime", "-f", when, "env", "-0"], capture_output=True, text=True, check=True
    )
    pairs = (pair.split("=", 1) for pair in shown.stdout.split("\0") if pair)
    changed = {name: value for name, value in pairs if os.environ.get(name) != value}
    changed.pop("FAKETIME_SHARED", None)  # memory that went with the command
    return changed


@pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is not installed")
def test_writers_with_wrong_clocks_lose_nothing_and_cost_nobody_their_history(
    tmp_path: Path, report: Report
) -> None:
    hub = Hub(tmp_path / "home", tmp_path / "log")
    hub.env |= {"LANEWAY_RETENTION_AGE": "12h", "LANEWAY_SEGMENT_BYTES": "40KiB"}
    rounds = 5 if IS_LONG else 1
    hub.start()
    try:
        for number in range(rounds):
            writers = [
                subprocess.Popen(
                    [sys.executable, "-c", WRITER, f"{name}.{number}"],
                    env={**hub.env, **with_clock(when), "TZ": "Europe/Berlin"},
                )
                for name, when in CLOCKS.items()
            ]  # fmt: skip
            assert [writer.wait(180) for writer in writers] == [0] * len(CLOCKS)
        os.utime(next((tmp_path / "log").glob("events-0*1.jsonl")), (4e9, 4e9))  # of the year 2096
        hub.stop()
        hub.start()  # retention is applied at the start
        time.sleep(1)
        hub.wait_level()
        events = list(hub.iter_events("&event=log"))
    finally:
        hub.stop()
    found = Counter((event["agent"], event["n"]) for event in events)
    wanted = {(f"{name}.{r}", n) for name in CLOCKS for r in range(rounds) for n in range(200)}
    keys = [(event["timestamp"], event["seq"]) for event in events]
    report("clocks", clocks=len(CLOCKS), written=len(wanted), lost=len(wanted - set(found)))
    assert set(found) == wanted
    assert set(found.values()) == {1}
    assert keys == sorted(keys)
    years = {event["timestamp"][:4] for event in events}
    assert {"1991", "2038", "2099"} <= years


@pytest.mark.skipif(not shutil.which("faketime"), reason="faketime is not installed")
def test_a_hub_with_a_clock_that_runs_ahead_removes_nothing(tmp_path: Path, report: Report) -> None:
    log = tmp_path / "log"
    hub = Hub(tmp_path / "home", log)
    hub.env |= {"LANEWAY_RETENTION_AGE": "30d", "LANEWAY_SEGMENT_BYTES": "20KiB"}
    subprocess.run([sys.executable, "-c", WRITER, "w"], env=hub.env, check=True)
    before = sorted(path.name for path in log.glob("events-0*"))
    hub.env |= with_clock("@2099-06-01 00:00:00")
    hub.start()
    try:
        eventually(lambda: hub.get("/health")["index"]["events"] == 200, "the index")
        time.sleep(1)
    finally:
        code = hub.stop()
    assert code == 0, hub.output.read_text()[-2000:]
    after = sorted(path.name for path in log.glob("events-0*"))
    report("future_hub", segments=len(before), removed=len(set(before) - set(after)))
    assert after == before
