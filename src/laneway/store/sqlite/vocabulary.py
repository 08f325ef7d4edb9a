"""All words of a segment's text, kept with a compact index: a piece of a word is looked for in them.

The words that hold the piece are looked up in the full text, so no line is read for what no word
holds. A segment that still grows has no such list.
"""

import sqlite3
from collections.abc import Iterator, Sequence

from laneway.base.limits import MIB
from laneway.store.query.content import CUT
from laneway.store.query.literal import LEAST_CHARS, RUN

PART_BYTES = MIB
"""Of one row: small enough to be searched at once, large enough to be few."""

MOST_WORDS = 200
"""Looked up at once; a piece that is in more words is in most lines."""

FEW_WORDS = 8
"""Each begins a phrase; more are looked up apart from what follows them."""


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


def try_match(connection: sqlite3.Connection, piece: str) -> str | None:
    """An FTS5 expression that every text meets that holds ``piece``, a stretch of ASCII in lower case whose
    first and last word may go on beyond it. None where the words say nothing."""
    words = RUN.findall(piece)
    begin = words.pop(0) if piece[0].isalnum() else ""
    if begin and not words and piece[-1].isalnum():
        return _any_of(try_words(connection, begin))
    end = words.pop() if words and piece[-1].isalnum() else ""
    begins = try_words(connection, f"{begin}\n") if begin else [""]
    if len(end) < LEAST_CHARS:
        end = ""
    rest = " ".join([*words, end]).strip()
    star = "*" if end else ""
    if begins is not None and len(begins) <= FEW_WORDS:
        phrases = [f"{word} {rest}".strip() for word in begins]
        return _any([f'"{phrase}"{star}' for phrase in phrases if phrase])
    both = [_any_of(begins), f'"{rest}"{star}' if rest else None]
    return " AND ".join(f"({one})" for one in both if one) or None


def try_words(connection: sqlite3.Connection, piece: str) -> list[str] | None:
    """The words that hold ``piece``, or that end with it where a line break is its end; None where there is
    no list of words, or where they are too many."""
    found: list[str] = []
    is_known = False
    for (words,) in connection.execute("SELECT words FROM vocabulary"):
        is_known = True
        found += _iter_words(words, piece.encode())
        if len(found) > MOST_WORDS:
            return None
    return found if is_known else None


def _any_of(words: Sequence[str] | None) -> str | None:
    return None if words is None else _any([f'"{word}"' for word in words])


def _any(phrases: Sequence[str]) -> str:
    """Of long events not all words are in the index: those always match."""
    return " OR ".join([*phrases, f'"{CUT}"'])


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
