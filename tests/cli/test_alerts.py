"""``laneway alerts`` against a running hub."""

import json
import os
import subprocess
import sys
from pathlib import Path

import httpx

from tests.torture.harness import Hub
from tests.waiting import eventually

from .conftest import Run, StartHub


def test_without_a_hub_that_is_what_is_said(run: Run) -> None:
    ended = run("alerts", "--port", "9")
    assert ended.code == 3
    assert ended.err.startswith("error: no hub answers at http://127.0.0.1:9 (")


def test_who_runs_no_hub_asks_one_with_the_token_of_the_settings(
    start_hub: StartHub, run: Run, home: Path, tmp_path: Path
) -> None:
    hub = start_hub()
    port = hub.url.rpartition(":")[2]
    token = (home / "access.token").read_text().strip()
    stranger = {"LANEWAY_HOME": str(tmp_path / "stranger")}

    refused = run("alerts", "--port", port, **stranger)
    assert refused.code == 3
    assert "error: no token to ask the hub with: " in refused.err
    assert "or set LANEWAY_TOKEN: `laneway token new NAME --scope read` makes one there" in (
        refused.err
    )
    assert run("alerts", "--port", port, LANEWAY_TOKEN=token, **stranger).code == 0


def test_the_rules_are_listed_and_one_is_tried_on_the_past(tmp_path: Path, home: Path) -> None:
    hub = Hub(home, tmp_path / "log")
    rule = {"name": "errors", "q": "has:error", "limit": 1, "window": "1h"}
    hub.env["LANEWAY_ALERTS"] = json.dumps([rule])
    hub.start()
    try:
        events = [{"agent": "coder", "event": "log", "level": "error"}] * 3
        bearer = {"Authorization": f"Bearer {hub.access_token}"}
        httpx.post(f"{hub.url}/log", json=events, headers=bearer, timeout=180).raise_for_status()
        eventually(lambda: hub.get("/health")["index"]["events"] >= 3, "the index")

        def run(*given: str) -> str:
            command = [sys.executable, "-m", "laneway", "alerts", *given]
            env = {**os.environ, **hub.env}
            return subprocess.run(command, env=env, capture_output=True, text=True).stdout

        assert "errors" in run()
        told = json.loads(run("test", "errors", "--json"))
        assert (told["fired"], told["firings"][0]["peak"]) == (1, 3)
        assert "would have fired once in the last 7d" in run("test", "errors", "--since", "7d")
        assert run("test", "none") == ""
    finally:
        hub.stop()
