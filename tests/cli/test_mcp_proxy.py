"""``laneway mcp-tap --url``: the official SDK's client and server, with the proxy between them."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import anyio
import httpx
import orjson
import pytest
from mcp import Client

from laneway.cli.mcp_proxy import Events, Whole
from tests.cli.conftest import COMMAND, environment
from tests.port import free_port
from tests.waiting import eventually


@pytest.fixture
def server() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.cli.mcp_http_server", str(port)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )

    def is_up() -> bool:
        with socket.socket() as link:
            return link.connect_ex(("127.0.0.1", port)) == 0

    try:
        eventually(is_up)
        yield f"http://127.0.0.1:{port}/mcp"
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def proxy(home: Path, server: str) -> Iterator[str]:
    words = [*COMMAND, "mcp-tap", "--url", server, "--agent", "sums"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment(home))
    assert process.stdout
    try:
        line = process.stdout.readline()
        assert f" passes on to {server}" in line, line
        yield line.split()[0]
    finally:
        process.terminate()
        process.communicate(timeout=180)


def stored(home: Path) -> list[dict[str, Any]]:
    files = sorted((home / "logs").glob("*-0*.jsonl"))
    return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]


async def test_a_client_and_a_server_do_not_notice_and_all_is_recorded(
    proxy: str, home: Path
) -> None:
    progress: list[float] = []
    progressed = anyio.Event()

    async def note(done: float, total: float | None, message: str | None) -> None:
        progress.append(done)
        progressed.set()

    async with Client(proxy) as client:
        assert {tool.name for tool in (await client.list_tools()).tools} == {"add", "fail"}
        answer = await client.call_tool("add", {"a": 2, "b": 3}, progress_callback=note)
        assert answer.content[0].text == "5"  # type: ignore[union-attr]
        assert (await client.call_tool("fail", {})).is_error
        with anyio.fail_after(60):
            await progressed.wait()
    assert progress == [1]

    eventually(lambda: sum(e["event"] == "tool_result" for e in stored(home)) == 2)
    eventually(lambda: any(e["event"] == "mcp_notification" for e in stored(home)))
    eventually(lambda: any(e.get("name") == "tools/list" for e in stored(home)))
    found = stored(home)
    assert {event["agent"] for event in found} == {"sums"}
    calls = [event for event in found if event["event"] == "tool_invocation"]
    results = [event for event in found if event["event"] == "tool_result"]
    assert [(call["tool"], call["input"]) for call in calls] == [("add", {"a": 2, "b": 3}), ("fail", {})]  # fmt: skip
    assert [call["span_id"] for call in calls] == [result["span_id"] for result in results]
    assert results[0]["output"]["content"][0]["text"] == "5"
    assert results[1]["error"]["type"] == "tool_error"
    assert "tools/list" in {event.get("name") for event in found}
    notes = {event.get("name") for event in found if event["event"] == "mcp_notification"}
    assert "notifications/progress" in notes, "from within the stream of an answer"


def test_a_server_that_is_away_is_a_failure_of_the_call(home: Path) -> None:
    words = [*COMMAND, "mcp-tap", "--url", "http://127.0.0.1:1/mcp"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True, env=environment(home))
    assert process.stdout
    try:
        url = process.stdout.readline().split()[0]
        call = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "add"}}
        assert httpx.post(url, json=call, timeout=180).status_code == 502
        stranger = httpx.post(url, json=call, headers={"Host": "evil.example"}, timeout=180)
        assert stranger.status_code == 403, "a page that had its own name point here"
    finally:
        process.terminate()
        process.communicate(timeout=180)
    _, result = stored(home)
    assert result["error"]["type"] == "502"


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
def test_messages_of_a_stream_are_found_however_it_is_cut(size: int) -> None:
    text = b': hi\r\nevent: message\r\ndata: {"a":\r\ndata: 1}\r\n\r\nid: 7\ndata: {"b": 2}\n\ndata: {"c": 3}'
    reader = Events()
    found = [m for at in range(0, len(text), size) for m in reader.take(text[at : at + size])]
    assert [*map(orjson.loads, found + reader.end())] == [{"a": 1}, {"b": 2}, {"c": 3}]


def test_an_answer_in_one_piece_is_read_at_its_end() -> None:
    reader = Whole()
    assert reader.take(b'{"a"') + reader.take(b": 1}") == []
    assert reader.end() == [b'{"a": 1}']


@pytest.mark.parametrize("words", [(), ("--url", "http://127.0.0.1:1/mcp", "--", "server")])
def test_one_of_command_and_address_is_wanted(words: tuple[str, ...], home: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "mcp-tap", *words], capture_output=True, text=True, env=environment(home), timeout=180
    )  # fmt: skip
    assert (done.returncode, "either a server's command" in done.stderr) == (2, True)
