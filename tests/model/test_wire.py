"""Bytes in, bytes out: lines, bodies, ids."""

import json
import uuid
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.base.errors import EventError, Problem
from laneway.base.limits import DEPTH, LINE_BYTES
from laneway.model.redact import Redactor
from laneway.model.wire import ItemProblem, decode_body, decode_line, encode_redacted, stable_id

SECRET = "gh" + "p_" + "aB3dE6gH9" * 4


def seen_of(line: bytes) -> str:
    with pytest.raises(EventError) as caught:
        decode_line(line)
    return str(caught.value)


def test_a_line_is_one_object() -> None:
    assert decode_line(b'{"agent": "a", "n": [1, 2.5, null]}') == {
        "agent": "a",
        "n": [1, 2.5, None],
    }


def test_a_byte_order_mark_is_passed_over() -> None:
    assert decode_line(b'\xef\xbb\xbf{"a": 1}') == {"a": 1}


def test_what_only_pythons_json_writes_is_made_readable() -> None:
    line = json.dumps({"n": float("nan"), "i": [float("-inf")], "s": "a\ud800b"}).encode()

    assert decode_line(line) == {"n": "NaN", "i": ["-Infinity"], "s": "a�b"}


def test_a_number_past_all_floats_is_made_readable() -> None:
    assert (
        decode_line(b'{"n": NaN, "big": 1e999, "digits": ' + b"9" * 5000 + b"}")["big"]
        == "Infinity"
    )


def test_bytes_that_are_no_utf_8_become_replacement_characters() -> None:
    assert decode_line(b'{"a": "caf\xe9"}') == {"a": "caf�"}


@pytest.mark.parametrize(
    ("line", "seen"),
    [
        (b"", '"" is not JSON'),
        (b"plain text", '"plain text" is not JSON'),
        (b'{"a": 1', '"{"a": 1" is not JSON'),
        (b"[1]", "[1] is not a JSON object"),
        (b"null", "None is not a JSON object"),
        (b"\x00\x00", "is not JSON"),
    ],
)
def test_what_is_no_object_is_told_as_it_was_seen(line: bytes, seen: str) -> None:
    assert seen in seen_of(line)


def nested(levels: int) -> bytes:
    return b'{"a":' + b"[" * levels + b"]" * levels + b"}"


def test_a_line_may_nest_to_the_limit_and_no_deeper() -> None:
    decode_line(nested(DEPTH - 1))

    assert seen_of(nested(DEPTH)) == f"is nested more than {DEPTH} levels deep"
    assert "is not JSON" in seen_of(nested(100_000)) or "levels deep" in seen_of(nested(100_000))


def items(body: bytes, content_type: str = "application/json") -> list[Any]:
    return list(decode_body(body, content_type))


def test_a_body_is_an_object_an_array_or_a_line_each() -> None:
    assert items(b'{"a": 1}') == [{"a": 1}]
    assert items(b' [{"a": 1}, {"b": 2}] ') == [{"a": 1}, {"b": 2}]
    assert items(b'{"a": 1}\n{"b": 2}\r\n\n') == [{"a": 1}, {"b": 2}]
    assert items(b'{"a": 1}\n', "application/x-ndjson; charset=utf-8") == [{"a": 1}]
    assert items(b'{\n "a": 1\n}') == [{"a": 1}]


@pytest.mark.parametrize("body", [b"", b"  \n ", b"[]", b"\xef\xbb\xbf"])
def test_an_empty_body_holds_nothing(body: bytes) -> None:
    assert items(body) == []


def test_bad_lines_do_not_stop_the_good_ones() -> None:
    good, bad, number, last = items(b'{"a": 1}\nnot json\n7\n{"b": NaN}', "application/x-ndjson")

    assert (good, last) == ({"a": 1}, {"b": "NaN"})
    assert isinstance(bad, ItemProblem)
    assert (bad.index, bad.field) == (1, "")
    assert bad.message.startswith('"not json" is not JSON')
    assert (number.index, number.message) == (2, "7 is not a JSON object")


def test_an_item_that_is_no_object_or_too_deep_is_told_by_its_index() -> None:
    first, second, third = items(b'[{"a": 1}, "text", ' + nested(DEPTH) + b"]")

    assert first == {"a": 1}
    assert str(second) == '"text" is not a JSON object'
    assert (third.index, third.message) == (2, f"is nested more than {DEPTH} levels deep")


def test_a_body_that_is_no_json_at_all_is_one_problem() -> None:
    (problem,) = items(b"agent=a&event=log")

    assert isinstance(problem, Problem)
    assert problem.message.startswith('"agent=a&event=log" is not JSON')


@pytest.mark.parametrize("body", [b'[\n {"a": 1},\n {"b": ]\n', b'{\n "a": 1,\n}'])
def test_a_broken_array_or_object_of_many_lines_is_one_problem(body: bytes) -> None:
    assert len(items(body)) == 1


def test_lines_of_objects_need_no_content_type() -> None:
    bad, good = items(b'torn"}\n{"a": 1}\n')

    assert isinstance(bad, ItemProblem)
    assert good == {"a": 1}


def test_an_empty_line_in_a_body_takes_no_index() -> None:
    _, problem = items(b'{"a": 1}\n\n\nx', "application/x-ndjson")

    assert problem.index == 1


@given(st.binary(max_size=200), st.sampled_from(["application/json", "application/x-ndjson"]))
def test_any_body_gives_objects_or_problems(body: bytes, content_type: str) -> None:
    for item in decode_body(body, content_type):
        assert isinstance(item, (dict, ItemProblem))


def test_the_id_of_a_line_without_one_is_stable_and_a_uuid_8() -> None:
    made = stable_id("f1", 10, b"{}")

    assert made == stable_id("f1", 10, b"{}")
    assert uuid.UUID(made).version == 8
    assert (
        len(
            {
                made,
                stable_id("f2", 10, b"{}"),
                stable_id("f1", 11, b"{}"),
                stable_id("f1", 10, b"[]"),
            }
        )
        == 4
    )


@pytest.mark.parametrize(
    "padding", [0, LINE_BYTES - 60, LINE_BYTES - 20, LINE_BYTES, 2 * LINE_BYTES]
)
@pytest.mark.parametrize("tail", ["", "y" * 300_000])
def test_no_cut_leaves_a_part_of_a_secret(padding: int, tail: str) -> None:
    text = f"{'x ' * (padding // 2)}{SECRET} {tail}"

    line, _ = encode_redacted({"agent": "a", "event": "log", "content": text}, Redactor())

    assert len(line) <= LINE_BYTES
    assert SECRET[4:8].encode() not in line


def test_secrets_that_shrink_do_not_pull_a_split_one_into_sight() -> None:
    text = f"{SECRET} " * 20_000

    line, count = encode_redacted({"agent": "a", "event": "log", "content": text}, Redactor())

    assert SECRET[4:8].encode() not in line
    assert count > 5_000


def test_a_value_that_json_does_not_know_is_redacted_too() -> None:
    event = {
        "agent": "a",
        "event": "log",
        "tags": {SECRET},
        "error": ValueError(f"bad key {SECRET}"),
    }

    line, count = encode_redacted(event, Redactor())

    assert SECRET.encode() not in line
    assert count >= 3


def test_a_dataclass_is_redacted_too() -> None:
    from dataclasses import dataclass

    @dataclass
    class Login:
        user: str
        password: str

    line, count = encode_redacted(
        {"agent": "a", "input": Login("ann", "correct horse")}, Redactor()
    )

    assert b"correct horse" not in line
    assert count == 1


def test_a_clean_event_is_encoded_once_and_unchanged() -> None:
    event = {"agent": "a", "event": "log", "content": "nothing to hide"}

    assert encode_redacted(event, Redactor()) == (
        b'{"agent":"a","event":"log","content":"nothing to hide"}',
        0,
    )
