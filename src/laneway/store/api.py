"""What an index owes its callers: the `Store` protocol, and the values that go in and out.

Times are integer nanoseconds since the Unix epoch, UTC; ranges are half-open,
``[since_ns, until_ns)``. The content of an event stays in the log: a store
answers with pointers into it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from laneway.base.errors import StoreError
from laneway.base.limits import PAGE_EVENTS
from laneway.model.event import Event

from .sketch import Durations


class Record(NamedTuple):
    """One event as it stands in a log file: ``length`` bytes at ``offset``, newline excluded."""

    offset: int
    length: int
    ts_ns: int
    event: Event


class Pointer(NamedTuple):
    """Where a found event stands. ``seq`` orders arrival over the whole log, and never repeats."""

    seq: int
    ts_ns: int
    segment: str
    offset: int
    length: int


class Cursor(NamedTuple):
    """A place between two events in (ts_ns, seq) order; a page continues strictly past it."""

    ts_ns: int
    seq: int


@dataclass(frozen=True, slots=True)
class Query:
    """Filters that must all hold; within one tuple, any of its values. Empty: no filter."""

    agents: tuple[str, ...] = ()
    not_agents: tuple[str, ...] = ()
    events: tuple[str, ...] = ()
    not_events: tuple[str, ...] = ()
    sessions: tuple[str, ...] = ()
    tools: tuple[str, ...] = ()
    levels: tuple[str, ...] = ()
    traces: tuple[str, ...] = ()
    spans: tuple[str, ...] = ()
    pods: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    seqs: tuple[int, ...] = ()
    text: str = ""
    """Words that must all occur; a ``"quoted phrase"`` in this order; ``word*`` as a prefix."""
    has_error: bool | None = None
    since_ns: int | None = None
    until_ns: int | None = None
    limit: int = 200
    newest_first: bool = True
    after: Cursor | None = None
    slowest_first: bool = False
    """The longest ``duration_ms`` first, and only events that have one; of equals the newest. One
    page: ``after`` and ``newest_first`` say nothing to it."""

    def __post_init__(self) -> None:
        if not 1 <= self.limit <= PAGE_EVENTS:
            raise ValueError(f"limit: {self.limit} is not from 1 to {PAGE_EVENTS}")


class Page(NamedTuple):
    """Hits in the order asked for. ``next`` is None where nothing follows."""

    hits: list[Pointer]
    next: Cursor | None


class Added(NamedTuple):
    """``seqs[i]`` is the number given to record i, or None where its id was there already."""

    seqs: list[int | None]
    duplicate_count: int


class Group(NamedTuple):
    """Totals of the events of one agent or session. Token sums hold only what was reported."""

    name: str
    parent: str
    event_count: int
    error_count: int
    first_ns: int
    last_ns: int
    input_tokens: int
    output_tokens: int
    cost_usd: float
    agents: tuple[str, ...]
    """For a session: who took part, by first appearance. For an agent: empty."""
    course: "Course | None" = None
    """For a session. For an agent: None."""


class Course(NamedTuple):
    """How a session stands, whatever the query filtered."""

    first_ns: int
    last_ns: int
    last_event: str
    """Type of its last event."""
    last_failed: bool
    title_seq: int
    """Its first ``user_message``; 0 where it has none."""


Field = Literal["agent", "event", "session", "tool", "level", "model", "provider", "pod", "host"]
FIELDS: tuple[Field, ...] = (
    "agent", "event", "session", "tool", "level", "model", "provider", "pod", "host",
)  # fmt: skip
"""What `Store.aggregate` can tell apart."""

Accuracy = Literal["exact", "estimated", "at_least"]
"""``estimated``: quantiles within `laneway.store.sketch.ACCURACY`, all else exact. ``at_least``: the time was
over before everything was looked at; counts are those of the newest part."""


@dataclass(frozen=True, slots=True)
class Split:
    """How `Store.aggregate` divides the events of a query into cells.

    ``count``: how many, how many failed. ``usage``: only events that reported tokens or a cost, and
    the sums. ``duration``: only events with a ``duration_ms``, and their distribution.
    """

    by: tuple[Field, ...] = ()
    step_ns: int = 0
    """Also by time, in steps of this length since 1970; 0: not by time. Not for ``duration``."""
    of: Literal["count", "usage", "duration"] = "count"
    patience_s: float | None = None
    """After so long the answer is ``at_least``. None: the store's own bound."""


class Cell(NamedTuple):
    """``keys`` are the values of ``Split.by``; None where the events have none."""

    keys: tuple[str | None, ...]
    start_ns: int
    """Of the step; 0 without steps."""
    event_count: int
    error_count: int
    input_tokens: int = 0
    output_tokens: int = 0
    cost_usd: float = 0.0
    durations: Durations | None = None


class Table(NamedTuple):
    """``cells`` by time, then the greatest count first, then by keys; none is empty.

    At most ``Query.limit`` different ``keys``, those with the most events; ``key_count`` tells how
    many there are, and the totals hold all of them.
    """

    cells: list[Cell]
    key_count: int
    event_count: int
    error_count: int
    accuracy: Accuracy


class SegmentState(NamedTuple):
    """How far a log file is indexed: ``fingerprint`` tells a replaced file of the same name."""

    segment: str
    fingerprint: str
    indexed_bytes: int
    event_count: int
    first_ns: int
    last_ns: int
    last_seq: int


class IndexInUse(StoreError):
    """Another process has the index."""

    code = "index_in_use"


class QueryTimeout(StoreError):
    """A query took longer than the store lets it; its ``hint`` says how to ask for less."""

    code = "query_timeout"


class Store(Protocol):
    """An index over log files. Thread-safe: one writer (`add`, `forget`), any number of readers.

    An implementer owes: `add` is atomic (rows and the new offset together or not
    at all, also across ``kill -9``); an id is given a ``seq`` once over all segments;
    the same log gives the same answers after a rebuild. Methods raise only `StoreError`,
    and `QueryError` for a text filter that cannot be read.
    """

    def segments(self) -> list[SegmentState]:
        """What is indexed, oldest first."""

    def add(
        self, segment: str, fingerprint: str, records: Sequence[Record], indexed_bytes: int
    ) -> Added:
        """Index ``records`` and advance the segment to ``indexed_bytes``, as one transaction."""

    def forget(self, segment: str) -> None:
        """Drop all that is known of a segment. Costs the unlink of a file."""

    def find(self, query: Query) -> Page:
        """One page of events that match."""

    def groups(self, by: Literal["agent", "session"], query: Query) -> list[Group]:
        """Totals by agent or session, most recently active first; at most ``query.limit``."""

    def aggregate(self, query: Query, split: Split) -> Table:
        """Counts, sums or distributions by field and time.

        Never late: where the time is over, it tells what it has (``at_least``).
        """

    def close(self) -> None:
        """Release everything. Safe to call twice."""
