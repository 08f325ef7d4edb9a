"""What is due of the turns of rules: a line for the log, and a notice for each receiver.

It is kept in one file with the standings, written together with the turn that it tells of, and again when
part of it is done. So a hub that is killed tells of every turn after its next start: in the log once, by
the event's id, and to a receiver a second time only if the kill came before its answer was in the file.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

from laneway.base.clock import NS_PER_S

MOST_DUE = 500
"""Turns; of more the oldest are given up, and counted. With a line and a notice each, a megabyte."""

NEWS_NS = 86_400 * NS_PER_S
"""What could not be sent for so long is no news: its line goes into the log, and nobody is called."""


@dataclass(slots=True)
class Due:
    """Of one turn: nothing of it is due any more once there are neither lines nor receivers."""

    id: str
    at_ns: int
    lines: list[bytes]
    """Redacted and encoded, with the id that makes a repeat known."""
    body: bytes
    receivers: set[str] = field(default_factory=set)
    """By the keys of `laneway.hub.alert.webhook.Webhook`, which tell nobody an address."""
    is_queued: bool = False

    def to_json(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "at_ns": self.at_ns,
            "lines": [line.decode() for line in self.lines],
            "body": self.body.decode(),
            "receivers": sorted(self.receivers),
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "Due":
        """
        Raises:
            KeyError, TypeError, AttributeError, ValueError, OverflowError: it is of another form.
        """
        lines = [str(line).encode() for line in told["lines"]]
        receivers = {str(key) for key in told["receivers"]}
        at_ns = int(told["at_ns"])
        if not 0 <= at_ns < 2**63:
            raise ValueError(f"{at_ns} is no time")
        return cls(str(told["id"]), at_ns, lines, told["body"].encode(), receivers)


class Outbox:
    """For one thread at a time."""

    def __init__(self) -> None:
        self.lost = 0
        self._due: dict[str, Due] = {}

    def __len__(self) -> int:
        return len(self._due)

    def __iter__(self) -> Iterator[Due]:
        return iter(list(self._due.values()))

    def add(self, due: Due) -> None:
        if len(self._due) >= MOST_DUE:
            del self._due[next(iter(self._due))]
            self.lost += 1
        self._due[due.id] = due

    def note_written(self, due: Due) -> None:
        due.lines = []
        self._settle(due)

    def note_told(self, due_id: str, receiver: str) -> None:
        """It was told, or will not be."""
        if due := self._due.get(due_id):
            due.receivers.discard(receiver)
            self._settle(due)

    def _settle(self, due: Due) -> None:
        if not due.lines and not due.receivers:
            self._due.pop(due.id, None)

    def to_json(self) -> list[dict[str, Any]]:
        return [due.to_json() for due in self]

    def load(self, told: Any, receivers: Collection[str], now_ns: int) -> None:
        """What was due when the hub ended. Who is no receiver any more is not told."""
        for raw in told if isinstance(told, list) else ():
            try:
                due = Due.from_json(raw)
            except (KeyError, TypeError, AttributeError, ValueError, OverflowError):
                continue
            is_news = abs(now_ns - due.at_ns) < NEWS_NS
            due.receivers &= set(receivers) if is_news else set()
            if due.lines or due.receivers:
                self.add(due)
