"""Replaces secrets in an event: by the name of their field, by their shape, or because the
environment holds them. A fault of the redactor withholds the payload and keeps the event.
"""

from laneway.base.limits import LINE_BYTES
from laneway.model.encode import encode
from laneway.model.redact.keys import secret_name
from laneway.model.redact.mark import WITHHELD, Marker
from laneway.model.redact.patterns import HEX_ANCHORS, RUN_CHARS
from laneway.model.redact.scan import (
    find_spans,
    has_token,
    has_word,
    holds_token,
    long_runs,
    may_hold,
    may_hold_token,
)
from laneway.model.redact.walk import CUT, JSON_STARTS, Rules, Walk

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

    from laneway.model.redact.build import Extra

APART = "\n\0\n"
"""Between the texts of several events: no rule reaches across it, so that none is passed by for what the
text before seems to begin."""

PLAIN_NAMES = 1_000
"""Field names remembered as harmless; a stream of invented ones must not fill the memory."""

BOXES, BOX_VALUES = 32, 64
"""Dicts and lists of an event that are walked to be spared the look through its line, and their
values: past it the look is cheaper. So few cannot be nested more than `DEPTH` levels deep."""

_SAFE_ON_FAULT = frozenset({"timestamp", "agent", "event", "id", "session_id", "trace_id", "span_id",
                            "parent_span_id", "parent_agent", "level"})  # fmt: skip
"""They tell which event it is: their texts stay when the redactor fails, if no token fits into them."""

_NAMED_ON_FAULT = _SAFE_ON_FAULT | {
    "content", "input", "output", "summary", "error", "tool", "model", "provider", "role", "pod",
    "host", "pid", "input_tokens", "output_tokens", "cache_read_tokens", "cache_write_tokens", "duration_ms",
    "cost_usd", "truncated",
}  # fmt: skip
"""Of the fields that stay at least by name; another's may be a secret itself."""

_ID_CHARS = "0123456789abcdefABCDEF-:.TZ+"


class Redactor:
    """``counts`` holds how many values each rule replaced. Safe to share between threads."""

    def __init__(
        self,
        extra_secrets: "Iterable[str]" = (),
        key_path: str | None = None,
        extra: "Extra | None" = None,
    ) -> None:
        """``extra_secrets``: see `environment_secrets`. ``key_path``: the file with the key of `Marker`.
        ``extra``: what the settings add to the pack."""
        self.counts: dict[str, int] = {}
        self._secrets = sorted({s for s in extra_secrets if len(s) >= 8}, key=len, reverse=True)
        self._needles = _spellings(self._secrets)
        self._needle_texts = tuple({*self._secrets, *map(_from_utf8, self._needles)})
        self._plain_names: set[str] = set()
        self._extra = extra
        self.rules = Rules(Marker(key_path), self._secrets, extra)

    def is_suspicious(self, line: bytes) -> bool:
        """Whether any rule could match in a line of JSON, whoever wrote it. False means: surely clean."""
        text = line.decode("latin-1")
        if "\\" in text and ("\\u" in text or "\\/" in text):
            return True
        try:
            return self._is_suspicious(line, text)
        except Exception:  # noqa: BLE001 - fail closed: whoever looks closer withholds it
            return True

    def is_clean(self, event: "Mapping[str, Any]", made: "frozenset[str]" = frozenset()) -> bool:
        """Whether a small event of JSON values holds nothing to redact. False: look closer.

        Half the price of looking through the line: the event's own names and signs stay out of
        it, and so do the fields in ``made``, whose values are our own. True also says that the
        event is no deeper than a reader takes, and that its numbers are finite.
        """
        names = self._plain_names
        texts: list[str] = []
        boxes: list[Any] = []
        for name, value in event.items():
            kind = type(value)
            if kind is str:
                if name not in made:
                    texts.append(value)
            elif kind is dict or kind is list:
                boxes.append(value)
            elif kind is float:
                if value - value:
                    return False
            elif kind is not int and kind is not bool and value is not None:
                return False
            if name not in names and not self.is_plain_name(name):
                return False
        if boxes and not self._unfold(boxes, texts):
            return False
        text = "\n".join(texts)
        if len(text) > LINE_BYTES:  # its line will be too long, whatever it holds
            return False
        if "\\" in text and ("\\u" in text or "\\/" in text):
            return False
        if not self._is_free(text, texts):
            return False
        if self._extra is not None and self._extra.may_match(text.lower()):
            return False
        return not self._needle_texts or not any(secret in text for secret in self._needle_texts)

    def are_clean(self, payload: "Sequence[Any]", ids: str) -> bool:
        """`is_clean` for what many events hold beside their names, in fields that are all `is_plain_name`.
        ``ids``: their ids, a line each; what is not hex digits and hyphens alone is in ``payload`` too."""
        texts = [value for value in payload if type(value) is str]
        if len(texts) < len(payload):
            for value in payload:
                if type(value) is not str and not self._unfold([[value]], texts):
                    return False
        text = APART.join(texts)
        if "\\" in text and ("\\u" in text or "\\/" in text):
            return False
        if not self._is_free(text, texts):
            return False
        if self._extra is not None and self._extra.may_match(f"{text}\n{ids}".lower()):
            return False
        if any(f"\n{anchor}" in f"\n{ids}" for anchor in HEX_ANCHORS):
            return False
        needles = self._needle_texts
        return not needles or not any(secret in text or secret in ids for secret in needles)

    def _is_free(self, text: str, texts: list[str]) -> bool:
        """Whether no rule matches in ``text``, the joined ``texts`` of an event. False: perhaps one does.

        What the sieve holds back is looked through here, so that for an address or the id of a call
        the event need not be encoded, read again and walked.
        """
        has_any_word = has_word(text.lower())
        if not (has_any_word or may_hold_token(text)):
            return True
        has_json = any(map(_may_be_json, texts))
        if not (has_any_word or has_json):
            return not holds_token(text)
        if CUT in text:
            return False
        if has_json:
            inner = self._texts_in_json(texts)
            if inner is None:
                return False
            text = "\n".join([text, *inner])
        return not find_spans(text)

    def _texts_in_json(self, texts: "Iterable[str]") -> list[str] | None:
        """What stands in those that are JSON, free of its escapes; None where a name in it is a secret's,
        or there is more than little of it."""
        from orjson import loads

        inner: list[str] = []
        for text in filter(_may_be_json, texts):
            try:
                box = loads(text)
            except ValueError:
                continue
            if type(box) in (dict, list) and not self._unfold([box], inner):
                return None
        return inner

    def _unfold(self, boxes: "list[Any]", texts: list[str]) -> bool:
        """Gather the texts in ``boxes``, dicts and lists; False where there is more than few plain values."""
        names = self._plain_names
        for box in boxes:  # which grows on the way
            if len(boxes) > BOXES or len(box) > BOX_VALUES:
                return False
            if type(box) is dict:
                for name in box:
                    if name not in names and not self.is_plain_name(name):
                        return False
                box = box.values()
            for value in box:
                kind = type(value)
                if kind is str:
                    texts.append(value)
                elif kind is dict or kind is list:
                    boxes.append(value)
                elif kind is float:
                    if value - value:
                        return False
                elif kind is not int and kind is not bool and value is not None:
                    return False
        return True

    def is_secret_name(self, name: str) -> bool:
        is_extra = self._extra is not None and self._extra.is_secret_name(name)
        return is_extra or secret_name(name) is not None

    def is_plain_name(self, name: object) -> bool:
        """Whether a field of this name is harmless by its name, and the name itself is no secret."""
        if type(name) is not str or self.is_secret_name(name) or Walk(self.rules).key(name) != name:
            return False
        if len(self._plain_names) < PLAIN_NAMES:
            self._plain_names.add(name)
        return True

    def redact_line(self, event: "Mapping[str, Any]", line: bytes) -> tuple[bytes, int]:
        """``line`` is ``encode(event)``. A clean one comes back as it is; else the event is walked."""
        try:
            text = line.decode("latin-1")
            if self._is_suspicious(line, text) or _hides_letters(text):
                return self._redact_plain(event, line)
        except Exception:  # noqa: BLE001 - fail closed
            clean, count = self.withhold(event)
            return encode(clean), count
        return line, 0

    def redact_event(
        self, event: "Mapping[str, Any]", whole_chars: int = 0
    ) -> tuple["dict[str, Any]", int]:
        """A copy of ``event`` without secrets, and how many were replaced.

        Texts of more than `LINE_BYTES` are cut, but for the first ``whole_chars`` of them.
        """
        try:
            walk = Walk(self.rules, whole_chars)
            clean = walk.mapping(event, inside=True)
            if walk.has_cut:
                clean["truncated"] = True
        except Exception:  # noqa: BLE001 - fail closed
            return self.withhold(event)
        for rule, count in walk.counts.items():
            self.counts[rule] = self.counts.get(rule, 0) + count
        return clean, walk.total

    def redact_long(self, line: bytes, whole_chars: int) -> tuple["dict[str, Any]", int]:
        """`redact_event` for the event of a line that `try_encode_whole` made. A clean one is not walked."""
        from orjson import loads

        tree: dict[str, Any] = loads(line)
        try:
            text = line.decode("latin-1")
            has_own = any(needle in text for needle in self._needles)
            has_own |= self._extra is not None and self._extra.may_match(text.lower())
            if not (has_own or _hides_letters(text) or may_hold(text, line)):
                return tree, 0
        except Exception:  # noqa: BLE001 - fail closed
            return self.withhold(tree)
        return self.redact_event(tree, whole_chars)

    def redact_text(self, text: str) -> str:
        """``text`` without secrets; for texts that are no event."""
        return str(self.redact_event({"content": text})[0]["content"])

    def _redact_plain(self, event: "Mapping[str, Any]", line: bytes) -> tuple[bytes, int]:
        from orjson import loads

        try:
            plain = loads(line)  # what orjson made of dataclasses and the like is plain now
        except ValueError:  # not the line of this event
            plain = event
        clean, count = self.redact_event(plain)
        return (encode(clean), count) if count else (line, 0)

    def _is_suspicious(self, line: bytes, text: str) -> bool:
        low = text.lower()
        if has_word(low) or (self._extra is not None and self._extra.may_match(low)):
            return True
        runs = long_runs(line)
        if runs and has_token(runs, text):
            return True
        return bool(self._needles) and any(needle in text for needle in self._needles)

    def withhold(self, event: "Mapping[str, Any]") -> tuple["dict[str, Any]", int]:
        """What may be kept of an event that could not be looked through; by nothing that may fail, too."""
        self.counts["redactor-error"] = self.counts.get("redactor-error", 0) + 1
        kept: dict[str, Any] = {}
        for field, value in event.items():
            if type(field) is not str or field not in _NAMED_ON_FAULT:
                kept["withheld"] = WITHHELD
            elif type(value) in (int, float, bool) or (
                field in _SAFE_ON_FAULT and self._is_name(value)
            ):
                kept[field] = value
            elif field != "id":  # an id of all such events would make them one
                kept[field] = WITHHELD
        return kept, 1

    def _is_name(self, value: "Any") -> bool:
        """Too short for a token, or an id of hex digits or a time; and none of the environment's secrets."""
        if type(value) is not str or (len(value) >= RUN_CHARS and value.strip(_ID_CHARS)):
            return False
        return not any(secret in value for secret in self._secrets)


def _may_be_json(text: str) -> bool:
    return text != "" and text[0] in JSON_STARTS


def _hides_letters(text: str) -> bool:
    """Whether JSON inside a text of the line may spell letters as escapes."""
    return "\\\\" in text and ("\\\\u" in text or "\\\\/" in text)


def _spellings(secrets: list[str]) -> tuple[str, ...]:
    """How each secret looks in a line: as JSON, and as JSON inside JSON; as `latin-1` text."""
    if not secrets:
        return ()
    from orjson import dumps

    found: set[str] = set()
    for secret in secrets:
        try:
            once = dumps(secret)[1:-1]
            found.update((once.decode("latin-1"), dumps(once.decode())[1:-1].decode("latin-1")))
        except TypeError:  # surrogates: no line can hold them
            continue
    return tuple(sorted(found, key=len))


def _from_utf8(spelling: str) -> str:
    return spelling.encode("latin-1").decode()
