"""What the image is built from, looked at without an engine."""

import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]


def copied(stage: str) -> set[str]:
    """The paths that a stage of the Dockerfile copies out of the source tree."""
    found: set[str] = set()
    here = ""
    for line in (ROOT / "deploy" / "Dockerfile").read_text().splitlines():
        words = line.split()
        if words[:1] == ["FROM"]:
            here = words[-1]
        elif words[:1] == ["COPY"] and here == stage and "--from" not in line:
            found.update(words[1:-1])
    return found


def test_all_that_the_wheel_is_made_of_is_copied_before_it_is_built() -> None:
    hatch = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]
    wheel = hatch["targets"]["wheel"]
    needed = {path.split("/")[0] for path in wheel["packages"]} | set(wheel["force-include"])
    assert {"examples/assistant"} <= needed <= copied("build")


def test_all_that_is_copied_is_sent_to_the_engine() -> None:
    sent = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text().splitlines()
        if line.startswith("!")
    }
    for stage in ("build", "packages", "demo-packages", "demo"):
        for path in copied(stage):
            assert any(path == one or path.startswith(f"{one}/") for one in sent), path
