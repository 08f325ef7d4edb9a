"""Words as the full-text index cuts them: FTS5's ``unicode61 remove_diacritics 2``, character by character.

What becomes of a character is asked of the SQLite that indexes, once for each that is met; its
tables and Python's are of different versions of Unicode. Checked over all of Unicode, a character
has one of three fates wherever it stands: a separator, a letter (folded to another one, perhaps),
or a combining accent, which is dropped.
"""

import re
import sqlite3
import threading
from typing import Any

TOKENIZER = "unicode61 remove_diacritics 2"

_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)
"""Scripts without spaces: cut into single characters, in texts and queries alike."""


def spread(text: str) -> str:
    """``text`` as it goes into the index and into a query: without lone surrogates, and with a space
    around each character of a script that has none."""
    if text.isascii():
        return text
    return _UNSPACED.sub(r" \g<0> ", text.encode("utf-8", "replace").decode())


def fold(text: str) -> str:
    """The words of a `spread` text, folded, with a space around each: ``" zurich 42 "``."""
    words = filter(None, text.translate(_FATES).split(" "))
    return f" {' '.join(words)} "


def has_words(text: str) -> bool:
    """Whether anything in ``text`` can be looked for by the index."""
    return bool(spread(text).translate(_FATES).strip(" "))


class _Fates(dict[int, str]):
    """Code point → what becomes of it; asks for those it has not met."""

    def __init__(self) -> None:
        super().__init__({
            code: chr(code).lower() if chr(code).isalnum() else " " for code in range(128)
        })  # fmt: skip
        self._lock = threading.Lock()
        self._connection: sqlite3.Connection | None = None

    def __missing__(self, code: int) -> str:
        with self._lock:
            fate = self[code] = self._ask(chr(code))
        return fate

    def _ask(self, char: str) -> str:
        connection = self._connection or self._open()
        connection.execute("INSERT INTO asked (rowid, body) VALUES (1, ?)", (f"q{char}q",))
        rows: list[Any] = connection.execute("SELECT term FROM word ORDER BY offset").fetchall()
        connection.execute("DELETE FROM asked")
        return " " if len(rows) == 2 else str(rows[0][0][1:-1])

    def _open(self) -> sqlite3.Connection:
        connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        connection.execute(f"CREATE VIRTUAL TABLE asked USING fts5(body, tokenize='{TOKENIZER}')")
        connection.execute("CREATE VIRTUAL TABLE word USING fts5vocab(asked, 'instance')")
        self._connection = connection
        return connection


_FATES = _Fates()
