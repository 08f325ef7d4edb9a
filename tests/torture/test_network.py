"""HTTP mode over a network that fails in every way: nothing lost, nothing twice (P16)."""

import os
import random
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

import laneway
from laneway import log_event
from laneway.sdk import answer, post, shipper, spool
from tests.port import free_port
from tests.torture.conftest import Report
from tests.torture.harness import Hub
from tests.torture.proxy import Fault, Proxy, running_proxy
from tests.waiting import eventually

pytestmark = pytest.mark.torture

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
STEP = 7 if IS_LONG else 251
"""Of the bytes after which a connection is reset."""
FLIPS = 300 if IS_LONG else 30
Found = Counter[tuple[str, int]]


@pytest.fixture(scope="module")
def hub(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Hub]:
    directory = tmp_path_factory.mktemp("hub")
    running = Hub(directory / "home", directory / "log")
    running.proxy_port = free_port()
    running.env["LANEWAY_ALLOWED_HOSTS"] = f"127.0.0.1:{running.proxy_port}"
    running.start()
    yield running
    running.stop()


@pytest.fixture
def proxy(hub: Hub, monkeypatch: pytest.MonkeyPatch, capfd: object) -> Iterator[Proxy]:
    """The SDK sends through it, and is quick to try again."""
    monkeypatch.setattr(shipper, "BACK_OFF_S", (0.005, 0.05))
    monkeypatch.setattr(post, "TIMEOUT_S", 1.0)
    monkeypatch.setattr(answer, "EXCHANGE_S", 2.0)
    with running_proxy(hub.port, hub.proxy_port) as running:
        monkeypatch.setenv("LOGGING_URL", f"http://127.0.0.1:{running.port}/log")
        monkeypatch.setenv("LANEWAY_TOKEN", (hub.home / "ingest.token").read_text().strip())
        laneway.configure()
        yield running
        laneway.configure()  # its shipper ends before its hub


def index_of(hub: Hub, agent: str) -> Found:
    hub.wait_level()
    events = hub.iter_events("&event=log")
    return Counter((e["agent"], e["n"]) for e in events if e["agent"].startswith(agent))


def check(
    report: Report, name: str, hub: Hub, agent: str, acknowledged: set[tuple[str, int]], faults: int
) -> None:
    found = index_of(hub, agent)
    lost, twice = acknowledged - set(found), [key for key in found if found[key] > 1]
    report(
        f"network_{name}", faults=faults, acknowledged=len(acknowledged), lost=len(lost),
        twice=len(twice),
    )  # fmt: skip
    assert not lost
    assert not twice


FAULTS = {
    "delay": [Fault("delay")] * 3,
    "half-close": [Fault("half-close")] * 3,
    "black hole": [Fault("black hole")] * 2,
    "duplicate request": [Fault("twice")] * 5,
    "lost reply": [Fault("lost reply")] * 5,
    "503": [Fault("5xx")] * 5,
    "answer cut short": [Fault("cut", after) for after in range(1, 200, 9)],
    "slow drip": [Fault("drip")] * 2,
    "endless answer": [Fault("endless")] * 2,
    "endless head": [Fault("endless head")] * 2,
    "endless 100": [Fault("continue")] * 2,
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_of_the_network_loses_or_repeats_an_event(
    hub: Hub, proxy: Proxy, report: Report, name: str
) -> None:
    proxy.faults = [*FAULTS[name]]
    acknowledged: set[tuple[str, int]] = set()
    for n in range(60):
        if log_event(name, "log", "x" * 200, n=n):
            acknowledged.add((name, n))
        if n % 10 == 9:
            laneway.flush(0.05)
    eventually(lambda: laneway.flush(1), "the spool to be sent")

    assert proxy.connections > 1 or name == "delay"
    check(
        report,
        name.replace(" ", "_"),
        hub,
        name,
        acknowledged,
        len(FAULTS[name]) - len(proxy.faults),
    )


def test_a_reset_after_any_byte_loses_and_repeats_nothing(
    hub: Hub, proxy: Proxy, report: Report
) -> None:
    acknowledged: set[tuple[str, int]] = set()
    log_event("reset", "log", "x" * 300, n=-1)
    assert laneway.flush(180)
    size = 1_100  # of the request: head, and one event of about 650 bytes
    offsets = range(0, size, STEP)
    for n, after in enumerate(offsets):
        laneway.configure()  # a new connection
        proxy.faults = [Fault("reset", after)]
        if log_event("reset", "log", "x" * 300, n=n):
            acknowledged.add(("reset", n))
        eventually(lambda: laneway.flush(1), "the spool to be sent")
        assert not proxy.faults
    check(report, "reset", hub, "reset", acknowledged, len(offsets))


def test_a_hub_that_is_down_for_long_gets_the_oldest_and_the_rest_is_counted(
    hub: Hub, proxy: Proxy, report: Report, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "SIZE_CHECK_S", 0.0)
    target, proxy.target = proxy.target, 9  # the discard port: nobody is there
    laneway.configure(spool_bytes=200_000)
    kept = [n for n in range(1_000) if log_event("down", "log", "x" * 400, n=n)]
    stats = laneway.stats()
    assert kept == list(range(len(kept)))
    assert 100 < len(kept) < 1_000
    assert stats["lost"] == {"spool_full": 1_000 - len(kept)}
    assert int(stats["spool_bytes"]) < 202_000  # type: ignore[call-overload]

    proxy.target = target
    eventually(lambda: laneway.flush(1), "the spool to be sent")
    assert log_event("down", "log", n=1_000)  # there is room again
    eventually(lambda: laneway.flush(1), "the spool to be sent")
    check(report, "down", hub, "down", {("down", n) for n in [*kept, 1_000]}, 1)


SENDER = """
import sys
import laneway
from laneway.sdk import shipper
shipper.BACK_OFF_S = (0.005, 0.05)
for n in range(200):
    if laneway.log_event(sys.argv[1], "log", "x" * 200, n=n):
        print(n, flush=True)
"""


def test_processes_that_share_a_spool_and_are_killed_lose_and_repeat_nothing(
    hub: Hub, proxy: Proxy, seed: int, report: Report
) -> None:
    draw = random.Random(seed)
    acknowledged: set[tuple[str, int]] = set()
    kinds = ("lost reply", "twice", "5xx", "reset", "cut", "delay")
    for round_ in range(20 if IS_LONG else 3):
        proxy.faults = [
            Fault(draw.choice(kinds), draw.randrange(2_000))  # type: ignore[arg-type]
            for _ in range(6)
        ]
        senders = {
            name: subprocess.Popen(
                [sys.executable, "-c", SENDER, name], stdout=subprocess.PIPE, text=True
            )
            for name in (f"shared{round_}.{n}" for n in range(2))
        }
        victim = draw.choice(list(senders))
        try:
            senders[victim].wait(draw.uniform(0.3, 0.8))
        except subprocess.TimeoutExpired:
            senders[victim].send_signal(signal.SIGKILL)
        for name, sender in senders.items():
            said, _ = sender.communicate(timeout=180)
            acknowledged |= {(name, int(n)) for n in said.split("\n")[:-1]}
    assert log_event("shared", "log", n=0)
    eventually(lambda: laneway.flush(1), "the spool to be sent")
    check(report, "shared_spool", hub, "shared", acknowledged, 6 * (20 if IS_LONG else 3))


def test_a_damaged_spool_costs_only_the_damaged_lines_and_says_so(
    hub: Hub, proxy: Proxy, home: Path, seed: int, report: Report
) -> None:
    """A bit flipped in each of some lines, and in the note of how far the hub has them."""
    draw = random.Random(seed)
    target, proxy.target = proxy.target, 9
    laneway.configure()
    count = 20 * FLIPS
    for n in range(count):
        more = {"side_files": ["mine"]} if n % 2 else {}  # such a line is looked at more closely
        assert log_event("flip", "log", "x" * 100, n=n, **more)
    laneway.configure()
    (path,) = home.glob("spool/*/spool-0*.jsonl")
    lines = path.read_bytes().split(b"\n")
    hurt = set(draw.sample(range(count), FLIPS))
    for n in hurt:
        lines[n] = flipped(lines[n], draw)
    path.write_bytes(b"\n".join(lines))
    place = path.with_name("ship.position")
    place.write_bytes(b"1 70000\n")  # a place that is no line's end, and not signed as ours are

    proxy.target = target
    laneway.configure()
    log_event("flip", "end")
    eventually(lambda: laneway.flush(1), "the spool to be sent")
    found = index_of(hub, "flip")
    whole = {("flip", n) for n in range(count) if n not in hurt}
    rejected = laneway.stats()["rejected"]
    kept_aside = path.with_name("rejected.jsonl").read_bytes().split(b"\n")
    report(
        "network_damaged_spool", flipped=FLIPS, whole=len(whole), lost=len(whole - set(found)),
        rejected=rejected, twice=sum(n > 1 for n in found.values()),
    )  # fmt: skip
    assert whole <= set(found)
    assert set(found.values()) == {1}
    assert rejected == len([line for line in kept_aside if line])
    assert len(found) + int(rejected) == count  # type: ignore[call-overload]


def flipped(line: bytes, draw: random.Random) -> bytes:
    """With one bit of its frame changed, so that it is no JSON any more."""
    place = draw.choice([0, len(line) - 1, line.index(b'"agent"') + 7])
    return line[:place] + bytes([line[place] ^ 0x10]) + line[place + 1 :]
