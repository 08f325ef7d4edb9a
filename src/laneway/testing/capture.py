"""The events of one test, and what a test would say about them."""

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any, overload

import orjson

from laneway.base.words import number_of
from laneway.cli.escape import escape
from laneway.hub.ring import is_failure
from laneway.log.segment import LogPath
from laneway.log.series import list_segments
from laneway.log.side import SideFiles
from laneway.model.cut import put_back
from laneway.model.moment import parse_timestamp_ns
from laneway.testing.span import Span, to_spans

Event = dict[str, Any]

SHOWN_EVENTS = 40
TEXT_CHARS = 90


class Events(Sequence[Event]):
    """What was recorded so far, oldest first, read anew from the test's own log whenever it is asked:
    also what threads and processes of the test have recorded."""

    def __init__(self, directory: str, wanted: dict[str, object] | None = None) -> None:
        self.directory = directory
        """Of the log; every command of Laneway takes it as ``--log``."""
        self._wanted = wanted or {}

    def all(self) -> list[Event]:
        path = LogPath.parse(self.directory)
        side = SideFiles(path.directory)
        events = [event for file in list_segments(path) for event in self._read(file.name)]
        for event in events:
            put_back(event, side.read)
        events.sort(key=lambda event: parse_timestamp_ns(event["timestamp"]))
        return [event for event in events if self._is_wanted(event)]

    def where(self, **fields: object) -> "Events":
        """Those whose fields have these values: ``events.where(agent="coder", tool="search")``."""
        return Events(self.directory, {**self._wanted, **fields})

    @property
    def kinds(self) -> list[str]:
        """The type of each event."""
        return [event["event"] for event in self.all()]

    @property
    def agents(self) -> list[str]:
        """Each agent once, in the order in which they appeared."""
        return list(dict.fromkeys(event["agent"] for event in self.all()))

    @property
    def tools(self) -> list[str]:
        """The tool of each call, in the order in which the calls began."""
        names, begun = [], Counter[tuple[object, object]]()
        for event in self.all():
            if not event.get("tool"):
                continue
            call = event.get("span_id"), event["tool"]
            if event["event"] == "tool_invocation":
                begun[call] += 1
            elif begun[call]:
                begun[call] -= event["event"] in ("tool_result", "error")
                continue
            names.append(event["tool"])
        return names

    @property
    def errors(self) -> list[Event]:
        """What failed: an event of type ``error``, with an ``error``, or of a level of error or worse."""
        return [event for event in self.all() if is_failure(event)]

    @property
    def spans(self) -> list[Span]:
        """Work with a beginning or an end, in the order in which it began."""
        return to_spans(self.all())

    def tell(self) -> str:
        """The newest events for a person, a line each."""
        events = self.all()
        shown = events[-SHOWN_EVENTS:]
        lines = [f"… {len(events) - len(shown)} before"] if len(events) > len(shown) else []
        begun_ns = parse_timestamp_ns(events[0]["timestamp"]) if events else 0
        return "\n".join([*lines, *(_line(event, begun_ns) for event in shown)])

    def _read(self, name: str) -> Iterator[Event]:
        with open(os.path.join(self.directory, name), "rb") as file:
            for line in file:
                if line.strip():
                    yield orjson.loads(line)

    def _is_wanted(self, event: Event) -> bool:
        return all(event.get(name) == value for name, value in self._wanted.items())

    def __len__(self) -> int:
        return len(self.all())

    @overload
    def __getitem__(self, place: int) -> Event: ...
    @overload
    def __getitem__(self, place: slice) -> list[Event]: ...
    def __getitem__(self, place: int | slice) -> Event | list[Event]:
        return self.all()[place]

    def __iter__(self) -> Iterator[Event]:
        return iter(self.all())

    def __repr__(self) -> str:
        return f"<{number_of(len(self), 'event')}: {', '.join(self.kinds[:10])}>"


def _line(event: Event, begun_ns: int) -> str:
    after_ms = (parse_timestamp_ns(event["timestamp"]) - begun_ns) / 1e6
    error = event.get("error")
    text = error.get("message") if isinstance(error, dict) else event.get("content")
    for name in ("input", "output"):
        text = event.get(name) if text is None else text
    shown = text if isinstance(text, str) else "" if text is None else orjson.dumps(text).decode()
    named = event.get("tool") or event.get("model") or ""
    mark = "✗" if is_failure(event) else " "
    parts = f"{event['agent']:<12} {event['event']:<16} {named:<12} {shown[:TEXT_CHARS]}"
    return f"{after_ms:>9.1f} ms {mark} {escape(' '.join(parts.splitlines()))}".rstrip()
