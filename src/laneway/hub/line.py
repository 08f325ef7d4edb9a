"""One line of the log as an event, and as what may be shown of it.

The follower and the archive read through the same function, so that an answer
agrees with the index. Our own writers leave normalised and redacted lines; a
foreign writer's are brought into that form here, each time they are read.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import repeat, starmap
from typing import Any, NamedTuple, cast

import orjson

from laneway.base.clock import now_ns
from laneway.base.errors import EventError, Problem
from laneway.base.limits import LINE_BYTES
from laneway.hub.pipeline import Recent
from laneway.hub.plain import LINES, PlainReader
from laneway.log.side import SideFiles
from laneway.model.encode import encode
from laneway.model.event import Event, normalise_leniently
from laneway.model.redact import Redactor
from laneway.model.wire import decode_line, encode_redacted, is_too_deep, may_be_deep, stable_id
from laneway.store.api import keep_on

LOOKED_THROUGH = 16
"""Lines at once: each look has a price of its own, and one line that is suspicious has all of them looked
at once more."""


class Line(NamedTuple):
    """``event`` is None where the line holds none; ``problem`` then says why."""

    event: Event | None
    ts_ns: int = 0
    shown: bytes = b""
    is_redacted: bool = False
    is_masked: bool = False
    """A secret stood in the file; the event and ``shown`` are without it."""
    problem: Problem | None = None


class LineReader:
    """Thread-safe."""

    def __init__(
        self, redactor: Redactor, recent: Recent | None = None, side: SideFiles | None = None
    ) -> None:
        """``side`` keeps whole what foreign lines have of more than `LINE_BYTES`."""
        self._redactor = redactor
        self._side = side
        self._recent = recent
        self._plain = PlainReader(redactor)

    def read_all(
        self,
        lines: Sequence[tuple[int, bytes]],
        fingerprint: str,
        last_ns: int,
        *,
        is_shown: bool,
        step_aside: Callable[[], None] = keep_on,
    ) -> list[Line]:
        """`read_new`, for lines with their offsets. One without a timestamp has that of the line before it,
        the first ``last_ns``, or now where that is 0. ``is_shown``: somebody will want ``shown``.
        ``step_aside`` is called every few lines."""
        found: list[Line] = []
        for start in range(0, len(lines), LINES):
            step_aside()
            some = lines[start : start + LINES]
            datas = [data for _, data in some]
            plain = None if self._recent else self._plain.try_read(datas, is_shown=is_shown)
            if plain is None:
                found += self._read_each(some, fingerprint, last_ns)
            elif is_shown:
                found += _plain_lines(plain, datas)
            else:
                found += starmap(Line, plain)
            last_ns = next((line.ts_ns for line in reversed(found) if line.event), last_ns)
        return found

    def _read_each(
        self, lines: Sequence[tuple[int, bytes]], fingerprint: str, last_ns: int
    ) -> Iterator[Line]:
        suspicious = self.iter_suspicious([data for _, data in lines])
        for (offset, data), is_suspicious in zip(lines, suspicious, strict=True):
            line = self.read_new(
                data, fingerprint, offset, last_ns or now_ns(), is_suspicious=is_suspicious
            )
            if line.event is not None:
                last_ns = line.ts_ns
            yield line

    def read_shown(self, lines: Sequence[tuple[bytes, str, int, int]]) -> list[Line]:
        """`read`, for some lines with what it takes of each: a third of the time where they are our own."""
        datas = [data for data, *_ in lines]
        plain = self._plain.try_read(datas, is_shown=True) if len(lines) > 1 else None
        return list(starmap(self.read, lines) if plain is None else _plain_lines(plain, datas))

    def iter_suspicious(self, lines: Sequence[bytes]) -> Iterator[bool]:
        """Whether a secret may stand in each of ``lines``: half of what asking for each alone costs."""
        for start in range(0, len(lines), LOOKED_THROUGH):
            some = lines[start : start + LOOKED_THROUGH]
            if self._redactor.is_suspicious(b"\n".join(some)):
                yield from map(self._redactor.is_suspicious, some)
            else:
                yield from repeat(False, len(some))

    def read_new(
        self,
        data: bytes,
        fingerprint: str,
        offset: int,
        fallback_ns: int,
        *,
        is_suspicious: bool | None = None,
    ) -> Line:
        """`read`, for a line that is met for the first time."""
        if self._recent is not None and (known := self._recent.pop(data)):
            return Line(*known, data, _is_marked(data))
        return self.read(data, fingerprint, offset, fallback_ns, is_suspicious=is_suspicious)

    def read(
        self,
        data: bytes,
        fingerprint: str,
        offset: int,
        fallback_ns: int,
        *,
        is_suspicious: bool | None = None,
    ) -> Line:
        """The line ``data`` at ``offset``; without a timestamp it gets ``fallback_ns``.
        ``is_suspicious``: what `iter_suspicious` says of it, where that was asked.

        Never raises.
        """
        try:
            raw, is_strict = _decode(data)
            event, ts_ns = normalise_leniently(raw, received_ns=fallback_ns)
        except EventError as error:
            return Line(None, problem=error.problems[0])
        if event["id"] != str(raw.get("id")):  # none was given, or one that cannot be
            event["id"] = stable_id(fingerprint, offset, data)
        if len(data) > LINE_BYTES and self._side is not None:
            return self._read_long(event, ts_ns)
        if is_suspicious is None:
            is_suspicious = self._redactor.is_suspicious(data)
        count = 0
        if is_suspicious:
            clean, count = self._redactor.redact_event(cast(dict[str, Any], event))
            event = cast(Event, clean)
        # A suspicious line is written anew even if its event is clean: of two equal keys in it
        # only the second one is in the event.
        is_as_kept = is_strict and not is_suspicious and (event is raw or event == raw)
        shown = data if is_as_kept else encode(event)
        return Line(event, ts_ns, shown, _is_marked(shown), count > 0)

    def _read_long(self, event: Event, ts_ns: int) -> Line:
        """A foreign line, for ours are never that long. Its side files are made anew whenever it is
        read: no line refers to them, so that they are swept like orphans."""
        shown, count = encode_redacted(event, self._redactor, shelf=self._side)
        short = cast(Event, orjson.loads(shown))
        return Line(short, ts_ns, shown, count > 0 or _is_marked(shown), count > 0)


def _plain_lines(plain: Sequence[tuple[Event, int]], datas: Sequence[bytes]) -> Iterator[Line]:
    if _is_marked(b"\n".join(datas)):
        for (event, ts_ns), data in zip(plain, datas, strict=True):
            yield Line(event, ts_ns, data, _is_marked(data))
    else:
        for (event, ts_ns), data in zip(plain, datas, strict=True):
            yield Line(event, ts_ns, data)


def _is_marked(line: bytes) -> bool:
    return b"[redacted:" in line or b"[withheld:" in line


def _decode(data: bytes) -> tuple[dict[str, Any], bool]:
    """The object, and whether the bytes are JSON as browsers read it."""
    try:
        raw = orjson.loads(data)
    except ValueError:
        return decode_line(data), False
    if not isinstance(raw, dict) or (may_be_deep(data) and is_too_deep(raw)):
        return decode_line(data), False  # raises, with the reason
    return raw, True
