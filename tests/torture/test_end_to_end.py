"""Writers and the hub are killed again and again; every acknowledged event is there, once.

The short form runs with every test run; ``make torture`` runs the long one.
The seed is printed, and LANEWAY_SEED repeats a run's sizes and moments.
"""

import os
import random
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.torture.harness import Hub, Viewer, Writer, wait_for

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
WRITERS = 8
EVENTS = 20_000 if IS_LONG else 400
EVENTS_A_ROUND = 2_500 if IS_LONG else 300
ROUNDS = 20 if IS_LONG else 3
PAUSE_S = 3.0 if IS_LONG else 0.6

pytestmark = pytest.mark.torture


def start_writers(hub: Hub, round_: int, seed: int, count: int) -> list[Writer]:
    """Half of them write the log, half send to the hub."""
    http = {**hub.env, "LOGGING_URL": f"{hub.url}/log"}
    return [
        Writer(f"w{round_}.{n}", http if n % 2 else hub.env, count, 200_000, seed + n)
        for n in range(WRITERS)
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


def drain(hub: Hub) -> None:
    """A last process per spool ships what the killed ones left; then the index catches up."""
    last = Writer("last", {**hub.env, "LOGGING_URL": f"{hub.url}/log"}, 1, 5_000, 0)
    last.join()
    spools = hub.home / "spool"

    def is_shipped() -> bool:
        import laneway

        laneway.configure(logging_url=f"{hub.url}/log", home=str(hub.home))
        laneway.log_event("last", "end")
        return laneway.flush(30)

    if spools.exists():
        wait_for(is_shipped, "the spool to drain", 300)
    wait_for(lambda: hub.get("/health")["index"]["lag_bytes"] == 0, "the index", 300)


def test_kills_of_hub_and_writers_lose_nothing_and_repeat_nothing(tmp_path: Path) -> None:
    seed = int(os.environ.get("LANEWAY_SEED", "0")) or random.randrange(1, 10**6)
    print(f"seed {seed}")
    draw = random.Random(seed)
    hub = Hub(tmp_path / "home", tmp_path / "log" / "observability.jsonl")
    hub.env["LANEWAY_SEGMENT_BYTES"] = "32MiB" if IS_LONG else "2MiB"
    hub.start()
    viewer = Viewer(hub)
    writers: list[Writer] = []
    hub_kills = writer_kills = 0
    try:
        for round_ in range(ROUNDS):
            mine = start_writers(hub, round_, seed, EVENTS_A_ROUND)
            writers += mine
            time.sleep(PAUSE_S * draw.random())
            hub.kill()
            hub_kills += 1
            for writer in draw.sample(mine, 3):
                writer.kill()
                writer_kills += 1
            time.sleep(PAUSE_S * draw.random())
            hub.start()
            for writer in mine:
                writer.join()
        drain(hub)
        acknowledged, found = check_each_event_once(hub, writers)
        last_seq = hub.get("/health")["index"]["events"]  # numbers are dense, from 1
        wait_for(lambda: viewer.seqs and viewer.seqs[-1] >= last_seq, "the viewer", 60)
    finally:
        end(hub, viewer, writers)

    repeated = len(viewer.seqs) - len(set(viewer.seqs))
    unseen = set(range(1, last_seq + 1)) - set(viewer.seqs)
    skipped = viewer.skipped()
    print(
        f"{hub_kills} kills of the hub, {writer_kills} of writers; {acknowledged} events acknowledged, "
        f"{found} found, 0 lost, 0 twice; {len(viewer.seqs)} on the stream, {len(skipped)} told as gap"
    )
    assert acknowledged > 0
    assert len(viewer.epochs) == 1
    assert repeated == 0
    assert unseen <= skipped, f"{len(unseen - skipped)} events neither sent nor told as a gap"


def test_eight_writers_at_once_are_all_seen_once(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "home", tmp_path / "log")
    hub.env["LANEWAY_SEGMENT_BYTES"] = "64MiB" if IS_LONG else "4MiB"
    hub.start()
    viewer = Viewer(hub)
    writers = start_writers(hub, 0, 7, EVENTS)
    try:
        for writer in writers:
            writer.join()
        drain(hub)
        acknowledged, found = check_each_event_once(hub, writers)
        assert acknowledged == found - 1 == WRITERS * EVENTS  # and the one of the drain
        last_seq = hub.get("/health")["index"]["events"]  # numbers are dense, from 1
        wait_for(lambda: viewer.seqs and viewer.seqs[-1] >= last_seq, "the viewer", 60)
    finally:
        end(hub, viewer, writers)

    skipped = viewer.skipped()
    print(f"{acknowledged} acknowledged, {found} found; {len(viewer.seqs)} on the stream")
    assert len(viewer.seqs) == len(set(viewer.seqs))
    assert set(range(1, last_seq + 1)) == set(viewer.seqs) | skipped
    assert hub.process is not None
    assert hub.process.returncode == 0
