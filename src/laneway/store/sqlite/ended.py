"""Which spans end in a segment: asked for many at once, since a span may end in any segment."""

import json
import sqlite3
from collections.abc import Sequence

from laneway.model.vocabulary import is_end

from . import schema
from .ident import Packed, term_of


def find_ended(connection: sqlite3.Connection, spans: Sequence[Packed]) -> set[Packed]:
    """Those of ``spans`` that an event of this segment ends. About 5 µs each that is not in it."""
    kinds = [
        code
        for code, value in connection.execute(_TYPES, (schema.EVENT,)).fetchall()
        if is_end(value)
    ]
    if not kinds:
        return set()
    by_term: dict[int, list[Packed]] = {}
    for span in spans:
        by_term.setdefault(term_of(span), []).append(span)
    codes = json.dumps(kinds)
    return {
        span
        for term, first_seq, last_seq in connection.execute(_BLOCKS, (json.dumps([*by_term]),))
        for span in by_term[term]
        if connection.execute(_HAS_END, (first_seq, last_seq, span, codes)).fetchone()
    }


_TYPES = "SELECT code, value FROM name WHERE kind = ?"
_BLOCKS = """
SELECT p.term, b.first_seq, b.last_seq FROM json_each(?) j
CROSS JOIN place p ON p.term = j.value CROSS JOIN block b ON b.first_seq = p.block
"""
_HAS_END = """
SELECT 1 FROM event e WHERE e.seq BETWEEN ? AND ? AND e.span = ?
AND e.event IN (SELECT value FROM json_each(?)) LIMIT 1
"""
