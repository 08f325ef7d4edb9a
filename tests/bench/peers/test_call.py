"""Peers in processes of their own, really killed; light ones, with the interpreter of the tests."""

import json
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from bench.peers import call, caller
from bench.peers.event import iter_events, marks_in


@pytest.fixture(autouse=True)
def _own_interpreter(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call, "PYTHON", sys.executable)
    monkeypatch.setattr(call, "SETTLE_S", 0.1)


def test_the_cost_of_a_call_is_told_with_time_processor_and_bytes(tmp_path: Path) -> None:
    found = call.cost("laneway, file", tmp_path, 20)
    assert len(found["times_us"]) == 20
    assert found["cpu_us"] > 0
    assert 250 < found["bytes"] < 2_000
    row = call.row("laneway, file", [found], [1.0])
    assert row["calls"] == 20
    assert row["kept %"] == 100


@pytest.mark.parametrize("name", ["laneway, file", "naive open-append-close", "loguru, serialize"])
def test_what_was_written_is_kept_over_a_kill(name: str, tmp_path: Path) -> None:
    assert call.kept(name, tmp_path, 20) == 1.0


def test_a_queue_in_memory_is_lost_with_its_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "600000")  # a slow machine must not flush it
    assert call.kept("OpenTelemetry batch, file", tmp_path, 20) == 0.0


def test_what_a_server_was_sent_is_found_at_the_sink(tmp_path: Path) -> None:
    with call.target("sink", tmp_path) as address:
        body = json.dumps(next(iter_events(1, 42))).encode()
        request = urllib.request.Request(address, body, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=180) as answer:
            assert answer.status == 200
    assert marks_in(tmp_path) == 1
    assert call.size_of(tmp_path) == len(body)


def test_a_peer_that_fails_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(caller.CONTESTANTS, "nobody", caller.CONTESTANTS["laneway, file"])
    with pytest.raises(RuntimeError, match="nobody"):
        call.cost("nobody", tmp_path, 20)


def test_the_events_are_the_same_in_every_process() -> None:
    program = "from bench.peers.event import iter_events; print([*iter_events(3, 7)])"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == str([*iter_events(3, 7)])
