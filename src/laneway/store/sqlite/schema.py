"""The layout of one index database, and how it is opened.

An event's ``seq`` is its row id everywhere. There is no index per column:
rows lie in ``block``s of consecutive seqs with their time range (a zone map); ``posting`` tells
which rows have a name, a level or an error (`laneway.store.sqlite.posting`), and ``place`` which
blocks hold a trace or a span. A query reads just the rows that can matter, newest first, whichever
filters it combines; that costs a third of the inserts and of the bytes of B-trees on (agent, ts),
(session, ts) and (ts).
"""

import os
import sqlite3
from collections.abc import Sequence
from typing import Any

from laneway.base.limits import MIB
from laneway.log.text import open_private
from laneway.store.query.token import TOKENIZER
from laneway.store.sqlite.span import Span

VERSION = 7
"""Any other number in the file means: drop it, the log is indexed again."""

APPLICATION_ID = 0x4C616E65
"""``Lane``: tells our databases from anybody else's."""

AGENT, EVENT, SESSION, TOOL, MODEL, POD, PROVIDER, HOST = range(8)
"""``name.kind``."""

BUSY_TIMEOUT_S = 5.0
"""Wait for a lock: held for milliseconds only, while a connection recovers or closes."""

WRITER_CACHE_KIB = 8 * 1024
READER_CACHE_KIB = 512
"""Small: dozens of readers stay open, and the system's page cache stands behind them."""

WAL_BYTES = 16 * MIB
"""The WAL is folded at this size: hot pages are written back once for about 30,000 events, not for
every 8,000."""

PAGE_BYTES = 4_096
"""SQLite's default."""

TABLES = """
CREATE TABLE meta (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    segment TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    indexed_bytes INTEGER NOT NULL DEFAULT 0,
    event_count INTEGER NOT NULL DEFAULT 0,
    first_ns INTEGER NOT NULL DEFAULT 0,
    last_ns INTEGER NOT NULL DEFAULT 0,
    first_seq INTEGER NOT NULL DEFAULT 0,
    last_seq INTEGER NOT NULL DEFAULT 0,
    timed_low BLOB NOT NULL DEFAULT x'',
    timed_high BLOB NOT NULL DEFAULT x'',
    other_count INTEGER NOT NULL DEFAULT 0
);
CREATE TABLE name (
    code INTEGER PRIMARY KEY,
    kind INTEGER NOT NULL,
    value TEXT NOT NULL,
    UNIQUE (kind, value)
);
CREATE TABLE event (
    seq INTEGER PRIMARY KEY,
    ts_ns INTEGER NOT NULL,
    offset INTEGER NOT NULL,
    length INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    event INTEGER NOT NULL,
    has_error INTEGER NOT NULL,
    session INTEGER,
    tool INTEGER,
    level INTEGER,
    model INTEGER,
    pod INTEGER,
    duration_ms REAL,
    input_tokens INTEGER,
    output_tokens INTEGER,
    cost_nusd INTEGER,
    trace BLOB,
    span BLOB,
    provider INTEGER,
    host INTEGER
);
CREATE TABLE ident (
    id BLOB PRIMARY KEY,
    seq INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE block (
    first_seq INTEGER PRIMARY KEY,
    last_seq INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    min_ns INTEGER NOT NULL,
    max_ns INTEGER NOT NULL,
    max_ms REAL NOT NULL
);
CREATE TABLE posting (
    chunk INTEGER NOT NULL,
    term INTEGER NOT NULL,
    places BLOB NOT NULL,
    PRIMARY KEY (chunk, term)
) WITHOUT ROWID;
CREATE TABLE place (
    term INTEGER NOT NULL,
    block INTEGER NOT NULL,
    PRIMARY KEY (term, block)
) WITHOUT ROWID;
CREATE TABLE rollup (
    grain INTEGER NOT NULL,
    start INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    event INTEGER NOT NULL,
    tool INTEGER NOT NULL,
    level INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    PRIMARY KEY (grain, start, agent, event, tool, level)
) WITHOUT ROWID;
CREATE TABLE shape (
    code INTEGER PRIMARY KEY,
    agent INTEGER NOT NULL,
    event INTEGER NOT NULL,
    tool INTEGER,
    level INTEGER,
    model INTEGER,
    provider INTEGER,
    pod INTEGER,
    host INTEGER,
    has_error INTEGER NOT NULL,
    event_count INTEGER NOT NULL
);
CREATE TABLE usage (
    hour INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    model INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_nusd INTEGER NOT NULL,
    PRIMARY KEY (hour, agent, model)
) WITHOUT ROWID;
CREATE TABLE sketch (
    kind INTEGER NOT NULL,
    code INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    sum_us INTEGER NOT NULL,
    max_ms REAL NOT NULL,
    buckets BLOB NOT NULL,
    PRIMARY KEY (kind, code)
) WITHOUT ROWID;
CREATE TABLE spread (
    shape INTEGER PRIMARY KEY,
    event_count INTEGER NOT NULL,
    sum_us INTEGER NOT NULL,
    max_ms REAL NOT NULL,
    buckets BLOB NOT NULL
);
CREATE TABLE tally (
    session INTEGER NOT NULL,
    agent INTEGER NOT NULL,
    event_count INTEGER NOT NULL,
    error_count INTEGER NOT NULL,
    first_ns INTEGER NOT NULL,
    last_ns INTEGER NOT NULL,
    input_tokens INTEGER NOT NULL,
    output_tokens INTEGER NOT NULL,
    cost_nusd INTEGER NOT NULL,
    last_seq INTEGER NOT NULL,
    last_event INTEGER NOT NULL,
    last_failed INTEGER NOT NULL,
    title_ns INTEGER,
    title_seq INTEGER,
    PRIMARY KEY (session, agent)
) WITHOUT ROWID;
CREATE TABLE parent (
    agent TEXT PRIMARY KEY,
    parent TEXT NOT NULL,
    last_ns INTEGER NOT NULL
) WITHOUT ROWID;
CREATE TABLE opened (
    span BLOB NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (span, seq)
) WITHOUT ROWID;
CREATE TABLE vocabulary (
    part INTEGER PRIMARY KEY,
    words BLOB NOT NULL
);
CREATE VIRTUAL TABLE text USING fts5(
    body, content='', columnsize=0, detail=full, tokenize='TOKENIZER'
);
INSERT INTO text (text, rank) VALUES ('automerge', 8);
INSERT INTO text (text, rank) VALUES ('hashsize', 4194304);
""".replace("TOKENIZER", TOKENIZER)
# detail=full, not none: only positions find a phrase, and `main.py` or `search_files` are phrases
# of two tokens. 250,000 texts of 490 bytes in batches of 500: 216 bytes an event against 85.
# automerge=8: 54,000 events per CPU second there, against 35,000 with the default of 4. More of it gains
# nothing that could be told, and leaves twice as many pieces for a question to look into.
# hashsize: the words of a whole transaction of `BACKLOG_BYTES` wait in memory, and become one piece; the
# default of 1 MiB makes two or three of them.


INDEX_SLOW = "CREATE INDEX IF NOT EXISTS slow ON block (max_ms)"
"""For a compact index: the blocks with the longest durations are met first."""

DROP_SLOW = "DROP INDEX IF EXISTS slow"
"""Before anything is added: with it each batch would move a row of it."""


BULK_EVENTS = 32_768
"""Of one transaction of a database that is filled in one go. More gain little, and take memory."""

BULK_CACHE_KIB = 16 * 1024
BULK_HASH_BYTES = 64 * MIB
"""What the words of a transaction may take: they become one piece, 10 to 15 MB as a rule."""


def create(
    connection: sqlite3.Connection, segment: str, fingerprint: str, *, is_bulk: bool = False
) -> None:
    """Lay out an empty database; all or nothing, but for ``is_bulk``: without a journal."""
    if is_bulk:
        connection.execute("PRAGMA journal_mode = OFF")
        connection.execute(f"PRAGMA cache_size = -{BULK_CACHE_KIB}")
    else:
        connection.execute("PRAGMA journal_mode = WAL")
    connection.executescript(f"BEGIN IMMEDIATE; {TABLES}")
    connection.execute(
        "INSERT INTO meta (one, segment, fingerprint) VALUES (1, ?, ?)", (segment, fingerprint)
    )
    connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
    connection.execute(f"PRAGMA user_version = {VERSION}")
    connection.execute("COMMIT")


def begin_bulk(connection: sqlite3.Connection) -> None:
    """From here on pieces of the full text are left as they are: `laneway.store.sqlite.compact` makes one of
    all."""
    _set_text(connection, automerge=0, crisismerge=MOST_PIECES, hashsize=BULK_HASH_BYTES)


def end_bulk(connection: sqlite3.Connection) -> None:
    """The database is as any other from here on."""
    _set_text(connection, automerge=8, crisismerge=16, hashsize=4 * MIB)
    connection.execute("PRAGMA journal_mode = WAL")


MOST_PIECES = 1_999
"""FTS5's own bound."""


def _set_text(connection: sqlite3.Connection, **settings: int) -> None:
    connection.executemany("INSERT INTO text (text, rank) VALUES (?, ?)", settings.items())


def is_blank(connection: sqlite3.Connection) -> bool:
    """Whether nothing was laid out yet: the process was killed in `create`."""
    (count,) = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    return bool(count == 0)


def find_fault(connection: sqlite3.Connection) -> str:
    """Why this database is not one of ours, or an empty text."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    if application != APPLICATION_ID:
        return "it is not an index of Laneway"
    if version != VERSION:
        return f"it has layout {version}, and this version of Laneway reads {VERSION}"
    (count,) = connection.execute("SELECT count(*) FROM meta").fetchone()
    return "" if count == 1 else "it does not tell its segment"


def open_writer(
    path: str, wal_bytes: int = WAL_BYTES, *, is_synced: bool = True
) -> sqlite3.Connection:
    """``is_synced``: False where nobody misses the database after a power cut."""
    # SQLite would make it readable by all; its WAL takes the mode from it.
    try:
        os.close(open_private(path, os.O_RDWR | os.O_CREAT))
    except OSError as error:
        raise sqlite3.OperationalError(f"{path}: {error.strerror}") from error
    connection = open_existing(path)
    # NORMAL: a commit is one write to the WAL without fsync. It survives `kill -9`; a power cut may
    # take back the last commits, rows and offset together, and the log, the truth, is read again.
    connection.execute(f"PRAGMA synchronous = {'NORMAL' if is_synced else 'OFF'}")
    connection.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
    connection.execute(f"PRAGMA wal_autocheckpoint = {max(1, wal_bytes // PAGE_BYTES)}")
    connection.execute("PRAGMA secure_delete = OFF")  # compiled in on Debian; zeroing costs writes
    _fold(connection)
    return connection


def _fold(connection: sqlite3.Connection) -> None:
    """Bring the write-ahead log into the database, and give its space back.

    After a full disk that is up to 16 MiB. Left alone it would go on growing at its end, since
    readers keep the database open, and the index would stand still though there is a little room.
    """
    try:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    except sqlite3.OperationalError:  # no room for that either, or a reader is at work: later
        pass


class Reader(sqlite3.Connection):
    """Remembers the chunks of its database: they are worked out from a thousand rows of `block`, and in a
    segment that is whole they never change. And which texts are found in many rows: a segment only grows,
    and to learn it anew takes half of the time of a page."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.frequent: set[str] = set()

    chunks: Sequence[Span] = ()
    chunks_version = -1
    """``data_version`` at which ``chunks`` were read."""


def open_reader(path: str) -> sqlite3.Connection:
    """Cannot write. Not ``mode=ro``: that one cannot recover the WAL of a killed writer."""
    connection = open_existing(path, Reader)
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA cache_size = -{READER_CACHE_KIB}")
    return connection


def open_existing(
    path: str, kind: type[sqlite3.Connection] = sqlite3.Connection
) -> sqlite3.Connection:
    """Raises sqlite3.OperationalError where there is no file; SQLite by itself would make one."""
    uri = f"file:{_quote_path(path)}?mode=rw"
    return sqlite3.connect(
        uri, uri=True, timeout=BUSY_TIMEOUT_S, isolation_level=None, check_same_thread=False,
        factory=kind,
    )  # fmt: skip


def _quote_path(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
