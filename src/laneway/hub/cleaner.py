"""Lines of the log, and the side files they refer to, without what today's rules find."""

from collections import Counter
from typing import Any

import orjson

from laneway.base.errors import EventError, LogError
from laneway.base.limits import LINE_BYTES, SIDE_BYTES
from laneway.log.side import SideFiles
from laneway.log.sweep import MARK
from laneway.model.cut import SIDE_FIELD, fit, iter_side_files, put_back
from laneway.model.encode import encode
from laneway.model.redact import Redactor
from laneway.model.wire import decode_line

FAULT = "redactor-error"
REST_BYTES = len(SIDE_FIELD) + 4
"""A field's name in a line, with its signs."""

Cleaned = tuple[bytes, Counter[str]]
"""The line as it should stand, and what was found by rule; the same bytes where nothing was."""


class Cleaner:
    """A payload in a side file is judged where it stood, whole: by the names above it, and across
    the place of the cut. For one thread.

    Its methods raise LogError where the redactor fails: what is written already is kept rather than withheld.
    """

    def __init__(self, redactor: Redactor, side: SideFiles) -> None:
        self._redactor = redactor
        self._side = side
        self._whole_chars = max(side.limit_bytes, SIDE_BYTES)

    def inspect(self, data: bytes) -> Counter[str]:
        """What was found in a line and its side files."""
        return self._clean(data, keeps=False)[1]

    def clean(self, data: bytes) -> Cleaned:
        """The line as it should stand; the new side files that it refers to are on the disk."""
        return self._clean(data, keeps=True)

    def inspect_payload(self, data: bytes) -> Counter[str]:
        """What was found in a side file of which no line says where it stood."""
        before = Counter(self._redactor.counts)
        content: Any = data.decode("utf-8", "replace")
        self._redact({"content": content})
        if data[:1] in (b"{", b"["):
            try:
                self._redact({"content": orjson.loads(data)})
            except orjson.JSONDecodeError:
                pass
        return Counter(self._redactor.counts) - before

    def _clean(self, data: bytes, *, keeps: bool) -> Cleaned:
        if MARK in data:
            line, rules = self._clean_whole(data, keeps=keeps)
            if rules:
                return line, rules
        try:
            is_suspicious = self._redactor.is_suspicious(data)
        except Exception as error:
            raise _fault() from error
        return self._clean_line(data) if is_suspicious else (data, Counter())

    def _clean_line(self, data: bytes) -> Cleaned:
        before = Counter(self._redactor.counts)
        try:
            event = decode_line(data)
        except EventError:
            return self._clean_text(data)
        clean, count = self._redact(event)
        rules = Counter(self._redactor.counts) - before
        if count:
            return encode(clean), rules
        # Of two equal keys only the second is in the event; the first stands in the line.
        _, rules = self._clean_text(data)
        line = encode(event)
        if rules and not self._clean_text(line)[1]:
            return line, rules
        return data, Counter()

    def _clean_text(self, data: bytes) -> Cleaned:
        before = Counter(self._redactor.counts)
        text = data.decode("utf-8", "surrogateescape")
        clean = self._redact({"content": text})[0]["content"].encode("utf-8", "surrogateescape")
        rules = Counter(self._redactor.counts) - before
        return (clean, rules) if rules else (data, rules)

    def _clean_whole(self, data: bytes, *, keeps: bool) -> Cleaned:
        """A line with its payloads in their places again, redacted, and cut anew."""
        try:
            event = decode_line(data)
        except EventError:
            return data, Counter()
        count = sum(1 for _ in iter_side_files(event))
        if not count or put_back(event, self._side.read) == count:
            return data, Counter()
        before = Counter(self._redactor.counts)
        clean, found = self._redact(event)
        rules = Counter(self._redactor.counts) - before
        return (self._cut(clean) if keeps and found else data), rules

    def _cut(self, event: dict[str, Any]) -> bytes:
        rest = event.pop(SIDE_FIELD, None)  # what could not be read is still referred to
        room = LINE_BYTES - (len(orjson.dumps(rest)) + REST_BYTES if rest else 0)
        lost = sum(self._side.lost.values())
        line = orjson.dumps(event)
        if len(line) > room:
            line = fit(event, room, self._side)
        if sum(self._side.lost.values()) > lost:
            raise LogError("a side file cannot be written", hint="`laneway doctor` tells why")
        if rest:
            event = orjson.loads(line)
            files = event.get(SIDE_FIELD, [])
            event[SIDE_FIELD] = [*files, *rest] if isinstance(rest, list) else rest
            line = orjson.dumps({**event, "truncated": True})
        return line

    def _redact(self, event: dict[str, Any]) -> tuple[dict[str, Any], int]:
        before = self._redactor.counts.get(FAULT, 0)
        clean, count = self._redactor.redact_event(event, self._whole_chars)
        if self._redactor.counts.get(FAULT, 0) > before:
            raise _fault()
        return clean, count


def _fault() -> LogError:
    return LogError("the redactor failed at a line: it stays as it is", hint="report it as a bug")
