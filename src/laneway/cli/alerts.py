"""``laneway alerts``: the rules of the running hub, how they stand, and what one would have done."""

import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from laneway.base.errors import QueryError, quote
from laneway.base.settings import resolve
from laneway.cli import option
from laneway.cli.escape import escape
from laneway.cli.table import Column, Row, show
from laneway.cli.terminal import Terminal
from laneway.reader.client import Client

TOLD = ("kind", "q", "limit", "below", "window", "by", "floor", "agent", "for", "keep")
"""The fields of a rule that a trial takes."""


COLUMNS = (
    Column("STATE"),
    Column("RULE", least=12, most=40),
    Column("VALUE", is_right=True, worth=5),
    Column("LIMIT", is_right=True, worth=4),
    Column("OF", least=12, worth=3),
)
STYLES = {"firing": "bold red", "pending": "yellow", "broken": "red", "resolved": "green"}


class Action(StrEnum):
    LIST = "list"
    TEST = "test"


def command(
    action: Annotated[Action, typer.Argument(metavar="ACTION", help="What to do.")] = Action.LIST,
    name: Annotated[str, typer.Argument(metavar="NAME", help="test: the rule's name.")] = "",
    since: Annotated[
        str, typer.Option("--since", "-s", metavar="TIME", help="test: how far back, at most 30d.")
    ] = "1d",
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """List the rules of alerts, or try one on the past: laneway alerts test 'Errors of coder' --since 7d

    It asks the running hub.
    """
    client = Client.of_log(resolve({"log_path": log, "host": host, "port": port}))
    rules = client.get("/api/alerts")["rules"]
    if action is Action.LIST:
        found: dict[str, Any] = {"rules": rules}
        lines = [] if rules else ["no rules: docs/alerts.md tells how to make one"]
    else:
        rule = next((rule for rule in rules if rule["name"] == name), None)
        if rule is None:
            raise QueryError(f"there is no rule {quote(name)}", hint="`laneway alerts` lists them")
        given = [(field, _text(rule[field])) for field in TOLD if field in rule]
        found = client.get("/api/alerts/trial", [*given, ("since", since)])
        lines = [*_tell(found, since)]
    terminal = Terminal()
    for line in [json.dumps(found, indent=2)] if as_json else lines:
        terminal.print(line)
    if action is Action.LIST and rules and not as_json:
        show(terminal, COLUMNS, [_cells(rule) for rule in rules])


def _cells(rule: dict[str, Any]) -> Row:
    state = f"{rule['state']}, muted" if rule["muted"] else rule["state"]
    style = STYLES.get(rule["state"], "")
    value, limit = ("" if rule[of] is None else f"{rule[of]:g}" for of in ("value", "threshold"))
    said = escape(rule["fault"] or rule.get("q") or rule.get("agent", ""))
    return [(state, style), (escape(rule["name"]), ""), (value, style), (limit, ""), (said, "")]


def _tell(found: dict[str, Any], since: str) -> list[str]:
    count = found["fired"]
    times = "once" if count == 1 else f"{count} times"
    fired = f"would have fired {times}" if count else "would not have fired"
    lines = [f"{fired} in the last {since}"]
    for firing in found["firings"]:
        until = (firing["until"] or "now")[:19]
        of = f"  {escape(firing['top'])}" if firing["top"] else ""
        lines.append(f"  {firing['since'][:19]} – {until:<19}  at most {firing['peak']:g}{of}")
    if not found["complete"]:
        lines.append(f"only up to {found['until'][:19]}: there was too much to look at")
    return lines


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
