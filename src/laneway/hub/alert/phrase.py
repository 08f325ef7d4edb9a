"""What a rule says, in words: for the log, for a webhook and for people."""

from laneway.base.words import number_of
from laneway.hub.alert.evaluator import Transition
from laneway.hub.alert.rule import Rule, show_duration


def phrase(turn: Transition) -> str:
    """``errors of coder: 14 events in 5m, more than 10``."""
    rule = turn.rule
    if turn.state == "resolved":
        lasted = show_duration(round(max(0, turn.at_ns - turn.began_ns) / 1e9))
        crest = "" if rule.below else f", at most {figure(rule, turn.peak)}"
        return f"{rule.name}: over after {lasted}{crest}"
    of = f" of {turn.top}" if turn.top and rule.by else ""
    return f"{rule.name}: {_told(rule, turn, of)}"


def _told(rule: Rule, turn: Transition, of: str) -> str:
    value, limit = figure(rule, turn.value), _limit(rule)
    window = show_duration(rule.window_s)
    if rule.kind == "silent":
        return f"{rule.agent} is silent for {value}" + (
            ", and was never heard" if turn.top == "never heard" else ""
        )
    if rule.kind == "open":
        return f"{turn.top} is open for {value}, longer than {limit}"
    word = "fewer" if rule.below else "more"
    return f"{value}{of} in {window}, {word} than {limit}"


def _limit(rule: Rule) -> str:
    if rule.kind == "error_rate":
        return f"{rule.limit:g} %"
    return (
        f"{rule.limit:,.0f}" if rule.kind in ("count", "tokens") else figure(rule, rule.threshold)
    )


def figure(rule: Rule, value: float) -> str:
    if rule.kind in ("silent", "open"):
        return show_duration(value)
    if rule.kind == "error_rate":
        return f"{value:g} % failed"
    unit = "token" if rule.kind == "tokens" else "event"
    return number_of(round(value), unit)


def shown_query(rule: Rule) -> str:
    """The query that finds the events that a rule is about."""
    if rule.kind == "silent":
        return f'agent:"{_escaped(rule.agent)}"'
    further = {"error_rate": "has:error", "open": "is:open"}.get(rule.kind, "")
    if rule.kind == "tokens":
        further = "(input_tokens>0 OR output_tokens>0)"
    q = rule.q.strip()
    if further and q:
        q = f"({q})" if " OR " in q else q
    return f"{q} {further}".strip()


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
