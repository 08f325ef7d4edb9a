"""The hub as a launch agent of macOS (launchd.plist(5))."""

import os
import plistlib
from pathlib import Path

from laneway.cli.manager import Job
from laneway.cli.manager.ask import ask

LABEL = "laneway.hub"


class Launchd:
    def __init__(self) -> None:
        self.file = Path.home() / "Library" / "LaunchAgents" / f"{LABEL}.plist"
        self._output = Path.home() / "Library" / "Logs" / "laneway.log"
        self.help = f"tail -n 30 {self._output}"
        self.after = f"tail -f {self._output}   # what the hub says"

    def text(self, job: Job, *, hardened: bool) -> bytes:
        """launchd has no options of the kind that ``hardened`` asks for; the umask is always narrow."""
        return plistlib.dumps(
            {
                "Label": LABEL,
                "ProgramArguments": list(job.command),
                "EnvironmentVariables": dict(job.environment),
                "RunAtLoad": True,
                "KeepAlive": {"SuccessfulExit": False},
                "ThrottleInterval": 10,
                "ExitTimeOut": 30,
                "ProcessType": "Background",
                "Umask": 0o077,
                "StandardOutPath": str(self._output),
                "StandardErrorPath": str(self._output),
            },
            sort_keys=False,
        )

    def start(self) -> None:
        self.stop()
        ask("launchctl", "bootstrap", self._domain(), str(self.file))

    def stop(self) -> None:
        ask("launchctl", "bootout", f"{self._domain()}/{LABEL}", check=False)

    def state(self) -> str:
        told = ask("launchctl", "print", f"{self._domain()}/{LABEL}", check=False)
        states = [line for line in told.splitlines() if line.strip().startswith("state = ")]
        return states[0].partition("=")[2].strip() if states else ""

    def _domain(self) -> str:
        return f"gui/{os.getuid()}"
