"""``laneway doctor``: what is wrong with this installation, and how to mend it."""

import json
import textwrap
from collections.abc import Callable, Iterator
from typing import Annotated

import typer

from laneway import __version__
from laneway.base.errors import LanewayError, SettingError
from laneway.base.settings import Settings, resolve
from laneway.cli import NOTHING, option
from laneway.cli.check import (
    FAIL,
    NOTE,
    OK,
    WARN,
    Finding,
    damage,
    disk,
    machine,
    service,
    trial,
    upgrade,
)
from laneway.cli.escape import escape
from laneway.cli.terminal import Terminal

Groups = tuple[tuple[str, tuple[Callable[[Settings], Finding], ...]], ...]

GROUPS: Groups = (
    (
        "Installation",
        (
            machine.check_python,
            machine.check_encoder,
            machine.check_parts,
            service.check_page,
            machine.check_environment,
            machine.check_clock,
        ),
    ),
    (
        "Log",
        (
            disk.check_home,
            disk.check_log_directory,
            trial.check_owner,
            damage.check_damage,
            damage.check_scrub,
            disk.check_file_system,
            disk.check_space,
            trial.check_locks,
            disk.check_appends,
            trial.check_sync,
        ),
    ),
    ("Hub", (service.check_hub, service.check_index, disk.check_secrets, service.check_sending)),
)

STATE_STYLES = {OK: "green", NOTE: "cyan", WARN: "warn", FAIL: "alarm"}
NAME_CELLS = max(len("environment"), len("file system"))


LOG_GROUP = "Log"

UPGRADE: tuple[Callable[[Settings], Finding], ...] = (
    machine.check_python,
    machine.check_parts,
    machine.check_environment,
    upgrade.check_log_format,
    upgrade.check_layout,
    service.check_hub,
    upgrade.check_service_file,
    service.check_sending,
)
"""What another version may meet; the settings are read before any of them."""


def command(
    directory: Annotated[
        str | None,
        typer.Argument(metavar="DIR", help="Look at this directory only, as the place of a log."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="As one JSON object.")] = False,
    for_upgrade: Annotated[
        bool,
        typer.Option("--upgrade", help="Only what another version meets: formats, hub, service."),
    ] = False,
    log: option.Log = None,
    host: option.Host = None,
    port: option.Port = None,
) -> None:
    """Look at everything that Laneway needs, and say what is wrong and how to mend it.

    Nothing is changed: trials with two processes go to a folder of its own that is removed again.
    Exits with 1 if something is broken.
    """
    terminal = Terminal()
    found: list[Finding] = []
    title = ""
    for group, finding in examine(
        {"log_path": directory or log, "host": host, "port": port},
        only=LOG_GROUP if directory and not for_upgrade else "",
        groups=(("Upgrade", UPGRADE),) if for_upgrade else GROUPS,
    ):
        found.append(finding)
        if as_json:
            continue
        if group != title:
            terminal.print(*([""] if title else []), terminal.paint(group, "bold"))
            title = group
        terminal.write(_block(finding, terminal))
    terminal.print(_to_json(found)) if as_json else terminal.print("", _verdict(found, terminal))
    if any(finding.state == FAIL for finding in found):
        raise typer.Exit(NOTHING)


def examine(
    given: dict[str, object], *, only: str = "", groups: Groups = GROUPS
) -> Iterator[tuple[str, Finding]]:
    """Findings with the name of their group, as they are made; of one group with ``only``."""
    try:
        settings = resolve(given)
    except SettingError as error:
        remedy = error.hint or "mend it; until then nothing else can be looked at"
        yield groups[0][0], Finding("settings", FAIL, error.message, remedy)
        return
    for group, checks in groups:
        for check in checks if only in ("", group) else ():
            yield group, run_check(check, settings)


def run_check(check: Callable[[Settings], Finding], settings: Settings) -> Finding:
    """A check that fails is a finding itself."""
    try:
        return check(settings)
    except (LanewayError, OSError) as error:
        name = check.__name__.removeprefix("check_").replace("_", " ")
        return Finding(name, FAIL, *_tell(error))


def _tell(error: LanewayError | OSError) -> tuple[str, str]:
    """What was seen, and what to do."""
    if isinstance(error, LanewayError):
        return error.message, error.hint
    value = f"{error.filename}: {error.strerror}" if error.filename else str(error)
    remedy = f"`ls -ld '{error.filename}'` tells whose it is: be that user, or let yours read it"
    return value, remedy if isinstance(error, PermissionError) and error.filename else ""


def _block(finding: Finding, terminal: Terminal) -> Iterator[str]:
    """The finding and, indented beneath it, the remedy; wrapped to the window."""
    state = terminal.paint(f"{finding.state:<4}", STATE_STYLES[finding.state])
    lines = _wrap(finding.value, terminal)
    yield f"  {state}  {finding.name:<{NAME_CELLS}}  {lines[0]}"
    margin = " " * (10 + NAME_CELLS)
    for line in lines[1:]:
        yield margin + line
    for line in _wrap(finding.remedy, terminal) if finding.remedy else []:
        yield margin + terminal.paint(line, "bold")


def _wrap(text: str, terminal: Terminal) -> list[str]:
    room = max(terminal.width - 11 - NAME_CELLS, 30)
    if not terminal.is_tty:
        return [escape(text)]
    return textwrap.wrap(escape(text), room, break_on_hyphens=False) or [""]


def _verdict(found: list[Finding], terminal: Terminal) -> str:
    broken = [finding.name for finding in found if finding.state == FAIL]
    doubtful = [finding.name for finding in found if finding.state == WARN]
    if broken:
        return terminal.paint(f"Broken: {', '.join(broken)}.", "alarm")
    if doubtful:
        return terminal.paint(f"It works; look at: {', '.join(doubtful)}.", "warn")
    return terminal.paint("All is well.", "green")


def _to_json(found: list[Finding]) -> str:
    is_broken = any(finding.state == FAIL for finding in found)
    checks = [finding._asdict() for finding in found]
    return json.dumps({"version": __version__, "ok": not is_broken, "checks": checks}, indent=2)
