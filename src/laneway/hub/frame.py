"""The messages of the live protocol as bytes; see docs/protocol.md."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from laneway import __version__
from laneway.base.clock import now_ns
from laneway.hub.ring import Mark, Names, Ring

PROTOCOL_VERSION = 1
BATCH_MS = 16
"""One frame of a 60 Hz screen: at 1,000 events/s half of them are on a viewer's socket after 13 ms
(bench/live.py). With 10 it would be 8, for a quarter more of the hub's processor time and two messages
for a frame."""


class Frame(NamedTuple):
    """One message, encoded once for everybody. It covers the seqs ``[since, until)``."""

    data: bytes
    since: int
    until: int
    before: Mark | None = None
    """The dictionaries as the receiver must have them to read this frame."""
    stands: bool = False
    """It tells how something stands, and holds until the next of its kind: who joins or fell behind
    is sent it again."""

    @property
    def has_events(self) -> bool:
        """Whether it covers any seq, as batches and gaps do."""
        return self.since < self.until

    @property
    def last_seq(self) -> int:
        """The last seq that a receiver knows of, once it has read this frame."""
        return self.until - 1


def now_ms() -> float:
    return now_ns() // 1000 / 1000


def hello(epoch: str, seq: int, names: Names, bound: Mapping[str, Any] | None = None) -> Frame:
    """``names``: empty for a receiver that is sent nothing they would be needed for. ``bound``: the agents
    and pods to which it is bound."""
    message = {
        "type": "hello",
        "v": PROTOCOL_VERSION,
        "epoch": epoch,
        "seq": seq,
        "now": now_ms(),
        "batch_ms": BATCH_MS,
        "version": __version__,
        **names.whole(),
    }
    if bound:
        message["bound"] = bound
    return Frame(orjson.dumps(message), seq + 1, seq + 1)


def batch(
    columns: Mapping[str, Any],
    new: Mapping[str, Any],
    before: Mark | None,
    *,
    is_history: bool = False,
) -> Frame:
    message: dict[str, Any] = {"type": "batch", **columns}
    if new:
        message["new"] = new
    if is_history:
        message["history"] = True
    since = columns["seq0"]
    until = columns.get(
        "to", since + columns["n"]
    )  # an excerpt covers more seqs than it has events
    return Frame(orjson.dumps(message), since, until, before)


def dictionary(seq: int, new: Mapping[str, Any]) -> Frame:
    """A batch without events, which only brings the dictionaries up to date."""
    return batch(no_columns() | {"seq0": seq}, new, None)


def no_columns() -> dict[str, Any]:
    """Of a batch without events."""
    empty: dict[str, list[Any]] = {name: [] for name in Ring.COLUMNS}
    return {"n": 0, "t0": now_ms(), "dt": [], **empty}


def gap(since: int, until: int, before: Mark | None) -> Frame:
    return Frame(orjson.dumps({"type": "gap", "from": since, "to": until}), since, until, before)


def beat(seq: int, lag_bytes: int, fault: str = "") -> Frame:
    message = {"type": "beat", "now": now_ms(), "seq": seq, "lag_bytes": lag_bytes}
    if fault:
        message["fault"] = fault
    return Frame(orjson.dumps(message), seq + 1, seq + 1)


def alerts(seq: int, revision: int, count: int, told: Sequence[Mapping[str, Any]]) -> Frame:
    """How the rules of alerts stand; ``told`` are those that are not ``ok``."""
    message = {"type": "alerts", "revision": revision, "count": count, "rules": told}
    return Frame(orjson.dumps(message), seq + 1, seq + 1, stands=True)


def hits(since: int, until: int, seqs: Sequence[int]) -> Frame:
    """Which of the events ``[since, until)`` a query finds."""
    message = {"type": "hits", "from": since, "to": until, "seqs": seqs}
    return Frame(orjson.dumps(message), since, until)


def whole_event(line: bytes, seq: int) -> Frame:
    """The stored line with ``seq`` added, for viewers that want plain events."""
    return Frame(with_seq(line, seq), seq, seq + 1)


def with_seq(line: bytes, seq: int) -> bytes:
    """``line``, one JSON object, with ``"seq"`` as its last member."""
    return b'%b,"seq":%d}' % (line.rstrip()[:-1], seq)
