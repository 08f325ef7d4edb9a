"""Compact the database of a segment that will not grow: its text index in one piece, its words
and more roll-ups written down, no page half empty.

This works on a copy, in whatever process may take its time; `SqliteStore.adopt` puts it in place.
"""

import os
import sqlite3
from contextlib import closing
from hashlib import blake2b

from laneway.base.limits import MIB
from laneway.log.text import open_private
from laneway.store.sqlite import vocabulary
from laneway.store.sqlite.duration import derive_spreads
from laneway.store.sqlite.rollup import derive
from laneway.store.sqlite.schema import INDEX_SLOW, open_existing


def compact(database: str, target: str) -> None:
    """Write a compact copy of ``database`` to ``target``. Queries and writes go on meanwhile.

    Raises:
        sqlite3.Error: the database is damaged, or there is no space.
    """
    try:
        os.unlink(target)
    except FileNotFoundError:
        pass
    os.close(open_private(target, os.O_RDWR | os.O_CREAT))  # SQLite takes an empty file as it is
    with closing(open_existing(database)) as connection:  # retention may have removed it
        connection.execute("VACUUM INTO ?", (target,))
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        # No journal: what is not finished is thrown away. It stays so for readers: a file that
        # nobody writes needs no write-ahead log, and no file beside it.
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("INSERT INTO text (text) VALUES ('optimize')")
        vocabulary.fill(connection)
        derive(connection)
        derive_spreads(connection)
        connection.execute(INDEX_SLOW)
        connection.execute("VACUUM")
    with open(target, "rb") as file:
        os.fsync(file.fileno())


def file_digest(path: str) -> str:
    """Raises OSError. 1 GB/s, without the interpreter's lock."""
    whole = blake2b(digest_size=16)
    with open(path, "rb") as file:
        while block := file.read(MIB):
            whole.update(block)
    return whole.hexdigest()
