"""One rule of an alert, as JSON and as what is evaluated."""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal, get_args

from laneway.base.clock import NS_PER_S, format_ns
from laneway.base.errors import EventError, QueryError, quote
from laneway.base.limits import NAME_CHARS
from laneway.base.settings import TIME_UNITS_S, Settings, parse_duration_s
from laneway.model.moment import parse_timestamp_ns
from laneway.store.query.expr import EVERYTHING, Expr, Open, Since, Until, iter_leaves
from laneway.store.query.match import compile_matcher
from laneway.store.query.parse import parse as parse_query

Kind = Literal["count", "error_rate", "tokens", "silent", "open"]
KINDS: tuple[Kind, ...] = get_args(Kind)
WINDOWED = frozenset({"count", "error_rate", "tokens"})
GROUPS = ("", "agent", "event", "tool", "model")

ALERT_AGENT = "laneway.alerts"
"""Who says in the log that a rule fires. No rule counts its events, and it has no lane."""

FIRING_EVENT, RESOLVED_EVENT = "alert_firing", "alert_resolved"

MOST_RULES = 200
"""Of a hub: twice what was measured to be cheap (docs/alerts.md)."""

SHORTEST_S, LONGEST_S = 5.0, 7 * 86_400.0
"""Of a window: it moves in sixtieths, and is refilled from the index at a start."""

DEFAULT_KEEP_S = 60.0
"""A value that swings about its limit fires once and not every second."""

DEFAULT_OPEN = "event:(tool_invocation,llm_request,permission_request)"
"""Sessions and agents are open for as long as they like."""

FOREVER_NS = 1 << 62

log = logging.getLogger("laneway.hub")


@dataclass(frozen=True, slots=True)
class Rule:
    """``limit``: events, percent or tokens. ``window_s``: what is counted in; how long silent or open."""

    id: str
    name: str
    kind: Kind = "count"
    q: str = ""
    where: Expr = EVERYTHING
    below: bool = False
    limit: float = 0.0
    window_s: float = 300.0
    by: str = ""
    floor: int = 20
    agent: str = ""
    for_s: float = 0.0
    keep_s: float = DEFAULT_KEEP_S
    made_ns: int = 0
    origin: Literal["page", "settings"] = "page"
    fault: str = field(default="", compare=False)
    """Why it cannot be evaluated; rules of the settings alone may have one."""
    column: int = field(default=0, compare=False)

    @property
    def window_ns(self) -> int:
        return int(self.window_s * NS_PER_S)

    @property
    def threshold(self) -> float:
        return self.limit if self.kind in WINDOWED else self.window_s

    def is_over(self, value: float) -> bool:
        if self.below:
            return value < self.limit
        return value >= self.window_s if self.kind in ("silent", "open") else value > self.limit

    def to_json(self) -> dict[str, Any]:
        """As `parse_rule` reads it, with the fields that mean something to its kind."""
        told: dict[str, Any] = {"id": self.id, "name": self.name, "kind": self.kind}
        if self.kind == "silent":
            told["agent"] = self.agent
        else:
            told["q"] = self.q
        if self.kind in WINDOWED:
            told |= {"limit": self.limit, "by": self.by}
        if self.kind == "count":
            told["below"] = self.below
        if self.kind == "error_rate":
            told["floor"] = self.floor
        told["window"] = show_duration(self.window_s)
        return told | {
            "for": show_duration(self.for_s),
            "keep": show_duration(self.keep_s),
            "made": format_ns(self.made_ns),
        }


def parse_rule(raw: object, *, id: str, now_ns: int, origin: Literal["page", "settings"]) -> Rule:
    """A rule from JSON.

    Raises:
        QueryError: what is wrong, with the column where the query is.
    """
    if not isinstance(raw, Mapping):
        raise QueryError("a rule is an object", hint='such as {"name": "errors", "q": "has:error"}')
    for name in raw:
        if name not in FIELDS:
            close = get_close_matches(str(name), FIELDS, 1)
            hint = f"did you mean {close[0]}?" if close else f"a rule has {', '.join(FIELDS)}"
            raise QueryError(f"a rule has no field {quote(name)}", hint=hint)
    kind = _choice(raw, "kind", KINDS, "count")
    q = _text(raw, "q", 4_000)
    if kind == "open" and "q" not in raw:
        q = DEFAULT_OPEN
    rule = Rule(
        id=id,
        name=_text(raw, "name", 120).strip(),
        kind=kind,
        q=q,
        where=parse_where(q),
        below=_flag(raw, "below"),
        limit=_number(raw, "limit", 0.0),
        window_s=_duration_s(raw, "window", 300.0, SHORTEST_S),
        by=_choice(raw, "by", GROUPS, ""),
        floor=int(_number(raw, "floor", 20.0)),
        agent=_text(raw, "agent", NAME_CHARS),
        for_s=_duration_s(raw, "for", 0.0, 0.0),
        keep_s=_duration_s(raw, "keep", DEFAULT_KEEP_S, 0.0),
        made_ns=_time_ns(raw, now_ns),
        origin=origin,
    )
    _check(rule)
    return rule


FIELDS = (
    "id", "name", "kind", "q", "below", "limit", "window", "by", "floor", "agent", "for", "keep", "made",
    "muted",
)  # fmt: skip


def _check(rule: Rule) -> None:
    if not rule.name:
        raise QueryError("name: a rule needs one", hint="what a person reads when it fires")
    if rule.kind == "silent" and not rule.agent:
        raise QueryError("agent: a rule of kind silent names the agent that should be heard")
    if rule.below and (rule.kind != "count" or rule.by):
        raise QueryError("below: only a count of all has a least", hint="leave out `by`")
    if rule.below and not rule.limit:
        raise QueryError("limit: nothing is below 0 events", hint="1 fires when there are none")
    if rule.kind != "open" and any(isinstance(leaf, Open) for leaf in iter_leaves(rule.where)):
        raise QueryError(
            "q: is:open tells how an event stands now, and a rule counts events as they come",
            hint="a rule of kind open waits for what is open too long",
        )
    if rule.kind == "error_rate" and not 0 <= rule.limit < 100:
        raise QueryError("limit: a rate of errors is in percent, from 0 to below 100")


def parse_where(q: str) -> Expr:
    """The condition of a rule's query.

    Raises:
        QueryError: with the column; it names times, which the window does already.
    """
    where = parse_query(q)
    if any(isinstance(leaf, Since | Until) for leaf in iter_leaves(where)):
        raise QueryError(
            "q: a rule's query names no times", hint="its window says how far back it looks"
        )
    compile_matcher(where)
    return where


def broken(raw: object, error: QueryError, id: str) -> Rule:
    """What stands for a rule of the settings that cannot be read: it is shown with its fault."""
    given = raw if isinstance(raw, Mapping) else {}
    name, q = str(given.get("name", "") or id)[:120], str(given.get("q", ""))[:4_000]
    fault = error.message + (f" ({error.hint})" if error.hint else "")
    return Rule(id=id, name=name, q=q, origin="settings", fault=fault, column=error.column)


def parse_mute_ns(text: str, now_ns: int) -> int:
    """Until when: ``""`` not muted, ``"forever"``, for so long (``1h``), or until an ISO time.

    Raises:
        QueryError: it is none of these.
    """
    if text in ("", "off"):
        return 0
    if text == "forever":
        return FOREVER_NS
    try:
        return now_ns + int(parse_duration_s(text) * NS_PER_S)
    except ValueError:
        pass
    try:
        return parse_timestamp_ns(text)
    except (ValueError, EventError):
        raise QueryError(
            f"muted: {quote(text)} is not a time", hint='"1h", "forever", or "" for not'
        ) from None


def show_mute(until_ns: int, now_ns: int) -> str:
    if until_ns <= now_ns:
        return ""
    return "forever" if until_ns >= FOREVER_NS else format_ns(until_ns)


def show_duration(duration_s: float) -> str:
    """``300`` as ``5m``: in the largest unit that divides it."""
    for unit in ("d", "h", "m"):
        if duration_s and duration_s % TIME_UNITS_S[unit] == 0:
            return f"{int(duration_s / TIME_UNITS_S[unit])}{unit}"
    return f"{duration_s:g}s"


def _text(raw: Mapping[str, Any], name: str, most: int) -> str:
    value = raw.get(name, "")
    if not isinstance(value, str) or len(value) > most:
        raise QueryError(f"{name}: {quote(value)} is not a text of at most {most} characters")
    return value


def _flag(raw: Mapping[str, Any], name: str) -> bool:
    value = raw.get(name, False)
    if not isinstance(value, bool):
        raise QueryError(f"{name}: {quote(value)} is not true or false")
    return value


def _number(raw: Mapping[str, Any], name: str, default: float) -> float:
    value = raw.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e15:
        raise QueryError(f"{name}: {quote(value)} is not a number from 0 up")
    return float(value)


def _duration_s(raw: Mapping[str, Any], name: str, default: float, least_s: float) -> float:
    value = raw.get(name, default)
    try:
        duration_s = parse_duration_s(value) if isinstance(value, str) else float(value)
    except (ValueError, TypeError) as error:
        raise QueryError(f"{name}: {quote(value)} is not {error}") from None
    if not least_s <= duration_s <= LONGEST_S:
        raise QueryError(f"{name}: {quote(value)} is not from {show_duration(least_s)} to 7d")
    return duration_s


def _choice(raw: Mapping[str, Any], name: str, words: Sequence[Any], default: Any) -> Any:
    value = raw.get(name, default)
    if value not in words:
        known = ", ".join(word or '""' for word in words)
        raise QueryError(f"{name}: {quote(value)} is not one of {known}")
    return value


def _time_ns(raw: Mapping[str, Any], now_ns: int) -> int:
    if "made" not in raw:
        return now_ns
    try:
        return parse_timestamp_ns(raw["made"])
    except (ValueError, EventError):
        return now_ns


def settings_rules(settings: Settings, now: int) -> list[Rule]:
    """Rules of ``config.toml``; one that cannot be read is shown with its fault, and stops nobody."""
    found: dict[str, Rule] = {}
    for n, raw in enumerate(settings.alerts[:MOST_RULES]):
        given = str(raw.get("name", "")) if isinstance(raw, dict) else ""
        slug = re.sub(r"[^a-z0-9]+", "-", given.lower()).strip("-")[:60]
        rule_id = f"settings-{slug or n + 1}"
        if rule_id in found:
            rule_id = f"{rule_id}-{n + 1}"
        try:
            found[rule_id] = parse_rule(raw, id=rule_id, now_ns=now, origin="settings")
        except QueryError as error:
            log.error("alerts: %s: %s", given or f"rule {n + 1}", error.message)
            found[rule_id] = broken(raw, error, rule_id)
    return list(found.values())
