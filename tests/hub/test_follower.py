import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import orjson
import pytest

from laneway.base.errors import HubError, StoreError
from laneway.base.limits import KIB, MIB
from laneway.base.settings import Settings
from laneway.hub import follower as follower_module
from laneway.hub import piece as piece_module
from laneway.hub.follower import Follower
from laneway.hub.hub import Hub, reindex
from laneway.hub.reserve import Reserve
from laneway.log import tail as tail_module
from laneway.log.append import Appender
from laneway.log.segment import LogPath
from laneway.store.api import DiskError, Query
from laneway.store.query.parse import parse
from laneway.store.sqlite import segment as segment_module
from laneway.store.sqlite.store import SqliteStore
from tests.waiting import eventually

from .event import event

SECRET = "ghp_" + "a1B2c3D4e5" * 3 + "f6G7h8"


@pytest.fixture
def log(settings: Settings) -> Path:
    path = Path(settings.log_path)
    path.mkdir(parents=True, exist_ok=True)
    return path


def write(path: Path, *events: dict[str, Any]) -> None:
    """As a naive writer does."""
    with path.open("ab") as file:
        for item in events:
            file.write(orjson.dumps(item) + b"\n")


def contents(hub: Hub, asked: str = "", **page: Any) -> list[str]:
    """What is in the index, read back through the log, oldest first."""
    lines = hub.archive.page(Query(parse(asked), newest_first=False, **page)).lines
    return [orjson.loads(line)["content"] for line in lines]


def test_what_the_hub_appends_is_indexed_and_shown(hub: Hub) -> None:
    hub.append(hub.intake.take([event(1), event(2)]).lines)
    eventually(lambda: hub.store.last_seq == 2)
    assert contents(hub) == ["message 1", "message 2"]
    eventually(lambda: hub.live.seq == 2)


def test_a_repeated_id_is_counted_and_not_stored(hub: Hub) -> None:
    hub.append(hub.intake.take([event(1), event(2), event(1)]).lines)
    hub.append(hub.intake.take([event(2), event(3)]).lines)
    eventually(lambda: hub.store.last_seq == 3)
    eventually(lambda: hub.metric.duplicate.total == 2)
    assert contents(hub) == ["message 1", "message 2", "message 3"]


def test_a_new_segment_is_found_without_waiting_for_the_next_scan(
    make_hub: Callable[[], Hub], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tail_module, "SCAN_S", 3600.0)
    settings.segment_bytes = 500
    hub = make_hub()
    for number in range(1, 12):
        hub.append(hub.intake.take([event(number)]).lines)
        eventually(lambda number=number: hub.store.last_seq == number)
    assert len(hub.store.segments()) > 2


def test_a_backlog_is_read_in_larger_pieces_and_what_follows_in_small_ones(
    make_hub: Callable[[], Hub], log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(piece_module, "LEVEL_BYTES", 2_000)
    monkeypatch.setattr(piece_module, "BACKLOG_BYTES", 8_000)
    monkeypatch.setattr(piece_module, "FAR_BYTES", 16_000)
    monkeypatch.setattr(piece_module, "FAR_LAG_BYTES", 30_000)
    asked: list[int] = []
    poll = tail_module.Tail.poll

    def noted(tail: tail_module.Tail, max_bytes: int) -> list[tail_module.Chunk]:
        asked.append(max_bytes)
        return poll(tail, max_bytes)

    monkeypatch.setattr(tail_module.Tail, "poll", noted)
    write(log / "foreign.jsonl", *(dict(event(number)) for number in range(1, 601)))
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 600)
    eventually(lambda: asked[-1] == 2_000)
    sizes = [size for size, last in zip(asked, [0, *asked], strict=False) if size != last]
    assert sizes == [2_000, 16_000, 8_000, 2_000]
    wanted = {f"message {number}" for number in range(1, 601)}
    assert set(contents(hub, limit=1_000)) == wanted


@pytest.mark.parametrize("failing", [0, 3, 4, 5])
def test_what_is_read_ahead_is_indexed_once_and_shown_whatever_fails_meanwhile(
    make_hub: Callable[[], Hub], log: Path, monkeypatch: pytest.MonkeyPatch, failing: int
) -> None:
    """``failing``: the look at the log that does."""
    monkeypatch.setattr(piece_module, "LEVEL_BYTES", 2_000)
    monkeypatch.setattr(piece_module, "BACKLOG_BYTES", 8_000)
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)
    monkeypatch.setattr(segment_module, "BESIDE_EVENTS", 1)
    poll, look_ahead, looks = tail_module.Tail.poll, Follower._look_ahead, 0
    ahead: list[int] = []

    def poll_or_fail(tail: tail_module.Tail, max_bytes: int) -> list[tail_module.Chunk]:
        nonlocal looks
        looks += 1
        chunks = poll(tail, max_bytes)
        if looks == failing:
            raise OSError("gone for a moment")  # with what was read
        return chunks

    def noted(follower: Follower) -> None:
        look_ahead(follower)
        ahead.append(follower.lag_bytes())

    monkeypatch.setattr(tail_module.Tail, "poll", poll_or_fail)
    monkeypatch.setattr(Follower, "_look_ahead", noted)
    write(log / "foreign.jsonl", *(dict(event(number)) for number in range(1, 201)))
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 200)
    eventually(lambda: hub.live.seq == 200)
    wanted = sorted(f"message {number}" for number in range(1, 201))
    assert sorted(contents(hub, limit=1_000)) == wanted
    assert hub.metric.indexed.total == 200
    assert ahead


@pytest.mark.parametrize(
    "line", [b"no event", orjson.dumps(event(0))], ids=["no event", "repeated"]
)
def test_what_follows_a_piece_without_a_new_event_is_indexed(
    make_hub: Callable[[], Hub], log: Path, monkeypatch: pytest.MonkeyPatch, line: bytes
) -> None:
    monkeypatch.setattr(piece_module, "LEVEL_BYTES", 2_000)
    monkeypatch.setattr(piece_module, "BACKLOG_BYTES", 8_000)
    with (log / "foreign.jsonl").open("wb") as file:
        for number in range(1, 401):
            file.write(orjson.dumps(event(number)) + b"\n")
            if number % 100 == 0:
                file.write((line + b"\n") * (40_000 // len(line)))
    hub = make_hub()
    wanted = {f"message {number}" for number in range(1, 401)}
    eventually(lambda: wanted <= set(contents(hub, limit=1_000)))


def test_a_foreign_log_is_followed_from_its_beginning(hub: Hub, log: Path) -> None:
    write(log / "observability.jsonl", {"agent": "A", "event": "x", "content": "one"})
    eventually(lambda: contents(hub) == ["one"])
    write(log / "observability.jsonl", {"agent": "A", "event": "x", "content": "two"})
    eventually(lambda: contents(hub) == ["one", "two"])


def test_a_line_that_is_no_event_is_put_aside_and_the_next_ones_count(hub: Hub, log: Path) -> None:
    with (log / "foreign.jsonl").open("ab") as file:
        file.write(b'{"timestamp":1,"agent":"a","event":"x","content":"one"}\n')
        file.write(b'{"timestamp":1,"agent":"a","ev\n')
        file.write(b'{"timestamp":1,"agent":[],"event":"x"}\n')
        file.write(b'{"timestamp":2,"agent":"a","event":"x","content":"two"}\n')
    eventually(lambda: contents(hub) == ["one", "two"])
    assert hub.metric.quarantined.values == {("json",): 1, ("agent",): 1}
    bad = list(hub.follower.quarantine)
    assert [(line.segment, line.offset) for line in bad] == [
        ("foreign.jsonl", 56),
        ("foreign.jsonl", 87),
    ]
    assert "[] is not a non-empty text" in bad[1].reason


def test_an_event_with_a_field_that_cannot_be_is_found_all_the_same(hub: Hub, log: Path) -> None:
    write(log / "foreign.jsonl", event(1), event(2, duration_ms=-1, timestamp="never"))
    eventually(lambda: contents(hub, "attr.given_timestamp:never") == ["message 2"])
    assert contents(hub, "attr.given_duration_ms<0") == ["message 2"]
    assert hub.metric.quarantined.values == {}


def test_a_secret_in_a_foreign_log_is_in_no_answer_and_not_searchable(hub: Hub, log: Path) -> None:
    write(log / "foreign.jsonl", event(1, content=f"my {SECRET} key"))
    eventually(lambda: hub.store.last_seq == 1)
    (content,) = contents(hub)
    assert SECRET not in content
    assert "[redacted:" in content
    assert contents(hub, SECRET) == []
    assert contents(hub, "key") == [content]
    assert hub.metric.masked.total == 1


def test_lines_without_a_time_stand_where_the_line_before_them_does(hub: Hub, log: Path) -> None:
    path = log / "foreign.jsonl"
    write(path, {"timestamp": 1_700_000_000, "agent": "a", "event": "x", "content": "one"})
    write(path, {"agent": "a", "event": "x", "content": "two"})
    eventually(lambda: hub.store.last_seq == 2)
    lines = hub.archive.page(Query()).lines
    assert {orjson.loads(line)["timestamp"] for line in lines} == {"2023-11-14T22:13:20.000000Z"}


def test_a_restart_continues_where_the_index_stands(make_hub: Callable[[], Hub], log: Path) -> None:
    hub = make_hub()
    hub.append(hub.intake.take([event(1)]).lines)
    eventually(lambda: hub.store.last_seq == 1)
    epoch = hub.store.epoch
    hub.close()
    appender = Appender(LogPath.parse(str(log)))
    appender.append([orjson.dumps(event(2))])
    appender.close()
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 2)
    assert hub.store.epoch == epoch
    assert contents(hub) == ["message 1", "message 2"]
    frames = [orjson.loads(f.data) for f in _taken(hub, epoch=epoch, since=0)]
    assert sum(frame.get("n", 0) for frame in frames) == 2


def _taken(hub: Hub, **wanted: Any) -> list[Any]:
    eventually(lambda: hub.live.seq == hub.store.last_seq)
    viewer = hub.live.join(lambda: None, **wanted)
    frames = []
    while frame := viewer.take():
        frames.append(frame)
    return frames


def test_a_log_renamed_by_a_foreign_rotation_is_not_counted_twice(hub: Hub, log: Path) -> None:
    path = log / "app.jsonl"
    write(path, event(1), event(2))
    eventually(lambda: hub.store.last_seq == 2)
    path.rename(log / "app.jsonl.1")
    write(path, event(3))
    eventually(lambda: contents(hub) == ["message 1", "message 2", "message 3"])
    eventually(lambda: len(hub.store.segments()) == 2)
    assert sum(state.event_count for state in hub.store.segments()) == 3


def rotate(log: Path) -> None:
    """Each numbered file gets the next number, and the log a new file."""
    numbers = sorted((int(path.suffix[1:]) for path in log.glob("app.jsonl.*")), reverse=True)
    for number in numbers:
        (log / f"app.jsonl.{number}").rename(log / f"app.jsonl.{number + 1}")
    (log / "app.jsonl").rename(log / "app.jsonl.1")


def read_bytes(log: Path) -> int:
    lines = [line for path in log.glob("app.jsonl*") for line in path.read_bytes().split(b"\n")]
    return sum(map(len, lines))


def test_a_rotation_of_every_file_reads_none_again(hub: Hub, log: Path) -> None:
    for count in range(2, 14, 2):
        write(log / "app.jsonl", event(count - 1), event(count))
        eventually(lambda: hub.store.last_seq == count)  # noqa: B023
        rotate(log)
    write(log / "app.jsonl.1", event(13))  # by who has the file open still
    eventually(lambda: hub.store.last_seq == 13)
    eventually(lambda: len(hub.store.segments()) == 6)

    assert contents(hub) == [f"message {n}" for n in range(1, 14)]
    assert sorted(state.segment for state in hub.store.segments()) == [
        f"app.jsonl.{n}" for n in range(1, 7)
    ]
    eventually(lambda: hub.metric.indexed_bytes.total == read_bytes(log))
    assert hub.metric.duplicate.total == hub.metric.broken.total == 0


def test_files_rotated_while_no_hub_ran_keep_their_numbers_and_are_not_read_again(
    make_hub: Callable[[], Hub], log: Path
) -> None:
    for n in range(1, 5):
        write(log / "app.jsonl", event(n))
        rotate(log)
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 4)
    before = {orjson.loads(line)["content"]: seq for seq, line in shown(hub)}
    hub.close()
    write(log / "app.jsonl.1", event(5))
    (log / "app.jsonl.3").unlink()  # message 2
    write(log / "app.jsonl", event(6))
    new_bytes = len(read_last(log / "app.jsonl.1")) + len(read_last(log / "app.jsonl"))
    rotate(log)

    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 6 and hub.follower.wait_level(0))
    after = {orjson.loads(line)["content"]: seq for seq, line in shown(hub)}
    known = {f"message {n}" for n in (1, 3, 4)}
    assert after.keys() == known | {"message 5", "message 6"}
    assert {name: after[name] for name in known} == {name: before[name] for name in known}
    assert hub.metric.indexed_bytes.total == new_bytes
    assert hub.metric.duplicate.total == hub.metric.broken.total == 0


def read_last(path: Path) -> bytes:
    return path.read_bytes().splitlines()[-1]


def shown(hub: Hub) -> list[tuple[int, bytes]]:
    return [(pointer.seq, line.shown) for pointer, line in hub.archive.lines(1, 1_000)]


def test_a_file_replaced_under_its_name_replaces_its_events(hub: Hub, log: Path) -> None:
    path = log / "app.jsonl"
    write(path, event(1), event(2))
    eventually(lambda: hub.store.last_seq == 2)
    write(log / "new", event(7))
    os.replace(log / "new", path)
    eventually(lambda: contents(hub) == ["message 7"])


def test_a_file_changed_while_no_hub_ran_is_indexed_anew(
    make_hub: Callable[[], Hub], log: Path
) -> None:
    """Same name, same first line, and longer than before: only its content tells."""
    path = log / "app.jsonl"
    header = {"timestamp": 1, "agent": "app", "event": "log", "content": "begins"}
    write(path, header, event(1), event(2))
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 3)
    hub.close()
    path.unlink()
    write(path, header, event(7), event(8), event(9))

    hub = make_hub()
    eventually(lambda: contents(hub) == ["begins", "message 7", "message 8", "message 9"])
    assert hub.health()["index"]["broken"] == 1


def test_a_file_that_only_grew_while_no_hub_ran_goes_on(
    make_hub: Callable[[], Hub], log: Path
) -> None:
    write(log / "app.jsonl", event(1), event(2))
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 2)
    hub.close()
    write(log / "app.jsonl", event(3))

    hub = make_hub()
    eventually(lambda: contents(hub) == ["message 1", "message 2", "message 3"])
    eventually(lambda: hub.store.last_seq == 3)
    assert hub.health()["index"]["broken"] == 0


def test_a_copy_stands_in_for_what_it_was_made_of(hub: Hub, log: Path) -> None:
    path, copy = log / "app.jsonl", log / "app.jsonl.1"
    write(path, event(1), event(2))
    eventually(lambda: hub.store.last_seq == 2)
    copy.write_bytes(path.read_bytes())
    eventually(lambda: hub.metric.duplicate.total == 2)
    os.truncate(path, 0)
    write(path, event(3))
    eventually(lambda: contents(hub) == ["message 1", "message 2", "message 3"])
    assert hub.metric.broken.values == {("cut",): 1}


def test_a_removed_segment_leaves_the_index(hub: Hub, log: Path) -> None:
    path = log / "app.jsonl"
    write(path, event(1))
    eventually(lambda: hub.store.last_seq == 1)
    path.unlink()
    eventually(lambda: contents(hub) == [])
    eventually(lambda: hub.store.segments() == [])


def test_an_index_built_anew_gives_the_same_answers(hub: Hub, log: Path) -> None:
    hub.append(hub.intake.take([event(n) for n in range(1, 30)]).lines)
    write(log / "foreign.jsonl", {"timestamp": 5, "agent": "F", "event": "x", "content": "old"})
    eventually(lambda: hub.store.last_seq == 30)
    before, epoch = hub.archive.page(Query())[0], hub.store.epoch
    viewer = hub.live.join(lambda: None)
    hub.follower.reindex()
    eventually(lambda: viewer.close_code)
    eventually(lambda: hub.store.last_seq == 30)
    assert hub.store.epoch != epoch
    after = hub.archive.page(Query())[0]
    assert [_without_seq(line) for line in after] == [_without_seq(line) for line in before]
    assert hub.live.epoch == hub.store.epoch


def _without_seq(line: bytes) -> dict[str, Any]:
    event = orjson.loads(line)
    del event["seq"]
    return dict(event)


def test_reindex_without_a_hub_tells_how_far_it_is(settings: Settings, log: Path) -> None:
    write(log / "foreign.jsonl", *[event(number) for number in range(50)])
    assert reindex(settings, lambda done, left: None) == 50
    assert reindex(settings, lambda done, left: None) == 50


def test_reindex_beside_a_running_hub_is_refused(hub: Hub, settings: Settings) -> None:
    with pytest.raises(HubError, match="serves this log already"):
        reindex(settings, lambda done, left: None)


def test_an_index_that_fails_for_a_while_loses_nothing(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)
    add = SqliteStore.add
    failures = iter(range(2))

    def failing_add(*args: Any) -> Any:
        if next(failures, None) is not None:
            raise StoreError("disk full")
        return add(*args)

    monkeypatch.setattr(SqliteStore, "add", failing_add)
    hub.append(hub.intake.take([event(1), event(2)]).lines)
    eventually(lambda: contents(hub) == ["message 1", "message 2"])
    assert hub.metric.fault.values == {("follower",): 2}
    eventually(lambda: hub.health()["status"] == "ok")


def test_what_does_not_fit_on_the_disk_at_once_is_indexed_in_small_parts(
    make_hub: Callable[[], Hub], log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A transaction that met the full disk gave its space back: there is some, but never enough for it."""
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)
    add, most = SqliteStore.add, 10 * KIB

    def add_what_fits(
        self: Any, segment: Any, fingerprint: Any, records: Any, *further: Any
    ) -> Any:
        if sum(record.length for record in records) > most:
            raise DiskError("database or disk is full")
        return add(self, segment, fingerprint, records, *further)

    monkeypatch.setattr(SqliteStore, "add", add_what_fits)
    write(log / "app.jsonl", *(event(n, pad="x" * 900) for n in range(200)))
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 200)
    assert len(contents(hub, limit=1_000)) == 200


@pytest.mark.parametrize(("free_bytes", "grows"), [(64 * MIB, True), (8 * MIB, False)])
def test_what_the_disk_refused_is_read_in_large_pieces_again_where_there_is_room(
    make_hub: Callable[[], Hub],
    log: Path,
    monkeypatch: pytest.MonkeyPatch,
    free_bytes: int,
    grows: bool,
) -> None:
    """A store that was away for a while: what gathered meanwhile is many small pieces long."""
    sizes = {"BACKLOG": 8_000, "LEVEL": 2_000, "FULL": 1_000, "LEAST": 500}
    for name, size in sizes.items():
        monkeypatch.setattr(piece_module, f"{name}_BYTES", size)
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)
    monkeypatch.setattr(Reserve, "free_bytes", lambda self: free_bytes)
    asked: list[int] = []
    poll, add, refusals = tail_module.Tail.poll, SqliteStore.add, iter(range(5))

    def noted(tail: tail_module.Tail, max_bytes: int) -> list[tail_module.Chunk]:
        asked.append(max_bytes)
        return poll(tail, max_bytes)

    def add_once_back(self: Any, *args: Any) -> Any:
        if next(refusals, None) is not None:
            raise DiskError("away")
        return add(self, *args)

    monkeypatch.setattr(tail_module.Tail, "poll", noted)
    monkeypatch.setattr(SqliteStore, "add", add_once_back)
    write(log / "foreign.jsonl", *(dict(event(number)) for number in range(1, 201)))
    hub = make_hub()
    eventually(lambda: hub.store.last_seq == 200)
    eventually(lambda: asked[-1] == sizes["LEVEL"])  # level
    assert sizes["LEAST"] in asked
    assert (sizes["BACKLOG"] in asked) == grows
    assert len(contents(hub, limit=1_000)) == 200


def test_an_event_that_the_index_cannot_take_does_not_hold_up_the_others(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)
    add = SqliteStore.add

    def picky_add(self: Any, segment: Any, fingerprint: Any, records: Any, end: int) -> Any:
        if any(record.event["content"] == "message 2" for record in records):
            raise StoreError("cannot")
        return add(self, segment, fingerprint, records, end)

    monkeypatch.setattr(SqliteStore, "add", picky_add)
    hub.append(hub.intake.take([event(1), event(2), event(3)]).lines)
    eventually(lambda: contents(hub) == ["message 1", "message 3"])
    assert hub.metric.quarantined.values == {("index",): 1}
    hub.append(hub.intake.take([event(4)]).lines)
    eventually(lambda: "message 4" in contents(hub))


def test_a_bad_event_among_many_is_found_in_few_transactions(
    make_hub: Callable[[], Hub], log: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)
    add, calls = SqliteStore.add, 0

    def picky_add(self: Any, segment: Any, fingerprint: Any, records: Any, *further: Any) -> Any:
        nonlocal calls
        calls += 1
        if any(record.event["content"] in ("message 7", "message 300") for record in records):
            raise StoreError("cannot")
        return add(self, segment, fingerprint, records, *further)

    monkeypatch.setattr(SqliteStore, "add", picky_add)
    write(log / "foreign.jsonl", *(dict(event(number)) for number in range(1, 513)))
    hub = make_hub()
    eventually(lambda: hub.store.last_seq >= 510)
    wanted = {f"message {number}" for number in range(1, 513) if number not in (7, 300)}
    eventually(lambda: set(contents(hub, limit=1_000)) == wanted)
    assert hub.metric.quarantined.values == {("index",): 2}
    assert calls < 60


def test_health_tells_that_the_index_stands_still(
    hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RETRY_S", 0.01)

    def failing_add(*args: Any) -> Any:
        raise StoreError("disk full")

    monkeypatch.setattr(SqliteStore, "add", failing_add)
    hub.append(hub.intake.take([event(1)]).lines)
    eventually(lambda: hub.health()["status"] == "failing")
    assert hub.health()["index"]["following"] is False
