"""The example's processes, as a person would start them, on free ports."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from tests.port import free_port
from tests.waiting import eventually

REPOSITORY = Path(__file__).parents[2]


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    ours = ("LANEWAY_", "ASSISTANT_", "LOG_PATH", "LOGGING_URL")
    env = {name: value for name, value in os.environ.items() if not name.startswith(ours)}
    return {
        **env,
        "LANEWAY_HOME": str(home),
        "PYTHONPATH": str(REPOSITORY),
        **more,
    }


@dataclass
class Processes:
    """Python modules as child processes; all of them are gone at the end of the test."""

    folder: Path
    children: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def start(self, env: dict[str, str], *command: str) -> subprocess.Popen[bytes]:
        with (self.folder / f"{len(self.children)}.out").open("wb") as out:
            child = subprocess.Popen(
                [sys.executable, "-m", *command], env=env, cwd=self.folder, stdout=out, stderr=out
            )
        self.children.append(child)
        return child

    def serve(self, env: dict[str, str], module: str, ready: str, *arguments: str) -> str:
        """Start a server and return its address once it answers."""
        port = free_port()
        child = self.start(env, module, "--port", str(port), *arguments)
        url = f"http://127.0.0.1:{port}"
        eventually(lambda: child.poll() is not None or answers(url + ready), f"{module} answers")
        assert child.poll() is None, self.output()
        return url

    def stop(self) -> None:
        for child in reversed(self.children):
            child.send_signal(signal.SIGTERM)
            child.wait(180)

    def output(self) -> str:
        return "\n".join(path.read_text() for path in sorted(self.folder.glob("*.out")))


def answers(url: str) -> bool:
    try:
        return httpx.get(url, trust_env=False, timeout=180).is_success
    except httpx.TransportError:
        return False
