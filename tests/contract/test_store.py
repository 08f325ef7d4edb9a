"""What every backend of `Store` owes. A backend joins by a line in `BACKENDS`."""

import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from laneway.base.clock import NS_PER_S
from laneway.base.errors import QueryError, StoreError
from laneway.base.ids import new_event_id
from laneway.hub.chore import compact_index
from laneway.model.event import Event
from laneway.store import sketch
from laneway.store.api import (
    FIELDS,
    Course,
    Cursor,
    Group,
    Groups,
    Page,
    Pointer,
    Query,
    Record,
    Split,
    Table,
)
from laneway.store.query.expr import all_of, any_of, is_one_of, is_seq
from laneway.store.query.field import AGENT, ID, SPAN, TRACE
from laneway.store.sketch import ACCURACY, LEAST_MS
from laneway.store.sqlite import aggregate, posting, scan, segment, where
from laneway.store.sqlite.store import SqliteStore
from tests.store.brute import BruteStore
from tests.store.build import (
    LINE_BYTES,
    T0_NS,
    ask,
    end_of,
    make_event,
    make_record,
    make_records,
)
from tests.store.expressions import EXPRESSIONS, ROLLED_UP, TIMES, make_events

Open = Callable[[Path], SqliteStore]
DAY_NS = 86_400 * NS_PER_S
MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
"""Hundreds of small indexes: on a disk their fsyncs would be most of the time."""


@pytest.fixture(
    params=[
        "sqlite",
        "sqlite in tiny blocks",
        pytest.param("clickhouse", marks=pytest.mark.timeout(1_200)),  # each example makes tables
    ],
    scope="module",
)
def open_store(request: pytest.FixtureRequest) -> Iterator[Open]:
    """Opens the index in a directory, new or left behind by an earlier store."""
    if request.param == "clickhouse":
        pytest.importorskip("chdb", reason="ClickHouse's engine is not here: make test-clickhouse")
        from tests.store.embedded import open_embedded

        yield open_embedded  # type: ignore[misc]
        return
    with pytest.MonkeyPatch.context() as patch:
        if request.param == "sqlite in tiny blocks":
            # What holds for 256 rows a block must hold for 3: many blocks, few events.
            patch.setattr(segment, "BLOCK_EVENTS", 3)
            patch.setattr(scan, "FIRST_BLOCKS", 1)
            patch.setattr(posting, "LIST_PLACES", 2)
            patch.setattr(scan, "FEW_HITS", 1)
            patch.setattr(where, "MOST_SINGLE", 2)
            patch.setattr(sketch, "EXACT_VALUES", 2)
        yield open_with_log


LINES: dict[tuple[str, str, int], Event] = {}
"""The log: what `add` was given, by segment, fingerprint and offset."""


UNHURRIED_S = 60
"""For a question: no slow machine may make an answer another one."""


def open_with_log(path: Path) -> SqliteStore:
    def read_event(pointer: Pointer, fingerprint: str) -> Event | None:
        return LINES.get((pointer.segment, fingerprint, pointer.offset))

    return Recording(path, read_event=read_event, query_limit_s=UNHURRIED_S)


class Recording(SqliteStore):
    """Keeps what it is given, as the log does."""

    def add(
        self, segment: str, fingerprint: str, records: Any, indexed_bytes: int, *further: Any
    ) -> Any:
        LINES.update({(segment, fingerprint, r.offset): r.event for r in records})
        return super().add(segment, fingerprint, records, indexed_bytes, *further)


@pytest.fixture
def store(open_store: Open, tmp_path: Path) -> Iterator[SqliteStore]:
    opened = open_store(tmp_path / "index")
    yield opened
    opened.close()


def add(store: SqliteStore, records: list[Record], name: str = "a", fingerprint: str = "f") -> Any:
    return store.add(name, fingerprint, records, end_of(records))


def add_events(store: SqliteStore, *events: dict[str, Any], name: str = "a") -> Any:
    return add(store, make_records(events), name)


def pulse(
    store: SqliteStore | BruteStore, step_ns: int, query: Query
) -> list[tuple[int, int, int]]:
    """Start, events and errors of each step that holds something."""
    cells = store.aggregate(query, Split(step_ns=step_ns)).cells
    return [(cell.start_ns, cell.event_count, cell.error_count) for cell in cells]


def seqs_of(store: SqliteStore, query: Query) -> list[int]:
    return [hit.seq for hit in store.find(query).hits]


# add


def test_a_new_index_is_empty(store: SqliteStore) -> None:
    assert store.segments() == []
    assert store.find(Query()) == ([], None, None)
    assert store.groups("agent", Query()) == ([], None)
    assert store.aggregate(Query(), Split(step_ns=NS_PER_S)) == ([], 0, 0, 0, "exact", None)
    assert store.last_seq == 0


def test_seqs_begin_at_one_and_have_no_holes_over_all_segments(store: SqliteStore) -> None:
    first = add_events(store, {}, {}, name="a")
    second = add_events(store, {}, name="b")
    third = store.add("a", "f", [make_record(2), make_record(3)], 4 * LINE_BYTES)
    assert first.seqs + second.seqs + third.seqs == [1, 2, 3, 4, 5]
    assert store.last_seq == 5


def test_a_hit_points_to_the_line_in_its_file(store: SqliteStore) -> None:
    record = Record(12_345, 678, T0_NS + 7, make_event(id="one"))  # type: ignore[arg-type]
    store.add("logs/events-000001.jsonl", "f", [record], 13_024)
    assert store.find(Query()).hits == [
        Pointer(1, T0_NS + 7, "logs/events-000001.jsonl", 12_345, 678)
    ]


def test_a_repeated_id_is_counted_and_not_stored(store: SqliteStore) -> None:
    add(store, [make_record(0, id="same")])
    added = store.add("a", "f", [make_record(1, id="same"), make_record(2)], 3 * LINE_BYTES)
    assert added == ([None, 2], 1)
    assert seqs_of(store, Query()) == [2, 1]


def test_a_repeat_within_one_batch_is_counted_and_not_stored(store: SqliteStore) -> None:
    event_id = new_event_id(T0_NS)
    added = add(store, [make_record(i, id=event_id) for i in range(3)])
    assert added == ([1, None, None], 2)


@pytest.mark.parametrize("count", [0, 1, 600])
def test_what_is_done_meanwhile_is_done_once_with_the_seqs_of_the_answer(
    store: SqliteStore, count: int
) -> None:
    told: list[list[int | None]] = []
    add(store, [make_record(0, id="same")])
    records = [make_record(1, id="same"), *map(make_record, range(2, 2 + count))]
    added = store.add("a", "f", records, end_of(records), lambda seqs: told.append([*seqs]))
    assert told == [added.seqs] == [[None, *range(2, 2 + count)]]
    assert store.last_seq == 1 + count


@pytest.mark.parametrize(
    "event_id",
    [
        "01a0c450-6c00-7e07-a153-6a2efc432869",  # one that carries its time
        "1b4e28ba-2fa1-41d2-883f-0016d3cca427",
        "1B4E28BA-2FA1-41D2-883F-0016D3CCA427",
        "run 7 · 日本語",
        "x" * 256,
        "lone \udcff surrogate",
        "a\0b",
    ],
)
def test_an_id_is_stored_once_over_all_segments(store: SqliteStore, event_id: str) -> None:
    add(store, [make_record(0, id=event_id)], "a")
    for name in "bcd":
        add(store, [make_record(0)], name)
    assert add(store, [make_record(0, id=event_id)], "e") == ([None], 1)
    assert [hit.segment for hit in store.find(Query(is_one_of(ID, (event_id,)))).hits] == ["a"]


def test_ids_that_differ_in_case_or_form_are_different(store: SqliteStore) -> None:
    event_id = new_event_id(T0_NS)
    forms = [event_id, event_id.upper(), event_id.replace("-", ""), f"{event_id} "]
    added = add(store, [make_record(i, id=form) for i, form in enumerate(forms)])
    assert added == ([1, 2, 3, 4], 0)
    assert [seqs_of(store, Query(is_one_of(ID, (form,)))) for form in forms] == [[1], [2], [3], [4]]


def test_a_late_id_is_looked_up_in_the_segment_of_its_time(store: SqliteStore) -> None:
    old = [make_record(i, T0_NS + i * NS_PER_S) for i in range(10)]
    add(store, old, "old")
    new = [make_record(i, T0_NS + DAY_NS + i) for i in range(10)]
    mixed = [*new, Record(10 * LINE_BYTES, 99, T0_NS + DAY_NS, old[4].event)]
    assert store.add("new", "f", mixed, 11 * LINE_BYTES).duplicate_count == 1


def test_records_below_the_offset_reached_are_skipped_and_no_duplicates(store: SqliteStore) -> None:
    records = make_records([{}, {}, {}])
    store.add("a", "f", records[:2], 2 * LINE_BYTES)
    assert add(store, records) == ([None, None, 3], 0)
    assert store.segments()[0].event_count == 3


def test_the_offset_never_goes_back(store: SqliteStore) -> None:
    store.add("a", "f", [make_record(0)], 5_000)
    store.add("a", "f", [], 100)
    assert store.segments()[0].indexed_bytes == 5_000


def test_an_empty_batch_moves_the_offset_past_lines_that_are_no_events(store: SqliteStore) -> None:
    assert store.add("a", "f", [], 4_096) == ([], 0)
    assert store.segments() == [("a", "f", 4_096, 0, 0, 0, 0)]


def test_a_replaced_file_is_indexed_anew_and_its_old_events_are_gone(store: SqliteStore) -> None:
    add_events(store, {"content": "old"}, {})
    added = add(store, make_records([{"content": "new"}]), fingerprint="another")
    assert added.seqs == [3]
    assert seqs_of(store, Query()) == [3]
    assert store.find(ask("old")).hits == []
    assert store.segments() == [("a", "another", LINE_BYTES, 1, T0_NS, T0_NS, 3)]


def test_an_event_of_any_json_is_taken(store: SqliteStore) -> None:
    deep: Any = "bottom"
    for _ in range(64):
        deep = {"down": [deep, None, True]}
    hostile = {
        "content": {"a": [1, 2.5, None, False, {"": "x"}]},
        "input": [deep],
        "error": {"message": "boom", "stack": ["not", {"a": "text"}]},
        "drop table event; --": "'; DROP TABLE event; --",
        "\udc80 lone": "\ud800 surrogates \0 and nul",
        "big": 10**30,
        "numbers": list(range(50_000)),
        "token": "x" * 200_000,
        "input_tokens": 999_999_999_999_999,
        "cost_usd": 9e14,
    }
    added = add(store, [make_record(i, **hostile) for i in range(20)])
    assert added.seqs == list(range(1, 21))
    assert len(seqs_of(store, ask("bottom boom drop lone surrogates"))) == 20
    assert store.groups("agent", Query()).groups[0].input_tokens > 0


@pytest.mark.parametrize("ts_ns", [-62_135_596_800 * NS_PER_S, 253_402_300_799 * NS_PER_S, -1, 0])
def test_every_time_that_an_event_can_have_is_taken(store: SqliteStore, ts_ns: int) -> None:
    add(store, [make_record(0, ts_ns)])
    query = Query(since_ns=ts_ns, until_ns=ts_ns + NS_PER_S)
    assert seqs_of(store, query) == [1]
    assert store.groups("agent", query).groups[0].event_count == 1
    for step_ns in (7, NS_PER_S, 60 * NS_PER_S, 3_600 * NS_PER_S, 7 * DAY_NS):
        assert [events for _, events, _ in pulse(store, step_ns, query)] == [1]


@pytest.mark.parametrize("gap_ns", [NS_PER_S, NS_PER_S // 50])
def test_a_pulse_of_any_step_counts_each_event_once(store: SqliteStore, gap_ns: int) -> None:
    """Over whole blocks and the ends of others, steps longer and shorter than a block, and late events."""
    records = [
        make_record(
            i, T0_NS + (i - 300 * (i % 97 == 0)) * gap_ns, error="no" if i % 7 == 0 else None
        )
        for i in range(1_500)
    ]
    add(store, records)
    brute = BruteStore()
    brute.add("a", records)
    windows = [Query(), Query(since_ns=T0_NS + 333 * gap_ns, until_ns=T0_NS + 1_234 * gap_ns + 1)]
    for step in (1, 100, 255, 257, 300, 1_000):
        for query in windows:
            assert pulse(store, step * gap_ns, query) == pulse(brute, step * gap_ns, query)


# segments and forget


def test_segments_come_oldest_first_with_their_state(store: SqliteStore) -> None:
    add(store, [make_record(0, T0_NS + DAY_NS)], "z")
    add(store, [make_record(0, T0_NS), make_record(1, T0_NS - 5)], "late", "g")
    store.add("empty", "h", [], 10)
    assert store.segments() == [
        ("late", "g", 200, 2, T0_NS - 5, T0_NS, 3),
        ("z", "f", 100, 1, T0_NS + DAY_NS, T0_NS + DAY_NS, 1),
        ("empty", "h", 10, 0, 0, 0, 0),
    ]


def test_a_forgotten_segment_is_gone_from_every_answer(store: SqliteStore) -> None:
    add_events(store, {"agent": "gone", "parent_agent": "p", "session_id": "s"}, name="a")
    add_events(store, {"agent": "kept"}, name="b")
    store.forget("a")
    assert seqs_of(store, Query()) == [2]
    assert [group.name for group in store.groups("agent", Query()).groups] == ["kept"]
    assert store.groups("session", Query()).groups == []
    assert [events for _, events, _ in pulse(store, NS_PER_S, Query())] == [1]
    assert [state.segment for state in store.segments()] == ["b"]


def test_to_forget_an_unknown_segment_does_nothing(store: SqliteStore) -> None:
    store.forget("never seen")
    assert store.segments() == []


def test_a_seq_never_comes_twice_not_even_after_its_segment_was_forgotten(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store(tmp_path)
    add_events(store, {}, {}, {})
    store.forget("a")
    assert store.last_seq == 3
    store.close()
    store = open_store(tmp_path)
    assert store.last_seq == 3
    assert add_events(store, {}).seqs == [4]
    store.close()


@pytest.mark.parametrize("order", ["abc", "acb", "cab", "cba", "c", "bc", "a"])
def test_a_seq_never_comes_twice_whichever_segments_are_forgotten_first(
    open_store: Open, tmp_path: Path, order: str
) -> None:
    store = open_store(tmp_path)
    for name in "abc":
        add_events(store, {}, {}, name=name)
    for name in order:
        store.forget(name)
        store.close()
        store = open_store(tmp_path)
        assert store.last_seq == 6
    assert add_events(store, {}, name="d").seqs == [7]
    store.close()


def test_an_id_may_come_back_after_its_segment_was_forgotten(store: SqliteStore) -> None:
    add_events(store, {"id": "one"}, name="a")
    store.forget("a")
    assert add_events(store, {"id": "one"}, name="b") == ([2], 0)


def test_a_restart_keeps_everything(open_store: Open, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    add_events(
        store, {"id": "one", "agent": "a1", "parent_agent": "a0", "content": "first words"}, {}
    )
    before = (store.epoch, store.last_seq, store.segments(), store.find(Query()))
    store.close()
    store = open_store(tmp_path)
    assert (store.epoch, store.last_seq, store.segments(), store.find(Query())) == before
    assert store.groups("agent", ask("agent:a1")).groups[0].parent == "a0"
    again = store.add("a", "f", [make_record(2, id="one"), make_record(3, agent="a1")], 400)
    assert again == ([None, 3], 1)
    assert seqs_of(store, ask("agent:a1")) == [3, 1]
    store.close()


def test_reset_drops_everything_and_begins_another_epoch(open_store: Open, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    add_events(store, {"id": "one"}, {})
    epoch = store.epoch
    store.reset()
    assert (store.segments(), store.last_seq) == ([], 0)
    assert add_events(store, {"id": "one"}) == ([1], 0)
    store.close()
    store = open_store(tmp_path)
    assert store.epoch != epoch
    assert store.last_seq == 1
    store.close()


# find


def test_newest_first_is_by_time_and_among_equals_by_arrival(store: SqliteStore) -> None:
    times = [T0_NS + 5, T0_NS, T0_NS + 9, T0_NS + 5]
    add(store, [make_record(i, ts_ns) for i, ts_ns in enumerate(times)])
    assert seqs_of(store, Query()) == [3, 4, 1, 2]
    assert seqs_of(store, Query(newest_first=False)) == [2, 1, 4, 3]


def test_segments_whose_times_overlap_are_merged_in_order(store: SqliteStore) -> None:
    add(store, [make_record(i, T0_NS + 10 * i) for i in range(20)], "a")
    add(store, [make_record(i, T0_NS + 10 * i + 5) for i in range(20)], "b")
    hits = store.find(Query(limit=12)).hits
    assert [hit.ts_ns for hit in hits] == [T0_NS + 195 - 5 * i for i in range(12)]
    oldest = store.find(Query(limit=12, newest_first=False)).hits
    assert [hit.ts_ns for hit in oldest] == [T0_NS + 5 * i for i in range(12)]


def test_of_events_at_one_time_the_last_to_arrive_is_the_newest_in_whatever_segment(
    store: SqliteStore,
) -> None:
    add(store, [make_record(0), make_record(1)], "a")
    add(store, [make_record(0)], "b")
    assert seqs_of(store, Query(limit=1)) == [3]
    assert seqs_of(store, Query()) == [3, 2, 1]
    assert seqs_of(store, Query(limit=1, newest_first=False)) == [1]


def test_since_is_inside_and_until_outside(store: SqliteStore) -> None:
    add(store, [make_record(i, T0_NS + i) for i in range(4)])
    assert seqs_of(store, Query(since_ns=T0_NS + 1, until_ns=T0_NS + 3)) == [3, 2]


def test_a_full_last_page_has_no_next(store: SqliteStore) -> None:
    add_events(store, {}, {}, {})
    assert store.find(Query(limit=3)).next is None
    page = store.find(Query(limit=2))
    assert page.next == Cursor(page.hits[-1].ts_ns, page.hits[-1].seq)
    assert seqs_of(store, Query(limit=2, after=page.next)) == [1]


def test_an_agent_that_said_nothing_finds_nothing(store: SqliteStore) -> None:
    add_events(store, {"agent": "a"})
    for query in (
        ask("agent:b"),
        ask("session:s"),
        ask("level:critical"),
        ask("pod:p"),
    ):
        assert store.find(query) == ([], None, None)
    assert seqs_of(store, ask("-agent:b")) == [1]
    assert seqs_of(store, ask("agent:b,a")) == [1]


def test_hostile_filter_values_are_only_values(store: SqliteStore) -> None:
    add_events(store, {"agent": "'; DROP TABLE event; --"}, {"agent": "\udcff"})
    assert seqs_of(store, Query(is_one_of(AGENT, ("'; DROP TABLE event; --",)))) == [1]
    assert seqs_of(store, Query(is_one_of(AGENT, ("\udcff",)))) == [2]
    strange = Query(
        all_of(
            [
                any_of(map(is_seq, (-1, 0, 2**80))),
                is_one_of(ID, ("%", "\0")),
                is_one_of(TRACE, ("g" * 32, "")),
                is_one_of(SPAN, ("é",)),
            ]
        ),
        since_ns=-(2**90),
        until_ns=2**90,
        after=Cursor(2**90, -(2**90)),
    )
    assert store.find(strange) == ([], None, None)


def test_too_many_values_are_refused_and_not_looked_for(store: SqliteStore) -> None:
    with pytest.raises(QueryError, match="at most 10000"):
        store.find(Query(any_of(map(is_seq, range(10_001)))))


def test_ids_and_seqs_must_both_hold(store: SqliteStore) -> None:
    add_events(store, {"id": "one"}, {"id": "two"}, {"id": "three"})
    assert seqs_of(store, ask("id:one,two (seq:2 OR seq:3)")) == [2]
    assert seqs_of(store, ask("seq:3,1 planner")) == [3, 1]
    assert seqs_of(store, ask("seq:3,1 absent")) == []


# text


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("Quick", [1]),
        ("quick fox", [1]),
        ("fox quick", [1]),
        ('"quick brown"', [1]),
        ('"brown quick"', []),
        ("qui*", [1]),
        ('"quick bro"*', [1]),
        ("main.py", [2]),
        ("search_files", [2]),
        ("path", [2]),
        ("zurich", [3]),
        ("ZÜRICH", [3]),
        ("明日", [3]),
        ("日東京", [3]),
        ("attr", [4]),
        ("42", [4]),
        ("TimeoutError", [4]),
        ("planner", [4, 3, 2, 1]),
        ("user_message", [1]),
        ("quick absent", []),
        ("NEAR (quick fox)", []),
        ('"body:quick"', []),
        ("^quick", [1]),
        ("-quick", [4, 3, 2]),
        ("quick OR main.py", [2, 1]),
        ("quick -fox", []),
        ('-(quick OR "main py")', [4, 3]),
        ("quick\0fox", []),
        ("", [4, 3, 2, 1]),
        ("  \t ", [4, 3, 2, 1]),
    ],
)
def test_a_text_finds(store: SqliteStore, search: str, found: list[int]) -> None:
    add_events(
        store,
        {"event": "user_message", "content": "The quick brown fox"},
        {"tool": "search_files", "input": {"path": ["src/main.py"]}},
        {"content": "Zürich", "output": "明日東京に行く"},
        {"error": {"type": "TimeoutError"}, "attr": {"answer": 42}},
    )
    assert seqs_of(store, ask(search)) == found


@pytest.mark.parametrize("search", ["!!!", '""', '"', "— ·", "x" * 5_000, "w " * 65])
def test_a_text_that_cannot_be_searched_for_is_refused(store: SqliteStore, search: str) -> None:
    with pytest.raises(QueryError, match=r"q[:,]"):
        store.find(ask(search))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(search=st.text(max_size=40))
def test_no_text_is_a_syntax_error(store: SqliteStore, search: str) -> None:
    add(store, [make_record(store.last_seq)])
    try:
        store.find(ask(search))
    except QueryError:
        pass


def test_text_far_into_a_long_event_is_found_and_beyond_the_bound_is_not(
    store: SqliteStore,
) -> None:
    add_events(store, {"content": f"{'word ' * 12_000} needle {'word ' * 5_000} lost"})
    assert seqs_of(store, ask("needle")) == [1]
    assert seqs_of(store, ask("lost")) == []


# groups and pulse


def test_groups_sum_what_was_reported(store: SqliteStore) -> None:
    add_events(
        store,
        {
            "agent": "a",
            "parent_agent": "root",
            "input_tokens": 10,
            "output_tokens": 1,
            "cost_usd": 0.1,
        },
        {
            "agent": "a",
            "parent_agent": "boss",
            "input_tokens": 5,
            "cost_usd": 0.2,
            "level": "critical",
        },
        {"agent": "b"},
    )
    assert store.groups("agent", Query()).groups == [
        Group("b", "", 1, 0, T0_NS + 2 * NS_PER_S, T0_NS + 2 * NS_PER_S, 0, 0, 0.0, ()),
        Group("a", "boss", 2, 1, T0_NS, T0_NS + NS_PER_S, 15, 1, 0.3, ()),
    ]


def test_a_session_tells_who_took_part_by_first_appearance(store: SqliteStore) -> None:
    add_events(
        store,
        {"agent": "late", "session_id": "s"},
        {"agent": "z", "session_id": "other"},
        {},
        name="b",
    )
    early = [make_record(0, T0_NS - 9, agent="early", session_id="s")]
    add(store, early, "a")
    groups = store.groups("session", Query()).groups
    assert [(group.name, group.agents) for group in groups] == [
        ("other", ("z",)),
        ("s", ("early", "late")),
    ]


def test_no_more_groups_than_asked_for(store: SqliteStore) -> None:
    add_events(store, *({"agent": f"a{i}"} for i in range(9)))
    assert [group.name for group in store.groups("agent", Query(limit=2)).groups] == ["a8", "a7"]


def test_the_pulse_counts_each_event_in_one_step(store: SqliteStore) -> None:
    add(store, [make_record(i, ts) for i, ts in enumerate([-1, 0, 9, 10, 25])])
    assert pulse(store, 10, Query()) == [(-10, 1, 0), (0, 2, 0), (10, 1, 0), (20, 1, 0)]


def test_the_pulse_of_a_text_counts_where_it_stands(store: SqliteStore) -> None:
    add_events(store, {"content": "x"}, {"event": "error", "content": "found"})
    assert pulse(store, DAY_NS, ask("absent")) == []
    assert [cell[1:] for cell in pulse(store, DAY_NS, ask("found OR absent"))] == [(1, 1)]


@pytest.mark.parametrize("step_ns", [-1, 2**80])
def test_a_senseless_step_is_refused(store: SqliteStore, step_ns: int) -> None:
    with pytest.raises(QueryError, match="step: "):
        store.aggregate(Query(), Split(step_ns=step_ns))


@pytest.mark.parametrize(
    "split",
    [
        Split(("agent", "agent")),
        Split(("agent", "event", "tool")),
        Split(("nothing",)),  # type: ignore[arg-type]
        Split(step_ns=NS_PER_S, of="duration"),
    ],
)
def test_a_senseless_split_is_refused(store: SqliteStore, split: Split) -> None:
    with pytest.raises(QueryError):
        store.aggregate(Query(), split)


def test_a_step_that_makes_too_many_cells_is_refused(store: SqliteStore) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(aggregate, "MAX_CELLS", 9)
        add(store, [make_record(i, T0_NS + i) for i in range(10)])
        with pytest.raises(QueryError, match="step: "):
            store.aggregate(Query(), Split(step_ns=1))


def test_the_top_values_are_those_of_the_most_events_and_the_totals_hold_all(
    store: SqliteStore,
) -> None:
    tools = ["grep"] * 3 + ["read"] * 2 + ["write"]
    add_events(store, {}, *({"tool": tool, "level": "error"} for tool in tools))
    table = store.aggregate(Query(limit=2), Split(("tool",)))
    assert [(cell.keys, cell.event_count) for cell in table.cells] == [
        (("grep",), 3),
        (("read",), 2),
    ]
    assert table[1:] == (3, 6, 6, "exact", None)


def test_usage_counts_only_events_that_reported_some(store: SqliteStore) -> None:
    add_events(
        store,
        {"model": "m", "input_tokens": 0},
        {"model": "m"},
        {"model": "m", "output_tokens": 7, "cost_usd": 0.25},
    )
    (cell,) = store.aggregate(Query(), Split(("model",), of="usage")).cells
    assert (cell.event_count, cell.input_tokens, cell.output_tokens) == (2, 0, 7)
    assert cell.cost_usd == 0.25


def test_work_is_told_by_when_it_ended_and_by_when_it_began(store: SqliteStore) -> None:
    times = [(10, 4_000.0), (11, 500.0), (12, None)]
    records = [
        make_record(i, at * NS_PER_S, **({} if ms is None else {"duration_ms": ms}))
        for i, (at, ms) in enumerate(times)
    ]
    add(store, records)
    cells = store.aggregate(Query(), Split(step_ns=NS_PER_S, of="work")).cells
    assert [(c.start_ns // NS_PER_S, c.event_count, c.took_us, c.begun_count) for c in cells] == [
        (6, 0, 0, 1),
        (10, 1, 4_000_000, 1),
        (11, 1, 500_000, 0),
    ]


def test_what_the_time_did_not_reach_is_said(open_store: Open, tmp_path: Path) -> None:
    store = open_store(tmp_path)
    add_events(store, {}, {}, name="a")
    table = store.aggregate(Query(), Split(patience_s=-1.0))
    assert (table.event_count, table.accuracy) == (0, "at_least")
    assert store.aggregate(Query(), Split(patience_s=60.0)).accuracy == "exact"
    store.close()


def test_a_session_tells_its_title_and_how_it_ended_whatever_was_filtered(
    store: SqliteStore,
) -> None:
    add_events(
        store,
        {"session_id": "s", "event": "session_start"},
        {"session_id": "s", "event": "user_message", "content": "first"},
        {"session_id": "s", "event": "user_message", "content": "second"},
        {"session_id": "s", "event": "session_end", "level": "error", "agent": "other"},
    )
    (group,) = store.groups("session", ask("event:session_start")).groups
    assert group.event_count == 1
    assert group.course == Course(T0_NS, T0_NS + 3 * NS_PER_S, "session_end", True, 2)


def test_the_slowest_come_first_and_of_equals_the_newest(store: SqliteStore) -> None:
    times = [5, None, 9.5, 5, 0]
    events = [{} if ms is None else {"duration_ms": ms} for ms in times]
    add_events(store, *events)
    assert seqs_of(store, Query(slowest_first=True)) == [3, 4, 1, 5]
    assert seqs_of(store, Query(slowest_first=True, limit=2)) == [3, 4]


# against a list


BATCHES = st.lists(
    st.tuples(st.sampled_from(["s-a", "s-b", "s-c"]), st.integers(0, 2**32).map(make_events)),
    max_size=6,
)
QUERIES = st.builds(
    Query,
    where=EXPRESSIONS,
    since_ns=st.one_of(st.none(), TIMES),
    until_ns=st.one_of(st.none(), TIMES),
    limit=st.integers(1, 30),
    newest_first=st.booleans(),
    after=st.one_of(st.none(), st.builds(Cursor, TIMES, st.integers(0, 40))),
)
STEPS = st.sampled_from(
    [7, NS_PER_S, 45 * NS_PER_S, 60 * NS_PER_S, 300 * NS_PER_S, 3_600 * NS_PER_S, DAY_NS]
)

against_a_list = settings(
    max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def fill(store: SqliteStore, batches: Any) -> BruteStore:
    """The same events in the store and in a list."""
    brute = BruteStore()
    offsets: dict[str, int] = {}
    for name, events in batches:
        start = offsets.get(name, 0)
        records = [make_record(start + i, ts, **event) for i, (ts, event) in enumerate(events)]
        offsets[name] = start + len(records)
        added = store.add(name, "f", records, offsets[name] * LINE_BYTES)
        assert added == brute.add(name, records)
    return brute


FIELD = st.sampled_from(FIELDS)
SPLITS = st.one_of(
    st.builds(
        Split,
        by=st.lists(FIELD, max_size=2, unique=True).map(tuple),
        step_ns=st.one_of(st.just(0), STEPS),
        of=st.sampled_from(["count", "usage", "work"]),
    ),
    st.builds(
        Split, by=st.lists(FIELD, max_size=2, unique=True).map(tuple), of=st.just("duration")
    ),
)


def assert_same(got: Table, wanted: Table) -> None:
    """Equal; where the store estimates, within its accuracy."""
    assert got[1:4] == wanted[1:4]
    assert len(got.cells) == len(wanted.cells)
    for ours, theirs in zip(got.cells, wanted.cells, strict=True):
        assert ours._replace(cost_usd=round(ours.cost_usd, 6), durations=None) == theirs._replace(
            durations=None
        )
        if theirs.durations and ours.durations:
            is_exact = got.accuracy == "exact"
            exact = 1e-9 if is_exact else ACCURACY * 1.000_001
            least = 0 if is_exact else LEAST_MS
            assert ours.durations == pytest.approx(theirs.durations, rel=exact, abs=least)
            assert ours.durations.event_count == theirs.durations.event_count
            assert ours.durations.max_ms == theirs.durations.max_ms


def rounded(groups: Groups) -> list[Group]:
    return [group._replace(cost_usd=round(group.cost_usd, 6)) for group in groups.groups]


def assert_same_page(page: Page, wanted: Page) -> None:
    """What reads the log does not look beyond its page: something may follow, or not."""
    assert page.hits == wanted.hits
    if page.scan is None or wanted.next:
        assert page.next == wanted.next


@against_a_list
@given(batches=BATCHES, queries=st.lists(QUERIES, min_size=1, max_size=6), step_ns=STEPS)
def test_every_answer_is_that_of_filtering_a_list(
    open_store: Open, batches: Any, queries: list[Query], step_ns: int
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as path:
        store = open_store(Path(path))
        brute = fill(store, batches)
        for query in queries:
            assert_same_page(store.find(query), brute.find(query))
            assert pulse(store, step_ns, query) == pulse(brute, step_ns, query)
            slow = replace(query, slowest_first=True)
            assert_same_page(store.find(slow), brute.find(slow))
            for by in ("agent", "session"):
                assert rounded(store.groups(by, query)) == brute.groups(by, query)  # type: ignore[arg-type]
        store.close()


WINDOWS = st.builds(
    Query,
    where=ROLLED_UP,
    since_ns=st.one_of(st.none(), TIMES),
    until_ns=st.one_of(st.none(), TIMES),
    limit=st.integers(1, 30),
)
"""What roll-ups can answer, most of the time."""


@against_a_list
@given(
    batches=BATCHES,
    questions=st.lists(
        st.tuples(st.one_of(QUERIES, WINDOWS, st.just(Query())), SPLITS), min_size=1, max_size=9
    ),
)
def test_every_aggregate_is_that_of_a_list(
    open_store: Open, batches: Any, questions: list[tuple[Query, Split]]
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as path:
        store = open_store(Path(path))
        brute = fill(store, batches)
        for query, split in questions:
            assert_same(store.aggregate(query, split), brute.aggregate(query, split))
        store.close()


@against_a_list
@given(batches=BATCHES, query=QUERIES, limit=st.integers(1, 5))
def test_pages_meet_every_hit_once_in_order(
    open_store: Open, batches: Any, query: Query, limit: int
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as path:
        store = open_store(Path(path))
        brute = fill(store, batches)
        query = replace(query, after=None, limit=1_000)
        met: list[Pointer] = []
        page = store.find(replace(query, limit=limit))
        while True:
            met += page.hits
            if page.next is None:
                break
            assert len(page.hits) == limit or page.scan
            page = store.find(replace(query, limit=limit, after=page.next))
        assert met == brute.find(query).hits
        store.close()


@against_a_list
@given(batches=BATCHES, late=BATCHES, query=QUERIES, limit=st.integers(1, 5))
def test_pages_meet_all_that_was_there_at_the_first_one_while_late_events_arrive(
    open_store: Open, batches: Any, late: Any, query: Query, limit: int
) -> None:
    with tempfile.TemporaryDirectory(dir=MEMORY) as path:
        store = open_store(Path(path))
        query = replace(query, after=None, limit=1_000)
        wanted = fill(store, batches).find(query).hits
        page = store.find(replace(query, limit=limit))
        met = page.hits
        for number, (name, events) in enumerate([*late, *[("s-a", [])] * 100]):
            records = [make_record(i, ts, **event) for i, (ts, event) in enumerate(events)]
            store.add(f"{name} {number}", "f", records, len(records) * LINE_BYTES)
            if page.next is None:
                break
            page = store.find(replace(query, limit=limit, after=page.next))
            met += page.hits
        assert page.next is None
        assert [(hit.ts_ns, hit.seq) for hit in met] == sorted(
            {(hit.ts_ns, hit.seq) for hit in met}, reverse=query.newest_first
        )
        assert set(wanted) <= set(met)
        store.close()


def compact_all(store: SqliteStore) -> None:
    """What the hub does to segments that will not grow."""
    for state in store.segments():
        if database := store.compactable(state.segment):
            digest = compact_index(database, f"{database}.new")
            assert store.adopt(state.segment, f"{database}.new", digest)


@against_a_list
@given(batches=BATCHES, query=QUERIES, splits=st.lists(SPLITS, min_size=1, max_size=4))
def test_a_rebuild_a_restart_compaction_and_forgetting_change_no_answer(
    open_store: Open, batches: Any, query: Query, splits: list[Split]
) -> None:
    def answers(store: SqliteStore) -> Any:
        both = [rounded(store.groups(by, query)) for by in ("agent", "session")]  # type: ignore[arg-type]
        tables = [store.aggregate(query, split)._replace(scan=None) for split in splits]
        page = store.find(query)
        # How many lines were read for it is no part of the answer: a compact index reads fewer.
        return page.hits if page.scan else page, tables, both, store.segments()

    with tempfile.TemporaryDirectory(dir=MEMORY) as path:
        store = open_store(Path(path))
        fill(store, batches)
        before, epoch = answers(store), store.epoch
        store.close()
        store = open_store(Path(path))
        assert (answers(store), store.epoch) == (before, epoch)
        compact_all(store)
        assert (answers(store), store.epoch) == (before, epoch)
        store.reset()
        brute = fill(store, batches)
        assert answers(store) == before
        assert store.epoch != epoch
        store.forget("s-b")
        brute.forget("s-b")
        assert_same_page(store.find(query), brute.find(query))
        store.close()


# threads and the end


def test_readers_see_whole_batches_while_a_writer_adds(store: SqliteStore) -> None:
    batch, done, faults = 20, threading.Event(), []

    def read() -> None:
        while not done.is_set():
            counts = [events for _, events, _ in pulse(store, DAY_NS, Query())]
            groups = store.groups("agent", Query()).groups
            hits = store.find(Query(limit=1_000)).hits
            if (
                sum(counts) % batch
                or sum(g.event_count for g in groups) % batch
                or len(hits) % batch
            ):
                faults.append((counts, groups, len(hits)))

    readers = [threading.Thread(target=read) for _ in range(3)]
    for reader in readers:
        reader.start()
    try:
        for start in range(0, 800, batch):
            records = [make_record(i, T0_NS + i) for i in range(start, start + batch)]
            store.add("a", "f", records, (start + batch) * LINE_BYTES)
    finally:
        done.set()
        for reader in readers:
            reader.join()
    assert faults == []
    assert len(store.find(Query(limit=1_000)).hits) == 800


def test_close_may_be_called_twice_and_nothing_works_afterwards(
    open_store: Open, tmp_path: Path
) -> None:
    store = open_store(tmp_path)
    add_events(store, {})
    store.close()
    store.close()
    with pytest.raises(StoreError, match="closed"):
        store.find(Query())
    with pytest.raises(StoreError, match="closed"):
        add_events(store, {})
