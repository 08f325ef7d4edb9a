"""The walk over one event that puts a mark in the place of each secret."""

from laneway.base.limits import DEPTH, LINE_BYTES
from laneway.model.encode import is_deeper
from laneway.model.redact.judge import CHECKS
from laneway.model.redact.keys import secret_name
from laneway.model.redact.mark import TOO_LARGE, Marker, hide_marks
from laneway.model.redact.patterns import RUN_CHARS
from laneway.model.redact.scan import Span, find_spans, has_word
from laneway.model.redact.sieve import LONG_CHARS

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from laneway.model.redact.build import Extra

SCAN_CHARS = 4 * LINE_BYTES
"""Text looked through in one event. What is left of it later is one line; past this, texts are withheld."""

CUT = "[cut: "
CUT_CHARS = 80
"""At the end of a text that was cut, see `laneway.model.cut`."""

JSON_STARTS = "{[ \n\t"
"""A text that begins with none of them is no JSON that has names in it."""

ROUNDS = 4
"""Looks at one text: a mark in place of one secret can bare the shape of the next."""

SHORTEST_CHARS = 8
"""Shorter texts hold no secret that a rule could tell."""

SHORTEST_EXTRA_CHARS = 4
"""The same for rules of the user."""


class Rules:
    """What a redactor looks for beside the pack. ``secrets``: texts to replace wherever they stand, the
    longest first. ``extra``: what the settings add. ``shortest``: below it a text holds none."""

    __slots__ = ("extra", "marker", "secrets", "shortest")

    def __init__(self, marker: Marker, secrets: "Sequence[str]", extra: "Extra | None") -> None:
        self.marker = marker
        self.secrets = secrets
        self.extra = extra
        self.shortest = SHORTEST_CHARS if extra is None else SHORTEST_EXTRA_CHARS


class Walk:
    """One pass over one event: what was replaced, and how much may still be looked through."""

    __slots__ = ("counts", "extra", "has_cut", "left", "rules", "total", "whole")

    def __init__(self, rules: Rules, whole_chars: int = 0) -> None:
        """``whole_chars``: texts up to these, together, are not cut."""
        self.rules = rules
        self.extra = rules.extra
        self.whole = whole_chars
        self.has_cut = False
        self.counts: dict[str, int] = {}
        self.total = 0
        self.left = SCAN_CHARS

    def mapping(self, box: "Mapping[Any, Any]", inside: bool) -> "dict[Any, Any]":
        """``inside`` says whether texts that are JSON are looked into: one level only."""
        result: dict[str, Any] = {}
        for key, value in box.items():
            name = secret_name(key) if isinstance(key, str) else None
            if self.extra is not None and isinstance(key, str) and self.extra.is_secret_name(key):
                value = self.extra_named(value, key, inside)
            elif name is not None and value:
                value = self.named(value, *name, inside)
            else:
                value = self.value(value, inside)
            result[self.key(key)] = value
        return result

    def key(self, key: "Any") -> "Any":
        if type(key) is not str or len(key) < self.rules.shortest:
            return key
        is_ordinary = self.extra is None and not self.rules.secrets
        if is_ordinary and len(key) < RUN_CHARS and key.isidentifier():
            return (
                key  # a plain field name: too short for a token, without a sign for an assignment
            )
        return self.text(key, False)

    def value(self, value: "Any", inside: bool) -> "Any":
        kind = type(value)
        if kind is str:
            return self.text(value, inside)
        if value is None or kind is int or kind is bool or kind is float:
            return value
        if kind is dict:
            return self.mapping(value, inside)
        if kind is list:
            return [self.value(item, inside) for item in value]
        from laneway.model.readable import read

        return self.value(read(value), inside)

    def named(self, value: "Any", rule: str, check: str, inside: bool) -> "Any":
        """The value of a secret-named field: its texts go, its numbers and flags stay."""
        kind = type(value)
        if kind is str:
            if check != "password" and hide_marks(value) is not value:
                return self.text(value, inside)  # no opaque value any more: a pass before saw to it
            return self.replace(rule, value) if CHECKS[check](value) else self.text(value, inside)
        if kind is list:
            return [self.named(item, rule, check, inside) for item in value]
        if kind is dict and not _is_schema(value):
            return {
                self.key(key): self.named(item, rule, check, inside) for key, item in value.items()
            }
        return self.value(value, inside)

    def extra_named(self, value: "Any", name: str, inside: bool) -> "Any":
        """The value of a field that a user's rule names: every text in it goes."""
        assert self.extra is not None
        kind = type(value)
        if kind is str:
            rule = self.extra.named(name, value)
            return self.replace(rule, value) if rule else self.text(value, inside)
        if kind is list:
            return [self.extra_named(item, name, inside) for item in value]
        if kind is dict:
            return {
                self.key(key): self.extra_named(item, name, inside) for key, item in value.items()
            }
        return self.value(value, inside)

    def text(self, text: str, inside: bool) -> str:
        if len(text) < self.rules.shortest:
            return text
        if len(text) > LINE_BYTES and not self.has_room(text):
            return self.long_text(text)
        if self.whole:
            self.whole = max(self.whole - len(text), 0)
        else:
            self.left -= len(text)
        if self.left < 0:
            return TOO_LARGE
        if inside and text[0] in JSON_STARTS and self.may_name(text):
            text = self.json_text(text)
        if CUT in text[-CUT_CHARS:]:
            text = self.without_begun(text)
        for _ in range(ROUNDS):
            spans = self.spans(text)
            if not spans:
                break
            text = self.splice(text, spans, len(text))
        return text

    def without_begun(self, text: str) -> str:
        """A text that was cut before it came here, without the beginning of a secret at its end."""
        from laneway.model.cut import join_mark, split_mark
        from laneway.model.redact.begun import find_begun

        body, gone, digest = split_mark(text)
        start = find_begun(body)
        if not gone or start == len(body):
            return text
        return body[:start] + self.replace("cut-secret", body[start:]) + join_mark(gone, digest)

    def may_name(self, text: str) -> bool:
        """Whether JSON may hold a secret that only its field's name or an escape gives away."""
        if len(text) < LONG_CHARS or self.extra is not None:  # a short one is as soon read
            return True
        return "\\u" in text or "\\/" in text or has_word(text.lower())

    def has_room(self, text: str) -> bool:
        """Whether a text that is too long for a line is kept whole, and so is looked through to its end."""
        from laneway.model.cut import is_cut

        return len(text) <= self.whole and not is_cut(text)

    def long_text(self, text: str) -> str:
        """A text that is cut later: only what may stay is looked through, and no secret is split."""
        self.has_cut = True
        from laneway.model.cut import join_mark, shorten, split_mark
        from laneway.model.readable import TEXT_CHARS

        body, gone, digest = split_mark(shorten(text, TEXT_CHARS))
        self.left -= len(body)
        if self.left < 0:
            return TOO_LARGE
        spans = self.spans(body)
        if not gone:
            return self.splice(body, spans, len(body))
        tail = len(body[LINE_BYTES:].encode("utf-8", "replace"))
        return self.splice(body, spans, LINE_BYTES) + join_mark(gone + tail, digest)

    def json_text(self, text: str) -> str:
        """``text`` redacted as the JSON that it is; the text itself where it is none, or clean."""
        from orjson import JSONDecodeError, dumps, loads

        try:
            plain = loads(text)
        except (JSONDecodeError, UnicodeEncodeError):
            return text
        if not isinstance(plain, (dict, list)) or is_deeper(plain, DEPTH):
            return text
        before = self.total
        clean = self.value(plain, False)
        return dumps(clean).decode() if self.total > before else text

    def spans(self, text: str) -> list[Span]:
        text = hide_marks(text)
        spans = find_spans(text)
        if self.extra is not None:
            spans += self.extra.find(text)
        for secret in self.rules.secrets:
            at = text.find(secret)
            while at >= 0:
                spans.append((at, at + len(secret), "environment"))
                at = text.find(secret, at + len(secret))
        return spans

    def splice(self, text: str, spans: list[Span], end: int) -> str:
        """``text`` up to ``end`` with a mark in place of every span that begins before it."""
        if not spans:
            return text[:end]
        parts: list[str] = []
        done = 0
        for start, stop, rule in sorted(spans, key=lambda span: (span[0], -span[1])):
            if start >= end:
                break
            if start >= done:
                parts.append(text[done:start])
                parts.append(self.replace(rule, text[start:stop]))
                done = stop
            elif stop > done:  # overlaps the one before: its rest goes as well
                done = stop
        parts.append(text[done:end] if done < end else "")
        return "".join(parts)

    def replace(self, rule: str, secret: str) -> str:
        self.total += 1
        self.counts[rule] = self.counts.get(rule, 0) + 1
        return self.rules.marker.mark(rule, secret)


def _is_schema(value: "dict[str, Any]") -> bool:
    """A JSON Schema of a field named ``password`` describes it and holds none."""
    return "type" in value or "$ref" in value or "anyOf" in value or "description" in value
