"""What is indexed of an event."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from laneway.store.query.content import CUT, TEXT_CHARS, text_of, whole_text_of
from laneway.store.query.token import has_words
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
    assert len(text) <= TEXT_CHARS + len(CUT) + 1


def test_unspaced_scripts_are_cut_into_characters() -> None:
    assert words_of(content="東京tower ไทย") == ["a", "e", "東", "京", "tower", "ไ", "ท", "ย"]


@given(content=JSON, extra=st.dictionaries(st.text(), JSON, max_size=3))
def test_any_json_becomes_text_that_sqlite_takes(content: Any, extra: dict[str, Any]) -> None:
    event = {**extra, **make_event(content=content)}
    assert len(text_of(event).encode()) <= 16 * TEXT_CHARS  # type: ignore[arg-type]


def test_a_text_that_was_cut_says_so_by_a_word_of_its_own() -> None:
    assert CUT in text_of(make_event(content="x " * TEXT_CHARS))  # type: ignore[arg-type]
    assert CUT not in text_of(make_event(content="x"))  # type: ignore[arg-type]
    assert has_words(CUT)


def test_the_whole_text_has_no_bound_and_keeps_its_signs() -> None:
    text = whole_text_of(make_event(content="(東京) " + "x" * (2 * TEXT_CHARS)))  # type: ignore[arg-type]
    assert "(東京)" in text
    assert len(text) > 2 * TEXT_CHARS
