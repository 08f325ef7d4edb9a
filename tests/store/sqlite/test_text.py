"""What is indexed of an event, and how a search becomes an expression of quoted tokens."""

import sqlite3
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.errors import QueryError
from laneway.store.sqlite.text import TEXT_CHARS, match_of, text_of
from tests.store.build import make_event

JSON = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text()),
    lambda inner: st.one_of(st.lists(inner), st.dictionaries(st.text(), inner)),
    max_leaves=20,
)


def words_of(**fields: Any) -> list[str]:
    return text_of(make_event(agent="a", event="e", **fields)).split()  # type: ignore[arg-type]


def test_the_text_holds_values_in_order_and_the_keys_inside_them() -> None:
    event = {
        "content": "hello",
        "tool": "grep",
        "input": {"path": ["x", 7, None, True]},
        "zone": {"k": 2.5},
    }
    assert words_of(**event) == ["a", "e", "grep", "hello", "path", "x", "7", "zone", "k", "2.5"]


def test_ids_times_and_counts_are_no_text() -> None:
    assert words_of(session_id="s", trace_id="t", level="info", pid=7, cost_usd=1.5, pod="p") == [
        "a",
        "e",
    ]


def test_agent_and_content_come_before_what_could_crowd_them_out() -> None:
    fields = {"output": "x" * (2 * TEXT_CHARS), "content": "kept"}
    text = text_of(make_event(**fields))  # type: ignore[arg-type]
    assert "kept" in text
    assert len(text) <= TEXT_CHARS


def test_unspaced_scripts_are_cut_into_characters() -> None:
    assert words_of(content="東京tower ไทย") == ["a", "e", "東", "京", "tower", "ไ", "ท", "ย"]


@given(content=JSON, extra=st.dictionaries(st.text(), JSON, max_size=3))
def test_any_json_becomes_text_that_sqlite_takes(content: Any, extra: dict[str, Any]) -> None:
    event = {**extra, **make_event(content=content)}
    assert len(text_of(event).encode()) <= 16 * TEXT_CHARS  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("search", "match"),
    [
        ("one Two", '"one" AND "Two"'),
        ('"a phrase" word*', '"a phrase" AND "word"*'),
        ('"to the en"*', '"to the en"*'),
        ('a"b c"d', '"a" AND "b c" AND "d"'),
        ('"never closed', '"never closed"'),
        ("NOT (x OR y)", '"NOT" AND "(x" AND "OR" AND "y)"'),
        ("col:x ^y -z +w", '"col:x" AND "^y" AND "-z" AND "+w"'),
        ("東京", '"東 京"'),
        ("! word --", '"word"'),
        ("", ""),
    ],
)
def test_every_piece_comes_out_quoted(search: str, match: str) -> None:
    assert match_of(search) == match


@given(st.text(alphabet=st.sampled_from('ab"*(): \0\n^-+{}é東\udcff\ue000'), max_size=30))
def test_no_search_is_a_syntax_error_for_fts5(search: str) -> None:
    try:
        match = match_of(search)
    except QueryError:
        return
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE text USING fts5(body)")
    if match:
        connection.execute("SELECT * FROM text WHERE text MATCH ?", (match,)).fetchall()
    connection.close()
