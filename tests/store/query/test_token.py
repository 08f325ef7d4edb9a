import random
import sqlite3

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from laneway.store.query.token import TOKENIZER, fold, spread


def words_of_fts(text: str) -> list[str]:
    connection = sqlite3.connect(":memory:")
    connection.execute(f"CREATE VIRTUAL TABLE t USING fts5(body, tokenize='{TOKENIZER}')")
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab(t, 'instance')")
    connection.execute("INSERT INTO t VALUES (?)", (text,))
    words = [word for (word,) in connection.execute("SELECT term FROM v ORDER BY offset")]
    connection.close()
    return words


@pytest.mark.parametrize(
    "text",
    [
        "Zürich ÅNGSTRÖM",
        "e\u0301te\u0301 \u0301x",
        "ﬁn ß İstanbul",
        "a_b-c.d",
        "x\0y",
        "😀 smile",
        "日本語 tower",
    ],
)
def test_words_are_those_of_the_index(text: str) -> None:
    assert fold(spread(text)).split(" ")[1:-1] == words_of_fts(spread(text))


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=30))
def test_any_text_is_cut_as_the_index_cuts_it(text: str) -> None:
    assert [word for word in fold(spread(text)).split(" ") if word] == words_of_fts(spread(text))


def test_characters_of_all_planes_are_cut_as_the_index_cuts_them() -> None:
    rng = random.Random(4)
    codes = [c for c in rng.sample(range(0x110000), 3_000) if not 0xD800 <= c < 0xE000]
    text = spread("".join(f"a{chr(code)}b " for code in codes))
    assert [word for word in fold(text).split(" ") if word] == words_of_fts(text)
