"""The peers' environment, ``.peers/python``: made once for each ``locks/peers.txt``."""

import hashlib
import shutil
import subprocess
import sys
from importlib.metadata import version

from bench.result import ROOT

HOME = ROOT / ".peers"
PYTHON = HOME / "python" / "bin" / "python"
LOCK = ROOT / "locks" / "peers.txt"
LIST = ROOT / "bench" / "peers" / "packages.txt"
STAMP = HOME / "installed"
PATIENCE_S = 1_800

VERSIONS = """import sys
from importlib.metadata import PackageNotFoundError, version
for name in sys.argv[1:]:
    try: print(name, version(name))
    except PackageNotFoundError: pass"""


def packages() -> list[str]:
    lines = LIST.read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def install() -> dict[str, str]:
    """What could not be installed, with its reason. Everything at once, else one after the other."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()
    if STAMP.exists() and STAMP.read_text() == digest:
        return {}
    shutil.rmtree(HOME / "python", ignore_errors=True)
    _uv("venv", "--quiet", "--python", sys.executable, str(HOME / "python"))
    problem = _uv(
        "pip", "install", "--quiet", "--python", str(PYTHON), "--require-hashes", "-r", str(LOCK)
    )
    if not problem:
        STAMP.write_text(digest)
        return {}
    absent = {}
    for name in packages():
        alone = ("pip", "install", "--quiet", "--python", str(PYTHON), "-c", str(LOCK), name)
        if reason := _uv(*alone):
            absent[name] = reason
    return absent


def _uv(*arguments: str) -> str:
    """Empty, or the last that it said."""
    command = [sys.executable, "-m", "uv", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, check=False)
    said = done.stderr.strip().splitlines() or [f"exit code {done.returncode}"]
    return said[-1].strip()[:300] if done.returncode else ""


def versions() -> dict[str, str]:
    """Of what is there, the programs of the system with them."""
    command = [PYTHON, "-c", VERSIONS, *packages()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    found = {"laneway": version("laneway")}
    found |= dict(line.split(" ", 1) for line in done.stdout.splitlines())
    for name in ("jq", "rg", "lnav"):
        if shutil.which(name):
            said = subprocess.run(
                [name, "--version"], capture_output=True, text=True, check=False
            ).stdout
            found[name] = (
                said.split("\n")[0].removeprefix(name).strip(" -").split(" (")[0].split()[-1]
            )
    return found


def is_installed(package: str) -> bool:
    probe = f"from importlib.metadata import version; version({package!r})"
    return not subprocess.run([PYTHON, "-c", probe], capture_output=True, check=False).returncode
