"""Commands run as they always do; what they did is in the log."""

import io
import os
import pty
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import orjson
import pytest

from tests.waiting import eventually

LANEWAY = [sys.executable, "-m", "laneway"]


def events(home: Path) -> list[dict[str, Any]]:
    files = sorted((home / "logs").glob("*-0*.jsonl"))
    return [orjson.loads(line) for file in files for line in file.read_bytes().splitlines()]


def run(*words: str, **options: Any) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        [*LANEWAY, *words], capture_output=True, timeout=100, check=False, **options
    )


def test_output_exit_code_and_duration_are_recorded(home: Path) -> None:
    script = "import sys; print('\\x1b[31mone\\x1b[0m'); print('two', file=sys.stderr); sys.exit(3)"
    done = run("run", "--agent", "builder", "--session", "s1", "--", sys.executable, "-c", script)
    assert (done.returncode, done.stdout, done.stderr) == (3, b"\x1b[31mone\x1b[0m\n", b"two\n")
    found = events(home)
    assert {event["agent"] for event in found} == {"builder"}
    assert {event["session_id"] for event in found} == {"s1"}
    lines = {event["stream"]: event["content"] for event in found if event["event"] == "log"}
    assert lines == {"stdout": "one", "stderr": "two"}
    start, end = found[0], found[-1]
    assert (start["event"], end["event"]) == ("process_start", "process_end")
    assert start["span_id"] == end["span_id"]
    assert (end["exit_code"], end["level"]) == (3, "error")
    assert end["duration_ms"] > 0


def test_bytes_pass_as_they_are_and_input_goes_in(home: Path) -> None:
    body = bytes(range(256)) * 5_000
    copy = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read())"
    done = run("run", "--no-output", "--", sys.executable, "-c", copy, input=body)
    assert done.stdout == body
    assert [event["event"] for event in events(home)] == ["process_start", "process_end"]


def test_a_command_that_is_not_there_is_said_and_recorded(home: Path) -> None:
    done = run("run", "--", "/no/such/command")
    assert done.returncode == 3
    assert b"/no/such/command: No such file or directory" in done.stderr
    assert events(home)[-1]["exit_code"] == 127


def test_the_command_finds_its_trace_and_its_lane(home: Path) -> None:
    show = "import os; print(os.environ['TRACEPARENT'], os.environ['LANEWAY_AGENT'])"
    done = run("run", "--agent", "builder", "--", sys.executable, "-c", show)
    start = events(home)[0]
    assert done.stdout.decode() == f"00-{start['trace_id']}-{start['span_id']}-01 builder\n"


def test_signals_go_to_the_command(home: Path) -> None:
    script = "import signal, time; signal.signal(15, lambda *_: exit(7)); print('ready', flush=True); [time.sleep(0.05) for _ in iter(int, 1)]"
    command = [*LANEWAY, "run", "--", sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL) as process:
        assert process.stdout
        process.stdout.readline()
        process.send_signal(signal.SIGTERM)
        assert process.wait(180) == 7
    assert events(home)[-1]["exit_code"] == 7


@pytest.mark.skipif(os.name != "posix", reason="there are no pseudo terminals here")
def test_the_command_keeps_its_terminal(home: Path) -> None:
    script = "import sys; print(sys.stdout.isatty(), sys.stdin.isatty()); print(input('name? '))"
    command = [*LANEWAY, "run", "--", sys.executable, "-c", script]
    master, slave = pty.openpty()
    with subprocess.Popen(
        command, stdin=slave, stdout=slave, stderr=slave, start_new_session=True
    ) as process:
        os.close(slave)
        shown = b""
        until_s = time.monotonic() + 180
        while b"name? " not in shown and time.monotonic() < until_s:
            shown += os.read(master, 4096)
        os.write(master, b"Ada\r")
        while b"\nAda" not in shown and time.monotonic() < until_s:
            shown += os.read(master, 4096)
        assert process.wait(180) == 0
    os.close(master)
    assert b"True True" in shown
    eventually(lambda: events(home)[-1]["event"] == "process_end", "the end")
    assert "True True" in [event.get("content") for event in events(home)]


SERVER = """
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    if asked["method"] == "tools/call" and asked["params"]["name"] == "broken":
        answer = {"error": {"code": -32000, "message": "it broke"}}
    elif asked["method"] == "tools/call":
        answer = {"result": {"content": [{"type": "text", "text": "42"}]}}
    else:
        answer = {"result": {"serverInfo": {"name": "sums"}}}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], **answer}), flush=True)
print("no json", flush=True)
sys.exit(5)
"""


def test_what_an_mcp_client_and_its_server_say_is_recorded(home: Path) -> None:
    def ask(key: int | None, method: str, **params: Any) -> dict[str, Any]:
        return {
            "jsonrpc": "2.0",
            **({} if key is None else {"id": key}),
            "method": method,
            "params": params,
        }

    asked = [
        ask(0, "initialize", clientInfo={"name": "claude"}),
        ask(None, "notifications/initialized"),
        ask(1, "tools/call", name="calculate", arguments={"expression": "6 * 7"}),
        ask(2, "tools/call", name="broken", arguments={}),
    ]
    body = b"".join(orjson.dumps(item) + b"\n" for item in asked)
    server = [sys.executable, "-c", SERVER]
    bare = subprocess.run(server, input=body, capture_output=True, check=False)
    done = run("mcp-tap", "--agent", "sums", "--", *server, input=body)
    assert (done.returncode, done.stdout, done.stderr) == (5, bare.stdout, b"")
    found = events(home)
    call = next(event for event in found if event["event"] == "tool_invocation")
    results = [event for event in found if event["event"] == "tool_result"]
    assert (call["agent"], call["parent_agent"], call["tool"]) == ("sums", "claude", "calculate")
    assert call["input"] == {"expression": "6 * 7"}
    assert results[0]["output"] == {"content": [{"type": "text", "text": "42"}]}
    assert results[0]["span_id"] == call["span_id"]
    assert (results[1]["level"], results[1]["error"]["message"]) == ("error", "it broke")
    assert {"mcp_start", "mcp_end", "mcp_notification"} <= {event["event"] for event in found}


def test_an_answer_that_is_quicker_than_we_are_still_finds_its_request() -> None:
    from laneway.cli.mcp_tap import pump

    seen: list[bytes] = []

    class Server(io.BytesIO):
        """Answers before the call that asked it has come back."""

        def write(self, line: Any) -> int:
            pump(io.BytesIO(b'{"id": 1, "result": {}}'), io.BytesIO(), seen.append)
            return len(line)

    pump(io.BytesIO(b'{"id": 1, "method": "tools/call"}'), Server(), seen.append)
    assert [b"method" in line for line in seen] == [True, False]


def test_the_lane_of_a_server_is_its_programs_name() -> None:
    from laneway.cli.mcp_tap import name_of

    assert name_of(["npx", "-y", "@scope/server-files", "/tmp"]) == "server-files"
    assert name_of(["/usr/bin/python3", "-m", "files"]) == "files"
    assert name_of(["/opt/files.exe"]) == "files"
