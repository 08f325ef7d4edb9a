"""What a whole segment answered is not asked again, and never told of another one."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from laneway.hub.chore import compact_index
from laneway.store.api import Query, Split
from laneway.store.sqlite import answer
from laneway.store.sqlite.answer import AnswerBook
from laneway.store.sqlite.store import SqliteStore
from laneway.store.sqlite.summary import Summary
from tests.store.build import T0_NS, ask, end_of, make_record

SECOND_NS = 1_000_000_000
COUNTED = [
    ("count", Split(("agent",), 60 * SECOND_NS)),
    ("usage", Split(("model",), of="usage")),
    ("duration", Split(("tool",), of="duration")),
]


@pytest.fixture
def index(tmp_path: Path) -> Iterator[SqliteStore]:
    store = SqliteStore(tmp_path)
    for name in ("old", "new"):
        fill(store, name, 0, 30)
    yield store
    store.close()


@pytest.fixture
def reads(index: SqliteStore, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The segments that were opened since, one by one."""
    met: list[str] = []
    plain = index._catalog.read

    def read(summary: Summary, *rest: object) -> object:
        met.append(summary.segment)
        return plain(summary, *rest)  # type: ignore[arg-type]

    monkeypatch.setattr(index._catalog, "read", read)
    return met


def fill(store: SqliteStore, name: str, start: int, count: int) -> None:
    at_ns = T0_NS + (name == "new") * 1_000 * SECOND_NS
    records = [
        make_record(
            i, at_ns + i * SECOND_NS, agent=f"a-{i % 3}", tool="t", duration_ms=i, model="m",
            input_tokens=i,
        )
        for i in range(start, start + count)
    ]  # fmt: skip
    store.add(name, "f", records, end_of(records))


@pytest.mark.parametrize(("of", "split"), COUNTED, ids=[of for of, _ in COUNTED])
def test_a_repeated_question_reads_only_what_grew(
    index: SqliteStore, reads: list[str], of: str, split: Split
) -> None:
    first = index.aggregate(ask("agent:a-1"), split)
    assert sorted(set(reads)) == ["new", "old"]
    reads.clear()
    assert index.aggregate(ask("agent:a-1"), split) == first
    assert reads == []
    fill(index, "new", 30, 30)
    grown = index.aggregate(ask("agent:a-1"), split)
    assert set(reads) == {"new"}
    assert grown.event_count == 2 * first.event_count - first.event_count // 2
    assert grown == SqliteStore.aggregate(fresh(index), ask("agent:a-1"), split)


def fresh(index: SqliteStore) -> SqliteStore:
    """The same index without anything remembered."""
    index._catalog._answers = AnswerBook(0)
    return index


def test_agents_and_sessions_are_remembered_apart(index: SqliteStore, reads: list[str]) -> None:
    agents = index.groups("agent", Query())
    index.groups("session", Query())
    reads.clear()
    assert index.groups("agent", Query()) == agents
    assert reads == []


@pytest.mark.parametrize(
    "text", ["agent:a-1", "agent:a-2", "-agent:a-1", "has:error", "duration:>5"]
)
def test_each_condition_has_an_answer_of_its_own(index: SqliteStore, text: str) -> None:
    index.aggregate(Query(), Split(("agent",)))
    index.aggregate(ask("agent:a-0"), Split(("agent",)))
    known = index.aggregate(ask(text), Split(("agent",)))
    assert known == fresh(index).aggregate(ask(text), Split(("agent",)))


def test_a_window_that_cuts_a_segment_is_asked_each_time(
    index: SqliteStore, reads: list[str]
) -> None:
    query = Query(since_ns=T0_NS + 3 * SECOND_NS)
    index.aggregate(query, Split())
    reads.clear()
    assert index.aggregate(query, Split()).event_count == 57
    assert reads == ["old"]


def test_a_segment_that_was_forgotten_and_is_indexed_anew_is_asked_again(
    index: SqliteStore,
) -> None:
    assert index.aggregate(Query(), Split()).event_count == 60
    index.forget("old")
    assert index.aggregate(Query(), Split()).event_count == 30
    fill(index, "old", 0, 7)
    assert index.aggregate(Query(), Split()).event_count == 37
    index.reset()
    assert index.aggregate(Query(), Split()).event_count == 0


def test_a_renamed_segment_leaves_the_answers_of_the_others(
    index: SqliteStore, reads: list[str]
) -> None:
    before = index.aggregate(ask("agent:a-1"), Split(("agent",)))
    index.rename({"new": "newer"})
    reads.clear()
    assert index.aggregate(ask("agent:a-1"), Split(("agent",))) == before
    assert reads == ["newer"]


def test_compaction_keeps_the_answers(index: SqliteStore, reads: list[str]) -> None:
    before = index.aggregate(ask("agent:a-1"), Split(("tool",), of="duration"))
    database = index.compactable("old")
    assert index.adopt("old", f"{database}.new", compact_index(database, f"{database}.new"))
    reads.clear()
    assert index.aggregate(ask("agent:a-1"), Split(("tool",), of="duration")) == before
    assert reads == []
    assert fresh(index).aggregate(ask("agent:a-1"), Split(("tool",), of="duration")) == before


def test_the_least_recently_asked_makes_room(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(answer, "MOST_ROWS", 10)
    book, one, two = AnswerBook(12), Summary("one", "f"), Summary("two", "f")
    book.put(one, "q", "kept", 5)
    book.put(two, "q", "dropped", 5)
    assert book.get(one, "q") == "kept"
    book.put(two, "r", "new", 5)
    assert [book.get(one, "q"), book.get(two, "q"), book.get(two, "r")] == ["kept", None, "new"]
    book.put(two, "s", "too large", 11)
    assert book.get(two, "s") is None


def test_an_answer_is_told_for_its_own_summary_alone() -> None:
    book, then, now = AnswerBook(), Summary("one", "f"), Summary("one", "f")
    book.put(then, "q", "then", 1)
    assert book.get(now, "q") is None
    book.put(now, "q", "now", 1)
    assert (book.get(then, "q"), book.get(now, "q")) == (None, "now")
    book.drop("one")
    assert book.get(now, "q") is None


def test_a_damaged_segment_does_not_answer_from_memory(
    index: SqliteStore, reads: list[str]
) -> None:
    index.aggregate(Query(), Split())
    index._catalog.note_damage("old", "a flipped bit")
    reads.clear()
    index.aggregate(Query(), Split())
    assert reads == ["old"]
