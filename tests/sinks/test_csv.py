"""CSV that a spreadsheet reads and does not obey."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from laneway.sinks.csv import COLUMNS, MORE, encode
from tests.sinks.events import run

TEXTS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))


def rows(*events: dict[str, Any]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(b"".join(encode(events)).decode(), newline="")))


def test_every_event_is_a_row_under_the_same_heading() -> None:
    found = rows(*run())

    assert list(found[0]) == [*COLUMNS, MORE]
    assert [row["id"] for row in found] == [f"e{n}" for n in range(9)]
    assert found[2]["input"] == '{"q":"lanes"}'
    assert found[5]["error"] == '{"type":"OSError","message":"no route","stack":"Traceback"}'
    assert found[7][MORE] == '{"score":0.5}'


@given(TEXTS)
def test_a_text_comes_back_as_it_was_but_for_the_guard(text: str) -> None:
    (row,) = rows({"agent": "a", "content": text})

    assert row["content"] in (text, f"'{text}")


@pytest.mark.parametrize(
    "text", ["=1+1", "@SUM(A1)", "+cmd|' /C calc'!A0", "-2+3+cmd", "\t=1", "\r=1", "=HYPERLINK(1)"]
)
def test_what_a_spreadsheet_would_run_is_guarded(text: str) -> None:
    assert rows({"content": text})[0]["content"] == f"'{text}"


@pytest.mark.parametrize("text", ["- milk", "-5", "+4.25", "-", "--- a/file", "1-2", "a=b"])
def test_lists_numbers_and_rules_stay(text: str) -> None:
    assert rows({"content": text})[0]["content"] == text
