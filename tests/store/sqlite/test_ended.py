"""Open spans: however many there are, a page of them costs a few look-ups."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from laneway.store.api import Pointer, Query
from laneway.store.query.expr import Open
from laneway.store.sqlite import sift, where
from laneway.store.sqlite.ident import pack_hex
from laneway.store.sqlite.searcher import Searcher
from laneway.store.sqlite.store import SqliteStore
from tests.store.build import T0_NS, end_of, make_record

SPANS = 300


def span_of(number: int) -> str:
    return f"{number:016x}"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteStore]:
    """In ``a`` spans begin, and every third ends in ``b``; one of ``a`` ends before it begins."""
    lines: dict[tuple[str, int], dict[str, object]] = {}

    def read_event(pointer: Pointer, fingerprint: str) -> object:
        return lines[pointer.segment, pointer.offset]

    store = SqliteStore(tmp_path, read_event=read_event)  # type: ignore[arg-type]
    begun = [
        make_record(i, T0_NS + i, event="tool_invocation", span_id=span_of(i)) for i in range(SPANS)
    ]
    early = make_record(0, T0_NS, event="tool_result", span_id=span_of(7))
    ended = [
        make_record(i, T0_NS + SPANS + i, event="tool_result", span_id=span_of(i))
        for i in range(0, SPANS, 3)
    ]
    late = make_record(0, T0_NS + 2 * SPANS, event="tool_invocation", span_id=span_of(7))
    for name, records in (("z", [early]), ("a", begun), ("b", ended), ("c", [late])):
        lines |= {(name, record.offset): record.event for record in records}  # type: ignore[misc]
        store.add(name, "f", records, end_of(records))
    yield store
    store.close()


def open_seqs(index: SqliteStore) -> list[int]:
    """By page of 50."""
    query, found = Query(Open(), limit=50), []
    while True:
        page = index.find(query)
        found += [hit.seq for hit in page.hits]
        if page.next is None:
            return found
        query = Query(Open(), limit=50, after=page.next)


@pytest.mark.parametrize("most_single", [where.MOST_SINGLE, 10], ids=["named", "asked of rows"])
def test_those_without_an_end_anywhere_are_open(
    index: SqliteStore, monkeypatch: pytest.MonkeyPatch, most_single: int
) -> None:
    monkeypatch.setattr(where, "MOST_SINGLE", most_single)
    wanted = [2 + i for i in range(SPANS) if i % 3 and i != 7]
    assert open_seqs(index) == wanted[::-1]


def test_a_page_looks_up_many_spans_together(
    index: SqliteStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []
    plain = Searcher.find_ended

    def find_ended(self: Searcher, spans: list[str]) -> set[str]:
        asked.append(len(spans))
        return plain(self, spans)

    monkeypatch.setattr(Searcher, "find_ended", find_ended)
    assert len(index.find(Query(Open(), limit=50)).hits) == 50
    assert len(asked) <= 2
    assert max(asked) <= sift.LOOKED_UP


def test_a_span_whose_end_stands_before_its_beginning_is_closed(index: SqliteStore) -> None:
    assert index._searcher.find_ended([span_of(7), span_of(8), span_of(9), pack_hex("no hex")]) == {  # type: ignore[list-item]
        span_of(7),
        span_of(9),
    }
