"""A hub whose index is in ClickHouse: the real process, the real driver, the engine behind its HTTP."""

import json
import urllib.request
import uuid
from pathlib import Path

import pytest

pytest.importorskip("chdb", reason="ClickHouse's engine is not here: make test-clickhouse")
pytest.importorskip("clickhouse_connect")

from tests.store.http_engine import serve_engine
from tests.torture.harness import Hub
from tests.waiting import eventually


def post(hub: Hub, events: list[dict]) -> None:
    headers = {"Authorization": f"Bearer {hub.access_token}", "Content-Type": "application/json"}
    body = json.dumps(events).encode()
    request = urllib.request.Request(f"{hub.url}/log", body, headers)
    with urllib.request.urlopen(request, timeout=180) as response:
        assert response.status in (200, 201, 202)


def test_a_hub_with_its_index_in_clickhouse_answers_and_goes_on_after_a_kill(
    tmp_path: Path,
) -> None:
    hub = Hub(tmp_path / "home", tmp_path / "log")
    with serve_engine() as port:
        hub.env["LANEWAY_STORE"] = f"clickhouse://127.0.0.1:{port}/hub_{uuid.uuid4().hex[:12]}"
        hub.start()
        try:
            post(hub, [{"agent": "a", "event": "log", "content": f"word {i}"} for i in range(50)])
            eventually(lambda: len(list(hub.iter_events())) == 50, "the index")
            hub.kill()
            hub.start()
            post(hub, [{"agent": "b", "event": "error", "content": "it's over: \\ 'x'"}])
            eventually(lambda: len(list(hub.iter_events())) == 51, "the index")
            (found,) = hub.iter_events("&q=over+agent:b")
            assert found["content"] == "it's over: \\ 'x'"
            assert hub.get("/api/events?q=attr.none:x")["events"] == []
            assert {one["name"] for one in hub.get("/api/agents")["agents"]} == {"a", "b"}
        finally:
            hub.stop()
    assert not list((tmp_path / "log").glob(".index/*.db"))
