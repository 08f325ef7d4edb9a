"""Old secrets leave a log under a running hub: its index, its ring and its viewers as well."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from websockets.sync.client import connect

from tests.torture.harness import Hub, Viewer
from tests.waiting import eventually

SECRET = "ACME-" + "7f3a9c2e11"
RULES = json.dumps([{"name": "acme", "pattern": "ACME-[0-9a-f]{10}"}])
COUNT = 50
AGENT = f"""
import laneway
for i in range({COUNT}):
    laneway.log_event("agent {SECRET}", "log", "it is {SECRET}", n=i)
"""


def hear(hub: Hub) -> str:
    """The history that a new viewer gets."""
    headers = {"Authorization": f"Bearer {hub.access_token}"}
    address = f"ws://127.0.0.1:{hub.port}/logs/ws?history=1000"
    heard, count = [], 0
    with connect(address, additional_headers=headers, max_size=None) as live:
        try:
            while count < COUNT:
                heard.append(str(live.recv(timeout=1)))
                count += json.loads(heard[-1]).get("n", 0)
        except TimeoutError:  # not all is in the ring yet
            pass
    return "".join(heard)


@pytest.mark.torture
@pytest.mark.timeout(600)
def test_a_running_hub_lets_go_of_what_is_scrubbed(tmp_path: Path) -> None:
    hub = Hub(tmp_path / "home", tmp_path / "log")
    hub.start()
    try:
        subprocess.run([sys.executable, "-c", AGENT], env=hub.env, check=True)
        eventually(lambda: len(list(hub.iter_events())) == COUNT, "the index")
        eventually(lambda: hear(hub).count(SECRET) > COUNT, "the ring")
        viewer = Viewer(hub)
        eventually(lambda: viewer.epochs, "the viewer")

        command = [sys.executable, "-m", "laneway", "scrub"]
        env = {**hub.env, "LANEWAY_REDACT_RULES": RULES}
        done = subprocess.run(command, env=env, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr

        def all_events() -> list[dict]:
            events = list(hub.iter_events())
            assert SECRET not in json.dumps(events)
            return events if len(events) == COUNT else []

        events = eventually(all_events, "the new index")
        assert [event["n"] for event in events] == list(range(COUNT))
        eventually(lambda: hear(hub).count("redacted:acme") > COUNT, "the ring, filled again")
        assert SECRET not in hear(hub)
        eventually(lambda: len(viewer.epochs) == 2, "the viewer, sent to begin anew")
        viewer.stop()
    finally:
        hub.stop()
    files = [path for path in tmp_path.rglob("*") if path.is_file() and not path.is_symlink()]
    assert not [path for path in files if SECRET[5:].encode() in path.read_bytes().lower()]
