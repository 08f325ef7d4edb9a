"""The runner of the peers, with servers that are lists."""

import sys
from pathlib import Path
from typing import Any

import pytest

from bench.peers import call, drive, run
from bench.peers.event import Event
from bench.peers.question import ask_in_turns
from bench.peers.report import peer_plots, peer_text
from bench.peers.server import Server
from bench.result import circumstances, machine


class Forgetful(Server):
    """Acknowledges what it has in memory, and has stored half of it when it is killed."""

    promise = "in a list"

    def start(self) -> float:
        self.kept: list[Event] = getattr(self, "kept", [])
        return 0.5

    def send(self, events: list[Event]) -> None:
        self.kept.extend(events)

    def count(self) -> int:
        return len(self.kept)

    def ask(self, agent: str = "") -> Any:
        return [event for event in self.kept if agent in ("", event["agent"])][-200:]

    def memory_mib(self) -> tuple[float, float, int]:
        return 30.0, 20.0, 1

    def disk_bytes(self) -> int:
        return 100 * len(self.kept)

    def kill(self) -> None:
        del self.kept[len(self.kept) - drive.BATCH :]


@pytest.fixture(autouse=True)
def _no_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drive, "REST_S", 0)
    monkeypatch.setattr(drive, "STILL_S", 0)


def test_a_round_with_a_server_counts_what_survived_its_kill(tmp_path: Path) -> None:
    found = drive.drive(Forgetful(tmp_path), single=30, batches=2)
    assert found["kept %"] == 50
    assert found["rest PSS MiB"] == 20
    assert found["disk bytes an event"] == 100
    assert found["one, answered/s"] > 0


def test_a_peer_that_fails_is_told_and_the_others_are_measured() -> None:
    def measure(name: str, _: Path) -> int:
        if name == "broken":
            raise OSError("no such program")
        return 1

    one = run.Run(run.SMOKE, lambda name: name != "unwanted")
    assert one.each(["whole", "broken", "unwanted"], measure) == {"whole": [1]}
    assert one.absent == {"broken": "OSError: no such program"}


def test_a_question_with_too_short_an_answer_puts_its_peer_out() -> None:
    absent: dict[str, str] = {}
    full = dict.fromkeys(run.question.QUESTIONS, lambda: 200)
    rows = ask_in_turns({"good": full, "empty": dict.fromkeys(full, lambda: 0)}, 1, absent)
    assert list(absent) == ["empty"]
    assert all(isinstance(value, float) for key, value in rows["good"].items() if key != "peer")


def test_the_light_peers_are_measured_from_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(run, "install", dict)
    monkeypatch.setattr(run, "versions", lambda: {"laneway": "1"})
    monkeypatch.setattr(call, "PYTHON", sys.executable)
    monkeypatch.setattr(call, "SETTLE_S", 0.1)
    out = tmp_path / "peers.json"
    arguments = ["naive", "--smoke", "--tables", "call", "--out", str(out)]
    monkeypatch.setattr(sys, "argv", ["bench.peers.run", *arguments])
    assert run.main() == 0
    assert "naive open-append-close" in capfd.readouterr().out
    assert '"kept %": 100' in out.read_text()


def test_where_a_peer_is_better_the_document_says_so() -> None:
    rows = [
        {"peer": "laneway, file", "promise": "", "p50 µs": 12.0, "kept %": 100.0},
        {"peer": "structlog", "promise": "", "p50 µs": 9.0, "kept %": 100.0},
        {"peer": "batch", "promise": "", "p50 µs": None, "kept %": 0.0},
    ]
    result = {
        "machine": machine(),
        "versions": {"structlog": "26"},
        "run": {**circumstances(), "load_after": 1.0, "rounds": 2, "seconds": 9},
        "tables": {"call": rows},
        "absent": [{"peer": "lnav", "reason": "not <installed>"}],
    }
    text = peer_text(result)
    assert "Better than Laneway's best row in **p50 µs**: structlog." in text
    assert "| lnav | not &lt;installed> |" in text
    assert "| batch |  | – | 0 |" in text
    assert set(peer_plots(result)) == {"peers-call.svg"}


def test_the_factor_to_phoenix_is_taken_from_one_run() -> None:
    rows = [
        {"peer": "laneway, POST /log", "batch, stored/s": 20_000.0},
        {"peer": "Phoenix, OTLP", "batch, stored/s": 100.0},
    ]
    assert run.figures_of({"servers": rows})["peers.batch_of_phoenix"]["value"] == 200
    assert run.figures_of({}) == {}
