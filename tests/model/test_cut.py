"""A line that is too long loses the tails of its longest texts, and says so."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.base.limits import LINE_BYTES
from laneway.model.cut import fit, shorten, split_mark
from laneway.model.encode import encode

HEAD = {
    "timestamp": "2026-11-23T18:22:33.000123Z",
    "agent": "planner",
    "event": "tool_result",
    "id": "e1",
}


def encoded(**fields: Any) -> dict[str, Any]:
    line = encode({**HEAD, **fields})
    assert len(line) <= LINE_BYTES
    event: dict[str, Any] = json.loads(line)
    assert {name: event[name] for name in HEAD} == HEAD
    return event


def test_a_line_of_the_greatest_length_is_not_cut() -> None:
    room = LINE_BYTES - len(encode({**HEAD, "content": ""}))

    assert "truncated" not in encoded(content="x" * room)
    assert encoded(content="x" * (room + 1))["truncated"] is True


def test_a_cut_text_tells_how_much_is_gone_and_the_hash_of_the_whole() -> None:
    text = "0123456789" * 100_000

    event = encoded(content=text)

    head, gone, digest = split_mark(event["content"])
    assert text.startswith(head)
    assert len(head) + gone == len(text)
    assert digest == f", sha256 {hashlib.sha256(text.encode()).hexdigest()[:16]}"
    assert event["truncated"] is True


def test_bytes_gone_are_counted_in_utf_8() -> None:
    text = "é漢😀" * 100_000

    head, gone, _ = split_mark(encoded(content=text)["content"])

    assert len(head.encode()) + gone == len(text.encode())


def test_the_longest_texts_are_cut_and_short_ones_stay() -> None:
    event = encoded(
        content="c" * 300_000, output={"log": ["l" * 300_000, "short"]}, note="n" * 5_000
    )

    assert event["note"] == "n" * 5_000
    assert event["output"]["log"][1] == "short"
    assert abs(len(event["content"]) - len(event["output"]["log"][0])) < 200
    assert len(event["content"]) > 100_000


def test_the_line_is_filled_and_not_cut_further_than_needed() -> None:
    assert len(encode({**HEAD, "content": "x" * 1_000_000})) > LINE_BYTES - 200


@pytest.mark.parametrize(
    "text", ['"\\\n' * 200_000, "\x00\x1f" * 200_000, "\u2028" * 300_000, "é" * 300_000]
)
def test_a_cut_never_splits_a_character_or_an_escape(text: str) -> None:
    head, _, _ = split_mark(encoded(content=text)["content"])

    assert text.startswith(head)
    assert len(head) > 30_000


def test_fields_that_identify_the_event_are_never_cut() -> None:
    ids = {
        "session_id": "s" * 256,
        "trace_id": "4" * 32,
        "span_id": "0" * 16,
        "parent_agent": "p" * 256,
    }

    event = encoded(**ids, content="x" * 500_000)

    assert {name: event[name] for name in ids} == ids


def test_a_text_of_fifty_megabytes_is_cut() -> None:
    head, gone, digest = split_mark(encoded(content="x" * 50_000_000)["content"])

    assert len(head) + gone == 50_000_000
    assert digest == ""


def test_an_object_of_a_million_keys_keeps_what_fits() -> None:
    event = encoded(input={f"key {n}": n for n in range(1_000_000)}, session_id="s1")

    assert event["input"]["key 0"] == 0
    assert event["input"]["…"].endswith("more]")
    assert event["session_id"] == "s1"
    assert event["truncated"] is True


def test_a_million_fields_keep_the_first_ones() -> None:
    event = encoded(**{f"field{n}": n for n in range(1_000_000)})

    assert event["field0"] == 0
    assert event["truncated"] is True


def test_a_hundred_thousand_texts_are_both_shortened_and_counted() -> None:
    event = encoded(output=["x" * 1_000] * 100_000)

    assert event["output"][0].startswith("x")
    assert event["output"][-1].endswith("more]")


def test_a_giant_key_is_shortened() -> None:
    (key,) = encoded(input={"k" * 1_000_000: 1})["input"]

    assert key == "k" * 255 + "…"


def test_a_giant_name_does_not_make_the_line_too_long() -> None:
    line = encode({**HEAD, "agent": "a" * 1_000_000})

    assert len(line) <= LINE_BYTES
    assert json.loads(line)["agent"] == "a" * 256


def test_a_text_that_is_cut_twice_tells_of_its_whole() -> None:
    text = "0123456789" * 1_000

    twice = shorten(shorten(text, 5_000), 1_000)

    assert twice == shorten(text, 1_000)
    assert split_mark(twice)[1] == 9_000


texts = st.text() | st.integers(0, 3_000).map("x".__mul__) | st.integers(0, 900).map('é"'.__mul__)


@settings(max_examples=200, deadline=None)
@given(
    st.dictionaries(st.text(max_size=20), texts | st.lists(texts), max_size=12),
    st.integers(700, 5_000),
)
def test_whatever_the_texts_the_line_fits(fields: dict[str, Any], limit: int) -> None:
    line = fit({**fields, **HEAD}, limit)

    assert len(line) <= limit
    event = json.loads(line)
    assert {name: event[name] for name in HEAD} == HEAD
