"""A piece of text is looked for in the bytes of the log, and no line that has it is passed by."""

import re
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import orjson
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.base.errors import LogError
from laneway.hub.archive import EventReader
from laneway.hub.chore import compact_index
from laneway.hub.line import LineReader
from laneway.log.compress import compress
from laneway.log.read import Reader
from laneway.log.segment import LogPath
from laneway.model.redact import Redactor
from laneway.store.api import Page, Query, Record
from laneway.store.query.expr import all_of
from laneway.store.query.literal import Literal, find_literals
from laneway.store.query.match import Subject, compile_matcher
from laneway.store.query.parse import parse
from laneway.store.sqlite import raw, scan
from laneway.store.sqlite.pool import TimeBox
from laneway.store.sqlite.posting import CHUNK_EVENTS
from laneway.store.sqlite.store import SqliteStore
from tests.store.build import T0_NS, make_event

MEMORY = "/dev/shm" if Path("/dev/shm").is_dir() else None
SEGMENT = "events-000001.jsonl"


class Log:
    """Events as lines of real files, indexed; ``reads`` are the events that were read one by one."""

    def __init__(self, directory: Path, query_limit_s: float = 30.0) -> None:
        self.reader = Reader(LogPath.parse(str(directory)))
        self.directory = directory
        self._read_event = EventReader(self.reader, LineReader(Redactor()))
        self.reads = 0
        self.store = SqliteStore(
            directory / ".index",
            query_limit_s=query_limit_s,
            read_event=self._count,
            read_text=self.reader.read_text,
        )

    def _count(self, pointer: Any, fingerprint: str) -> Any:
        self.reads += 1
        return self._read_event(pointer, fingerprint)

    def write(self, events: Sequence[dict[str, Any]], segment: str = SEGMENT, **how: Any) -> None:
        offset, records, lines = 0, [], []
        for event in events:
            line = how.get("dump", orjson.dumps)(event)
            ts_ns = how.get("start_ns", T0_NS) + len(records) * 1_000
            records.append(Record(offset, len(line), ts_ns, event))  # type: ignore[arg-type]
            lines.append(line + b"\n")
            offset += len(line) + 1
        (self.directory / segment).write_bytes(b"".join(lines))
        self.store.add(segment, "f", records, offset)

    def compact(self) -> None:
        """The index of `SEGMENT`, as a hub does it when another segment has followed."""
        database = self.store.compactable(SEGMENT)
        assert database
        self.store.adopt(SEGMENT, f"{database}.new", compact_index(database, f"{database}.new"))

    def close(self) -> None:
        self.store.close()
        self.reader.close()


@pytest.fixture
def log(tmp_path: Path) -> Iterator[Log]:
    with closing(Log(tmp_path)) as opened:
        yield opened


def filler(count: int) -> list[dict[str, Any]]:
    return [make_event(content=f"nothing of note in number {i}") for i in range(count)]


def by_number(event: dict[str, Any]) -> bytes:
    """As others do: signs that mean something in HTML and every second digit by their numbers, slashes behind
    backslashes."""
    import json

    line = json.dumps(event, ensure_ascii=False).replace("/", "\\/")
    for sign in "<>&13579":
        line = re.sub(rf"(?<=[a-z ]){sign}(?=[^0-9])", f"\\\\u{ord(sign):04x}", line)
    return line.encode()


def as_ascii(event: dict[str, Any]) -> bytes:
    """As many senders write JSON: what is not ASCII is escaped."""
    import json

    return json.dumps(event).encode()


PIECES = [
    "needle", "NEEDLE", "kelvin", "\u212aELVIN", "sto\u017fs", "\u0130stan", "a\\b", 'q"q', "e5",
    "\x1bok", "hay needle", "a/b", "<hay> &", "hay1 ", "don't", "what?", "[hay]", "needle, hay: needle",
]  # fmt: skip
TEXTS = st.lists(st.sampled_from([*PIECES, " ", "hay", "\n"]), max_size=5).map("".join)
QUERIES = st.sampled_from([
    "~needle", "~eedl", "/needle/", "/n.*edle/i", "/kelvin/i", "/stoss/i", "~kelvin", "~stan",
    'role:"needle hay"', "role:need*", "parent:needle", "content:~needle", "attr.x:~eedle",
    '~"edle hay"', '~"dle hay needl"', '~" hay "', '~"needle "', '~" need"', '~"y n"', '~"a/b"', '~"hay1 "',
    '~"<hay> &"', '~"n\'t"', '~"at?"', '~"y] needle"', '~"dle, hay: need"', '~"\\u212aelvin hay"',
    "/edle hay/", "/a\\/b/", "/hay.?needle/i", "/dle\\, h/", '~needle ~"hay k"', 'content:~"edle hay"',
    "~needle -event:log", "~needle agent:planner", "-~needle", "~needle OR ~kelvin", "attr.x:1e5",
])  # fmt: skip


@settings(max_examples=120, deadline=None)
@given(
    st.lists(
        st.tuples(TEXTS, st.sampled_from(["content", "role", "parent_agent", "x"])), max_size=8
    ),
    QUERIES,
    st.sampled_from([orjson.dumps, as_ascii, by_number]),
    st.booleans(),
    st.booleans(),
)
def test_every_line_that_matches_is_found(
    texts: list[tuple[str, str]],
    query: str,
    dump: Callable[[Any], bytes],
    is_odd: bool,
    is_common: bool,
) -> None:
    events = [make_event(**{field: text}) for text, field in texts if text.strip()]
    events += [make_event(x=1e5)] * is_odd
    events = [{**event, "id": f"id-{i}"} for i, event in enumerate(events)]
    with (
        tempfile.TemporaryDirectory(dir=MEMORY) as path,
        pytest.MonkeyPatch.context() as patch,
        closing(Log(Path(path))) as log,
    ):
        patch.setattr(raw, "FEW_LINES", 0)
        patch.setattr(raw, "WINDOW_BYTES", 64)  # pieces lie across the ends of windows
        if is_common:
            patch.setattr(scan, "FEW_HITS", -1)
        if events:
            log.write(events, dump=dump)
        where = parse(query)
        matches = compile_matcher(where)
        expected = [
            i + 1 for i, event in enumerate(events) if matches(Subject(event, T0_NS, i + 1))
        ]
        ask = Query(where, newest_first=False, limit=len(events) + 1)
        assert [hit.seq for hit in log.store.find(ask).hits] == expected
        if events:
            log.write([make_event(content="other", id="last")], "events-000002.jsonl")
            log.compact()
            ask = replace(ask, where=all_of([where, parse("-other")]))
            assert [hit.seq for hit in log.store.find(ask).hits] == expected


def test_lines_without_the_piece_are_not_read(log: Log) -> None:
    log.write([*filler(3_000), make_event(content="a NeEdLe here"), *filler(3_000)])
    page = log.store.find(Query(parse("~eedle")))
    assert [hit.seq for hit in page.hits] == [3_001]
    assert page.scan
    assert page.scan.is_complete
    assert log.reads == 1


def test_a_compressed_segment_is_searched_like_a_plain_one(log: Log) -> None:
    log.write([*filler(3_000), make_event(content="a NeEdLe here"), *filler(100)])
    (log.directory / "events-000002.jsonl").touch()
    with open(log.directory / SEGMENT, "ab") as file:
        file.write(b"\n")
    assert compress(str(log.directory), SEGMENT)
    assert not (log.directory / SEGMENT).exists()
    assert [hit.seq for hit in log.store.find(Query(parse("~eedle"))).hits] == [3_001]
    assert log.reads == 1


def test_lines_that_cannot_be_searched_are_read_one_by_one(log: Log) -> None:
    log.write([*filler(100), make_event(content="needle")])

    def fail(segment: str, start: int, end: int) -> bytes:
        raise LogError("damaged")

    log.store._searcher._read_text = fail
    assert [hit.seq for hit in log.store.find(Query(parse("~eedle"))).hits] == [101]
    assert log.reads == 101


def walk(log: Log, query: Query) -> tuple[list[int], list[Page]]:
    seqs: list[int] = []
    pages: list[Page] = []
    while True:
        pages.append(log.store.find(query))
        seqs += [hit.seq for hit in pages[-1].hits]
        if pages[-1].next is None:
            return seqs, pages
        query = Query(query.where, newest_first=query.newest_first, after=pages[-1].next)


@pytest.mark.parametrize("newest_first", [True, False])
def test_a_search_out_of_time_goes_on_where_it_was_and_says_how_far_it_is(
    log: Log, newest_first: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    events = filler(20_000)
    for i in (5, 9_000, 19_990):
        events[i] = make_event(content="needle")
    log.write(events[:10_000], "events-000001.jsonl")
    log.write(events[10_000:], "events-000002.jsonl", start_ns=T0_NS + 5_000_000)  # they overlap

    monkeypatch.setattr(raw, "WINDOW_EVENTS", 1_000)
    monkeypatch.setattr(log.store._searcher, "_time_box", lambda: Looks(12))
    seqs, pages = walk(log, Query(parse("~eedle"), newest_first=newest_first))
    assert sorted(seqs) == [6, 9_001, 19_991]
    assert len(pages) > 3
    passed = [page.scan.passed_bytes for page in pages if page.scan]
    assert passed == sorted(passed)
    assert [page.scan.is_complete for page in pages if page.scan] == [False] * (len(pages) - 1) + [
        True
    ]


class Looks(TimeBox):
    """Over after so many looks at it."""

    def __init__(self, looks: int) -> None:
        super().__init__(30.0)
        self._looks = looks

    def is_over(self) -> bool:
        self._looks -= 1
        return self._looks < 0


@pytest.mark.parametrize(
    ("query", "piece"),
    [
        ("~needle", Literal("needle", True)),
        ('~"two Words, LONGER"', Literal("two words, longer", True)),
        ("~\"an 'other' one\"", Literal("other", True)),
        ('~"k\u00f6nig here"', Literal("nig here", True)),
        ('~"in a [mark] of"', Literal("in a ", True)),
        ('~"what? ever"', Literal(" ever", True)),
        ("/time.?outs/", Literal("time", True)),
        ("/tim?e_out+s/", Literal("e_out", True)),
        (r"/main\.py$/", Literal("main.py", True)),
        (r"/\bwhole words\b/", Literal("whole words", True)),
        ("/[abc]needle[0-9]{2}/", Literal("needle", True)),
        ("/one|other/", None),
        ("/(one)?/", None),
        (r"/\x41bcd/", None),
        ("~ab", None),
        ("role:assistant", Literal("assistant", False)),
        ("attr.n:12345", None),
        ("attr.n:true", None),
        ("~needle OR ~other", None),
        ("-~needle", None),
    ],
)
def test_the_piece_that_a_query_asks_for(query: str, piece: Literal | None) -> None:
    assert next(iter(find_literals([parse(query)])), None) == piece


@pytest.mark.parametrize(
    "text",
    [
        "123456",
        "e5",
        "redact",
        "message",
        "beef12",
        "bytes gone, sha256 ab1",
        "github-token:0a",
        "10 more",
        "given_dur",
        "given",
        "true, none",
        "e: false",
    ],
)
def test_what_may_stand_otherwise_in_the_line_is_not_looked_for_in_it(text: str) -> None:
    assert not Literal(text, True).is_in_line


@pytest.mark.parametrize(
    "text", ["more to do", "not given", "duration_ms", "refused, again", "bytes read"]
)
def test_what_no_mark_holds_is_looked_for_in_the_line(text: str) -> None:
    assert Literal(text, True).is_in_line


def test_a_fragment_of_common_words_is_found_by_its_words_in_a_row(log: Log) -> None:
    texts = [
        "poker game",
        "the game of poker",
        "joker tower",
        "poker towel",
        "tow the poker",
        "x ker to",
    ]
    log.write([make_event(content=texts[i % 6], id=f"id-{i}") for i in range(600)])
    log.write([make_event(content="other", id="last")], "events-000002.jsonl")
    log.compact()
    hits = log.store.find(Query(parse('~"ker tow"'), limit=1_000)).hits
    assert {(hit.seq - 1) % 6 for hit in hits} == {2, 3}
    assert log.reads == len(hits) == 200


def test_of_the_lines_with_common_words_those_with_the_whole_fragment_are_read(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scan, "FEW_HITS", 10)
    texts = ["poker game", "the tow of poker", "joker tower"]
    log.write([make_event(content=texts[i % 3], id=f"id-{i}") for i in range(600)])
    assert len(log.store.find(Query(parse('~"ker tow"'), limit=1_000)).hits) == 200
    assert log.reads == 200


def in_chunks(log: Log, chunks: int) -> list[int]:
    """A segment of so many chunks of `posting`, each with one needle; their seqs."""
    count = chunks * CHUNK_EVENTS - 2  # the first chunk has no seq 0
    seqs = [chunk * CHUNK_EVENTS + 7 for chunk in range(chunks)]
    events = [
        make_event(content="needle" if i + 1 in seqs else "hay", id=f"id-{i}") for i in range(count)
    ]
    log.write(events)
    return seqs


@pytest.mark.parametrize("newest_first", [True, False])
def test_chunks_are_searched_beside_each_other_and_answered_in_order(
    log: Log, monkeypatch: pytest.MonkeyPatch, newest_first: bool
) -> None:
    seqs = in_chunks(log, 5)  # the first alone, then two pairs
    meeting, threads = threading.Barrier(2), set()
    places = raw.RawText._iter_places
    first: list[int] = []

    def together(search: raw.RawText, segment: str, start: int, end: int) -> Iterator[int]:
        if not first:
            first.append(start)  # the first is searched alone
        else:
            meeting.wait(180)  # fails where only one is at work
        threads.add(threading.get_ident())
        return places(search, segment, start, end)

    monkeypatch.setattr(raw.RawText, "_iter_places", together)
    monkeypatch.setattr(raw, "_thread_count", lambda: 2)
    with ThreadPoolExecutor(2) as pool:
        monkeypatch.setattr(raw, "_threads", lambda: pool)
        page = log.store.find(Query(parse("~needle"), newest_first=newest_first))
    assert [hit.seq for hit in page.hits] == (seqs[::-1] if newest_first else seqs)
    assert len(threads) >= 2


def test_a_page_that_the_first_chunk_fills_costs_no_further_one(
    log: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched: list[int] = []
    places = raw.RawText._iter_places

    def noting(search: raw.RawText, segment: str, start: int, end: int) -> Iterator[int]:
        searched.append(start)
        return places(search, segment, start, end)

    monkeypatch.setattr(raw.RawText, "_iter_places", noting)
    log.write([make_event(content="needle", id=f"id-{i}") for i in range(3 * CHUNK_EVENTS - 2)])
    assert len(log.store.find(Query(parse("~needle"), limit=20)).hits) == 20
    assert len(searched) == 1
