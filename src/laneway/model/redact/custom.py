"""The user's own rules, from ``[[redact_rules]]`` in ``config.toml``.

```toml
[[redact_rules]]
name = "acme-key"
pattern = "acme_[a-z0-9]{32}"      # its first group, if it has one, is what is replaced
keywords = ["acme_"]               # looked for first, in any case; needed for speed only
keys = ["acmePin"]                 # fields whose values are secrets, whatever they look like
allow = ["acme_test*"]             # values that stay: texts, with * for anything
```
"""

from laneway.base.errors import SettingError, quote
from laneway.model.redact.judge import is_placeholder
from laneway.model.redact.safe import PatternError, compile_safe, literal_prefix

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from typing import Any

    from laneway.model.redact.scan import Span

FIELDS = {"name", "pattern", "keywords", "keys", "allow"}
NAME_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789-")
KEYWORD_CHARS = 3
"""A shorter word stands in nearly every text, and keeps nothing back."""

_SEAMS = str.maketrans("", "", "-_. ")


class Rule:
    """One row of the table, checked and compiled.

    Raises:
        SettingError: with the rule, what was seen, and what is wanted.
    """

    def __init__(self, row: "Mapping[str, Any]", number: int) -> None:
        self._label = f"redact_rules, rule {number}"
        if not isinstance(row, dict):
            raise self._error(f"{quote(row)} is not a table")
        for field in row:
            if field not in FIELDS:
                known = ", ".join(sorted(FIELDS))
                raise self._error(f"there is no field {quote(field)}", f"there are {known}")
        self.name = self._take_name(row.get("name"))
        self._label = f"redact_rules, rule {quote(self.name)}"
        self.keys = frozenset(normal_name(key) for key in self._texts(row, "keys", 2))
        self.allow = self._texts(row, "allow", 1)
        self.pattern = self._compile(row.get("pattern"))
        self.keywords = tuple(word.lower() for word in self._texts(row, "keywords", KEYWORD_CHARS))
        for word in self.keywords:
            if not _is_plain(word):
                raise self._error(
                    f"the keyword {quote(word)} is not plain", "use ASCII without quotes and \\"
                )
        if self.pattern is None and not self.keys:
            raise self._error("it has no pattern and no keys", 'add pattern = "…" or keys = ["…"]')
        if not self.keywords and self.pattern is not None:
            prefix = literal_prefix(str(row["pattern"]))
            plain = next((i for i, c in enumerate(prefix) if not _is_plain(c)), len(prefix))
            if plain >= KEYWORD_CHARS:
                self.keywords = (prefix[:plain].lower(),)

    def find(self, text: str, low: str) -> "Iterator[Span]":
        if self.pattern is None or (
            self.keywords and not any(word in low for word in self.keywords)
        ):
            return
        for found in self.pattern.finditer(text):
            group = 1 if self.pattern.groups and found.group(1) is not None else 0
            start, end = found.span(group)
            if end > start and self.is_secret(text[start:end]):
                yield start, end, self.name

    def is_secret(self, value: str) -> bool:
        return not is_placeholder(value) and not any(_fits(value, shape) for shape in self.allow)

    def _take_name(self, name: object) -> str:
        if isinstance(name, str) and 1 <= len(name) <= 40 and NAME_CHARS.issuperset(name):
            return name
        raise self._error(
            f"name: {quote(name)} is not a name", "use up to 40 of a-z, 0-9 and -; it stands in the mark"
        )  # fmt: skip

    def _texts(self, row: "Mapping[str, Any]", field: str, least: int) -> tuple[str, ...]:
        values = row.get(field, [])
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise self._error(f"{field}: {quote(values)} is not a list of texts")
        for value in values:
            if len(value) < least:
                raise self._error(f"{field}: {quote(value)} is shorter than {least} characters")
        return tuple(values)

    def _compile(self, pattern: object) -> "Any":
        if pattern is None:
            return None
        if not isinstance(pattern, str):
            raise self._error(f"pattern: {quote(pattern)} is not a text")
        try:
            return compile_safe(pattern)
        except PatternError as error:
            raise self._error(f"pattern {quote(pattern)}: {error}", error.hint) from None

    def _error(self, message: str, hint: str = "") -> SettingError:
        return SettingError(f"{self._label}: {message}", hint=hint)


class Extra:
    """What is looked for beside the pack: the user's rules, and personal data where that is asked for."""

    def __init__(self, rules: "Sequence[Rule]", *, personal: bool = False) -> None:
        self._rules = rules
        self._names = {key: rule for rule in rules for key in rule.keys}
        self._keywords = tuple({word for rule in rules for word in rule.keywords})
        self._always = personal or any(rule.pattern and not rule.keywords for rule in rules)
        self._personal = personal

    def may_match(self, low: str) -> bool:
        """Whether a text or line in lower case may hold something. False means: surely not."""
        if self._always or any(word in low for word in self._keywords):
            return True
        if not self._names:
            return False
        joined = low.translate(_SEAMS)
        return any(name in joined for name in self._names)

    def is_secret_name(self, name: str) -> bool:
        return bool(self._names) and normal_name(name) in self._names

    def named(self, name: str, value: str) -> str:
        """The rule that takes ``value`` because of the name of its field, or an empty text."""
        rule = self._names.get(normal_name(name)) if self._names else None
        return rule.name if rule and rule.is_secret(value) else ""

    def find(self, text: str) -> "list[Span]":
        low = text.lower()
        found = [span for rule in self._rules for span in rule.find(text, low)]
        if self._personal:
            from laneway.model.redact.personal import find_personal

            found += find_personal(text)
        return found


def make_extra(rows: "Sequence[Mapping[str, Any]]", *, personal: bool = False) -> Extra | None:
    """None where there is nothing to look for.

    Raises:
        SettingError: a rule is wrong.
    """
    rules = [Rule(row, number) for number, row in enumerate(rows, 1)]
    names = [rule.name for rule in rules]
    for name in names:
        if names.count(name) > 1:
            raise SettingError(f"redact_rules: two rules have the name {quote(name)}")
    return Extra(rules, personal=personal) if rules or personal else None


def normal_name(name: str) -> str:
    return name.lower().translate(_SEAMS)


def _is_plain(word: str) -> bool:
    return word.isascii() and word.isprintable() and not set('"\\') & set(word)


def _fits(value: str, shape: str) -> bool:
    """``shape`` is a text with ``*`` for anything; each part is looked for once, from the left."""
    first, *rest = shape.split("*")
    if not rest:
        return value == shape
    if not value.startswith(first):
        return False
    at = len(first)
    for part in rest[:-1]:
        at = value.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return len(value) - len(rest[-1]) >= at and value.endswith(rest[-1])
