"""Writers and the hub are killed again and again; every acknowledged event is there, once.

The short form runs with every test run; ``make torture`` runs the long one.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.torture.conftest import Report
from tests.torture.harness import Hub, Viewer, Writer
from tests.waiting import eventually

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
WRITERS = 8
EVENTS = 20_000 if IS_LONG else 400
ROUNDS = 100 if IS_LONG else 3
PAUSE_S = 0.3 if IS_LONG else 0.6
RATE = 1_000 / WRITERS
"""Events a second of one writer. The index stands still while the hub is killed all the time, and has
to catch up with the whole run afterwards, with what was sent twice, too: on two busy cores that takes
minutes as it is."""
SENT_BYTES = "2GiB"
"""Of a spool, so that writers without a rate of their own are refused nothing."""

pytestmark = pytest.mark.torture


def start_writers(hub: Hub, seed: int, numbers: range, count: int, rate: float) -> list[Writer]:
    """Half of them write the log, half send to the hub."""
    http = {**hub.env, "LOGGING_URL": f"{hub.url}/log", "LANEWAY_SPOOL_BYTES": SENT_BYTES}
    return [
        Writer(f"w{n}", http if n % 2 else hub.env, count, 200_000, seed + n, rate) for n in numbers
    ]


def check_each_event_once(hub: Hub, writers: list[Writer]) -> tuple[int, int]:
    """(acknowledged, found); raises where an acknowledged event is missing or stands twice."""
    found = Counter((event["agent"], event["i"]) for event in hub.iter_events("&event=log"))
    acknowledged = {(w.name, i) for w in writers for i in w.acknowledged}
    missing = acknowledged - set(found)
    twice = [key for key, count in found.items() if count > 1]
    assert not missing, f"{len(missing)} lost, such as {sorted(missing)[:5]}"
    assert not twice, f"{len(twice)} twice, such as {twice[:5]}"
    return len(acknowledged), len(found)


def end(hub: Hub, viewer: Viewer, writers: list[Writer]) -> None:
    viewer.stop()
    hub.stop()
    for writer in writers:
        if writer.process.poll() is None:
            writer.kill()
        writer.join()


def drain(hub: Hub) -> float:
    """A last process per spool ships what the killed ones left; then the index catches up: its seconds."""
    import laneway

    laneway.configure(logging_url=f"{hub.url}/log", home=str(hub.home))
    laneway.log_event("last", "end")
    assert laneway.flush(300), "the spool was not drained"
    begun_s = time.monotonic()
    hub.wait_level()
    return time.monotonic() - begun_s


def test_kills_of_hub_and_writers_lose_nothing_and_repeat_nothing(
    tmp_path: Path, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    hub = Hub(tmp_path / "home", tmp_path / "log" / "observability.jsonl")
    hub.env["LANEWAY_SEGMENT_BYTES"] = "32MiB" if IS_LONG else "2MiB"
    hub.start()
    viewer = Viewer(hub)
    alive = start_writers(hub, seed, range(WRITERS), 10**9, RATE)
    writers = [*alive]
    writer_kills = 0
    begun_s = time.monotonic()
    try:
        eventually(lambda: any(writer.acknowledged for writer in alive), "the first events")
        for round_ in range(ROUNDS):
            time.sleep(PAUSE_S * draw.random())
            hub.kill()
            if round_ % 3 == 0:
                writer_kills += 1
                replace_one(hub, seed, alive, writers, draw.randrange(WRITERS))
            time.sleep(PAUSE_S * draw.random())
            hub.start()
        for writer in alive:
            writer.kill()
        for writer in writers:
            writer.join()
        run_s = time.monotonic() - begun_s
        level_s = drain(hub)
        acknowledged, found = check_each_event_once(hub, writers)
        last_seq = hub.get("/health")["index"]["events"]  # numbers are dense, from 1
        eventually(lambda: viewer.seqs and viewer.seqs[-1] >= last_seq, "the viewer")
    finally:
        end(hub, viewer, writers)

    repeated = len(viewer.seqs) - len(set(viewer.seqs))
    unseen = set(range(1, last_seq + 1)) - set(viewer.seqs)
    skipped = viewer.skipped()
    report(
        "hub_kill", kills=ROUNDS, writer_kills=writer_kills + WRITERS, acknowledged=acknowledged,
        rate=round(acknowledged / run_s), found=found, lost=0, twice=0, streamed=len(viewer.seqs),
        told_as_gap=len(skipped), level_s=round(level_s),
    )  # fmt: skip
    assert acknowledged > 0
    assert len(viewer.epochs) == 1
    assert repeated == 0
    assert unseen <= skipped, f"{len(unseen - skipped)} events neither sent nor told as a gap"


def replace_one(
    hub: Hub, seed: int, alive: list[Writer], writers: list[Writer], place: int
) -> None:
    """Kill a writer, and start another of its kind."""
    alive[place].kill()
    number = 2 * len(writers) + place % 2  # a name that nobody had
    (alive[place],) = start_writers(hub, seed, range(number, number + 1), 10**9, RATE)
    writers.append(alive[place])


def test_eight_writers_at_once_are_all_seen_once(tmp_path: Path, seed: int, report: Report) -> None:
    hub = Hub(tmp_path / "home", tmp_path / "log")
    hub.env["LANEWAY_SEGMENT_BYTES"] = "64MiB" if IS_LONG else "4MiB"
    hub.start()
    viewer = Viewer(hub)
    writers = start_writers(hub, seed, range(WRITERS), EVENTS, 0)
    try:
        for writer in writers:
            writer.join()
        drain(hub)
        acknowledged, found = check_each_event_once(hub, writers)
        assert acknowledged == found == WRITERS * EVENTS
        last_seq = hub.get("/health")["index"]["events"]  # numbers are dense, from 1
        eventually(lambda: viewer.seqs and viewer.seqs[-1] >= last_seq, "the viewer")
    finally:
        end(hub, viewer, writers)

    skipped = viewer.skipped()
    report(
        "flood", writers=WRITERS, acknowledged=acknowledged, found=found,
        streamed=len(viewer.seqs), told_as_gap=len(skipped),
    )  # fmt: skip
    assert len(viewer.seqs) == len(set(viewer.seqs))
    assert set(range(1, last_seq + 1)) == set(viewer.seqs) | skipped
    assert hub.process is not None
    assert hub.process.returncode == 0
