"""The store on ClickHouse beyond what every store owes: what it does when a server fails it."""

from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("chdb", reason="ClickHouse's engine is not here: make test-clickhouse")

from laneway.base.errors import StoreError
from laneway.store.api import DiskError, Query, Split
from laneway.store.clickhouse import server
from laneway.store.clickhouse.client import Address
from laneway.store.clickhouse.schema import iter_statements
from laneway.store.clickhouse.store import ClickHouseStore
from tests.store.build import LINE_BYTES, T0_NS, ask, make_record
from tests.store.embedded import EmbeddedClient, database_of, open_embedded, session

MINUTE_NS = 60 * 10**9
START_NS = T0_NS // MINUTE_NS * MINUTE_NS


class Failing(EmbeddedClient):
    """A server whose answers get lost, ``before`` or after it did what it was told."""

    def __init__(self, table: str, *, times: int, before: bool = True) -> None:
        self.table, self.times, self.before = table, times, before

    def insert(self, table: str, *rest: Any, **settings: Any) -> None:
        is_hit = table.endswith(f".{self.table}") and self.times > 0
        if is_hit and self.before:
            self._fail()
        super().insert(table, *rest, **settings)
        if is_hit:
            self._fail()

    def _fail(self) -> None:
        self.times -= 1
        raise ConnectionResetError("the answer never came")


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "RETRY_S", 0.001)


def open_failing(path: Path, client: Failing) -> ClickHouseStore:
    times, client.times = client.times, 0
    address = Address("localhost", 8123, False, "default", "", database_of(path))
    store = ClickHouseStore(address, client=client, query_limit_s=300)
    client.times = times
    return store


def records(start: int, count: int) -> list[Any]:
    return [make_record(i, START_NS + i * 10**9, agent="a") for i in range(start, start + count)]


def minutes(store: ClickHouseStore) -> int:
    """Counted by the roll-up."""
    query = Query(since_ns=START_NS, until_ns=START_NS + 60 * MINUTE_NS)
    return store.aggregate(query, Split(("agent",), MINUTE_NS)).event_count


@pytest.mark.parametrize("row_count", [5, server.SMALL_INSERT_ROWS])
def test_an_insertion_whose_answer_was_lost_is_tried_again_and_stored_once(
    tmp_path: Path, row_count: int
) -> None:
    store = open_failing(tmp_path, Failing("event", times=2, before=False))
    some = records(0, row_count)
    added = store.add("s", "f", some, row_count * LINE_BYTES)
    assert added.seqs == list(range(1, row_count + 1))
    assert store.aggregate(Query(), Split()).event_count == row_count
    store.close()


def test_what_was_inserted_and_not_committed_is_never_seen_and_comes_once_with_the_next_try(
    tmp_path: Path,
) -> None:
    store = open_failing(tmp_path, Failing("segment", times=server.INSERT_TRIES))
    with pytest.raises(StoreError, match="never came"):
        store.add("s", "f", records(0, 3), 3 * LINE_BYTES)
    assert store.find(Query()).hits == []
    assert store.segments() == []
    store.add("s", "f", records(0, 3), 3 * LINE_BYTES)
    assert len(store.find(Query()).hits) == 3
    assert minutes(store) == 3
    store.close()


def test_a_server_that_is_away_blames_no_event(tmp_path: Path) -> None:
    store = open_failing(tmp_path, Failing("event", times=server.INSERT_TRIES))
    with pytest.raises(DiskError):
        store.add("s", "f", records(0, 3), 3 * LINE_BYTES)
    assert store.add("s", "f", records(0, 3), 3 * LINE_BYTES).seqs == [1, 2, 3]
    store.close()


def test_a_slow_server_blames_no_event_either(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_embedded(tmp_path)
    ask_now = EmbeddedClient.query

    def late(self: EmbeddedClient, query: str, *rest: Any, **more: Any) -> Any:
        if ".ident" in query:
            raise RuntimeError("Code: 159. DB::Exception: Timeout exceeded (TIMEOUT_EXCEEDED)")
        return ask_now(self, query, *rest, **more)

    with monkeypatch.context() as patch:
        patch.setattr(EmbeddedClient, "query", late)
        with pytest.raises(DiskError, match="slow"):
            store.add("s", "f", records(0, 1), LINE_BYTES)
    assert store.add("s", "f", records(0, 1), LINE_BYTES).seqs == [1]
    store.close()


def test_what_a_crash_left_uncommitted_is_gone_from_rows_ids_and_roll_ups(tmp_path: Path) -> None:
    store = open_failing(tmp_path, Failing("segment", times=0))
    store.add("s", "f", records(0, 2), 2 * LINE_BYTES)
    store._server._client.times = 99  # type: ignore[attr-defined]
    with pytest.raises(StoreError):
        store.add("s", "f", records(2, 3), 5 * LINE_BYTES)
    again = open_embedded(tmp_path)  # as after a crash: nothing was cleared up
    assert again.segments()[0].event_count == 2
    assert minutes(again) == 2
    assert again.add("s", "f", records(2, 3), 5 * LINE_BYTES).duplicate_count == 0
    assert len(again.find(Query()).hits) == minutes(again) == 5
    again.close()


def test_a_minute_is_counted_by_the_roll_up_as_by_the_rows(tmp_path: Path) -> None:
    store = open_embedded(tmp_path)
    store.add("s", "f", records(0, 200), 200 * LINE_BYTES)
    store.add("t", "f", [make_record(0, START_NS, agent="b", tool="x", level="error")], LINE_BYTES)
    whole = Query(since_ns=START_NS, until_ns=START_NS + 10 * MINUTE_NS)
    ragged = Query(since_ns=START_NS, until_ns=START_NS + 10 * MINUTE_NS + 1)
    for split in (
        Split((), MINUTE_NS),
        Split(("agent", "tool"), MINUTE_NS),
        Split(("level",), 5 * MINUTE_NS),
    ):
        assert store.aggregate(whole, split) == store.aggregate(ragged, split)
    store.forget("t")
    assert minutes(store) == 200
    store.close()


def test_the_tables_of_another_hub_are_refused(tmp_path: Path) -> None:
    mine, theirs = tmp_path / "mine", tmp_path / "theirs"
    store = open_embedded(tmp_path, str(mine))
    with pytest.raises(StoreError, match="another hub's") as caught:
        open_embedded(tmp_path, str(theirs))
    assert "a database of its own" in caught.value.hint
    with pytest.raises(StoreError):
        open_embedded(tmp_path, str(mine))  # in use
    store.close()
    open_embedded(tmp_path, str(mine)).close()


def test_renamed_segments_keep_what_is_known_of_them_and_a_restart_knows_it(tmp_path: Path) -> None:
    store = open_embedded(tmp_path)
    store.add("app", "f", records(0, 2), 2 * LINE_BYTES)
    store.add("app.1", "g", [make_record(0, START_NS + 10**12)], LINE_BYTES)
    store.rename({"app": "app.1", "app.1": "app.2"})
    wanted = [("app.2", 3), ("app.1", 2), ("app.1", 1)]
    assert [(hit.segment, hit.seq) for hit in store.find(Query()).hits] == wanted
    store.close()
    store = open_embedded(tmp_path)
    assert [(hit.segment, hit.seq) for hit in store.find(Query()).hits] == wanted
    assert store.add("app", "h", records(7, 1), 8 * LINE_BYTES).seqs == [4]
    store.close()


def test_words_are_looked_up_in_the_text_index(tmp_path: Path) -> None:
    store = open_embedded(tmp_path)
    store.add("s", "f", [make_record(0, content="needle in the hay")], LINE_BYTES)
    assert len(store.find(ask("needle")).hits) == 1
    plan = session().query(
        f"EXPLAIN indexes = 1 SELECT seq FROM {database_of(tmp_path)}.event WHERE hasToken(text, 'needle')"
    )
    assert "Name: words" in str(plan)
    assert store.explain(ask("needle")).cost == "words"
    assert store.explain(ask("attr.a:b")).cost == "scan"
    store.close()


@pytest.mark.parametrize("version", [(24, 8), (26, 9)])
@pytest.mark.parametrize("cluster", ["", "two_shards"])
def test_every_statement_that_makes_the_tables_is_one_of_the_engine_s_language(
    cluster: str, version: tuple[int, ...]
) -> None:
    address = Address("h", 1, False, "u", "", "laneway", cluster, 30)
    statements = list(iter_statements(address, version))
    for statement in statements:
        assert "CreateQuery" in str(session().query(f"EXPLAIN AST {statement}")), statement
    whole = "\n".join(statements)
    assert ("ON CLUSTER" in whole and "Distributed(" in whole) == bool(cluster)
    assert ("tokenbf_v1" in whole) == (version < (26, 2))
    assert "TTL day + toIntervalDay(30)" in whole
