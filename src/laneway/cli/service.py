"""``laneway service``: have the system start the hub and keep it running, for this user."""

import os
import sys
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from laneway.base.errors import LanewayError, SettingError
from laneway.base.settings import SETTINGS, Settings, resolve
from laneway.cli import NOTHING, option
from laneway.cli.manager import Job, Manager
from laneway.cli.manager.launchd import Launchd
from laneway.cli.manager.systemd import Systemd
from laneway.log.segment import LogPath, make_directory

OF_AGENTS = frozenset({"logging_url", "agent", "disabled", "strict"})
"""Settings of those who send; a shell that has them says nothing about the hub."""

PATHS = frozenset({"home", "log_path", "index_path", "token_file"})
"""A service starts in another directory than this shell is in."""


NOBODY_THERE = "in a session of your own (not su or sudo), run `laneway service install` again"


class Action(StrEnum):
    INSTALL = "install"
    REMOVE = "remove"
    STATUS = "status"


class Kind(StrEnum):
    SYSTEMD = "systemd"
    LAUNCHD = "launchd"


MANAGERS: dict[Kind, Callable[[], Manager]] = {Kind.SYSTEMD: Systemd, Kind.LAUNCHD: Launchd}


def command(
    action: Annotated[Action, typer.Argument(metavar="ACTION", help="What to do.")] = Action.STATUS,
    host: option.BindHost = None,
    port: option.BindPort = None,
    log: option.Log = None,
    hardened: Annotated[
        bool,
        typer.Option(
            "--hardened",
            help="systemd: everything but the log and Laneway's home read-only (user namespaces).",
        ),
    ] = False,
    show: Annotated[
        bool, typer.Option("--print", help="Print the file, and change nothing.")
    ] = False,
    kind: Annotated[
        Kind | None,
        typer.Option(
            "--for",
            metavar="systemd|launchd",
            help="The service manager.",
            show_default="this system's",
        ),
    ] = None,
) -> None:
    """Have systemd (Linux) or launchd (macOS) start the hub when you log in, and again when it fails.

    The service runs as you, with the settings that this shell has: they are written into its file.
    """
    manager = MANAGERS[kind or this_system()]()
    settings = resolve({"host": host, "port": port, "log_path": log})
    given = {"host": host, "port": port, "log_path": log}
    if show or action is Action.INSTALL:
        job = job_of(settings, given)
        text = manager.text(job, hardened=hardened)
    if show:
        sys.stdout.write(text.decode())
    elif action is Action.INSTALL:
        for directory in job.writes:  # a read-only file system is opened for what is there only
            make_directory(directory)
        install(manager, text)
    elif action is Action.REMOVE:
        remove(manager)
    else:
        tell(manager, settings)


def this_system(platform: str = sys.platform) -> Kind:
    """
    Raises:
        SettingError: no manager that Laneway knows.
    """
    if platform.startswith("linux"):
        return Kind.SYSTEMD
    if platform == "darwin":
        return Kind.LAUNCHD
    raise SettingError(
        f"no service manager of {platform} is known here",
        hint="have the system run `laneway up --no-open` itself; docs/service.md tells how",
    )


def job_of(settings: Settings, given: dict[str, str | None]) -> Job:
    """The hub with all that this shell says about it; `config.toml` it reads itself.

    Raises:
        SettingError: a secret would be written into the file.
    """
    environment: dict[str, str] = {}
    for setting in SETTINGS:
        origin = settings.origin[setting.name]
        value = given.get(setting.name) if origin == "argument" else os.environ.get(origin)
        if not value or setting.name in OF_AGENTS:
            continue
        if setting.secret:
            raise SettingError(
                f"{origin} is a secret, and would stand in the service's file",
                hint="put it into a file, and name that with LANEWAY_TOKEN_FILE",
            )
        path = os.path.abspath(os.path.expanduser(value))
        environment[setting.envs[-1]] = path if setting.name in PATHS else value
    environment.setdefault("LANEWAY_HOME", os.path.abspath(settings.home))
    log = LogPath.parse(os.path.abspath(settings.log_path)).directory
    writes = dict.fromkeys([environment["LANEWAY_HOME"], log])
    if settings.index_path:
        writes[os.path.abspath(settings.index_path)] = None
    # -P: nothing of the directory that the service starts in may pass for a package.
    return Job((sys.executable, "-P", "-m", "laneway", "up", "--no-open"), environment, [*writes])


def install(manager: Manager, text: bytes) -> None:
    was_there = manager.file.exists()
    write(manager.file, text)
    print(f"{manager.file}: {'written anew' if was_there else 'written'}")
    try:
        manager.start()
    except LanewayError as error:
        raise LanewayError(
            f"the file is written, and the service could not be started: {error.message}",
            hint=manager.help if manager.state() else NOBODY_THERE,
        ) from error
    print("The hub runs and will be started again. `laneway open` prints a link to its page.")
    if manager.after:
        print(f"  {manager.after}")


def write(path: Path, text: bytes) -> None:
    """At once or not at all."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f"{path.name}.new")
        new.write_bytes(text)
        new.replace(path)
    except OSError as error:
        raise LanewayError(f"{path} cannot be written: {error.strerror}") from error


def remove(manager: Manager) -> None:
    if not manager.file.exists():
        print(f"{manager.file}: there is no service")
        raise typer.Exit(NOTHING)
    manager.stop()
    manager.file.unlink()
    print(f"{manager.file}: removed; the log, the index and the tokens stay")


def tell(manager: Manager, settings: Settings) -> None:
    """What the manager says of the service, and what the hub says of itself."""
    from laneway.reader.client import Client

    if not manager.file.exists():
        print("no service; `laneway service install` makes one")
        raise typer.Exit(NOTHING)
    print(f"service  {manager.state() or 'the service manager does not answer'}  ({manager.file})")
    client = Client.of_log(settings)
    health = client.try_health()
    print(f"hub      {client.url}  {health['status'] if health else 'does not answer'}")
    if health is None:
        raise typer.Exit(NOTHING)
