"""What a reader of one segment remembers of it."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from laneway.store.sqlite import scan
from laneway.store.sqlite.scan import try_few_seqs
from laneway.store.sqlite.schema import open_reader
from laneway.store.sqlite.search import prepare
from laneway.store.sqlite.store import SqliteStore
from tests.store.build import ask, end_of, make_record


@pytest.fixture
def reader(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[sqlite3.Connection]:
    """Of nine events, all with a common word and one with a rare one; more than two are many."""
    monkeypatch.setattr(scan, "FEW_HITS", 2)
    store = SqliteStore(tmp_path)
    records = [make_record(i, content="common" if i else "common rare") for i in range(9)]
    store.add("a", "f", records, end_of(records))
    connection = open_reader(store.database("a"))
    yield connection
    connection.close()
    store.close()


@pytest.mark.parametrize(("word", "found", "asked"), [("common", None, 1), ("rare", [1], 2)])
def test_that_a_text_is_frequent_is_learnt_once(
    reader: sqlite3.Connection, word: str, found: list[int] | None, asked: int
) -> None:
    met: list[str] = []
    reader.set_trace_callback(lambda sql: met.append(sql) if "LIMIT" in sql else None)
    search = prepare(ask(word))
    assert [try_few_seqs(reader, search) for _ in range(2)] == [found, found]
    assert len([sql for sql in met if not sql.startswith("--")]) == asked
