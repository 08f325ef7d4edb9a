"""The hub as a unit of systemd's user manager (systemd.service(5), systemd.exec(5))."""

import os
from pathlib import Path

from laneway.cli.manager import Job
from laneway.cli.manager.ask import ask

UNIT = "laneway.service"

BASE = """\
NoNewPrivileges=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6
SystemCallArchitectures=native
SystemCallFilter=@system-service
UMask=0077
"""
"""Filters of system calls need no privilege beyond NoNewPrivileges, so every user manager can set them."""

HARDENED = """\
PrivateUsers=yes
ProtectSystem=strict
ProtectHome=read-only
PrivateTmp=yes
PrivateDevices=yes
ProtectControlGroups=yes
"""
"""A file system of its own, which a user manager can make only where users may make user namespaces."""


class Systemd:
    def __init__(self) -> None:
        home = os.environ.get("XDG_CONFIG_HOME") or os.path.expanduser("~/.config")
        self.file = Path(home, "systemd", "user", UNIT)
        self.help = f"journalctl --user -u {UNIT} -n 30"
        self.after = "loginctl enable-linger   # to have it run while you are not logged in"

    def text(self, job: Job, *, hardened: bool) -> bytes:
        settings = "".join(
            f"Environment={_quote(f'{name}={value}')}\n" for name, value in job.environment.items()
        )
        writable = "".join(f"ReadWritePaths={_quote('-' + path)}\n" for path in job.writes)
        unit = f"""\
# Written by `laneway service install`; what you add beside it with `systemctl --user edit laneway` stays.
[Unit]
Description=Laneway hub
StartLimitIntervalSec=300
StartLimitBurst=10

[Service]
Type=exec
ExecStart={" ".join(_quote(word).replace("$", "$$") for word in job.command)}
{settings}Restart=on-failure
RestartSec=2
# A wrong setting is not mended by a new start.
RestartPreventExitStatus=2
# The hub gets the signal and ends its own processes.
KillMode=mixed
TimeoutStopSec=30
{BASE}{HARDENED + writable if hardened else ""}
[Install]
WantedBy=default.target
"""
        return unit.encode()

    def start(self) -> None:
        self._systemctl("daemon-reload")
        self._systemctl("enable", UNIT)
        self._systemctl("restart", UNIT)

    def stop(self) -> None:
        if self.file.exists():
            self._systemctl("disable", "--now", UNIT)

    def state(self) -> str:
        return ask("systemctl", "--user", "is-active", UNIT, check=False).strip()

    def _systemctl(self, *words: str) -> None:
        ask("systemctl", "--user", *words)


def _quote(text: str) -> str:
    """One word of a unit file: quoted, and with the signs of specifiers doubled."""
    for sign, spelt in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("%", "%%")):
        text = text.replace(sign, spelt)
    return f'"{text}"'
