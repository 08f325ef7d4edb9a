"""One connection to a real server."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nkeys
import pytest
from nats.aio.client import Client

from laneway.base.settings import resolve
from laneway.hub.bus.stream import BusLost, Connection, Message, Plan, connect
from laneway.sdk.bus.address import read_address
from tests.hub.bus.cluster import Node, running
from tests.port import free_port

PLAN = Plan("laneway", 0, 3600.0)


async def opened(url: str, **settings: Any) -> Connection:
    address = read_address(resolve({"bus": url, **settings}, env={}))
    return await connect(address, url, PLAN, "test")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    with running(tmp_path / "nats", size=1) as cluster:
        yield cluster.nodes[0]


async def test_what_is_published_twice_is_known_the_second_time(node: Node) -> None:
    connection = await opened(node.url)
    try:
        await connection.ensure_stream()
        messages = [Message(f"id-{n}", "laneway.=.a", b"{}") for n in range(1_200)]
        assert await connection.publish(messages, "here") == dict.fromkeys(
            (one.id for one in messages), False
        )
        assert set((await connection.publish(messages, "here")).values()) == {True}
    finally:
        await connection.close()
    assert node.stream()["state"]["messages"] == 1_200


async def test_a_consumer_goes_on_behind_what_was_acknowledged(node: Node) -> None:
    seen: list[bytes] = []
    for count in (15, 30):
        connection = await opened(node.url)
        try:
            await connection.ensure_stream()
            messages = [Message(f"id-{n}", "laneway.=.a", b"%d" % n) for n in range(count)]
            await connection.publish(messages, "here")
            await connection.subscribe("me")
            while len(seen) < count:
                for message in await connection.pull():
                    seen.append(message.data)
                    await message.ack_sync()
        finally:
            await connection.close()
    assert seen == [b"%d" % n for n in range(30)]


async def test_a_stream_that_is_there_is_used_as_it_is(node: Node) -> None:
    client = Client()
    await client.connect(node.url)
    await client.jetstream().add_stream(name="laneway", subjects=["laneway.>"], max_msgs=7)
    await client.close()
    connection = await opened(node.url)
    await connection.ensure_stream()
    messages = [Message(f"id-{n}", "laneway.=.a", b"{}") for n in range(20)]
    await connection.publish(messages, "here")
    await connection.close()
    assert node.stream()["state"]["messages"] == 7


async def test_a_server_that_is_not_there_is_left_at_once() -> None:
    with pytest.raises(BusLost, match="no connection"):
        await opened(f"nats://127.0.0.1:{free_port()}")


async def test_a_server_that_takes_no_line_of_full_length_is_refused(tmp_path: Path) -> None:
    with running(tmp_path / "nats", 1, "max_payload: 64KB") as cluster:
        connection = await opened(cluster.urls)
        with pytest.raises(BusLost, match="max_payload must be"):
            await connection.ensure_stream()
        await connection.close()


async def test_a_token_and_an_nkey_open_the_bus_and_others_do_not(tmp_path: Path) -> None:
    seed = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    other = nkeys.encode_seed(os.urandom(32), nkeys.PREFIX_BYTE_USER)
    public = nkeys.from_seed(bytearray(seed)).public_key.decode()
    (tmp_path / "seed").write_bytes(seed + b"\n")
    (tmp_path / "other").write_bytes(other)
    (tmp_path / "token").write_text("a long word\n")
    for place, more, setting in (
        ("a", f'authorization {{ users: [ {{ nkey: "{public}" }} ] }}', "bus_nkey_file"),
        ("b", 'authorization { token: "a long word" }', "bus_token_file"),
    ):
        good = tmp_path / ("seed" if setting == "bus_nkey_file" else "token")
        with running(tmp_path / place, 1, more) as cluster:
            connection = await opened(cluster.urls, **{setting: good})
            await connection.ensure_stream()
            await connection.close()
            with pytest.raises(BusLost, match="uthorization"):
                await opened(cluster.urls, **{setting: tmp_path / "other"})
