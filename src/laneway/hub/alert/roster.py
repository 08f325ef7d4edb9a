"""The rules of one hub, those of its settings and those of the page, and who of them is muted.

For callers that hold the lock of `laneway.hub.alert.watch.Alerts`.
"""

from collections.abc import Mapping
from typing import TypeVar

from laneway.base.errors import LanewayError, QueryError, quote
from laneway.base.settings import Settings
from laneway.hub.alert.book import Book
from laneway.hub.alert.rule import MOST_RULES, Rule, parse_rule, settings_rules

T = TypeVar("T")


class NoRule(LanewayError):
    code = "not_found"
    status = 404


class Roster:
    """What changes is kept in the book before it holds."""

    def __init__(self, book: Book) -> None:
        self._book = book
        self.rules: Mapping[str, Rule] = {}
        self.muted: Mapping[str, int] = {}
        """Until when, by rule."""

    def read(self, settings: Settings, now_ns: int) -> None:
        rules = (*settings_rules(settings, now_ns), *self._book.rules(now_ns))
        self.rules = {rule.id: rule for rule in rules}
        self.muted = self._book.muted()

    @property
    def has_work(self) -> bool:
        """Whether there is a rule that can be evaluated."""
        return any(not rule.fault for rule in self.rules.values())

    def is_muted(self, rule_id: str, now_ns: int) -> bool:
        return self.muted.get(rule_id, 0) > now_ns

    def find(self, rule_id: str) -> Rule:
        """
        Raises:
            NoRule: there is none.
        """
        rule = self.rules.get(rule_id)
        if rule is None:
            raise NoRule(f"there is no rule {quote(rule_id)}", hint="they are at /api/alerts")
        return rule

    def check_own(self, rule_id: str) -> None:
        """
        Raises:
            NoRule: there is none.
            QueryError: it is one of the settings.
        """
        if self.find(rule_id).origin == "settings":
            raise QueryError(
                "this rule stands in the settings", hint="change it there; it can be muted here"
            )

    def put(self, raw: object, rule_id: str, now_ns: int) -> Rule:
        """A rule that is new, or takes the place of the one with this id.

        Raises:
            QueryError: it is none, or its name is another's, or there are too many.
            LogError: it cannot be kept.
        """
        if rule_id not in self.rules and len(self.rules) >= MOST_RULES:
            raise QueryError(f"there are {MOST_RULES} rules already", hint="remove one")
        rule = parse_rule(raw, id=rule_id, now_ns=now_ns, origin="page")
        for other in self.rules.values():
            if other.name == rule.name and other.id != rule_id:
                raise QueryError(f"name: there is a rule {quote(rule.name)} already")
        self._keep({**self.rules, rule_id: rule}, self.muted)
        return rule

    def remove(self, rule_id: str) -> None:
        """
        Raises:
            LogError: that cannot be kept.
        """
        self._keep(_without(self.rules, rule_id), _without(self.muted, rule_id))

    def mute(self, rule_id: str, until_ns: int) -> None:
        """``until_ns``: 0 to be heard again.

        Raises:
            LogError: it cannot be kept.
        """
        muted = _without(self.muted, rule_id)
        self._keep(self.rules, {**muted, rule_id: until_ns} if until_ns else muted)

    def _keep(self, rules: Mapping[str, Rule], muted: Mapping[str, int]) -> None:
        self._book.keep((rule for rule in rules.values() if rule.origin == "page"), muted)
        self.rules, self.muted = rules, muted


def _without(entries: Mapping[str, T], name: str) -> Mapping[str, T]:
    return {other: value for other, value in entries.items() if other != name}
