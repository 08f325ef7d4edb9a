"""Whose fault an error of SQLite is: the database's, the disk's, or that of what was asked."""

import sqlite3
from contextlib import closing

from .compact import file_digest
from .directory import Directory
from .schema import open_reader

NOT_WRITTEN = "its bytes are not those that were written"

DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
"""The file itself is at fault."""

NOT_DAMAGE = (
    sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_INTERRUPT, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM,
)  # fmt: skip
"""The disk, the system or we are. With any other code the file is looked at."""

OF_THE_DISK = (
    sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_PERM, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_PROTOCOL,
)  # fmt: skip
"""Primary result codes that say nothing of what was to be written."""


def primary_code(error: Exception) -> int:
    """SQLite's primary result code; 0 for an error of Python's own module, which has none."""
    code: int = getattr(error, "sqlite_errorcode", 0)
    return code & 0xFF


def is_of_the_disk(error: Exception) -> bool:
    """Whether the same call may succeed later, without anything being mended in the index."""
    return isinstance(error, OSError) or primary_code(error) in OF_THE_DISK


def may_be_damage(error: Exception) -> bool:
    """Whether the database is worth a look. A full disk harms nothing."""
    return primary_code(error) not in NOT_DAMAGE and not isinstance(error, OSError)


def find_damage(directory: Directory, database: str) -> str:
    """What is wrong with a database: by its digest where it has one, otherwise as SQLite sees it.

    Raises:
        OSError: it cannot be read.
    """
    found = directory.read_sum(database)
    if found:
        is_same = file_digest(database) == found[0]
        return "" if is_same or directory.read_sum(database) != found else NOT_WRITTEN
    try:
        with closing(open_reader(database)) as connection:
            (answer,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.Error as error:
        return str(error) if primary_code(error) not in NOT_DAMAGE else ""
    return "" if answer == "ok" else str(answer)
