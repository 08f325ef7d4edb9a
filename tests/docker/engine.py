"""A Docker Engine, and a stack of `deploy/` that one test has for itself."""

import json
import os
import shutil
import subprocess
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.port import free_port

ROOT = Path(__file__).parents[2]
DEPLOY = ROOT / "deploy"
HOW_TO = "install Docker Engine with Compose, or set DOCKER_HOST to one; then `make test-docker`"

LOAD = """
import sys, time, laneway
agent, count, pause_s = sys.argv[1], int(sys.argv[2]), float(sys.argv[3])
for number in range(count):
    laneway.log_event(agent, "log", f"number {number}")
    time.sleep(pause_s)
def is_away():
    stats = laneway.stats()
    return not stats["waiting"] and stats.get("shipped", count) >= count
until_s = time.monotonic() + 60
while not is_away() and time.monotonic() < until_s:
    time.sleep(0.05)
print(laneway.stats(), flush=True)
sys.exit(not is_away())
"""
"""An agent that numbers its events, and stays until its spool is empty."""


def why_no_engine() -> str:
    """Why the tests cannot run here; empty if they can."""
    if not shutil.which("docker"):
        return f"there is no docker command: {HOW_TO}"
    done = subprocess.run(["docker", "info"], capture_output=True, text=True, check=False)
    if done.returncode:
        return f"no Docker Engine answers: {HOW_TO}"
    done = subprocess.run(
        ["docker", "compose", "version"], capture_output=True, text=True, check=False
    )
    return f"docker has no Compose: {HOW_TO}" if done.returncode else ""


def docker(*arguments: str, is_expected: bool = True, timeout_s: float = 600) -> str:
    """What the command wrote. A failure shows all that it said."""
    done = subprocess.run(
        ["docker", *arguments],
        capture_output=True, text=True, timeout=timeout_s, check=False,
    )  # fmt: skip
    assert not is_expected or done.returncode == 0, f"docker {arguments}:\n{done.stderr[-3000:]}"
    return done.stdout + (done.stderr if arguments[0] == "logs" else "")


class Stack:
    """One project of Compose: its own names, volumes and port."""

    def __init__(self, name: str, *files: str, profile: str = "", directory: Path = DEPLOY) -> None:
        self.name = name
        self.directory = directory
        self.port = free_port()
        self.files = ("compose.yaml", *files)
        self.profile = profile

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def compose(self, *arguments: str, **environment: str) -> str:
        words = ["compose", "-p", self.name]
        for file in self.files:
            words += ["-f", str(self.directory / file)]
        words += ["--profile", self.profile] if self.profile else []
        env = os.environ | {"LANEWAY_PORT": str(self.port), **environment}
        done = subprocess.run(
            ["docker", *words, *arguments],
            env=env, capture_output=True, text=True, timeout=600, check=False,
        )  # fmt: skip
        assert done.returncode == 0, f"compose {arguments}:\n{done.stderr[-3000:]}"
        return done.stdout

    def up(self, *arguments: str, **environment: str) -> None:
        self.compose("up", "--detach", "--wait", "--quiet-pull", *arguments, **environment)

    def down(self) -> None:
        self.compose("down", "--volumes", "--timeout", "5")

    def container(self, service: str) -> str:
        return f"{self.name}-{service}-1"

    def laneway(self, *arguments: str) -> str:
        """The command line in the hub's container."""
        return docker("exec", self.container("logger"), "laneway", *arguments)

    def numbers(self, agent: str) -> Counter[int]:
        """How often each event of a `LOAD` is in the log."""
        lines = docker(
            "exec", self.container("logger"), "laneway", "export", f"agent:{agent}",
            is_expected=False,
        ).splitlines()  # fmt: skip
        return Counter(int(json.loads(line)["content"].split()[1]) for line in lines)

    def limit_volume(self, size: str) -> None:
        """Make the log's volume one of ``size``, in memory, before anything is started. It is there as
        long as a container has it: see `hold_volume`."""
        docker(
            "volume", "create", "--driver", "local",
            "--label", f"com.docker.compose.project={self.name}",
            "--label", "com.docker.compose.volume=ai_logs",
            "--opt", "type=tmpfs", "--opt", "device=tmpfs",
            "--opt", f"o=size={size},uid=10001,gid=10001,mode=2770", f"{self.name}_ai_logs",
        )  # fmt: skip

    def hold_volume(self) -> str:
        """A container that does nothing but have the log's volume."""
        name = f"{self.name}-holder"
        docker(
            "run", "--detach", "--init", "--name", name,
            "--label", f"com.docker.compose.project={self.name}",
            "-v", f"{self.name}_ai_logs:/mnt/data/logs", "--entrypoint", "sleep",
            "laneway:local", "infinity",
        )  # fmt: skip
        return name

    def health(self) -> str:
        """What the hub says of itself; empty where nobody answers."""
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=10) as answer:
                return str(json.load(answer)["status"])
        except urllib.error.HTTPError as error:
            return str(json.load(error)["status"])
        except OSError:
            return ""

    def start_agent(
        self, agent: str, count: int, pause_s: float, *, user: str = "1234", on_volume: bool = False
    ) -> str:
        """A container that is none of ours but for the library, as somebody with this user id."""
        where = [
            *("-e", "LOGGING_URL=http://logger:8000/log"),
            *("-e", "LANEWAY_TOKEN_FILE=/run/laneway/ingest.token"),
            *("-v", f"{self.name}_ingest:/run/laneway:ro"),
        ]
        if on_volume:
            where = ["-e", "LOG_PATH=/mnt/data/logs", "-v", f"{self.name}_ai_logs:/mnt/data/logs"]
        name = f"{self.name}-{agent}"
        docker(
            "run", "--detach", "--name", name, "--label", f"com.docker.compose.project={self.name}",
            "--network", f"{self.name}_default", "--user", user, "--group-add", "10001",
            "--cap-drop", "ALL", "-e", "LANEWAY_HOME=/tmp/laneway",
            *where, "--entrypoint", "python", "laneway-demo:local",
            "-c", LOAD, agent, str(count), str(pause_s),
        )  # fmt: skip
        return name

    def finish(self, containers: Sequence[str]) -> list[str]:
        """Wait for agents to end; what they said."""
        said = []
        for name in containers:
            assert docker("wait", name).strip() == "0", docker("logs", name)
            said.append(docker("logs", name))
            docker("rm", name)
        return said
