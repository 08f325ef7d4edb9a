"""Sets of rows by name: what the writer keeps, and what a filter makes of it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.store.sqlite.mask import AnyOf, Both, Either, Mask, Rows, Without, any_mask, negate
from laneway.store.sqlite.posting import CHUNK_EVENTS, LIST_PLACES, PostingBook

TABLE = (
    "CREATE TABLE posting (chunk INTEGER, term INTEGER, places BLOB,"
    " PRIMARY KEY (chunk, term)) WITHOUT ROWID"
)


@pytest.fixture
def connection() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.execute(TABLE)
        yield opened


def rows_with(connection: sqlite3.Connection, mask: Mask, first: int, last: int) -> list[int]:
    assert mask is not None
    return Rows(connection, mask).seqs(first, last)


@given(
    st.lists(st.frozensets(st.integers(1, 4), max_size=3), min_size=1, max_size=400),
    st.integers(1, CHUNK_EVENTS + 50),
    st.integers(1, 90),
)
def test_the_rows_of_a_name_are_those_it_was_given(
    terms: list[frozenset[int]], start: int, batch: int
) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.execute(TABLE)
        for at in range(0, len(terms), batch):
            book = PostingBook(connection, start + at - 1)  # as after a restart
            given = [tuple(some) for some in terms[at : at + batch]]
            book.add(range(start + at, start + at + len(given)), given, [0] * len(given))
            book.write()
        end = start + len(terms)
        for term in range(1, 5):
            expected = [start + i for i, some in enumerate(terms) if term in some]
            assert rows_with(connection, AnyOf((term,)), start, end) == expected
        both = [start + i for i, some in enumerate(terms) if {1, 2} <= some]
        assert rows_with(connection, Both((AnyOf((1,)), AnyOf((2,)))), start, end) == both


def test_a_name_in_many_rows_is_a_map_and_in_few_a_list(connection: sqlite3.Connection) -> None:
    book = PostingBook(connection, 0)
    seqs = range(1, LIST_PLACES + 1)
    book.add(seqs, [(1,) for _ in seqs], [2 if seq == 7 else 0 for seq in seqs])
    book.write()
    sizes = dict(connection.execute("SELECT term, length(places) FROM posting").fetchall())
    assert sizes == {1: CHUNK_EVENTS // 8, 2: 2}


def test_a_search_ends_at_the_rows_it_names(connection: sqlite3.Connection) -> None:
    book = PostingBook(connection, 0)
    seqs = range(1, 3 * CHUNK_EVENTS)
    book.add(seqs, [(1 if seq % 1_000 == 0 else 2,) for seq in seqs], [0] * len(seqs))
    book.write()
    found = rows_with(connection, AnyOf((1,)), 2_000, 10_000)
    assert found == [2_000, 3_000, 4_000, 5_000, 6_000, 7_000, 8_000, 9_000, 10_000]
    rows = Rows(connection, Without((2,)))
    assert rows.may_hold(4_999, 5_000)
    assert not rows.may_hold(5_001, 5_999)
    assert rows.count(CHUNK_EVENTS, 2 * CHUNK_EVENTS - 1) == 4


def test_what_names_cannot_tell_leaves_all_rows() -> None:
    assert any_mask([AnyOf((1,)), None]) is None
    assert negate(Either((AnyOf((1,)), AnyOf((2,))))) is None
    assert negate(AnyOf((1,))) == Without((1,))
