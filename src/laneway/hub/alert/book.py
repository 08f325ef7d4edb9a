"""What outlives a restart: the rules of the page, who is muted, how each rule stands, and what is due of it.

Two small files in the log's directory, replaced whole. The rules change when a person changes them; the
state with every firing and what was told of it, and else every half minute.
"""

import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import orjson

from laneway.base.errors import LogError, QueryError, quote
from laneway.base.limits import MIB
from laneway.hub.alert.rule import MOST_RULES, Rule, parse_rule
from laneway.log.replace import replace_file
from laneway.log.text import open_own

RULES, STATE = ".alerts.json", ".alerts-state.json"
MOST_BYTES = 4 * MIB
"""Thousands of rules; a larger file is not ours."""


class Book:
    """The two files of one log. For one thread at a time."""

    def __init__(self, directory: str) -> None:
        self._rules = os.path.join(directory, RULES)
        self._state = os.path.join(directory, STATE)
        self.fault = ""
        """Why the rules of the page cannot be read: they are left as they stand, and not written."""

    def rules(self, now_ns: int) -> list[Rule]:
        try:
            told = self._read(self._rules)
            return [
                parse_rule(raw, id=str(raw["id"]), now_ns=now_ns, origin="page")
                for raw in told.get("rules", [])[:MOST_RULES]
            ]
        except (QueryError, LogError, KeyError, TypeError, ValueError) as error:
            self.fault = f"{self._rules} cannot be read: {getattr(error, 'message', quote(error))}"
            return []

    def muted(self) -> dict[str, int]:
        """Until when, by rule."""
        try:
            told = self._read(self._rules).get("muted", {})
            return {str(name): min(int(until_ns), 2**63 - 1) for name, until_ns in told.items()}
        except (LogError, AttributeError, TypeError, ValueError, OverflowError):
            return {}

    def keep(self, rules: Iterable[Rule], muted: Mapping[str, int]) -> None:
        """
        Raises:
            LogError: they cannot be written; what was there is there still.
        """
        if self.fault:
            raise LogError(self.fault, hint="move it away, and start the hub again", status=503)
        kept = [rule.to_json() for rule in rules]
        self._write(self._rules, {"version": 1, "rules": kept, "muted": dict(muted)})

    def state(self) -> tuple[Mapping[str, Any], Any]:
        """How each rule stood, and what was due; nothing where that cannot be read: rules begin anew."""
        try:
            told = self._read(self._state)
        except LogError:
            return {}, []
        standings = told.get("standings", {})
        return standings if isinstance(standings, dict) else {}, told.get("due", [])

    def keep_state(self, standings: Mapping[str, Any], due: Sequence[Any]) -> None:
        """
        Raises:
            LogError: it cannot be written; what was there is there still.
        """
        self._write(self._state, {"version": 1, "standings": standings, "due": due})

    @staticmethod
    def _read(path: str) -> dict[str, Any]:
        try:
            with open(path, "rb", opener=open_own) as file:
                told = orjson.loads(file.read(MOST_BYTES + 1))
        except FileNotFoundError:
            return {}
        except (OSError, orjson.JSONDecodeError) as error:
            raise LogError(f"{path}: {error}") from error
        if not isinstance(told, dict) or told.get("version") != 1:
            raise LogError(f'{path}: "version" is not 1')
        return told

    @staticmethod
    def _write(path: str, content: object) -> None:
        """All of it or none, on the disk before it has the name."""
        try:
            replace_file(path, orjson.dumps(content), is_synced=True)
        except OSError as error:
            raise LogError(f"{path}: {error.strerror}", hint="is there space?") from error
