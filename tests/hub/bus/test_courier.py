"""Real hubs, each with its courier, over a real server."""

import asyncio
import json
import shutil
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from laneway.hub.bus import courier
from laneway.hub.bus.stream import BusLost
from tests.hub.bus.cluster import Cluster, Node, running
from tests.hub.bus.test_outgoing import SECRET
from tests.torture.harness import Hub, Viewer
from tests.waiting import eventually


@contextmanager
def hub_of(directory: Path, name: str, bus: str, **env: str) -> Iterator[Hub]:
    (directory / name).mkdir()
    hub = Hub(directory / name / "home", directory / name / "log")
    hub.env.update({"LANEWAY_BUS": bus, **env})
    hub.start()
    try:
        yield hub
    finally:
        hub.stop()


def post(hub: Hub, *events: dict[str, object]) -> None:
    token = (hub.home / "ingest.token").read_text().strip()
    request = urllib.request.Request(
        f"{hub.url}/log",
        data=json.dumps(events).encode(),
        headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=180) as answer:
        assert json.load(answer)["accepted"] == len(events)


def count(hub: Hub) -> int:
    return int(hub.get("/health")["index"]["events"])


def is_connected(hub: Hub) -> bool:
    return bool(hub.get("/health")["bus"]["connected"])


def told(hub: Hub, name: str) -> int:
    request = urllib.request.Request(
        f"{hub.url}/metrics", headers={"Authorization": f"Bearer {hub.access_token}"}
    )
    with urllib.request.urlopen(request, timeout=180) as answer:
        lines = answer.read().decode().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith(f"{name} "))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path / "nats", size=1) as cluster:
        yield cluster.nodes[0]


def test_an_event_of_one_hub_is_seen_live_at_another_and_goes_round_once(
    node: Node, tmp_path: Path
) -> None:
    with hub_of(tmp_path, "a", node.url) as a, hub_of(tmp_path, "b", node.url) as b:
        viewer = Viewer(b)
        eventually(lambda: viewer.epochs, "the viewer")
        post(a, *({"agent": "planner", "event": "x", "n": n} for n in range(50)))
        post(b, {"agent": "searcher", "event": "y", "pod": "shop"})
        eventually(lambda: len(viewer.seqs) == 51, "the events at b")
        eventually(lambda: count(a) == 51, "the event at a")
        viewer.is_done = True
        subjects = {event["agent"] for event in b.iter_events()}
        assert subjects == {"planner", "searcher"}
        eventually(lambda: told(a, "laneway_bus_pending_bytes") == 0, "the rest of a")
        eventually(lambda: told(b, "laneway_bus_pending_bytes") == 0, "the rest of b")
        assert node.stream()["state"]["messages"] == 51
        received = lambda: (told(a, "laneway_bus_received"), told(b, "laneway_bus_received"))  # noqa: E731
        eventually(lambda: received() == (1, 50), "what the couriers tell")


def times_said(hub: Hub, words: str) -> int:
    return hub.output.read_text().count(words)


def test_a_hub_starts_and_keeps_events_without_its_bus_and_publishes_them_later(
    tmp_path: Path,
) -> None:
    cluster = Cluster(tmp_path / "nats", size=1)
    try:
        with hub_of(tmp_path, "a", cluster.urls) as a:
            post(a, {"agent": "a", "event": "x"})
            eventually(lambda: count(a) == 1, "the event")
            eventually(lambda: a.get("/health")["bus"]["pending_bytes"] > 0, "what waits")
            assert a.get("/health")["status"] == "ok"
            eventually(lambda: times_said(a, "events wait in the log"), "the fault told")
            time.sleep(1)  # it tries on
            assert times_said(a, "events wait in the log") == 1
            cluster.start()
            eventually(
                lambda: a.get("/health")["bus"]["pending_bytes"] == 0, "that it is published"
            )
            eventually(lambda: times_said(a, "the bus answers again"), "its return told")
            assert times_said(a, "the bus answers again") == times_said(a, "events wait in the log")
            with hub_of(tmp_path, "b", cluster.urls) as b:
                eventually(lambda: count(b) == 1, "the event at a hub that came later")
    finally:
        cluster.close()


def test_no_secret_reaches_the_bus(node: Node, tmp_path: Path) -> None:
    with hub_of(tmp_path, "a", node.url) as a:
        naive = {"agent": "naive", "event": "x", "content": f"a {SECRET}"}
        (tmp_path / "a" / "log" / "naive.jsonl").write_text(json.dumps(naive) + "\n")
        post(a, {"agent": "a", "event": "x", "content": f"b {SECRET}"})
        eventually(lambda: node.stream().get("state", {}).get("messages") == 2, "both events")
    stored = [path.read_bytes() for path in (tmp_path / "nats").rglob("*") if path.is_file()]
    assert any(b"[redacted:" in data for data in stored)
    assert not any(SECRET.encode() in data for data in stored)


def test_a_hub_that_only_sends_takes_nothing_and_one_that_only_takes_sends_nothing(
    node: Node, tmp_path: Path
) -> None:
    with (
        hub_of(tmp_path, "a", node.url, LANEWAY_BUS_FLOW="out") as a,
        hub_of(tmp_path, "b", node.url, LANEWAY_BUS_FLOW="in") as b,
    ):
        post(b, {"agent": "b", "event": "x"})
        post(a, {"agent": "a", "event": "x"})
        eventually(lambda: count(b) == 2, "the event of a")
        assert node.stream()["state"]["messages"] == 1
        assert count(a) == 1


@pytest.mark.skipif(not shutil.which("openssl"), reason="openssl makes the certificates")
def test_the_bus_is_reached_with_a_password_and_over_tls(tmp_path: Path) -> None:
    key, cert, password = (tmp_path / name for name in ("key.pem", "cert.pem", "password"))
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", key, "-out", cert,
         "-days", "2", "-subj", "/CN=bus", "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True,
        capture_output=True,
    )  # fmt: skip
    password.write_text("a long word\n")
    more = (
        f'tls {{ cert_file: "{cert}", key_file: "{key}" }}\n'
        'authorization { user: "hub", password: "a long word" }'
    )
    env = {
        "LANEWAY_BUS_TLS_CA": str(cert),
        "LANEWAY_BUS_USER": "hub",
        "LANEWAY_BUS_PASSWORD_FILE": str(password),
    }
    with running(tmp_path / "nats", 1, more) as cluster:
        bus = cluster.urls
        with hub_of(tmp_path, "a", bus, **env) as a:
            post(a, {"agent": "a", "event": "x"})
            eventually(lambda: told(a, "laneway_bus_published") == 1, "the event on the bus")
        password.write_text("another word")
        with hub_of(tmp_path, "b", bus, **env) as b:
            eventually(lambda: b"uthorization" in b.output.read_bytes(), "the refusal")
            assert not is_connected(b)
            assert b"another word" not in b.output.read_bytes()


async def test_work_that_misses_its_cancellation_is_ended_all_the_same() -> None:
    cancelled = 0

    async def stubborn() -> None:
        nonlocal cancelled
        while cancelled < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled += 1

    async def fail() -> None:
        raise BusLost("gone")

    with pytest.raises(BusLost, match="gone"):
        await courier._first_failure([stubborn(), fail()])
    assert cancelled == 3


async def test_a_courier_that_misses_its_hub_s_end_is_ended_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(courier, "STOP_S", 0.01)
    hung_up, cancelled = asyncio.Event(), 0

    async def stubborn() -> None:
        nonlocal cancelled
        hung_up.set()
        while cancelled < 3:
            try:
                await asyncio.sleep(3600)
            except asyncio.CancelledError:
                cancelled += 1

    await courier.run_until(hung_up, stubborn())
    assert cancelled == 3


async def test_a_courier_that_cannot_work_says_why() -> None:
    async def fail() -> None:
        raise BusLost("the log cannot be written")

    with pytest.raises(BusLost, match="cannot be written"):
        await courier.run_until(asyncio.Event(), fail())


def test_a_hub_with_a_wrong_bus_does_not_start(tmp_path: Path) -> None:
    hub = hub_of(tmp_path, "a", "http://127.0.0.1:4222")
    with pytest.raises(AssertionError, match="no address of a NATS server"), hub:
        pass
