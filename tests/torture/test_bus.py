"""Hubs that share events over a bus whose servers fail: nothing lost, nothing twice (P18)."""

import os
import random
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.hub.bus.cluster import Cluster, running
from tests.torture.conftest import Report
from tests.torture.harness import Hub, Writer
from tests.torture.namespace import network
from tests.torture.test_memory import children
from tests.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.timeout(900)]

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
RATE = 400 if IS_LONG else 150
"""Events a second of each writer."""


class Fleet:
    """Two hubs, each with a log of its own and a writer beside it."""

    def __init__(self, directory: Path, bus: str) -> None:
        self.hubs: list[Hub] = []
        self.writers: list[Writer] = []
        self._kept: Counter[tuple[str, int]] = Counter()
        for name in ("north", "south"):
            (directory / name).mkdir()
            hub = Hub(directory / name / "home", directory / name / "log")
            hub.env["LANEWAY_BUS"] = bus
            hub.start()
            self.hubs.append(hub)

    def write(self, seconds: float, seed: int) -> None:
        """Each writer logs for so long; `join` waits for them."""
        count = int(seconds * RATE)
        for hub in self.hubs:
            name = f"{hub.home.parent.name}-{len(self.writers)}"
            self.writers.append(Writer(name, hub.env, count, 400_000, seed, RATE))

    def join(self) -> None:
        for writer in self.writers:
            writer.join()

    @property
    def acknowledged(self) -> set[tuple[str, int]]:
        return {(writer.name, i) for writer in self.writers for i in list(writer.acknowledged)}

    def wait_level(self) -> None:
        """The writers have ended, and every hub has every event that any of them was told is kept."""
        self.join()
        count = len(self.acknowledged)
        for hub in self.hubs:
            eventually(
                lambda hub=hub: hub.get("/health")["index"]["events"] >= count,
                lambda hub=hub: f"{count} events at {hub.home.parent.name}: {hub.get('/health')}",
            )

    def pending_bytes(self) -> list[int]:
        return [hub.get("/health")["bus"]["pending_bytes"] for hub in self.hubs]

    def compare(self) -> dict[str, int]:
        """What was lost and what is there twice, over all hubs."""
        wanted, lost, twice = self.acknowledged, 0, 0
        for hub in self.hubs:
            found = Counter((event["agent"], event["i"]) for event in hub.iter_events("&event=log"))
            lost += len(wanted - found.keys())
            twice += sum(count - 1 for count in found.values())
        return {"acknowledged": len(wanted), "lost": lost, "twice": twice}

    def stop(self) -> None:
        for writer in self.writers:
            writer.kill()
            writer.join()
        for hub in self.hubs:
            hub.stop()


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running(tmp_path / "nats") as found:
        yield found


@pytest.fixture
def fleet(cluster: Cluster, tmp_path: Path) -> Iterator[Fleet]:
    found = Fleet(tmp_path, cluster.urls)
    yield found
    found.stop()


def kill_a_follower(cluster: Cluster, fleet: Fleet) -> None:
    leader = cluster.leader()
    next(node for node in cluster.nodes if node is not leader).kill()
    fleet.wait_level()  # two of three go on


def kill_the_leader(cluster: Cluster, fleet: Fleet) -> None:
    cluster.leader().kill()
    fleet.wait_level()


def kill_two(cluster: Cluster, fleet: Fleet) -> None:
    """Nobody is left to acknowledge: the hubs keep what comes."""
    for node in cluster.nodes[:2]:
        node.kill()
    fleet.write(1, 0)  # those before may have ended
    eventually(lambda: all(fleet.pending_bytes()), "events that wait in both logs")
    assert all(hub.get("/health")["status"] == "ok" for hub in fleet.hubs)


def freeze_the_leader(cluster: Cluster, fleet: Fleet) -> None:
    """Its connections stay open and nothing answers."""
    leader = cluster.leader()
    leader.signal(signal.SIGSTOP)
    fleet.wait_level()
    leader.signal(signal.SIGCONT)


def kill_a_courier(cluster: Cluster, fleet: Fleet) -> None:
    for hub in fleet.hubs:
        assert hub.process
        for pid in children(hub.process.pid):
            if b"laneway.hub.bus.courier" in Path(f"/proc/{pid}/cmdline").read_bytes():
                os.kill(pid, signal.SIGKILL)


def kill_a_hub(cluster: Cluster, fleet: Fleet) -> None:
    hub = fleet.hubs[0]
    hub.kill()
    time.sleep(0.5)  # its writer goes on
    hub.start()


Deed = Callable[[Cluster, Fleet], None]
DEEDS: list[Deed] = [kill_the_leader, kill_two]
MORE: list[Deed] = [kill_a_follower, freeze_the_leader, kill_a_courier, kill_a_hub]


def test_a_bus_that_loses_servers_costs_no_event_and_repeats_none(
    cluster: Cluster, fleet: Fleet, seed: int, report: Report
) -> None:
    deeds = DEEDS
    if IS_LONG:
        deeds = [deed for _ in range(3) for deed in DEEDS + MORE]
        random.Random(seed).shuffle(deeds)
    for n, deed in enumerate(deeds):
        begun_s = time.monotonic()
        fleet.write(6 if IS_LONG else 2, seed + n)
        time.sleep(0.7)
        deed(cluster, fleet)
        cluster.start()
        print(f"{deed.__name__}: {time.monotonic() - begun_s:.1f} s")
    fleet.wait_level()
    found = fleet.compare()
    report("bus", faults=len(deeds), hubs=len(fleet.hubs), **found)
    assert not found["lost"]
    assert not found["twice"]


def test_a_leader_that_is_cut_off_costs_no_event_though_hubs_still_reach_it(
    tmp_path: Path, seed: int, report: Report
) -> None:
    with ExitStack() as stack:
        try:
            net = stack.enter_context(network(3))
        except (OSError, subprocess.CalledProcessError) as error:
            pytest.skip(f"no network namespaces here: {error}")
        cluster = Cluster(tmp_path / "nats", hosts=net.addresses)
        stack.callback(cluster.close)
        for number, node in enumerate(cluster.nodes):
            node.prefix = net.prefix(number)
        cluster.start()
        fleet = Fleet(tmp_path, cluster.urls)
        stack.callback(fleet.stop)
        cuts = 5 if IS_LONG else 1
        for n in range(cuts):
            fleet.write(2, seed + n)
            time.sleep(0.7)
            number = cluster.nodes.index(cluster.leader())
            net.cut(number)
            if IS_LONG:
                fleet.wait_level()  # the two others choose a leader, and every hub finds it
            net.mend(number)
        fleet.wait_level()
        found = fleet.compare()
    report("bus_partition", faults=cuts, hubs=2, **found)
    assert not found["lost"]
    assert not found["twice"]


def test_hubs_and_couriers_that_are_killed_cost_no_event_and_repeat_none(
    tmp_path: Path, seed: int, report: Report
) -> None:
    with running(tmp_path / "nats", size=1) as cluster:
        fleet = Fleet(tmp_path, cluster.urls)
        try:
            for n, deed in enumerate([kill_a_courier, kill_a_hub]):
                fleet.write(1.5, seed + n)
                time.sleep(0.7)
                deed(cluster, fleet)
            fleet.wait_level()
            found = fleet.compare()
        finally:
            fleet.stop()
    report("bus_kill", faults=2, hubs=2, **found)
    assert not found["lost"]
    assert not found["twice"]
