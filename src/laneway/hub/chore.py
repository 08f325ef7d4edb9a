"""Slow work on what no longer changes, in a process of its own at the lowest priority.

The indexer's `laneway.hub.keeper` starts it. It touches only copies and takes every step so that it
may be killed at any moment; its answer is one line of JSON.
"""

import os
import sqlite3
import sys
import threading

import orjson

from laneway.base.errors import LanewayError
from laneway.log.compress import compress
from laneway.store.sqlite.compact import compact, file_digest


def compress_segment(directory: str, segment: str) -> list[int] | None:
    """Bytes before and after; None where it grew meanwhile."""
    packed = compress(directory, segment)
    return [packed.raw_bytes, packed.packed_bytes] if packed else None


def compact_index(database: str, target: str) -> str:
    """The digest of the copy."""
    compact(database, target)
    return file_digest(target)


VERBS = {"compress": compress_segment, "compact": compact_index}


def main(nice: str, verb: str, *arguments: str) -> int:
    if hasattr(os, "nice"):
        os.nice(int(nice))
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        answer = VERBS[verb](*arguments)
    except (LanewayError, sqlite3.Error, OSError) as error:
        problem = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
        sys.stderr.write(f"{problem}\n")
        return 1
    sys.stdout.buffer.write(orjson.dumps(answer))
    return 0


def _end_with_parent() -> None:
    """Its end of our standard input closes with it: two chores must never write one file."""
    os.read(0, 1)  # unbuffered: a lock on the buffer, held here, would spoil the exit
    os._exit(1)


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
