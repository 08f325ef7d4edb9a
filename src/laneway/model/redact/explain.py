"""What a text or an event would lose, and why; never the value itself."""

from typing import Any, NamedTuple

from laneway.model.redact.patterns import PATH_RULES, TOKEN_RULES, WORD_RULES
from laneway.model.redact.redactor import Redactor
from laneway.model.redact.scan import Span
from laneway.model.redact.walk import Walk

_ANCHORS: dict[str, list[str]] = {}
for _rule in (*TOKEN_RULES, *PATH_RULES, *WORD_RULES):
    _ANCHORS.setdefault(_rule.name, []).extend(_rule.anchors)

PERSONAL = {"email", "phone", "iban", "card", "ip"}


class Find(NamedTuple):
    """One value that would be replaced. ``start`` and ``end`` count characters in the text at
    ``path``; -1 where the whole value goes because of its field's name."""

    rule: str
    path: str
    start: int
    end: int
    why: str


def explain(redactor: Redactor, event: dict[str, Any]) -> tuple[dict[str, Any], list[Find]]:
    """What would be stored, and each find in the order in which it was met."""
    walk = _Tracer(redactor)
    clean = walk.mapping(event, inside=True)
    return clean, walk.finds


class _Tracer(Walk):
    """A walk that remembers where it is."""

    __slots__ = ("_at", "_path", "_redactor", "_text", "finds")

    def __init__(self, redactor: Redactor) -> None:
        super().__init__(redactor.rules)
        self._redactor = redactor
        self.finds: list[Find] = []
        self._path: list[str] = []
        self._text: str | None = None
        self._at = 0

    def mapping(self, box: Any, inside: bool) -> dict[Any, Any]:
        result: dict[Any, Any] = {}
        for key, value in box.items():
            self._path.append(f".{self._shown(key)}" if self._path else self._shown(key))
            result.update(super().mapping({key: value}, inside))
            self._path.pop()
        return result

    def value(self, value: Any, inside: bool) -> Any:
        return self._items(value, super().value, inside)

    def named(self, value: Any, rule: str, check: str, inside: bool) -> Any:
        return self._items(value, super().named, rule, check, inside)

    def _items(self, value: Any, look: Any, *arguments: Any) -> Any:
        if type(value) is not list:
            return look(value, *arguments)
        result = []
        for place, item in enumerate(value):
            self._path.append(f"[{place}]")
            result.append(self._items(item, look, *arguments))
            self._path.pop()
        return result

    def json_text(self, text: str) -> str:
        self._path.append(" as JSON: ")
        try:
            return super().json_text(text)
        finally:
            self._path.pop()

    def splice(self, text: str, spans: list[Span], end: int) -> str:
        self._text, self._at = text, 0
        try:
            return super().splice(text, spans, end)
        finally:
            self._text = None

    def replace(self, rule: str, secret: str) -> str:
        start = self._text.find(secret, self._at) if self._text is not None else -1
        end = self._at = start + len(secret) if start >= 0 else -1
        path = "".join(self._path)
        self.finds.append(Find(rule, path, start, end, self._why(rule, secret, start)))
        return super().replace(rule, secret)

    def _shown(self, key: Any) -> str:
        """A key that is a secret itself is not shown."""
        name = str(key)
        return self._redactor.redact_text(name) if len(name) >= 8 else name

    def _why(self, rule: str, secret: str, start: int) -> str:
        if start < 0:
            return "the name of its field is one of a secret"
        if rule == "environment":
            return "a secret variable of this process's environment holds it"
        if rule in PERSONAL and self.extra is not None:
            return "it has the form of personal data (redact_personal)"
        anchors = _ANCHORS.get(rule, [])
        if not anchors:
            return "a rule of yours takes it (redact_rules)"
        begins = next((anchor for anchor in anchors if secret.startswith(anchor)), "")
        if begins:
            return f"it begins with {begins} and goes on like one"
        low = secret.lower()
        if any(anchor.lower() in low for anchor in anchors):
            return f"it has the form of one ({anchors[0].strip()}…)"
        before = (self._text or "")[max(0, start - 80) : start].lower()
        beside = [anchor for anchor in anchors if anchor.lower() in before]
        if beside:
            return f"it stands beside {max(beside, key=before.rfind).strip()}"
        return "it is base64 of one"
