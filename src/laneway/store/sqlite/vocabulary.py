"""All words of a segment's text, kept with a compact index: a piece of a word is looked for in them.

The words that hold the piece are looked up in the full text, so no line is read for what no word
holds. A segment that still grows has no such list.
"""

import sqlite3
from collections.abc import Iterator, Sequence

from laneway.base.limits import MIB
from laneway.store.query.content import CUT

PART_BYTES = MIB
"""Of one row: small enough to be searched at once, large enough to be few."""

MOST_WORDS = 200
"""Looked up at once; a piece that is in more words is in most lines."""


def fill(connection: sqlite3.Connection) -> None:
    """Write down the words of the full text; what was there before is replaced."""
    connection.execute("DELETE FROM vocabulary")
    connection.execute("CREATE VIRTUAL TABLE temp.word USING fts5vocab(main, text, 'row')")
    words = (word for (word,) in connection.execute("SELECT term FROM word"))
    parts = [*_iter_parts(words)]
    connection.execute("DROP TABLE temp.word")
    connection.executemany("INSERT INTO vocabulary (words) VALUES (?)", ((p,) for p in parts))


def empty(connection: sqlite3.Connection) -> None:
    """Before anything is added to the text."""
    if connection.execute("SELECT 1 FROM vocabulary").fetchone():
        connection.execute("DELETE FROM vocabulary")


def try_words(connection: sqlite3.Connection, piece: str) -> list[str] | None:
    """The words that hold ``piece``; None where there is no list of words, or where they are too many."""
    found: list[str] = []
    is_known = False
    for (words,) in connection.execute("SELECT words FROM vocabulary"):
        is_known = True
        found += _iter_words(words, piece.encode())
        if len(found) > MOST_WORDS:
            return None
    return found if is_known else None


def match_any(words: Sequence[str]) -> str:
    """As an FTS5 expression. Of long events not all words are in the index: those always match."""
    return " OR ".join(f'"{word}"' for word in (*words, CUT))


def _iter_parts(words: Iterator[str]) -> Iterator[bytes]:
    part = bytearray(b"\n")
    for word in words:
        part += word.encode() + b"\n"
        if len(part) >= PART_BYTES:
            yield bytes(part)
            part = bytearray(b"\n")
    yield bytes(part)


def _iter_words(words: bytes, piece: bytes) -> Iterator[str]:
    at = words.find(piece)
    while at >= 0:
        end = words.index(b"\n", at)
        yield words[words.rindex(b"\n", 0, at) + 1 : end].decode()
        at = words.find(piece, end)
