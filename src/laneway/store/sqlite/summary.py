"""What is kept in memory of every segment: enough to tell whether a query must open it."""

import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from laneway.store.api import SegmentState

from .ident import Packed, is_timed

_SET_META = """
UPDATE meta SET indexed_bytes = ?, event_count = ?, first_ns = ?, last_ns = ?, first_seq = ?,
    last_seq = ?, timed_low = ?, timed_high = ?, other_count = ?
"""
_GET_META = """
SELECT segment, fingerprint, indexed_bytes, event_count, first_ns, last_ns, first_seq, last_seq,
    timed_low, timed_high, other_count FROM meta
"""


class Reach(NamedTuple):
    """Of some ids: the ends of those that tell their time, and whether there are others."""

    low: bytes
    high: bytes
    has_others: bool

    @classmethod
    def of(cls, ids: Sequence[Packed]) -> "Reach":
        timed = [packed for packed in ids if is_timed(packed)]
        return cls(min(timed, default=b""), max(timed, default=b""), len(timed) < len(ids))


@dataclass(frozen=True, slots=True)
class Summary:
    """What is known of a segment without opening it."""

    segment: str
    """Its name now; its database remembers the one that it had at first."""
    fingerprint: str
    indexed_bytes: int = 0
    event_count: int = 0
    first_ns: int = 0
    last_ns: int = 0
    first_seq: int = 0
    last_seq: int = 0
    timed_low: bytes = b""
    timed_high: bytes = b""
    other_count: int = 0
    parents: dict[str, tuple[int, str]] = field(default_factory=dict)
    """agent → (when last said, parent)."""
    database: str = ""
    """Where it is kept; a reader who is at work finds it there though the segment is renamed."""

    def state(self) -> SegmentState:
        return SegmentState(
            self.segment, self.fingerprint, self.indexed_bytes,
            self.event_count, self.first_ns, self.last_ns, self.last_seq,
        )  # fmt: skip

    def may_hold(self, packed: Packed) -> bool:
        """Whether a look-up of this id is worth its while."""
        if is_timed(packed):
            return self.timed_low <= packed <= self.timed_high
        return self.other_count > 0

    def may_hold_any(self, reach: Reach) -> bool:
        """`may_hold`, of any of many: asked first, for most segments are far from what comes."""
        overlaps = self.timed_low <= reach.high and reach.low <= self.timed_high
        return (bool(reach.high) and overlaps) or (reach.has_others and self.other_count > 0)


def read_summary(connection: sqlite3.Connection) -> Summary:
    row = connection.execute(_GET_META).fetchone()
    said = connection.execute("SELECT agent, last_ns, parent FROM parent")
    parents = {agent: (last_ns, parent) for agent, last_ns, parent in said}
    return replace(Summary(*row), parents=parents)


def write_summary(connection: sqlite3.Connection, summary: Summary) -> None:
    values = (
        summary.indexed_bytes, summary.event_count, summary.first_ns, summary.last_ns,
        summary.first_seq, summary.last_seq, summary.timed_low, summary.timed_high,
        summary.other_count,
    )  # fmt: skip
    connection.execute(_SET_META, values)


def merge_parents(
    tables: Iterable[dict[str, tuple[int, str]]],
) -> dict[str, tuple[int, str]]:
    """The latest word on each agent's parent; of two at one time the greater name."""
    merged: dict[str, tuple[int, str]] = {}
    for table in tables:
        for agent, said in table.items():
            merged[agent] = max(said, merged.get(agent, said))
    return merged
