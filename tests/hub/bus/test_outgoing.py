"""From the log to the bus, without a bus."""

import json
from pathlib import Path

import pytest

from laneway.base.limits import MIB
from laneway.base.settings import resolve
from laneway.hub.bus.outgoing import Outgoing
from laneway.hub.bus.place import Place
from laneway.hub.bus.stream import Message
from laneway.hub.line import LineReader
from laneway.hub.metric import Metric
from laneway.hub.pipeline import Intake, open_side_files
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.model.redact import make_redactor

SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


class Bench:
    """One log, what writes it and what publishes it."""

    def __init__(self, home: Path, directory: Path) -> None:
        self.settings = resolve({"home": home, "log_path": directory}, env={})
        self.log_path = LogPath.parse(str(directory))
        self.appender = Appender(self.log_path)
        self.side = open_side_files(self.settings)
        self._intake = Intake(make_redactor(self.settings, {}), Metric(), None, self.side)

    def log(self, *events: dict[str, object]) -> None:
        self.appender.append(self._intake.take(events).lines)

    def open(self) -> Outgoing:
        lines = LineReader(make_redactor(self.settings, {}), None, self.side)
        place = Place(self.log_path, "laneway")
        outgoing = Outgoing(self.log_path, place, "laneway", lines, self.side)
        outgoing.message_bytes = MIB
        return outgoing


@pytest.fixture
def bench(home: Path, tmp_path: Path) -> Bench:
    return Bench(home, tmp_path / "log")


def take(outgoing: Outgoing) -> list[Message]:
    """All that is to be published, each acknowledged at once."""
    found: list[Message] = []
    while True:
        outgoing.fill()
        if not outgoing.batch:
            return found
        found += outgoing.batch
        outgoing.note_acknowledged({one.id: False for one in outgoing.batch})
        outgoing.settle()


def test_each_event_goes_to_the_subject_of_its_pod_and_agent(bench: Bench) -> None:
    bench.log({"agent": "plan ner", "event": "x", "pod": "shop"}, {"agent": "b", "event": "y"})
    found = take(bench.open())
    assert [one.subject for one in found] == ["laneway.shop.plan=20ner", "laneway.=.b"]
    assert [json.loads(one.line)["id"] for one in found] == [one.id for one in found]


def test_what_was_acknowledged_is_not_read_again_after_a_restart(bench: Bench) -> None:
    bench.log({"agent": "a", "event": "x"})
    first = bench.open()
    assert len(take(first)) == 1
    first.close()
    bench.log({"agent": "b", "event": "x"})
    assert [one.subject for one in take(bench.open())] == ["laneway.=.b"]


def test_what_was_not_acknowledged_is_read_again_after_a_restart(bench: Bench) -> None:
    bench.log({"agent": "a", "event": "x"}, {"agent": "b", "event": "x"})
    first = bench.open()
    first.fill()
    first.note_acknowledged({first.batch[0].id: False})
    first.close()
    assert len(take(bench.open())) == 2


def test_what_is_left_of_a_batch_stays_until_it_is_acknowledged(bench: Bench) -> None:
    bench.log({"agent": "a", "event": "x"}, {"agent": "b", "event": "x"})
    outgoing = bench.open()
    outgoing.fill()
    outgoing.note_acknowledged({outgoing.batch[0].id: False})
    outgoing.fill()
    assert [one.subject for one in outgoing.batch] == ["laneway.=.b"]


def test_what_comes_while_nothing_is_published_is_pending_after_a_look(bench: Bench) -> None:
    outgoing = bench.open()
    bench.log({"agent": "a", "event": "x"})
    outgoing.look()
    assert outgoing.pending_bytes() > 0
    assert len(take(outgoing)) == 1
    assert outgoing.pending_bytes() == 0


def test_what_came_over_the_bus_is_not_published_again(bench: Bench) -> None:
    outgoing = bench.open()
    series = Place(bench.log_path, "laneway").series
    event = {"agent": "far", "event": "x", "id": "1", "timestamp": "2026-11-23T18:00:00.000000Z"}
    Appender(series, shared="yes").append([json.dumps(event).encode()])
    bench.log({"agent": "near", "event": "x"})
    assert [one.subject for one in take(outgoing)] == ["laneway.=.near"]


def test_a_foreign_line_is_redacted_before_it_is_published(bench: Bench) -> None:
    bench.log({"agent": "a", "event": "x"})
    foreign = Path(bench.log_path.directory, "naive.jsonl")
    foreign.write_text(json.dumps({"agent": "a", "event": "x", "content": f"key {SECRET}"}) + "\n")
    found = take(bench.open())
    assert len(found) == 2
    assert not any(SECRET.encode() in one.line for one in found)
    assert any(b"[redacted:" in one.line for one in found)


def test_a_long_payload_goes_whole(bench: Bench) -> None:
    text = "The tide turns twice a day. " * 20_000
    bench.log({"agent": "a", "event": "x", "content": text})
    (one,) = take(bench.open())
    event = json.loads(one.line)
    assert event["content"] == text
    assert "side_files" not in event


def test_a_payload_longer_than_a_message_goes_in_part_and_is_counted(bench: Bench) -> None:
    bench.log({"agent": "a", "event": "x", "content": "The tide turns. " * 200_000})
    outgoing = bench.open()
    (one,) = take(outgoing)
    assert outgoing.cut_count == 1
    event = json.loads(one.line)
    assert event["truncated"]
    assert "side_files" not in event


def test_files_removed_before_they_were_published_are_counted(bench: Bench) -> None:
    bench.log({"agent": "a", "event": "x"})
    outgoing = bench.open()
    path = Path(bench.log_path.segment_path(1))
    size = path.stat().st_size
    path.unlink()
    assert take(outgoing) == []
    assert outgoing.lost_bytes == size
