"""A segment that is filled in one go is the same as any other, once it is settled."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from laneway.base.errors import StoreError
from laneway.base.ids import new_span_id
from laneway.store.api import Query, Record, Split
from laneway.store.sqlite import schema
from laneway.store.sqlite.compact import compact
from laneway.store.sqlite.store import SqliteStore
from tests.store.build import T0_NS, ask, end_of, make_record

SEGMENT = "events-000001.jsonl"
STEP_NS = 250_000_000


def records(count: int) -> list[Record]:
    spans = [new_span_id() for _ in range(count)]
    return [
        make_record(
            number,
            T0_NS + number * STEP_NS,
            agent=f"agent-{number % 5}",
            event=("tool_invocation", "tool_result", "llm_response", "log", "error")[number % 5],
            tool=f"tool-{number % 3}",
            session_id=f"session-{number % 7}",
            span_id=spans[number - number % 2],
            content=f"word{number % 11} of the plan {number}",
            duration_ms=float(number % 90),
            input_tokens=number,
        )
        for number in range(count)
    ]


def fill(store: SqliteStore, some: list[Record], batch: int = 40) -> None:
    for start in range(0, len(some), batch):
        part = some[start : start + batch]
        store.add(SEGMENT, "f", part, end_of(part))


def answers(store: SqliteStore) -> list[object]:
    asked = (
        "",
        "word3",
        "agent:agent-2 has:error",
        "session:session-4",
        "tool:tool-1",
        "word* level>=error",
    )
    return [
        store.segments(),
        *(store.find(ask(text, limit=500)) for text in asked),
        store.groups("agent", Query()),
        store.groups("session", Query()),
        store.aggregate(Query(), Split(step_ns=60_000_000_000)),
        store.aggregate(Query(), Split(by=("agent",))),
        store.aggregate(ask("has:error"), Split(by=("tool",))),
    ]


@pytest.mark.parametrize("bulk_events", [1, 70, 10_000])
def test_it_answers_as_one_that_was_filled_batch_by_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, bulk_events: int
) -> None:
    monkeypatch.setattr(schema, "BULK_EVENTS", bulk_events)
    some = records(500)
    plain, bulk = SqliteStore(tmp_path / "plain"), SqliteStore(tmp_path / "bulk", is_bulk=True)
    fill(plain, some)
    fill(bulk, some)
    fill(bulk, some)  # known already
    expected = answers(plain)
    assert answers(bulk) == expected
    bulk.close()
    plain.close()

    again = SqliteStore(tmp_path / "bulk")
    assert answers(again) == expected
    more = [make_record(number, T0_NS + number * STEP_NS) for number in range(500, 540)]
    fill(again, more)
    again.close()
    compact(again.database(SEGMENT), str(tmp_path / "compact.db"))
    with closing(sqlite3.connect(tmp_path / "compact.db")) as connection:
        assert connection.execute("SELECT count(*) FROM event").fetchone() == (540,)
        connection.execute("INSERT INTO text (text) VALUES ('integrity-check')")
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)


def test_it_is_left_as_the_next_writer_wants_it(tmp_path: Path) -> None:
    bulk, plain = SqliteStore(tmp_path / "bulk", is_bulk=True), SqliteStore(tmp_path / "plain")
    for store in (bulk, plain):
        fill(store, records(100))
        store.close()
    seen = []
    for store in (bulk, plain):
        with closing(sqlite3.connect(store.database(SEGMENT))) as connection:
            settings = connection.execute("SELECT k, v FROM text_config ORDER BY k").fetchall()
            journal = connection.execute("PRAGMA journal_mode").fetchone()
            seen.append((dict(settings), journal))
    settings, journal = seen[0]
    assert seen[1] == ({key: settings[key] for key in seen[1][0]}, journal)
    assert journal == ("wal",)
    assert settings["crisismerge"] == 16


def test_an_event_that_fails_leaves_nothing_that_counts_as_whole(tmp_path: Path) -> None:
    store = SqliteStore(tmp_path, is_bulk=True)
    some = records(80)
    fill(store, some[:40])
    poisoned = make_record(40, T0_NS, duration_ms="not a number", agent={})
    with pytest.raises(StoreError):
        store.add(SEGMENT, "f", [poisoned], end_of([poisoned]))
    store.close()
    with closing(sqlite3.connect(store.database(SEGMENT))) as connection:
        assert connection.execute("SELECT event_count FROM meta").fetchone() == (0,)
