"""``laneway token``: who may send and read, each with a token of its own."""

import json
import sys
from collections.abc import Iterator
from enum import StrEnum
from typing import Annotated, Any

import typer

from laneway.base.clock import NS_PER_S, format_ns
from laneway.base.errors import QueryError, quote
from laneway.base.settings import Settings, parse_duration_s, resolve
from laneway.cli.escape import escape
from laneway.cli.table import Column, Row, show
from laneway.cli.terminal import Terminal

COLUMNS = (
    Column("NAME", least=8),
    Column("SCOPE"),
    Column("UNTIL", worth=5),
    Column("SPEAKS FOR", least=8, worth=7),
)


class Action(StrEnum):
    LIST = "list"
    NEW = "new"
    ROTATE = "rotate"
    REVOKE = "revoke"


def command(
    action: Annotated[Action, typer.Argument(metavar="ACTION", help="What to do.")] = Action.LIST,
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="Whose token; a-z, 0-9, dots, dashes.")
    ] = "",
    scope: Annotated[
        str, typer.Option("--scope", metavar="SCOPES", help="new: ingest, read, admin, or several.")
    ] = "",
    agent: Annotated[
        list[str] | None,
        typer.Option(
            "--agent", metavar="NAME", help="new: speaks for and sees this agent only; repeatable."
        ),
    ] = None,
    pod: Annotated[
        list[str] | None,
        typer.Option(
            "--pod", metavar="NAME", help="new: speaks for and sees this pod only; repeatable."
        ),
    ] = None,
    expires: Annotated[
        str, typer.Option("--expires", metavar="TIME", help="new: ends after so long, such as 30d.")
    ] = "",
    grace: Annotated[
        str, typer.Option("--grace", metavar="TIME", help="rotate: the old one is taken so long.")
    ] = "1h",
    as_json: Annotated[bool, typer.Option("--json", help="list: as one JSON object.")] = False,
) -> None:
    """Show the tokens, make one, make one anew, or take one back; a running hub knows at once.

    A token is printed once, alone on stdout: `laneway token new ci --scope ingest > ci.token`.
    `ingest` and `access` are this machine's own, in files in Laneway's home.
    """
    settings = resolve()
    if action is Action.LIST:
        _list(settings, as_json)
        return
    if not name:
        raise QueryError(f"whose token? `laneway token {action} NAME`")
    if action is Action.NEW:
        life_s = _duration_s("expires", expires) if expires else 0
        token = _keyring(settings).add(
            name,
            scope.replace(",", " ").split(),
            agents=agent or (),
            pods=pod or (),
            life_s=life_s,
        )
        _hand_over(token, f"token {name}, shown this once; the hub keeps its hash only")
    elif action is Action.ROTATE:
        grace_s = _duration_s("grace", grace)
        token = _rotate(settings, name, grace_s)
        rest = f"the old one is taken for another {grace}" if grace_s else "the old one has ended"
        _hand_over(token, f"token {name} made anew; {rest}")
    else:
        _revoke(settings, name)
        print(f"token {name} is revoked, and its sessions with it", file=sys.stderr)


def _keyring(settings: Settings) -> Any:
    from laneway.web.keyring import Keyring

    return Keyring(settings.home)


def _rotate(settings: Settings, name: str, grace_s: float) -> str:
    from laneway.web import token as token_file
    from laneway.web.document import replace
    from laneway.web.keyring import ACCESS, INGEST, new_token

    keyring = _keyring(settings)
    if name not in (ACCESS, INGEST):
        return str(keyring.rotate(name, grace_s))
    if name == INGEST and (settings.token or settings.token_file):
        raise QueryError(
            "this token comes from the settings token or token_file",
            hint="change it where it is set, and start the hub again",
        )
    path = f"{settings.home}/{name}.token"
    former, token = token_file.load_or_make(path), new_token()
    keyring.keep_former(name, former, grace_s)
    replace(path, token.encode() + b"\n")
    return token


def _revoke(settings: Settings, name: str) -> None:
    from laneway.web.keyring import OWN

    if name in OWN:
        raise QueryError(
            f"{name} is this machine's own token, without which nothing here works",
            hint=f"`laneway token rotate {name} --grace 0` ends the old one at once",
        )
    _keyring(settings).revoke(name)


def _hand_over(token: str, remark: str) -> None:
    print(remark, file=sys.stderr)
    print(token)


def _duration_s(name: str, text: str) -> float:
    try:
        duration_s = parse_duration_s(text)
    except ValueError as error:
        raise QueryError(f"{name}: {quote(text)} is not {error}") from None
    if not 0 <= duration_s < 100 * 366 * 86_400:
        raise QueryError(f"{name}: {quote(text)} is not a time from now on")
    return duration_s


def _list(settings: Settings, as_json: bool) -> None:
    rows = list(_rows(settings))
    if as_json:
        print(json.dumps({"tokens": rows}, indent=2))
        return
    show(Terminal(), COLUMNS, [_cells(row) for row in rows])


def _cells(row: dict[str, Any]) -> Row:
    names = [*row["agents"], *(f"pod {pod}" for pod in row["pods"])]
    speaks_for = ", ".join(names) or ("anybody" if "ingest" in row["scopes"] else "-")
    until = (row["until"] or "it is revoked")[:19]
    cells = escape(row["name"]), ",".join(row["scopes"]), until, escape(speaks_for)
    return [(cell, "") for cell in cells]


def _rows(settings: Settings) -> Iterator[dict[str, Any]]:
    """The tokens with their rights; ``until`` None: until it is revoked."""
    from laneway.web.keyring import OWN, SCOPES

    listed = _keyring(settings).entries()
    former = {entry["name"]: entry["former"] for entry in listed}
    own: list[dict[str, Any]] = [
        {"name": name, "scopes": scopes, "agents": [], "pods": [], "expires": None}
        for name, scopes in OWN.items()
    ]
    for entry in own + [entry for entry in listed if entry["name"] not in OWN]:
        yield {
            "name": entry["name"],
            "scopes": sorted(entry["scopes"], key=SCOPES.index),
            "agents": entry["agents"],
            "pods": entry["pods"],
            "until": _time(entry["expires"]),
            "former_until": [_time(old["until"]) for old in former.get(entry["name"], ())],
        }


def _time(until_s: float | None) -> str | None:
    return None if until_s is None else format_ns(int(until_s * NS_PER_S))
