"""Sealed segments without an index are built beside the follower; nobody can tell from the answers."""

import os
import shutil
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from laneway.base.settings import Settings
from laneway.hub import builder as builder_module
from laneway.hub.builder import Builder, Outcome, Task
from laneway.hub.hub import Hub, reindex
from laneway.log.compress import compress
from laneway.store.api import Query, Split
from laneway.store.query.parse import parse
from laneway.store.sqlite.store import SqliteStore
from tests.waiting import DEADLINE_S, eventually

from .event import event

Make = Callable[[], Hub]

SEGMENT_EVENTS, SEGMENTS = 60, 4


@pytest.fixture
def log(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Three sealed segments and one that grows, none of them indexed."""
    monkeypatch.setattr(builder_module, "BUILD_BYTES", 1)
    settings.compress = False
    path = Path(settings.log_path)
    path.mkdir(parents=True)
    for number in range(1, SEGMENTS + 1):
        first = (number - 1) * SEGMENT_EVENTS + 1
        lines = [orjson.dumps(event(n)) for n in range(first, first + SEGMENT_EVENTS)]
        (path / f"events-{number:06d}.jsonl").write_bytes(b"\n".join(lines) + b"\n")
    return path


def level(hub: Hub) -> bool:
    return hub.follower.wait_level(0) and not hub.lag_bytes()


def answers(hub: Hub) -> list[Any]:
    """Without seqs, which a rebuilt index gives anew."""
    pages = [
        hub.archive.page(Query(limit=1000, newest_first=newest))[0] for newest in (True, False)
    ]
    return [
        [[{**orjson.loads(line), "seq": 0} for line in page] for page in pages],
        hub.store.groups("agent", Query()),
        hub.store.aggregate(Query(), Split(by=("event",), step_ns=10**9)),
        hub.store.aggregate(Query(parse("message")), Split()),
    ]


def note_taken(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, bool]]:
    """Which segments were offered to the store, and whether it took them."""
    noted: list[tuple[str, bool]] = []
    take_in = SqliteStore.take_in

    def noting(store: SqliteStore, segment: str, built: Any) -> bool:
        noted.append((segment, take_in(store, segment, built)))
        return noted[-1][1]

    monkeypatch.setattr(SqliteStore, "take_in", noting)
    return noted


def test_sealed_segments_are_built_by_others_with_the_same_answers(
    make_hub: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = note_taken(monkeypatch)
    hub = make_hub()
    eventually(lambda: level(hub))
    assert sorted(taken) == [(f"events-{number:06d}.jsonl", True) for number in (1, 2, 3)]
    assert hub.metric.indexed.total == SEGMENT_EVENTS * SEGMENTS
    built = answers(hub)
    hub.close()

    monkeypatch.setattr(builder_module, "BUILD_BYTES", 10**9)
    shutil.rmtree(log / ".index")
    hub = make_hub()
    eventually(lambda: level(hub))
    assert len(taken) == SEGMENTS - 1
    assert answers(hub) == built
    assert len(built[0][0]) == SEGMENT_EVENTS * SEGMENTS


def test_compressed_segments_are_built_too_and_a_restart_finds_them(
    make_hub: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert compress(str(log), "events-000001.jsonl")
    taken = note_taken(monkeypatch)
    hub = make_hub()
    eventually(lambda: level(hub))
    assert ("events-000001.jsonl", True) in taken
    built = answers(hub)
    hub.close()
    hub = make_hub()
    eventually(lambda: level(hub))
    assert len(taken) == SEGMENTS - 1
    assert answers(hub) == built


def test_the_newest_segment_is_followed_while_others_are_built(
    make_hub: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate, build = threading.Event(), Builder._build

    def waiting(builder: Builder, task: Task) -> Outcome | None:
        gate.wait(DEADLINE_S)
        return build(builder, task)

    monkeypatch.setattr(Builder, "_build", waiting)
    hub = make_hub()
    hub.append(hub.intake.take([event(1_000, content="fresh")]).lines)
    found = Query(parse("fresh"))
    eventually(lambda: hub.archive.page(found).lines)
    assert not hub.follower.wait_level(0)
    assert hub.lag_bytes() >= sum(
        os.path.getsize(log / f"events-{number:06d}.jsonl") for number in (1, 2, 3)
    )
    gate.set()
    eventually(lambda: level(hub))
    assert len(hub.archive.page(Query(limit=1000)).lines) == SEGMENT_EVENTS * SEGMENTS + 1


def test_viewers_come_back_for_the_whole_history(make_hub: Make, log: Path) -> None:
    hub = make_hub()
    epoch = hub.live.epoch
    eventually(lambda: level(hub))
    assert hub.live.epoch == hub.store.epoch != epoch
    ring = hub.live._ring
    assert (len(ring), ring.next) == (SEGMENT_EVENTS * 2, hub.store.last_seq + 1)
    hub.append(hub.intake.take([event(1_000)]).lines)
    eventually(lambda: hub.live.seq == hub.store.last_seq == ring.next - 1)


def test_a_segment_whose_process_is_killed_is_read_by_the_follower(
    make_hub: Make, log: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(builder_module, "MOST_PROCESSES", 1)
    killed: list[str] = []
    is_over: list[bool] = []
    build = Builder._build

    def killing(builder: Builder, task: Task) -> Outcome | None:
        def kill() -> None:
            eventually(lambda: is_over or (builder._processes and os.path.exists(task.folder)))
            for process in list(builder._processes):
                process.kill()

        thread = threading.Thread(target=kill)
        if not killed:
            killed.append(task.segment)
            thread.start()
        try:
            return build(builder, task)
        finally:
            is_over.append(True)
            if thread.ident:
                thread.join()

    monkeypatch.setattr(Builder, "_build", killing)
    hub = make_hub()
    eventually(lambda: level(hub))
    assert killed == ["events-000003.jsonl"]
    assert len(hub.archive.page(Query(limit=1000)).lines) == SEGMENT_EVENTS * SEGMENTS
    assert not [name for name in os.listdir(log / ".index") if name.startswith("build-")]


def test_an_id_that_two_segments_hold_is_indexed_once(
    make_hub: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (log / "events-000002.jsonl").open("ab") as file:
        file.write(orjson.dumps(event(7)) + b"\n")
    taken = note_taken(monkeypatch)
    hub = make_hub()
    eventually(lambda: level(hub))
    assert sorted(done for _, done in taken) == [False, True, True]
    assert len(hub.archive.page(Query(limit=1000)).lines) == SEGMENT_EVENTS * SEGMENTS
    assert hub.metric.duplicate.total == 1


def test_lines_that_are_no_events_are_told_of(make_hub: Make, log: Path) -> None:
    with (log / "events-000002.jsonl").open("ab") as file:
        file.write(b'{"agent":"a","ev\n')
    hub = make_hub()
    eventually(lambda: level(hub))
    assert hub.metric.quarantined.values == {("json",): 1}
    assert [line.segment for line in hub.follower.quarantine] == ["events-000002.jsonl"]


def test_a_segment_that_was_rewritten_meanwhile_is_read_anew(
    make_hub: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, build = log / "events-000002.jsonl", Builder._build

    def rewriting(builder: Builder, task: Task) -> Outcome | None:
        outcome = build(builder, task)
        if task.segment == path.name:
            (log / "draft").write_bytes(path.read_bytes().replace(b"message 100", b"message ***"))
            os.replace(log / "draft", path)
        return outcome

    monkeypatch.setattr(Builder, "_build", rewriting)
    taken = note_taken(monkeypatch)
    hub = make_hub()
    eventually(lambda: level(hub))
    assert path.name not in dict(taken)
    contents = [orjson.loads(line)["content"] for line in hub.archive.page(Query(limit=1000)).lines]
    assert "message ***" in contents
    assert "message 100" not in contents


def test_what_an_earlier_hub_left_half_built_is_removed(make_hub: Make, log: Path) -> None:
    left = log / ".index" / "build-7"
    left.mkdir(parents=True)
    (left / "events.db").write_bytes(b"half")
    hub = make_hub()
    eventually(lambda: level(hub))
    assert not left.exists()


def test_reindex_builds_side_by_side_and_counts_events(
    make_hub: Make, log: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = note_taken(monkeypatch)
    assert reindex(settings, lambda done, left: None) == SEGMENT_EVENTS * SEGMENTS
    assert (f"events-{SEGMENTS - 1:06d}.jsonl", True) in taken


def test_a_hub_that_closes_leaves_no_builder_behind(
    make_hub: Make, log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    started: list[Any] = []
    popen = builder_module.subprocess.Popen

    def noting(*args: Any, **kwargs: Any) -> Any:
        started.append(popen(*args, **kwargs))
        return started[-1]

    monkeypatch.setattr(builder_module.subprocess, "Popen", noting)
    hub = make_hub()
    eventually(lambda: started)
    hub.close()
    assert all(process.poll() is not None for process in started)
