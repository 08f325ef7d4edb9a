"""Failures that are the same one: told apart by what they say, without the numbers in it."""

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

from laneway.hub.summary import SUMMARY_CHARS
from laneway.model.moment import parse_timestamp_ns

BINS = 24
"""Steps of the course of one failure: a small picture, an hour each over a day."""

NAMES = 5
"""Agents and tools that are named for one failure: those it met most."""

TEXT_CHARS = 500
"""Of a message: what follows tells no two failures apart that begin alike."""

_VARIABLE = re.compile(
    r"\[redacted:[\w.-]+:[0-9a-f]+\]"  # the tag tells which secret, not which failure
    r"|0[xX][0-9a-fA-F]+"
    r"|\b[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}\b"
    r"|\b(?=[a-fA-F]*[0-9])[0-9a-fA-F]{8,}\b"
    r"|[0-9]+(?:[.,:][0-9]+)*"
)
_SPACE = re.compile(r"\s+")


def pattern_of(text: str) -> str:
    """``text`` on one line, with ``#`` for whatever changes from one failure to the next."""
    return _VARIABLE.sub("#", _SPACE.sub(" ", text[:TEXT_CHARS])).strip()


@dataclass(slots=True)
class Failure:
    """One kind of failure, as far as it was met. Times are Unix nanoseconds."""

    fingerprint: str
    type: str
    pattern: str
    message: str
    """Of the newest."""
    newest: int
    """Its number."""
    first_ns: int
    """Of those that were met."""
    last_ns: int
    times_ns: list[int] = field(default_factory=list)
    is_since_first: bool = True
    """False: there may be one from before ``first_ns`` that nobody read."""
    agents: Counter[str] = field(default_factory=Counter)
    tools: Counter[str] = field(default_factory=Counter)

    @property
    def count(self) -> int:
        return len(self.times_ns)

    def bins(self, since_ns: int, step_ns: int) -> list[int]:
        """How many in each of `BINS` steps."""
        counts = [0] * BINS
        for time_ns in self.times_ns:
            counts[min(BINS - 1, max(0, (time_ns - since_ns) // step_ns))] += 1
        return counts


def date_back(failures: Iterable[Failure], oldest: Iterable[Mapping[str, Any]]) -> None:
    """Tell since when there are ``failures``, which were met among the newest only: what is met among the
    ``oldest`` of all, in order of time, is the first of its kind."""
    first_ns: dict[str, int] = {}
    for event in oldest:
        fingerprint = _fingerprint(*_words(event))
        first_ns.setdefault(fingerprint, parse_timestamp_ns(event["timestamp"]))
    for failure in failures:
        failure.is_since_first = failure.fingerprint in first_ns
        failure.first_ns = min(
            failure.first_ns, first_ns.get(failure.fingerprint, failure.first_ns)
        )


def gather(events: Iterable[Mapping[str, Any]]) -> list[Failure]:
    """The kinds of failure among ``events``, which failed and come newest first; the most frequent first."""
    known: dict[str, Failure] = {}
    for event in events:
        kind, message = _words(event)
        fingerprint = _fingerprint(kind, message)
        time_ns = parse_timestamp_ns(event["timestamp"])
        failure = known.get(fingerprint)
        if failure is None:
            shown = _SPACE.sub(" ", message[:SUMMARY_CHARS]).strip()
            failure = known[fingerprint] = Failure(
                fingerprint, kind, pattern_of(message), shown, event["seq"], time_ns, time_ns
            )
        failure.first_ns = min(failure.first_ns, time_ns)
        failure.last_ns = max(failure.last_ns, time_ns)
        failure.times_ns.append(time_ns)
        failure.agents[event["agent"]] += 1
        if tool := event.get("tool"):
            failure.tools[str(tool)] += 1
    return sorted(known.values(), key=lambda failure: (-failure.count, -failure.last_ns))


def _fingerprint(kind: str, message: str) -> str:
    text = f"{kind}\n{pattern_of(message)}"
    return sha256(text.encode(errors="replace")).hexdigest()[:12]


def _words(event: Mapping[str, Any]) -> tuple[str, str]:
    """Type and message; an event that has no error of that form is known by its own type and text."""
    error = event.get("error")
    if isinstance(error, Mapping):
        kind, message = error.get("type"), error.get("message")
        if kind or message:
            return str(kind or event["event"])[:TEXT_CHARS], _text(message)
    return str(event["event"]), _text(error) or _text(event.get("content"))


def _text(value: object) -> str:
    if value is None or value in ({}, []):
        return ""
    return (value if isinstance(value, str) else str(value))[:TEXT_CHARS]
