"""The way in: what a sender posts becomes lines of the log, event by event."""

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import Any, NamedTuple

from laneway.base.clock import now_ns
from laneway.base.errors import BodyError, EventError, Problem, quote
from laneway.base.limits import KEY_CHARS, KEYS, KIB
from laneway.base.settings import Settings
from laneway.hub.metric import Metric
from laneway.hub.plain import LINES, PlainReader
from laneway.log.segment import LogPath
from laneway.log.side import SideFiles
from laneway.model.event import Event, normalise
from laneway.model.redact import Redactor
from laneway.model.wire import decode_item, encode_redacted

BATCH_EVENTS = 20_000
"""Events in one request at most: two thirds of a second of work."""


RECENT_LINES = 10_000
"""Half a second of full load; some thirty megabytes at most."""

RECENT_LINE_BYTES = 2 * KIB
"""Most lines are shorter, and twice this bounds the memory. (A line near the limit of its length may
have been cut, and then holds less than its event: those must never be kept.)"""


MADE = frozenset({"timestamp"})
"""Written anew by `normalise`; the redactor need not look at it."""

TOGETHER = 4
"""Events from which on a look at all of them costs less than one at each."""

MADE_HERE = MADE | {"id"}
"""The same for an event that came without an id."""

SHORT_BYTES = KIB
"""In a line of this length there is no room for a thousand keys, nor for one that harms a viewer; most
lines are shorter and are spared the look."""

CheckSender = Callable[[object, object], None]


class Rejection(NamedTuple):
    """Why the event at ``place`` of a request was not taken; one for each field."""

    place: int
    field: str
    message: str


class Taken(NamedTuple):
    """``lines`` are ready to be appended; nothing is kept before that."""

    lines: list[bytes]
    rejections: list[Rejection]
    rejected_count: int
    agents: dict[str, int]
    """Lines by agent."""


class Recent:
    """Lines on their way through the log, with the events that they hold.

    The follower meets every line that the hub appended a moment later; it need
    not decode, check and redact again what is known word for word. Thread-safe.
    """

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[Event, int]] = {}

    def __len__(self) -> int:
        return len(self._known)

    def put(self, line: bytes, event: Event, ts_ns: int) -> None:
        if len(line) > RECENT_LINE_BYTES:
            return
        if len(self._known) >= RECENT_LINES:  # the follower lags: it reads them from the log
            self._known.clear()
        self._known[line] = event, ts_ns

    def pop(self, line: bytes) -> tuple[Event, int] | None:
        return self._known.pop(line, None)


class Intake:
    """Validates, redacts and encodes. Pure but for its counters; appending is the caller's."""

    def __init__(
        self,
        redactor: Redactor,
        metric: Metric,
        recent: Recent | None,
        side: SideFiles | None = None,
    ) -> None:
        """``side`` keeps payloads that are too long for a line."""
        self._redactor = redactor
        self._plain = PlainReader(redactor)
        self._side = side
        self._metric = metric
        self._recent = recent

    def take(
        self,
        items: Iterable[object],
        check_sender: CheckSender | None = None,
        *,
        most: int = BATCH_EVENTS,
    ) -> Taken:
        """Lines for the events that can be taken, reasons for the others.

        An item that is itself a `Problem` (a line that is no JSON) is rejected with it; one that is bytes
        is a line of NDJSON.
        ``check_sender`` raises EventError for an event's agent and pod that are not its sender's.

        Raises:
            BodyError: there are too many.
        """
        received_ns = now_ns()
        taken = Taken([], [], 0, {})
        rest, start = iter(items), 0
        while some := list(islice(rest, LINES)):
            if start + len(some) > most:
                raise BodyError(
                    f"more than {most} events in one request",
                    hint="send smaller batches",
                    status=413,
                )
            plain = None
            if len(some) >= TOGETHER:
                plain = self._try_plain(some, received_ns, check_sender)
            if plain:
                for line, event, _ in plain:
                    taken.lines.append(line)
                    taken.agents[event["agent"]] = taken.agents.get(event["agent"], 0) + 1
            else:
                taken = self._take_singly(taken, some, start, received_ns, check_sender)
            start += LINES
        return taken

    def take_one(self, item: dict[str, object], check_sender: CheckSender | None = None) -> Taken:
        """`take` for what most requests hold."""
        try:
            line, agent = self._line(item, now_ns(), check_sender)
        except EventError:
            return self.take([item], check_sender)  # with the reasons
        return Taken([line], [], 0, {agent: 1})

    def _take_singly(
        self,
        taken: Taken,
        items: Sequence[object],
        start: int,
        received_ns: int,
        check_sender: CheckSender | None,
    ) -> Taken:
        """``taken`` with ``items`` added, whose places begin at ``start``."""
        lines, rejections, rejected_count, agents = taken
        for place, item in enumerate(items, start):
            try:
                line, agent = self._line(item, received_ns, check_sender)
            except EventError as error:
                rejected_count += 1
                for p in error.problems:  # they quote what was sent
                    told = self._redactor.redact_text(p.message)
                    rejections.append(Rejection(place, p.field, told))
                    self._metric.rejected.add(1, p.field or "body")
            else:
                lines.append(line)
                agents[agent] = agents.get(agent, 0) + 1
        return Taken(lines, rejections, rejected_count, agents)

    def _try_plain(
        self, items: Sequence[object], received_ns: int, check_sender: CheckSender | None
    ) -> list[tuple[bytes, Event, int]] | None:
        """All of ``items`` together, for less than half the price; None where one needs a look of its own."""
        plain = self._plain.try_complete(items, received_ns)
        if plain is None:
            return None
        try:
            for line, event, _ in plain:
                if check_sender is not None:
                    check_sender(event["agent"], event.get("pod"))
                if len(line) > SHORT_BYTES:
                    check_keys(event)
        except EventError:
            return None
        if self._recent is not None:
            for line, event, ts_ns in plain:
                self._recent.put(line, event, ts_ns)
        return plain

    def _line(
        self, item: object, received_ns: int, check_sender: CheckSender | None
    ) -> tuple[bytes, str]:
        if type(item) is bytes:
            item = decode_item(0, item)
        if isinstance(item, Problem):
            raise EventError([item])
        event, ts_ns = normalise(item, received_ns=received_ns)
        if check_sender is not None:
            check_sender(event["agent"], event.get("pod"))
        made = MADE if isinstance(item, dict) and item.get("id") else MADE_HERE
        line, redacted_count = encode_redacted(event, self._redactor, made, self._side)
        if len(line) > SHORT_BYTES:
            check_keys(event)
        if self._recent is not None and not redacted_count:
            self._recent.put(line, event, ts_ns)
        return line, event["agent"]


def open_side_files(settings: Settings) -> SideFiles:
    """Those of the settings' log."""
    return SideFiles(
        LogPath.parse(settings.log_path).directory,
        limit_bytes=settings.side_bytes,
        durable=settings.durability == "durable",
    )


def check_keys(event: Any) -> None:
    """Let an event pass whose keys somebody can still read.

    Raises:
        EventError: a key is too long, or there are too many.
    """
    count, nodes = 0, [event]
    for node in nodes:  # which grows on the way
        if isinstance(node, dict):
            count += len(node)
            if node and max(map(len, node)) > KEY_CHARS:
                raise EventError([Problem("", _too_long(max(node, key=len)))])
            node = node.values()
        nodes += [child for child in node if type(child) is dict or type(child) is list]
        if count > KEYS:
            raise EventError([Problem("", f"more than {KEYS} keys")])


def _too_long(key: str) -> str:
    return f"the key {quote(key, 40)} has {len(key)} characters, at most {KEY_CHARS} are taken"
