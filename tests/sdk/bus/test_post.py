"""An SDK that sends to the bus itself, over real NATS servers."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from nats.aio.client import Client
from nats.js.api import StreamConfig

import laneway
from laneway import log_event
from tests.hub.bus.cluster import Cluster, running
from tests.waiting import eventually

PROGRAM = """
import os, sys
from laneway import log_event
for n in range(int(sys.argv[2])):
    log_event(sys.argv[1], "log", n=n)
    print(n, flush=True)
if sys.argv[3] == "fork" and os.fork() == 0:
    log_event(sys.argv[1] + "-child", "log", n=0)
    sys.exit()
if sys.argv[3] == "wait":
    sys.stdin.read()
"""


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running(tmp_path / "nats", size=1) as made:
        yield made


def with_stream(cluster: Cluster, replicas: int = 1) -> None:
    async def make() -> None:
        client = Client()
        await client.connect(cluster.nodes[0].url)
        wanted = StreamConfig(name="laneway", subjects=["laneway.>"], num_replicas=replicas)
        await client.jetstream(timeout=180).add_stream(wanted)
        await client.close()

    asyncio.run(make())


def held(cluster: Cluster) -> list[tuple[str, dict[str, Any]]]:
    """Subject and event of all that the stream has, in order."""

    async def read() -> list[tuple[str, dict[str, Any]]]:
        client = Client()
        await client.connect(next(node.url for node in cluster.nodes if node.is_up()))
        jet = client.jetstream(timeout=180)
        count = (await jet.stream_info("laneway")).state.messages
        found = [await jet.get_msg("laneway", seq) for seq in range(1, count + 1)]
        await client.close()
        return [(one.subject or "", orjson.loads(one.data or b"")) for one in found]

    return asyncio.run(read())


def run(cluster: Cluster, home: Path, *arguments: str) -> subprocess.Popen[str]:
    env = {**os.environ, "LOGGING_URL": cluster.urls, "LANEWAY_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        env=env, stdout=subprocess.PIPE, stdin=subprocess.PIPE, text=True,
    )  # fmt: skip


def wait_for_count(cluster: Cluster, count: int) -> None:
    eventually(
        lambda: cluster.nodes[0].stream().get("state", {}).get("messages", 0) >= count,
        "the stream to get them",
    )


def test_events_reach_the_stream_in_order_under_their_pod_and_agent(cluster: Cluster) -> None:
    with_stream(cluster)
    laneway.configure(logging_url=cluster.urls, pod="shop")
    for n in range(700):
        log_event("a b", "log", n=n)
    assert laneway.flush(180)
    found = held(cluster)
    assert [event["n"] for _, event in found] == list(range(700))
    assert {subject for subject, _ in found} == {"laneway.shop.a=20b"}
    assert laneway.stats()["spool_bytes"] == 0


def test_secrets_are_gone_before_anything_leaves(cluster: Cluster) -> None:
    with_stream(cluster)
    laneway.configure(logging_url=cluster.urls)
    log_event("a", "log", "the key is sk-ant-api03-" + "x1Y2" * 23 + "AA")
    assert laneway.flush(180)
    ((_, event),) = held(cluster)
    assert "x1Y2" not in event["content"]


def test_what_was_logged_while_the_bus_was_away_comes_later_and_once(cluster: Cluster) -> None:
    with_stream(cluster)
    laneway.configure(logging_url=cluster.urls)
    log_event("a", "log", n=0)
    assert laneway.flush(180)
    cluster.nodes[0].kill()
    for n in range(1, 20):
        log_event("a", "log", n=n)
    assert not laneway.flush(0.5)
    cluster.start()
    assert laneway.flush(180)
    assert [event["n"] for _, event in held(cluster)] == list(range(20))


def test_without_a_stream_events_wait_and_the_reason_is_told(cluster: Cluster) -> None:
    laneway.configure(logging_url=cluster.urls)
    log_event("a", "log", n=0)
    assert not laneway.flush(1.0)
    eventually(lambda: laneway.stats()["last_error"], "the reason")
    with_stream(cluster)
    assert laneway.flush(180)
    assert len(held(cluster)) == 1


@pytest.mark.parametrize("end", ["exit", "fork"])
def test_a_program_that_ends_at_once_has_sent_its_events_or_the_next_one_does(
    cluster: Cluster, tmp_path: Path, end: str
) -> None:
    with_stream(cluster)
    process = run(cluster, tmp_path / "home", "first", "5", end)
    process.communicate(timeout=120)
    process = run(cluster, tmp_path / "home", "second", "1", "wait")
    wait_for_count(cluster, 6 + (end == "fork"))
    process.communicate(timeout=120)
    names = sorted(event["agent"] for _, event in held(cluster))
    assert names == ["first"] * 5 + ["first-child"] * (end == "fork") + ["second"]


def test_what_a_killed_program_was_told_is_sent_by_the_next_one_each_once(
    cluster: Cluster, tmp_path: Path
) -> None:
    process = run(cluster, tmp_path / "home", "killed", "200", "wait")  # no stream: nothing can go
    assert process.stdout
    for n in range(200):
        assert int(process.stdout.readline()) == n
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=180)
    with_stream(cluster)
    process = run(cluster, tmp_path / "home", "next", "1", "wait")
    wait_for_count(cluster, 201)
    process.communicate(timeout=120)
    found = [event["n"] for _, event in held(cluster) if event["agent"] == "killed"]
    assert found == list(range(200))


def test_a_killed_server_costs_no_event_and_repeats_none(tmp_path: Path) -> None:
    with running(tmp_path / "nats") as cluster:
        with_stream(cluster, 3)
        laneway.configure(logging_url=cluster.urls)
        for n in range(300):
            log_event("a", "log", n=n)
            if n == 100:
                cluster.leader().kill()
        assert laneway.flush(180)
        assert [event["n"] for _, event in held(cluster)] == list(range(300))


def test_the_client_is_loaded_only_by_who_sends_there(tmp_path: Path) -> None:
    program = (
        "import sys, laneway; laneway.log_event('a', 'log'); laneway.flush(1);"
        "print({'nats', 'asyncio', 'laneway.sdk.bus.post'} & set(sys.modules))"
    )
    env = {**os.environ, "LOGGING_URL": "http://127.0.0.1:9/log", "LANEWAY_HOME": str(tmp_path)}
    told = subprocess.run(
        [sys.executable, "-c", program], env=env, capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == "set()"
