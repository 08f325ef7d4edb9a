"""Text is written beside the interpreter, and is the same text."""

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

import pytest

from laneway.store.sqlite.beside import run_beside, try_json
from laneway.store.sqlite.segment import BESIDE_EVENTS
from laneway.store.sqlite.store import SqliteStore
from tests.store.build import ask, end_of, make_record


def test_work_begins_before_what_is_done_meanwhile_and_both_have_ended_after_it() -> None:
    told: list[str] = []
    may_end = threading.Event()

    def work() -> None:
        told.append("work begins")
        may_end.wait()
        told.append("work ends")

    def meanwhile() -> None:
        told.append("meanwhile")
        may_end.set()

    run_beside(work, meanwhile)
    assert told == ["work begins", "meanwhile", "work ends"]


def test_what_work_raised_is_raised_when_both_have_ended() -> None:
    told: list[str] = []

    def work() -> None:
        raise ValueError("the disk is full")

    with pytest.raises(ValueError, match="the disk is full"):
        run_beside(work, lambda: told.append("meanwhile"))
    assert told == ["meanwhile"]


@pytest.mark.parametrize(
    "texts",
    [
        [],
        ["one", "two\nlines", "\x01\x1f\x7f", '"quoted" \\ and / slashed'],
        ["Zürich", "東京", "\u2028", "😀", "\ue000cut", "\ufffd", ""],
    ],
)
def test_sqlite_reads_the_very_same_texts(texts: list[str]) -> None:
    joined = try_json(texts)
    with closing(sqlite3.connect(":memory:")) as connection:
        rows = connection.execute("SELECT key, value FROM json_each(?)", (joined,)).fetchall()
    assert rows == list(enumerate(texts))


@pytest.mark.parametrize("text", ["before\0behind", "a lone \ud800 surrogate"])
def test_texts_that_sqlite_would_read_otherwise_are_not_joined(text: str) -> None:
    assert try_json(["plain", text]) is None


@pytest.mark.parametrize("odd", ["before\0behind", "before \\u0000 behind", "東京 behind before"])
def test_the_words_of_many_events_are_all_found_whatever_is_among_them(
    tmp_path: Path, odd: str
) -> None:
    contents = [f"common word{number}" for number in range(BESIDE_EVENTS)]
    contents[BESIDE_EVENTS // 2] = odd
    records = [make_record(number, content=text) for number, text in enumerate(contents)]
    with closing(SqliteStore(tmp_path)) as store:
        store.add("a", "f", records, end_of(records))
        for text, count in (("common", BESIDE_EVENTS - 1), ("word7", 1), ("behind", 1)):
            assert len(store.find(ask(text, limit=BESIDE_EVENTS)).hits) == count
