"""Overload: the hub stays within its memory, refuses rather than grows, and drops nothing silently (P12)."""

import http.client
import json
import os
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from tests.torture.conftest import Report
from tests.torture.harness import Hub
from tests.waiting import eventually

pytestmark = [pytest.mark.torture, pytest.mark.timeout(600)]

IS_LONG = os.environ.get("LANEWAY_TORTURE") == "long"
BURST_S = 60.0 if IS_LONG else 2.0
SENDERS, BATCH = 4, 500
STUCK_VIEWERS = 20
LIMIT_BYTES = 300 << 20
"""Of the hub's two processes together, each page that they share counted once."""

HUGE = 100_000_000

HUGE_EVENT = f"""
import json, laneway
id_ = laneway.log_event("huge", "log", "x" * {HUGE})
laneway.flush(180)
print(json.dumps({{"id": id_, **laneway.stats()}}))
"""


class Burst(threading.Thread):
    """Posts batches as fast as they are answered, and counts what it was told."""

    def __init__(self, hub: Hub, name: str, until_s: float) -> None:
        super().__init__()
        self.accepted = self.refused = 0
        self.statuses: set[int] = set()
        self.without_retry_after = 0
        self._hub, self._name, self._until_s = hub, name, until_s

    def run(self) -> None:
        event = {"agent": self._name, "event": "tool_invocation", "content": "tidal power, " * 20}
        body = "\n".join([json.dumps(event)] * BATCH)
        head = {
            "Authorization": f"Bearer {self._hub.access_token}",
            "Content-Type": "application/x-ndjson",
        }
        connection = http.client.HTTPConnection("127.0.0.1", self._hub.port, timeout=120)
        while time.monotonic() < self._until_s:
            connection.request("POST", "/log", body, head)
            answer = connection.getresponse()
            told = answer.read()
            self.statuses.add(answer.status)
            if answer.status == 200:
                self.accepted += json.loads(told)["accepted"]
            else:
                self.refused += BATCH
                self.without_retry_after += "Retry-After" not in answer.headers
                time.sleep(0.05)
        connection.close()


class Memory(threading.Thread):
    """The most that these processes had in RAM at a time."""

    def __init__(self, pids: list[int]) -> None:
        super().__init__(daemon=True)
        self.peak_bytes = 0
        self.is_over = threading.Event()
        self._pids = pids

    def run(self) -> None:
        while not self.is_over.wait(0.1):
            self.peak_bytes = max(self.peak_bytes, sum(map(pss_bytes, self._pids)))


def pss_bytes(pid: int) -> int:
    text = Path(f"/proc/{pid}/smaps_rollup").read_text()
    return next(int(line.split()[1]) for line in text.splitlines() if line[:4] == "Pss:") * 1024


def children(pid: int) -> list[int]:
    return [
        int(child)
        for task in Path(f"/proc/{pid}/task").iterdir()
        for child in (task / "children").read_text().split()
    ]


def open_stuck_viewer(hub: Hub) -> socket.socket:
    """A viewer that asks for everything and reads nothing."""
    viewer = socket.create_connection(("127.0.0.1", hub.port))
    viewer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    viewer.sendall(
        f"GET /logs/ws?history=20000 HTTP/1.1\r\nHost: 127.0.0.1:{hub.port}\r\n"
        f"Authorization: Bearer {hub.access_token}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n".encode()
    )
    return viewer


def post_huge_event(hub: Hub) -> int:
    """The status for one event of 100 MB; 413 may come before all of it was sent."""
    connection = http.client.HTTPConnection("127.0.0.1", hub.port, timeout=120)
    connection.putrequest("POST", "/log")
    connection.putheader("Authorization", f"Bearer {hub.access_token}")
    connection.putheader("Content-Type", "application/json")
    connection.putheader("Content-Length", str(HUGE))
    connection.endheaders()
    try:
        connection.send(b'{"agent":"huge","event":"log","content":"')
        for _ in range(HUGE // 1_000_000):
            connection.send(b"x" * 1_000_000)
    except OSError:  # it has answered, and reads no more
        pass
    status = connection.getresponse().status
    connection.close()
    return status


def test_overload_is_refused_and_not_kept_in_memory(tmp_path: Path, report: Report) -> None:
    hub = Hub(tmp_path / "home", tmp_path / "log")
    hub.start()
    viewers: list[socket.socket] = []
    try:
        assert hub.process
        pids = [hub.process.pid, *children(hub.process.pid)]
        assert len(pids) == 2
        memory = Memory(pids)
        memory.start()
        viewers += [open_stuck_viewer(hub) for _ in range(STUCK_VIEWERS)]
        eventually(lambda: hub.get("/health")["viewers"] == STUCK_VIEWERS, "the viewers")
        began_s = time.monotonic()
        bursts = [Burst(hub, f"b{n}", began_s + BURST_S) for n in range(SENDERS)]
        for burst in bursts:
            burst.start()
        assert post_huge_event(hub) == 413
        for burst in bursts:
            burst.join()
        took_s = time.monotonic() - began_s
        accepted = sum(burst.accepted for burst in bursts)
        hub.wait_level()
        memory.is_over.set()
        memory.join()
        assert hub.get("/health")["index"]["events"] == accepted
    finally:
        for viewer in viewers:
            viewer.close()
        hub.stop()
    refused = sum(burst.refused for burst in bursts)
    statuses = set().union(*(burst.statuses for burst in bursts))
    report(
        "memory", accepted=accepted, rate=round(accepted / took_s), refused=refused,
        seconds=round(took_s), viewers=STUCK_VIEWERS, most_mb=memory.peak_bytes >> 20,
    )  # fmt: skip
    assert memory.peak_bytes <= LIMIT_BYTES
    assert statuses <= {200, 429, 503}
    assert not any(burst.without_retry_after for burst in bursts)


def test_an_event_of_100_mb_from_the_sdk_is_cut_and_says_so(tmp_path: Path) -> None:
    env = {**os.environ, "LANEWAY_HOME": str(tmp_path / "home"), "LOG_PATH": str(tmp_path / "log")}
    env.pop("LOGGING_URL", None)
    done = subprocess.run(
        [sys.executable, "-c", HUGE_EVENT], env=env, capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, done.stderr
    stats = json.loads(done.stdout)
    (line,) = (tmp_path / "log" / "events-000001.jsonl").read_bytes().splitlines()

    assert stats["id"]
    assert stats["recorded"] == 1
    assert stats["lost"] == {}
    assert len(line) <= 256 * 1024
    assert json.loads(line)["id"] == stats["id"]
