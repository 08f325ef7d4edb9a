"""What only the SQLite index has: damaged files, a time limit, few open connections, kills."""

import random
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from laneway.base.errors import StoreError
from laneway.store.api import Query, QueryTimeout
from laneway.store.query.expr import seqs_between
from laneway.store.sqlite import pool, store
from laneway.store.sqlite.catalog import Catalog
from laneway.store.sqlite.schema import VERSION
from laneway.store.sqlite.segment import SegmentWriter
from laneway.store.sqlite.store import SqliteStore
from tests.store.build import LINE_BYTES, T0_NS, ask, end_of, make_record


@pytest.fixture
def problems() -> list[str]:
    return []


@pytest.fixture
def reopen(tmp_path: Path, problems: list[str]) -> Iterator[Callable[[], SqliteStore]]:
    """Closes the index and opens it again."""
    opened: list[SqliteStore] = []

    def open_again() -> SqliteStore:
        for one in opened:
            one.close()
        opened.append(SqliteStore(tmp_path, on_problem=problems.append))
        return opened[-1]

    yield open_again
    for one in opened:
        one.close()


def fill(index: SqliteStore, name: str, count: int = 20) -> None:
    reached = {state.segment: state.indexed_bytes for state in index.segments()}.get(name, 0)
    start = reached // LINE_BYTES
    records = [
        make_record(i, T0_NS + i, content=f"{name} {'word ' * 50}")
        for i in range(start, start + count)
    ]
    index.add(name, "f", records, end_of(records))


def file_of(tmp_path: Path, name: str) -> Path:
    (path,) = tmp_path.glob(f"{name}-*.db")
    return path


def overwrite(path: Path) -> None:
    path.write_bytes(b"no database at all " * 1_000)


def set_version(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()


def replace_by_another_program_s(path: Path) -> None:
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE bookmarks (url)")
    connection.close()


def empty_meta(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute("DELETE FROM meta")
    connection.commit()
    connection.close()


@pytest.mark.parametrize("harm", [overwrite, set_version, replace_by_another_program_s, empty_meta])
def test_a_database_that_cannot_be_read_is_dropped_told_and_indexed_again(
    reopen: Callable[[], SqliteStore],
    tmp_path: Path,
    problems: list[str],
    harm: Callable[[Path], None],
) -> None:
    index = reopen()
    fill(index, "kept")
    fill(index, "harmed")
    epoch = index.epoch
    index.close()
    harm(file_of(tmp_path, "harmed"))
    index = reopen()
    assert [state.segment for state in index.segments()] == ["kept"]
    assert len(problems) == 1
    assert "harmed-" in problems[0]
    assert index.epoch != epoch
    fill(index, "harmed")
    assert len(index.find(Query()).hits) == 40
    reopen()
    assert len(problems) == 1


def test_a_database_of_another_segment_s_name_is_dropped(
    reopen: Callable[[], SqliteStore], tmp_path: Path, problems: list[str]
) -> None:
    index = reopen()
    fill(index, "a")
    index.close()
    file_of(tmp_path, "a").rename(tmp_path / "b-000000000000.db")
    assert reopen().segments() == []
    assert "another segment" in problems[0]


def test_an_empty_database_is_what_a_kill_left_and_no_problem(
    reopen: Callable[[], SqliteStore], tmp_path: Path, problems: list[str]
) -> None:
    index = reopen()
    fill(index, "a")
    epoch = index.epoch
    index.close()
    (tmp_path / "b-000000000000.db").touch()
    index = reopen()
    assert (problems, index.epoch) == ([], epoch)
    assert [state.segment for state in index.segments()] == ["a"]


def test_damage_met_in_use_is_told_and_mended_by_the_next_start(
    reopen: Callable[[], SqliteStore], tmp_path: Path, problems: list[str]
) -> None:
    index = reopen()
    for _ in range(20):
        fill(index, "a", 100)
    index.close()
    spoil_rows(file_of(tmp_path, "a"))
    index = reopen()
    assert problems == []
    with pytest.raises(StoreError, match="damaged") as caught:
        index.find(Query())
    assert "indexed again" in caught.value.hint
    assert index.take_damaged() == ["a"]
    index = reopen()
    assert index.segments() == []
    assert "is damaged" in problems[0]
    assert "is dropped" in problems[1]
    fill(index, "a")
    assert len(index.find(ask("word")).hits) == 20


def spoil_rows(path: Path) -> None:
    """Overwrites the top page of the table of events; what is read at the start stays whole."""
    connection = sqlite3.connect(path)
    (size,) = connection.execute("PRAGMA page_size").fetchone()
    (page,) = connection.execute(
        "SELECT rootpage FROM sqlite_schema WHERE name = 'event'"
    ).fetchone()
    connection.close()
    with path.open("r+b") as file:
        file.seek((page - 1) * size)
        file.write(b"\xff" * size)


def test_a_full_disk_fails_one_batch_and_stores_nothing_of_it(
    reopen: Callable[[], SqliteStore],
) -> None:
    index = reopen()
    fill(index, "a")
    connection = index._writers["a"]._connection
    (pages,) = connection.execute("PRAGMA page_count").fetchone()
    connection.execute(f"PRAGMA max_page_count = {pages + 2}")
    with pytest.raises(StoreError, match="full") as caught:
        fill(index, "a", 2_000)
    assert "disk space" in caught.value.hint
    assert (index.last_seq, index.segments()[0].event_count) == (20, 20)
    fill(index, "a")
    assert (index.last_seq, index.segments()[0].event_count) == (40, 40)


def test_a_poisoned_event_fails_its_batch_and_not_the_next(
    reopen: Callable[[], SqliteStore],
) -> None:
    index = reopen()
    fill(index, "a")
    poisoned = make_record(20, tool={"not": "a name"})
    with pytest.raises(StoreError, match="TypeError"):
        index.add("a", "f", [make_record(19, agent="new name"), poisoned], 21 * LINE_BYTES)
    assert index.add("a", "f", [make_record(20, agent="new name")], 21 * LINE_BYTES).seqs == [21]
    assert len(index.find(ask('agent:"new name"')).hits) == 1


def test_a_query_past_its_time_is_stopped_with_a_hint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "CHECK_OPCODES", 1)
    index = SqliteStore(tmp_path, query_limit_s=0.0)
    for name in "ab":
        fill(index, name)
    for question in (
        lambda: index.find(Query()),
        lambda: index.groups("agent", Query()),
    ):
        with pytest.raises(QueryTimeout, match="stopped after 0 s") as caught:
            question()
        assert caught.value.code == "query_timeout"
        assert "narrow" in caught.value.hint
    index._searcher._query_limit_s = 60.0
    assert len(index.find(Query()).hits) == 40
    index.close()


def test_the_clock_is_looked_at_while_one_statement_runs(tmp_path: Path) -> None:
    index = SqliteStore(tmp_path)
    fill(index, "a")
    endless = (
        "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
    )
    with pytest.raises(QueryTimeout):
        index._catalog.read(
            index._catalog._summaries["a"],
            pool.TimeBox(0.05),
            lambda connection: connection.execute(endless).fetchall(),
        )
    index.close()


def test_only_a_bounded_number_of_connections_stays_open(
    reopen: Callable[[], SqliteStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool, "OPEN_READERS", 3)
    monkeypatch.setattr(store, "OPEN_WRITERS", 2)
    index = reopen()
    for _ in range(2):
        for name in "abcdefgh":
            fill(index, name)
    assert len(index.find(Query(limit=1_000)).hits) == 320
    assert len(index._writers) == 2
    assert (
        sum(map(len, index._catalog._pool._idle.values())) == index._catalog._pool._idle_count == 3
    )


def test_a_segment_forgotten_while_it_is_read_is_closed_afterwards(
    reopen: Callable[[], SqliteStore],
) -> None:
    index = reopen()
    fill(index, "a")
    database = index._directory.database("a")
    with index._catalog._pool.borrow(database, pool.TimeBox(1)) as connection:
        index.forget("a")
        fill(index, "a", 5)
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (20,)
    assert index._catalog._pool._idle_count == 0
    assert len(index.find(Query()).hits) == 5


def test_a_reader_connection_cannot_write(reopen: Callable[[], SqliteStore]) -> None:
    index = reopen()
    fill(index, "a")
    with pytest.raises(StoreError, match="readonly"):
        index._catalog.read(
            index._catalog._summaries["a"],
            pool.TimeBox(1),
            lambda connection: connection.execute("DELETE FROM event"),
        )


WRITER = """
import sys
from tests.store.build import ask, LINE_BYTES, T0_NS, make_record
from laneway.store.sqlite.segment import SegmentWriter
from laneway.store.sqlite.store import SqliteStore

path, segments, batch = sys.argv[1], sys.argv[2].split(","), int(sys.argv[3])
store = SqliteStore(path)
reached = {state.segment: state.indexed_bytes for state in store.segments()}
while True:
    for name in segments:
        start = reached.get(name, 0) // LINE_BYTES
        numbers = range(start, start + batch)
        # Every tenth line repeats the id of the line before.
        ids = [f"{name}-{i - 1 if i % 10 == 9 else i}" for i in numbers]
        records = [make_record(i, T0_NS + i, id=ids[i - start], content=f"line {i}") for i in numbers]
        reached[name] = (start + batch) * LINE_BYTES
        store.add(name, "f", records, reached[name])
        print(name, reached[name], store.last_seq, flush=True)
"""


def kill_a_writer(path: Path, life_s: float) -> tuple[dict[str, int], int]:
    """Runs a writer for about this long; returns the offsets it was told are reached, and the last seq."""
    command = [sys.executable, "-c", WRITER, str(path), "a,b", "30"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline()]
        time.sleep(life_s)
        process.send_signal(signal.SIGKILL)
        lines += process.stdout.read().splitlines()
    whole = [line.split() for line in lines if len(line.split()) == 3]
    return {name: int(reached) for name, reached, _ in whole}, int(whole[-1][2])


@pytest.mark.torture
def test_killed_writers_lose_nothing_and_store_nothing_twice(tmp_path: Path) -> None:
    for round_number in range(5):
        acknowledged, last_seq = kill_a_writer(tmp_path, 0.05 + 0.07 * round_number)
        index = SqliteStore(tmp_path)
        states = {state.segment: state for state in index.segments()}
        for name, reached in acknowledged.items():
            assert states[name].indexed_bytes >= reached
        assert index.last_seq >= last_seq
        for state in states.values():
            lines = state.indexed_bytes // LINE_BYTES
            assert state.event_count == lines - lines // 10
        seqs = [hit.seq for hit in all_hits(index)]
        assert seqs == list(range(1, index.last_seq + 1))
        integrity = index._catalog.read(
            index._catalog._summaries["a"], pool.TimeBox(60), check_integrity
        )
        assert integrity == "ok"
        index.close()


def check_integrity(connection: sqlite3.Connection) -> str:
    return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def all_hits(index: SqliteStore) -> list[tuple[int, ...]]:
    """Every pointer, in order of seq; each must stand at its own line."""
    hits = []
    for first in range(1, index.last_seq + 1, 1_000):
        hits += index.find(Query(seqs_between(first, first + 1_000), limit=1_000)).hits
    assert len({(hit.segment, hit.offset) for hit in hits}) == len(hits)
    return sorted(hits)  # type: ignore[arg-type]


def test_after_a_full_disk_the_write_ahead_log_gives_its_space_back(
    reopen: Callable[[], SqliteStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A reader keeps the database open, so that closing the writer alone folds nothing."""
    index = reopen()
    for _ in range(30):
        fill(index, "a")
    assert index.find(Query(limit=1)).hits
    wal = file_of(tmp_path, "a").with_name(file_of(tmp_path, "a").name + "-wal")
    grown_bytes = wal.stat().st_size

    def refuse(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(SegmentWriter, "write", refuse)
        with pytest.raises(StoreError):
            fill(index, "a")
    assert wal.stat().st_size == grown_bytes
    fill(index, "a")
    assert wal.stat().st_size < grown_bytes / 2
    assert index.last_seq == 31 * 20


def places(index: SqliteStore) -> list[tuple[int, str, int]]:
    return sorted((hit.seq, hit.segment, hit.offset) for hit in all_hits(index))


def test_renamed_segments_keep_all_that_is_known_of_them(
    reopen: Callable[[], SqliteStore], tmp_path: Path
) -> None:
    """As a rotation does it: each name is taken by the file of the name before, at once."""
    index = reopen()
    for name in ("app.2", "app.1", "app"):
        fill(index, name)
    names = {"app": "app.1", "app.1": "app.2", "app.2": "app.3"}
    wanted = [(seq, names[name], offset) for seq, name, offset in places(index)]
    epoch = index.epoch
    index.rename(names)
    assert places(index) == wanted
    fill(index, "app")  # the new file of that name
    fill(index, "app.1", 5)  # whose writer has it open still
    for again in range(3):
        opened = reopen() if again else index
        assert opened.epoch == epoch
        assert {state.segment: state.event_count for state in opened.segments()} == {
            "app": 20, "app.1": 25, "app.2": 20, "app.3": 20
        }  # fmt: skip
        assert places(opened)[:60] == wanted
        assert [seq for seq, *_ in places(opened)] == list(range(1, 86))


def test_a_name_that_is_taken_is_forgotten_first(reopen: Callable[[], SqliteStore]) -> None:
    index = reopen()
    fill(index, "old")
    fill(index, "new", 7)
    index.rename({"new": "old", "unknown": "other"})
    assert [(one.segment, one.event_count) for one in index.segments()] == [("old", 7)]
    assert [(one.segment, one.event_count) for one in reopen().segments()] == [("old", 7)]


def test_many_rotations_leave_one_database_a_file_and_each_answers(
    reopen: Callable[[], SqliteStore], tmp_path: Path
) -> None:
    index = reopen()
    for turn in range(12):
        fill(index, "app", 5 + turn)
        names = {f"app.{n}": f"app.{n + 1}" for n in range(1, 4)} | {"app": "app.1"}
        index.forget("app.4")
        index.rename(names)
        if turn % 3 == 2:
            index = reopen()
    assert {state.segment: state.event_count for state in index.segments()} == {
        "app.1": 16, "app.2": 15, "app.3": 14, "app.4": 13
    }  # fmt: skip
    assert len(list(tmp_path.glob("*.db"))) == 4


def test_without_its_list_of_names_an_index_gives_each_file_once(
    reopen: Callable[[], SqliteStore], tmp_path: Path, problems: list[str]
) -> None:
    index = reopen()
    fill(index, "app")
    index.rename({"app": "app.1"})
    fill(index, "app", 7)
    epoch = index.epoch
    index.close()
    (tmp_path / "names").write_text("rubbish\n{}\n")
    index = reopen()
    assert [state.segment for state in index.segments()] == ["app"]
    assert index.epoch != epoch  # the events of the other one come again under new numbers
    assert "another index of app" in problems[0]


def test_a_reader_at_work_finds_a_segment_under_its_old_name(
    reopen: Callable[[], SqliteStore],
) -> None:
    index = reopen()
    fill(index, "app")
    fill(index, "app.1", 7)
    before = index._catalog._summaries["app"]
    index.rename({"app": "app.1", "app.1": "app.2"})
    count = "SELECT count(*) FROM event"
    found = index._catalog.read(before, pool.TimeBox(1), lambda c: c.execute(count).fetchone())
    assert found == (20,)


def test_readers_that_know_the_chunks_of_a_segment_find_what_comes_later(
    reopen: Callable[[], SqliteStore],
) -> None:
    index = reopen()
    query = ask("agent:planner", limit=1_000)
    for count in (20, 5_000, 20):
        fill(index, "a", count)
        state = index.segments()[0]
        assert index.find(query).hits[0].seq == state.last_seq
        assert [hit.seq for hit in index.find(query).hits] == [
            *range(state.last_seq, max(state.last_seq - 1_000, 0), -1)
        ]
    early = ask("agent:planner", since_ns=T0_NS + 100, until_ns=T0_NS + 103, newest_first=False)
    assert [hit.ts_ns - T0_NS for hit in index.find(early).hits] == [100, 101, 102]


@pytest.mark.parametrize("newest_first", [True, False])
def test_pages_of_out_of_order_events_give_each_once_in_any_window(
    reopen: Callable[[], SqliteStore], newest_first: bool
) -> None:
    index = reopen()
    draw = random.Random(3)
    times: list[int] = []
    for part in range(3):  # more than two chunks, of which times overlap
        drawn = [T0_NS + part * 2_000 + draw.randrange(5_000) for _ in range(3_000)]
        start = len(times)
        records = [make_record(start + i, ts_ns) for i, ts_ns in enumerate(drawn)]
        index.add("a", "f", records, end_of(records))
        times += drawn
    for since, until in ((0, 10_000), (1_999, 4_321), (6_000, 6_001)):
        query = ask(
            "agent:planner", limit=700, newest_first=newest_first,
            since_ns=T0_NS + since, until_ns=T0_NS + until,
        )  # fmt: skip
        found: list[tuple[int, int]] = []
        while True:
            page = index.find(query)
            found += [(hit.ts_ns, hit.seq) for hit in page.hits]
            if page.next is None:
                break
            query = replace(query, after=page.next)
        expected = [
            (ts_ns, seq) for seq, ts_ns in enumerate(times, 1) if since <= ts_ns - T0_NS < until
        ]
        assert found == sorted(expected, reverse=newest_first)


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_further_page_opens_no_segment_that_lies_before_it(
    reopen: Callable[[], SqliteStore], monkeypatch: pytest.MonkeyPatch, newest_first: bool
) -> None:
    index = reopen()
    for number, name in enumerate("abcd"):
        records = [make_record(i, T0_NS + number * 100 + i) for i in range(20)]
        index.add(name, "f", records, end_of(records))
    opened: list[str] = []
    read = Catalog.read

    def noting(catalog: Catalog, summary: Any, *others: Any) -> Any:
        opened.append(summary.segment)
        return read(catalog, summary, *others)

    monkeypatch.setattr(Catalog, "read", noting)
    page = index.find(ask("agent:planner", limit=30, newest_first=newest_first))
    opened.clear()
    index.find(ask("agent:planner", limit=5, newest_first=newest_first, after=page.next))
    assert opened == (["c"] if newest_first else ["b"])
