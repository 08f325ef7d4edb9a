"""Builds what is released, and tries it as a user would: ``make release-check``.

* The committed tree is exported to two places and built in each, the page included; sdist and wheel must
  be equal byte by byte. They go to ``dist/``, with their sums.
* In a clean environment of every Python that the package promises, the wheel is installed, first alone and
  then with the hub, and tried by `tools/smoke.py`. A Python that is not there is asked of uv; where that
  cannot be had either, its line says so, and the check still passes: it tells what ran.
* A software bill of materials (CycloneDX) of the wheel with its hub goes beside them.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
DIST = ROOT / "dist"
UV = [sys.executable, "-m", "uv"]
SBOM_TOOL = "cyclonedx-bom>=7.5,<8"
PROMISED = re.findall(
    r'"Programming Language :: Python :: (3\.\d+)"', (ROOT / "pyproject.toml").read_text()
)


class ReleaseError(Exception):
    """The release is not fit; one line."""


def run(*command: object, cwd: Path = ROOT, **env: str) -> str:
    words = list(map(str, command))
    done = subprocess.run(words, cwd=cwd, env={**os.environ, **env}, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"`{' '.join(words)}` failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout


def build(place: Path) -> list[Path]:
    """The wheel is made from the sdist, so that the sdist is known to be whole."""
    tree, out = place / "tree", place / "out"
    tree.mkdir(parents=True)
    archive = place / "tree.tar"
    run("git", "archive", "--output", archive, "HEAD")
    run("tar", "-xf", archive, "-C", tree)
    epoch = run("git", "log", "-1", "--format=%ct").strip()
    run(
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--outdir",
        out,
        tree,
        SOURCE_DATE_EPOCH=epoch,
    )
    return sorted(out.iterdir())


def build_twice(places: Path) -> list[Path]:
    """
    Raises:
        ReleaseError: the two builds differ.
    """
    first, second = build(places / "a"), build(places / "another, longer place")
    for one, other in zip(first, second, strict=True):
        if one.name != other.name or digest(one) != digest(other):
            raise ReleaseError(f"{one.name} is not reproducible: compare {one} and {other}")
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    return [Path(shutil.copy2(file, DIST)) for file in first]


def digest(file: Path) -> str:
    return hashlib.sha256(file.read_bytes()).hexdigest()


def find_python(version: str) -> str:
    """On the path, among pyenv's, else by uv, which may fetch one; ``""`` where there is none."""
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    found = [
        shutil.which(f"python{version}"),
        *sorted(pyenv.glob(f"versions/{version}.*/bin/python")),
    ]
    for python in filter(None, found):
        told = subprocess.run(
            [python, "-c", "import sys; print(sys.executable)"], capture_output=True, text=True
        )
        if told.returncode == 0:
            return told.stdout.strip()
    try:
        run(*UV, "python", "install", version)
        return run(*UV, "python", "find", "--no-project", version).strip()
    except ReleaseError:
        return ""


def try_out(wheel: Path, python: str, place: Path) -> Path:
    """The environment's Python, with the wheel and its hub in it.

    Raises:
        ReleaseError: it cannot be installed, or does not work.
    """
    run(*UV, "venv", "--quiet", "--python", python, place)
    inside = place / "bin" / "python"
    for extra, part in (("", "sdk"), ("[hub]", "hub")):
        run(*UV, "pip", "install", "--quiet", "--python", inside, f"{wheel}{extra}")
        with tempfile.TemporaryDirectory() as empty:
            run(inside, "-I", "-W", "error", ROOT / "tools" / "smoke.py", part, cwd=Path(empty))
    return inside


def write_sbom(inside: Path, wheel: Path) -> Path:
    sbom = DIST / f"{wheel.name.split('-py3')[0]}.cdx.json"
    epoch = run("git", "log", "-1", "--format=%ct").strip()
    run(
        *UV, "tool", "run", "--quiet", "--from", SBOM_TOOL, "cyclonedx-py", "environment", inside,
        "--pyproject", ROOT / "pyproject.toml", "--mc-type", "application", "--output-reproducible",
        "--of", "JSON", "-o", sbom, SOURCE_DATE_EPOCH=epoch,
    )  # fmt: skip
    return sbom


def check() -> Iterator[str]:
    """What was found, line by line."""
    if changed := run("git", "status", "--porcelain"):
        yield f"note: what is not committed is left out ({len(changed.splitlines())} files)"
    with tempfile.TemporaryDirectory(prefix="laneway-release-") as folder:
        files = build_twice(Path(folder))
        yield f"built twice, byte by byte the same: {', '.join(file.name for file in files)}"
        wheel = next(file for file in files if file.suffix == ".whl")
        inside = None
        for version in PROMISED:
            if python := find_python(version):
                inside = try_out(wheel, python, Path(folder, version))
                yield f"Python {version}: works ({python})"
            else:
                yield f"Python {version}: NOT TRIED, none is here and uv cannot fetch one"
        if inside is None:
            raise ReleaseError("no Python was found to try the wheel with")
        files.append(write_sbom(inside, wheel))
        yield f"bill of materials: {files[-1].name}"
    sums = "".join(f"{digest(file)}  {file.name}\n" for file in files)
    (DIST / "SHA256SUMS").write_text(sums)


def main() -> int:
    try:
        for line in check():
            print(line, flush=True)
    except ReleaseError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
