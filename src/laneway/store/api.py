"""What an index owes its callers: the `Store` protocol, and the values that go in and out.

Times are integer nanoseconds since the Unix epoch, UTC; ranges are half-open,
``[since_ns, until_ns)``. The content of an event stays in the log: a store
answers with pointers into it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, Protocol

from laneway.base.errors import StoreError
from laneway.base.limits import PAGE_EVENTS
from laneway.model.event import Event
from laneway.store.query.expr import EVERYTHING, At, Expr, Since, Until, all_of

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
    """Which events, and which page of them."""

    where: Expr = EVERYTHING
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

    def whole(self) -> Expr:
        """``where`` and the times in one expression."""
        times: list[Expr] = []
        if self.since_ns is not None:
            times.append(Since(At(self.since_ns)))
        if self.until_ns is not None:
            times.append(Until(At(self.until_ns)))
        return all_of([self.where, *times])


class Scan(NamedTuple):
    """How far the log was read, for what the index cannot tell by itself.

    Bytes and segments are those that the query reaches; they count as passed whether the index or
    the log itself ruled them out.
    """

    is_complete: bool
    """False: the time was over, and the answer holds what was found until then."""
    read_events: int
    passed_bytes: int
    total_bytes: int
    passed_segments: int
    total_segments: int


class Page(NamedTuple):
    """Hits in the order asked for. ``next`` is None where nothing follows.

    A page with a ``scan`` may hold fewer hits than asked for, or none, and still have a ``next``.
    """

    hits: list[Pointer]
    next: Cursor | None
    scan: Scan | None = None


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
    """Its first ``user_message`` or ``session_title``; 0 where it has none."""


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
    the sums. ``duration``: only events with a ``duration_ms``, and their distribution. ``work``: the
    same events as work that went on until they came: how long it took, and in which step it began.
    """

    by: tuple[Field, ...] = ()
    step_ns: int = 0
    """Also by time, in steps of this length since 1970; 0: not by time. Not for ``duration``."""
    of: Literal["count", "usage", "duration", "work"] = "count"
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
    took_us: int = 0
    """What the events of the step took together."""
    begun_count: int = 0
    """Events, of any step, whose work began in this one: a cell of ``work`` may hold nothing else."""


LONGEST_WORK_MS = 1e10
"""116 days: what is longer counts as so long, and sums stay within what a float holds exactly."""


def work_us(duration_ms: float) -> int:
    """How long work took, for `Split` of ``work``."""
    return int(min(max(duration_ms, 0.0), LONGEST_WORK_MS) * 1000)


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
    scan: Scan | None = None
    """How far the log was read, where the index cannot tell."""


class Groups(NamedTuple):
    """With a ``scan`` that is not complete, totals of the newest events only."""

    groups: list[Group]
    scan: Scan | None = None


class Plan(NamedTuple):
    """How a query will run, without running it."""

    steps: list[str]
    """What is done, in order, in words."""
    cost: Literal["index", "words", "scan"]
    """Answered from the index; by its full text; by reading candidates from the log."""
    segments: int
    """Those that can hold a hit; ``total_segments`` are all there are."""
    total_segments: int
    events: int
    """In those segments."""
    bytes: int


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


class DiskError(StoreError):
    """The disk is full, fails, or may not be written: no event is at fault, and the same call may
    succeed later."""


class QueryTimeout(StoreError):
    """A query took longer than the store lets it; its ``hint`` says how to ask for less."""

    code = "query_timeout"


Meanwhile = Callable[[Sequence[int | None]], None]


def do_nothing(seqs: Sequence[int | None]) -> None:
    """The default for ``meanwhile``."""


def keep_on() -> None:
    """The default for ``step_aside``, which is called every few milliseconds of work that can wait."""


ReadEvent = Callable[[Pointer, str], Event | None]
"""The event at a place of the log, whose file has this fingerprint; None where it is gone."""


class Store(Protocol):
    """An index over log files. Thread-safe: one writer (`add`, `forget`), any number of readers.

    An implementer owes: `add` is atomic (rows and the new offset together or not
    at all, also across ``kill -9``); an id is given a ``seq`` once over all segments;
    the same log gives the same answers after a rebuild; and every answer is that of
    `laneway.store.query.match` over all events. Methods raise only `StoreError` and `QueryError`.
    """

    def segments(self) -> list[SegmentState]:
        """What is indexed, oldest first."""

    def add(
        self,
        segment: str,
        fingerprint: str,
        records: Sequence[Record],
        indexed_bytes: int,
        meanwhile: Meanwhile = do_nothing,
    ) -> Added:
        """Index ``records`` and advance the segment to ``indexed_bytes``, as one transaction.

        ``meanwhile`` is called once, in the caller's thread, with the seqs that `Added` will have, as a
        rule while the transaction is still being written: where `add` raises, it may have been called."""

    def forget(self, segment: str) -> None:
        """Drop all that is known of a segment. Costs the unlink of a file."""

    def find(self, query: Query) -> Page:
        """One page of events that match."""

    def groups(self, by: Literal["agent", "session"], query: Query) -> Groups:
        """Totals by agent or session, most recently active first; at most ``query.limit``."""

    def aggregate(self, query: Query, split: Split) -> Table:
        """Counts, sums or distributions by field and time.

        Never late: where the time is over, it tells what it has (``at_least``).
        """

    def explain(self, query: Query) -> Plan:
        """How `find` would go about it."""

    def close(self) -> None:
        """Release everything. Safe to call twice."""
